"""Measures models of one data set of vectors, by one protocol."""
import numpy as np

from pgak import errors
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import examples
from pgak.evaluation import protocols
from pgak.metrics import coverage
from pgak.metrics import sliced_wasserstein

__all__ = ['VectorEvaluator']

_METRICS = ('sliced_wasserstein', 'coverage', 'mse', 'topology')
_FEATURES = 'vectors'


class VectorEvaluator(evaluator_lib.Evaluator):
  """Scores models of one data set of vectors.

  Samples are compared with as many points of the protocol's split, and so are,
  under `images` = 'data', points of the split `train`.

  Args:
    dataset: a `data.VectorDataset`.
    protocol: as for `Evaluator`.

  Raises:
    UserError: if the protocol measures what vectors do not have.
  """

  def __init__(self, dataset, protocol):
    protocol = protocols.resolve(protocol)
    for metric in protocol.metrics:
      if metric not in _METRICS:
        raise errors.UserError(
            f'{dataset.name} holds vectors, of which {metric!r} cannot be '
            f'measured: choose --metrics out of {",".join(_METRICS)}.')
    super().__init__(dataset, protocol)
    self.train = dataset.split('train')
    number = min(self.num_samples, self.num_references, len(self.train))
    self.num_samples = self.num_references = self.num_encoded = number
    self.real = self.array.read(np.arange(number))

  def score(self, model):
    return {row['metric']: row['value'] for row in self.rows(model, 0)
            if row['images'] != 'data'}

  def _image_rows(self, model, kind, row, files):
    points, prior = self._points(model, kind), 'none'
    if kind == 'samples':
      prior = evaluator_lib.label(model.prior)
      files.write_cloud(self.real, points, prior)
    measures = {'sliced_wasserstein': self._distance, 'coverage': self._covered}
    return [self._vector_row(row, name, measure(points), kind, prior=prior)
            for name, measure in measures.items()
            if name in self.protocol.metrics]

  def _points(self, model, kind):
    """Vectors of a kind, float32 `[N, D]`."""
    if kind == 'data':
      return self.train.read(np.arange(self.num_samples))
    return np.concatenate(list(examples.images_of(
        kind, model, self.protocol, self.array, self.num_samples)))

  def _distance(self, points):
    return sliced_wasserstein.sliced_wasserstein(
        self.real, points, seed=self.protocol.seed)

  def _covered(self, points):
    return coverage.coverage(self.real, points)

  def _pixel_rows(self, model, row):
    if 'mse' not in self.protocol.metrics or model.lacks('encode'):
      return []
    made = model.reconstruct(self.real).numpy()
    error = np.mean((made.astype(np.float64) - self.real)**2)
    return [self._vector_row(row, 'mse', float(error), 'reconstructions')]

  def _vector_row(self, row, metric, value, kind, **settings):
    return row(metric=metric, value=value, features=_FEATURES, images=kind,
               num_samples=self.num_samples,
               split=examples.span(self.array, self.num_samples), **settings)
