"""Models of vectors are measured against held-out points."""
import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak import evaluation
from pgak.data import kinds
from pgak.evaluation import protocols
from pgak.models import verbs


class Prior:
  name = 'made'


class Model(verbs.Generation):
  """Gives its training points back, moved by `shift`; it knows no encoder.

  It is what the evaluator needs of a model, and nothing else.
  """

  name = 'mover'
  kind = kinds.Vectors((3,))
  optimizers = {}
  prior = Prior()


@pytest.fixture(name='evaluator')
def _evaluator(monkeypatch):
  roll = data.swiss_roll(200)
  evaluator = evaluation.VectorEvaluator(roll, 'vectors')
  train = roll.split('train').read(np.arange(200))
  monkeypatch.setattr(
      'pgak.evaluation.vectors.examples.images_of',
      lambda kind, model, *rest: [train[:90], train[90:] + model.shift])
  return evaluator


def test_training_points_score_as_the_floor(evaluator):
  model = Model()
  model.shift = 0.
  rows = {(r['metric'], r['images']): r['value']
          for r in evaluator.rows(model, 7, ema=False)}
  # Without an encoder there are neither reconstructions nor codes.
  assert set(rows) == {(m, i) for m in ('sliced_wasserstein', 'coverage')
                       for i in ('samples', 'data')}
  for metric in ('sliced_wasserstein', 'coverage'):
    assert rows[metric, 'samples'] == rows[metric, 'data']
  model.shift = 2.
  assert evaluator.score(model)['sliced_wasserstein'] > 2. * rows[
      'sliced_wasserstein', 'data']
  assert evaluator.score(model)['coverage'] < rows['coverage', 'data']


def test_coverage_is_of_the_data_by_the_samples(evaluator):
  # All samples at one place cover the few points around it; the other way
  # round, the one place would be covered as soon as it lies near the data.
  one_place = np.repeat(evaluator.real[:1], 200, 0)
  assert evaluator._covered(one_place) < 0.1
  assert evaluator._covered(evaluator.real) == 1.


def test_as_many_points_are_compared_as_there_are():
  evaluator = evaluation.VectorEvaluator(data.swiss_roll(30), 'vectors')
  assert evaluator.num_samples == evaluator.num_references == 30
  fewer = evaluation.VectorEvaluator(
      data.swiss_roll(30), protocols.vectors(num_samples=12))
  assert len(fewer.real) == fewer.num_samples == 12


def test_what_images_have_is_refused():
  protocol = protocols.vectors(metrics=('coverage', 'lpips'))
  with pytest.raises(errors.UserError, match="'lpips' cannot"):
    evaluation.VectorEvaluator(data.swiss_roll(30), protocol)
