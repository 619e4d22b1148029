"""The examples that a protocol measures, by kind of data."""
from pgak import errors
from pgak.data import kinds
from pgak.evaluation import examples
from pgak.evaluation import pairs
from pgak.evaluation import protocols
from pgak.evaluation import vectors

__all__ = ['TABLE', 'examples_for']

# Kind of data -> class of its examples, made of a data set and a `Protocol`.
TABLE = kinds.Table({
    kinds.Images: examples.Examples,
    kinds.Pairs: pairs.PairExamples,
    kinds.Vectors: vectors.VectorExamples,
})


def examples_for(dataset, protocol):
  """Makes the `examples.Examples` of a data set.

  Args:
    dataset: a `data.Dataset`, or another with a `kind` that `TABLE` has.
    protocol: a `protocols.Protocol`.

  Raises:
    UserError: if the protocol is for another kind of data.
  """
  kind = kinds.of(dataset)
  entry = TABLE.of(kind)
  if entry is None:
    raise errors.UserError(
        f'{dataset.name} holds {kind.name}, which nothing measures: add a '
        'class of examples to pgak.evaluation.examples_by_kind.TABLE.')
  if protocol.holds != kind.name:
    raise errors.UserError(
        f'{protocol.name} measures {protocol.holds}, and {dataset.name} holds '
        f'{kind.name}: use {entry.advice}.')
  if 'condition' in kind.can and not set(protocol.priors) <= {
      'own', protocols.OWN_OR_MIXTURE}:
    raise errors.UserError(
        'A model of pairs draws from its own prior, given a condition: leave '
        'out --prior.')
  return entry(dataset, protocol)
