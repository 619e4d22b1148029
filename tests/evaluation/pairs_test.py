"""The scores of models of pairs: units, seeds and standard errors."""
import numpy as np
import pytest
import tiny_evaluation
import tiny_pairs

from pgak import data
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.generation import conditional
from pgak.metrics import inception_score
from pgak.metrics import pair_terms

NUMBER = 12


def evaluator(*metrics, seed=0, number=NUMBER):
  protocol = protocols.Protocol('tiny', ('64',), number, 'test', seed=seed,
                                metrics=metrics, rounding='truncate',
                                images=('translations',), holds='pairs')
  return evaluator_lib.Evaluator(tiny_pairs.dataset(), protocol)


@pytest.fixture(autouse=True)
def _flat(monkeypatch):
  monkeypatch.setattr(evaluator_lib, 'feature_net', tiny_evaluation.flat_net)


@pytest.fixture(name='without_terms')
def _without_terms(monkeypatch):
  """Leaves out the terms, which take seconds to trace."""
  monkeypatch.setattr(pair_terms, 'mean_terms',
                      lambda *unused: {'reconstruction_mae': 0.})


@pytest.fixture(name='model', scope='module')
def _model():
  return tiny_pairs.make('VUNet')


def black(model, conditions, seed=0, **unused):
  """Stands in for `conditional.generate`."""
  del model, seed
  yield np.zeros([len(conditions), 8, 8, 1], np.uint8)


def scores(found, model):
  return {row['metric']: row['value'] for row in found.rows(model, 0)}


@pytest.mark.parametrize('name', ['VUNet', 'VUNetFlow'])
def test_terms_are_in_the_units_of_their_names(name):
  model = tiny_pairs.make(name)
  array = tiny_pairs.dataset().split('test')
  batch, = data.batches(array, NUMBER, model.value_range, limit=NUMBER)
  posterior = model.draw_noise(batch, 0, 'evaluation')['posterior']
  images, conditions = batch['images'], batch['conditions']
  mean = model.encoder([images, conditions])
  latents = mean + posterior
  outputs = model.decoder([latents, conditions])
  made = outputs[0] if name == 'VUNet' else outputs
  found = scores(evaluator(), model)
  # Of pixels in [0, 255]: the model's are in [-1, 1], which are 2 apart.
  assert found['reconstruction_mae'] == pytest.approx(
      127.5 * np.abs(made - images).mean(), rel=1e-4)
  if name == 'VUNet':
    # Nats an image: half the squared distance of the means, over all latents.
    nats = 0.5 * np.square(outputs[1] - mean).sum(1)
    assert found['kl'] == pytest.approx(nats.mean(), rel=1e-4)
  else:
    # Nats a latent number.
    nats = -model.prior.log_prob(latents, conditions)
    assert found['prior_nll'] == pytest.approx(
        np.mean(nats) / model.latent_dim, rel=1e-4)


@pytest.mark.usefixtures('without_terms')
def test_the_error_of_the_score_is_that_of_ten_parts(model, monkeypatch):
  asked = []

  def score(probabilities, splits):
    asked.append((len(probabilities), splits))
    return 3., 0.5

  monkeypatch.setattr(inception_score, 'inception_score', score)
  monkeypatch.setattr(conditional, 'generate', black)
  found = scores(evaluator('inception_score'), model)
  assert asked == [(NUMBER, 10)]
  assert found['classifier_score'] == 3.
  assert found['classifier_score_se'] == pytest.approx(0.5 / np.sqrt(10.))


@pytest.mark.usefixtures('without_terms')
def test_diversity_is_of_two_images_of_one_condition(model):
  conditions = tiny_pairs.dataset().split('test').read_conditions(
      np.arange(NUMBER))
  net = tiny_evaluation.flat_net('64', None)
  first, second = (
      np.concatenate(list(net(list(conditional.generate(
          model, conditions, 6 + i, rounding='truncate'))))) for i in (0, 1))
  apart = np.linalg.norm(first - second, axis=1)
  found = scores(evaluator('frechet', seed=3), model)
  assert found['diversity_flat_64'] == pytest.approx(apart.mean(), rel=1e-5)
  assert found['diversity_flat_64_se'] == pytest.approx(
      apart.std(ddof=1) / np.sqrt(NUMBER), rel=1e-5)


@pytest.mark.usefixtures('without_terms')
def test_no_two_seeds_share_images(model, monkeypatch):
  asked = []
  monkeypatch.setattr(
      conditional, 'generate', lambda model, conditions, seed, **more: (
          asked.append(seed), black(model, conditions))[1])
  for seed in range(4):
    evaluator('frechet', seed=seed).rows(model, 0)
  assert len(asked) == len(set(asked)) == 8


@pytest.mark.usefixtures('without_terms')
def test_there_are_no_more_images_than_pairs(model, monkeypatch):
  monkeypatch.setattr(conditional, 'generate', black)
  pairs = len(tiny_pairs.dataset().split('test'))
  rows = evaluator('frechet', number=pairs + 5).rows(model, 0)
  drawn = [row for row in rows if row['images'] == 'translations']
  assert {row['num_samples'] for row in drawn} == {pairs}
  assert {row['split'] for row in drawn} == {'test'}


@pytest.mark.usefixtures('without_terms')
def test_the_split_of_a_distance_is_all_that_it_is_compared_with(
    model, monkeypatch):
  monkeypatch.setattr(conditional, 'generate', black)
  pairs = len(tiny_pairs.dataset().split('test'))
  found = {r['metric']: (r['num_samples'], r['split'])
           for r in evaluator('frechet', number=pairs - 5).rows(model, 0)}
  assert found['frechet_flat_64'] == (pairs - 5, 'test')
  assert found['diversity_flat_64'] == (pairs - 5, f'test[:{pairs - 5}]')


def test_pictures_of_two_seeds_share_no_image(monkeypatch):
  asked = []
  monkeypatch.setattr(
      conditional, 'generate', lambda model, conditions, seed: (
          asked.append(seed), black(model, conditions))[1])
  images = np.zeros([2, 8, 8, 1], np.uint8)
  for seed in range(3):
    conditional.sample_rows(None, images, images, 4, seed)
  assert len(asked) == len(set(asked)) == 12


def test_every_batch_has_draws_of_its_own(model):
  condition = tiny_pairs.dataset().split('test').read_conditions([0])
  made = list(conditional.generate(model, np.repeat(condition, 6, 0), 1,
                                   batch_size=2))
  assert len(made) == 3
  assert len(np.unique(np.concatenate(made).reshape(6, -1), axis=0)) == 6
  again = next(conditional.generate(model, condition, 2, batch_size=2))
  assert not any(np.array_equal(again[0], one) for one in np.concatenate(made))
