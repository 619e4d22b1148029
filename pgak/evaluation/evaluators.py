"""Which evaluator measures a data set, a table by kind of data."""
from typing import NamedTuple

from pgak import errors
from pgak.data import kinds
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import pairs
from pgak.evaluation import protocols
from pgak.evaluation import vectors

__all__ = ['Entry', 'TABLE', 'evaluator_for']


class Entry(NamedTuple):
  """How a kind of data is measured.

  Attributes:
    evaluator: class, made of a data set and a `Protocol`.
    advice: string, what to choose instead of a protocol for other data.
  """
  evaluator: type
  advice: str


TABLE = kinds.Table({
    kinds.Images: Entry(evaluator_lib.Evaluator,
                        'another --protocol, such as quick'),
    kinds.Pairs: Entry(pairs.PairEvaluator, '--protocol=learned_priors_pairs'),
    kinds.Vectors: Entry(vectors.VectorEvaluator, '--protocol=vectors'),
})


def evaluator_for(dataset, protocol):
  """Makes the evaluator of a data set.

  Args:
    dataset: a `data.Dataset`, or another with a `kind` that `TABLE` has.
    protocol: as for `Evaluator`.

  Raises:
    UserError: if the protocol is for another kind of data.
  """
  protocol = protocols.resolve(protocol)
  kind = kinds.of(dataset)
  entry = TABLE.of(kind)
  if entry is None:
    raise errors.UserError(
        f'{dataset.name} holds {kind.name}, which nothing measures: add an '
        'evaluator to pgak.evaluation.evaluators.TABLE.')
  if protocol.holds != kind.name:
    raise errors.UserError(
        f'{protocol.name} measures {protocol.holds}, and {dataset.name} holds '
        f'{kind.name}: use {entry.advice}.')
  if 'condition' in kind.can and protocol.priors != ('own',):
    raise errors.UserError(
        'A model of pairs draws from its own prior, given a condition: leave '
        'out --prior.')
  return entry.evaluator(dataset, protocol)
