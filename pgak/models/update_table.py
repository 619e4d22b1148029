"""The update table: which loss term updates which part, and in which phase."""
from collections.abc import Callable
from typing import NamedTuple

__all__ = ['Phase', 'UpdateTable', 'summed']


class Phase(NamedTuple):
  """One phase of a model whose parts are updated alternately.

  A forward pass in training mode updates the batch-norm statistics of every
  part that it goes through, also of those that the phase does not update, as
  in the authors' codes. Passes by `frozen`, and those that are repeated only
  for a derivative, do not.

  Attributes:
    terms: the model's method that computes this phase's terms, or its name; a
      subclass's own of that name takes its place.
    updates: `{term: parts that descend it}`.
    repeats: how often the phase runs in one train step. The data set then
      yields `repeats` times the batch, of which each run takes its slice
      `[i::repeats]`.
    stage: the stage of training to which it belongs. A model whose parts are
      trained one after the other says in `stage_ends` when each stage ends.
    hands_on: whether the method takes `handed`, a dictionary in which the
      phases of one step hand on their results; each slice has its own.
  """
  terms: Callable
  updates: dict
  repeats: int = 1
  stage: int = 0
  hands_on: bool = False

  def compute(self, model, batch, noise, handed, training):
    """Returns the model's terms of this phase, `{term: [B] or scalar}`."""
    more = {'handed': handed} if self.hands_on else {}
    return self.terms(model, batch, noise, training=training, **more)


class UpdateTable:
  """The phases of a model, without the terms whose weight is the number 0.

  Args:
    owner: class of the model, whose method `terms` belongs to a dictionary.
    updates: `{term: parts}`, or a tuple of `Phase`s.
    weights: `{term: number or schedule}`.
    replaced: `{term: parts}`, rows that replace those of `updates`.
    unreachable: `{term: parts that its gradient cannot reach}`.

  Raises:
    ValueError: if `weights` or `replaced` names a term that is not there, or
      two phases have a term of one name.
  """

  def __init__(self, owner, updates, weights, replaced, unreachable):
    # A model with one phase states its table alone.
    if isinstance(updates, dict):
      updates = (Phase('terms', updates),)
    names = [term for phase in updates for term in phase.updates]
    known = set(names)
    # Weights, logs and faults go by the term's name.
    if len(names) > len(known):
      raise ValueError('A term that two phases have is two terms, with two '
                       f'names; the phases have {", ".join(sorted(names))}.')
    for term in set(replaced) | set(weights):
      if term not in known:
        raise ValueError(f'There is no term {term!r}; the terms are '
                         f'{", ".join(sorted(known))}.')
    self.phases = tuple(phase._replace(
        terms=_of_owner(owner, phase.terms), updates={
            term: tuple(replaced.get(term, parts))
            for term, parts in phase.updates.items()
            # A schedule stays, as it may be 0 at one step and not at another.
            if callable(weights.get(term)) or weights.get(term, 1.) != 0
        }) for phase in updates)
    self.unreachable = unreachable

  @property
  def rows(self):
    """`{term: parts}` of all phases."""
    return {t: p for phase in self.phases for t, p in phase.updates.items()}

  def phases_of(self, stage):
    """Returns the phases of a stage; all of them where it is None."""
    return tuple(p for p in self.phases if stage in (None, p.stage))

  @property
  def slices(self):
    """Into how many slices a batch is cut: the largest number of repeats."""
    return max(phase.repeats for phase in self.phases)

  def grouped(self, updates):
    """Groups a phase's terms by parts, `{parts: [terms]}`.

    Each group is back-propagated once. A term joins the largest row of the
    phase whose further parts it cannot reach: the sum has the same gradient.
    """
    groups = {}
    # Largest first: kl then shares one backward pass with the reconstruction,
    # instead of a second one through the encoder.
    by_size = sorted(set(updates.values()), key=len, reverse=True)
    for term, parts in updates.items():
      free = set(parts) | set(self.unreachable.get(term, ()))
      row = next(r for r in by_size if set(parts) <= set(r) <= free)
      groups.setdefault(row, []).append(term)
    return groups


def _of_owner(owner, method):
  """Returns the class's own method of the name of one that a phase states."""
  # A class body has functions, no bound methods: they are its parent's, even
  # where a subclass overrides them.
  name = method if isinstance(method, str) else method.__name__
  return getattr(owner, name)


def summed(gradients, others):
  """Adds gradients of the same variables; None stands for no gradient.

  Args:
    gradients: list of tensors or None, or None for no list yet.
    others: list of tensors or None.
  """
  if gradients is None:
    return list(others)
  return [_sum_of_two(a, b) for a, b in zip(gradients, others)]


def _sum_of_two(gradient, other):
  if gradient is None:
    return other
  return gradient if other is None else gradient + other
