"""Which evaluator measures a data set: of images, of pairs, or of vectors."""
from pgak import errors
from pgak.data import kinds
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import pairs
from pgak.evaluation import protocols
from pgak.evaluation import vectors

__all__ = ['evaluator_for']

_EVALUATORS = {'images': evaluator_lib.Evaluator, 'pairs': pairs.PairEvaluator,
               'vectors': vectors.VectorEvaluator}
_OTHERS = {'images': 'another --protocol, such as quick',
           'pairs': '--protocol=learned_priors_pairs',
           'vectors': '--protocol=vectors'}


def evaluator_for(dataset, protocol):
  """Makes the evaluator of a data set.

  Args:
    dataset: a `data.Dataset`, `data.PairDataset` or `data.VectorDataset`.
    protocol: as for `Evaluator`.

  Raises:
    UserError: if the protocol is for another kind of data set.
  """
  protocol = protocols.resolve(protocol)
  holds = _holds(dataset)
  if protocol.holds != holds:
    raise errors.UserError(
        f'{protocol.name} measures {protocol.holds}, and {dataset.name} holds '
        f'{holds}: use {_OTHERS[holds]}.')
  if holds == 'pairs' and protocol.priors != ('own',):
    raise errors.UserError(
        'A model of pairs draws from its own prior, given a condition: leave '
        'out --prior.')
  return _EVALUATORS[holds](dataset, protocol)


def _holds(dataset):
  if kinds.are_vectors(dataset.image_shape):
    return 'vectors'
  return 'pairs' if kinds.is_conditional(dataset) else 'images'
