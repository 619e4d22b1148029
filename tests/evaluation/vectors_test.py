"""Models of vectors are measured against held-out points."""
import types

import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak import evaluation
from pgak.data import kinds
from pgak.data import vectors
from pgak.evaluation import protocols
from pgak.metrics import metric
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
  evaluator = evaluation.Evaluator(roll, 'vectors')
  train = roll.split('train').read(np.arange(200))
  monkeypatch.setattr(
      'pgak.evaluation.vectors.examples.images_of',
      lambda images, model, *rest: [train[:90], train[90:] + model.shift])
  return evaluator


def test_training_points_score_as_the_floor(evaluator):
  model = Model()
  model.shift = 0.
  rows = {(r['metric'], r['images']): r['value']
          for r in evaluator.rows(model, 7, ema=False)}
  # Without an encoder there are neither reconstructions nor codes.
  assert set(rows) == {(m, i) for m in ('sliced_wasserstein', 'coverage')
                       for i in ('samples', 'data')}
  for name in ('sliced_wasserstein', 'coverage'):
    assert rows[name, 'samples'] == rows[name, 'data']
  model.shift = 2.
  assert evaluator.score(model)['sliced_wasserstein'] > 2. * rows[
      'sliced_wasserstein', 'data']
  assert evaluator.score(model)['coverage'] < rows['coverage', 'data']


def _covered(evaluator, points):
  context = types.SimpleNamespace(real=evaluator.source.real, examples=points)
  value, = metric.find('coverage', 'vectors').compute(context)
  return value.value


def test_coverage_is_of_the_data_by_the_samples(evaluator):
  # All samples at one place cover the few points around it; the other way
  # round, the one place would be covered as soon as it lies near the data.
  one_place = np.repeat(evaluator.source.real[:1], 200, 0)
  assert _covered(evaluator, one_place) < 0.1
  assert _covered(evaluator, evaluator.source.real) == 1.


def test_as_many_points_are_compared_as_there_are():
  evaluator = evaluation.Evaluator(data.swiss_roll(30), 'vectors')
  assert evaluator.source.num_samples == evaluator.source.num_references == 30
  fewer = evaluation.Evaluator(
      data.swiss_roll(30), protocols.vectors(num_samples=12))
  assert len(fewer.source.real) == fewer.source.num_samples == 12


def test_no_more_points_are_encoded_than_there_are():
  points = np.random.default_rng(0).normal(size=(40, 3)).astype('f')
  made = vectors.VectorDataset('made', {
      name: vectors.Split(points[:number], None) for name, number in (
          ('train', 40), ('test', 40), ('few', 8))}, {})
  evaluator = evaluation.Evaluator(made, protocols.Protocol(
      'mine', (), 20, 'test', encoded_split='few', metrics=('mse',),
      holds='vectors'))
  source = evaluator.source
  assert source.num_samples == source.num_encoded == len(source.real) == 8


def test_what_images_have_is_refused():
  protocol = protocols.vectors(metrics=('coverage', 'lpips'))
  with pytest.raises(errors.UserError, match="no metric 'lpips' of vectors"):
    evaluation.Evaluator(data.swiss_roll(30), protocol)


class Identity(verbs.Encoding, verbs.Generation):
  """Its latents are the points."""

  name = 'identity'
  kind = kinds.Vectors((5,))
  latent_dim = 5
  optimizers = {}
  prior = types.SimpleNamespace(
      name='zeros', sample=lambda n, seed=0: np.zeros([n, 5], np.float32))

  def encode_mean(self, points, training=False):
    return points

  def decoder(self, latents, training=False):
    return latents


def test_what_needs_more_points_is_left_out_with_the_reason():
  # Those of docs/data.md, of which 7 are in the split `test`.
  points = np.random.default_rng(1).normal(size=(80, 5))
  evaluator = evaluation.Evaluator(data.from_arrays(points), 'vectors')
  left_out = {}
  rows = evaluator.rows(Identity(), 0, leave_out=left_out.__setitem__)
  assert {r['metric']: r['num_samples'] for r in rows} == {
      'sliced_wasserstein': 7, 'coverage': 7, 'mse': 7}
  reason, = left_out.values()
  assert left_out.keys() == {'topology'} and 'there are 7: take' in reason
  with pytest.raises(errors.UserError, match='there are 7: take'):
    evaluator.rows(Identity(), 0)
