"""The diagnostics of whole models, and when they warn."""
import io
import json

import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from pgak.reporting import curves
from pgak.reporting import runs as runs_lib
from pgak.runs import run_directory
from pgak.training import diagnosing
from pgak.training import diagnostics
from pgak.training import intervals

POSTERIOR = {'active_units', 'latent_dimensions'}
STANDARD = POSTERIOR | {'kl_in_nats', 'kl_of_dimension'}
AGGREGATE = {'aggregate_mean', 'aggregate_sigma', 'dimensions_off_prior',
             'prior_mean', 'prior_mmd', 'prior_sigma'}
DECODER = {'saturation', 'saturation_of_data'}
JUDGED = {'discriminator_accuracy', 'discriminator_loss',
          'discriminator_loss_at_chance'}
NUMBERS = {
    'AE': set(), 'RAE': set(), 'VAE': STANDARD | AGGREGATE, 'CVVAE': STANDARD,
    'FPVAE': POSTERIOR | AGGREGATE, 'AGE': AGGREGATE, 'LPGA': AGGREGATE,
    'AAE': AGGREGATE | JUDGED, 'PriorAAE': AGGREGATE | JUDGED,
    'ALAE': AGGREGATE | JUDGED, 'NoPriorMatching': AGGREGATE | JUDGED,
    'SNGAN': JUDGED, 'PGGAN': {'critic_means_apart'}}


class Images:
  """Stands for a split."""

  def __init__(self, number=120):
    self.images = np.random.default_rng(0).integers(
        0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)

  def __len__(self):
    return len(self.images)

  def read(self, places):
    return self.images[places]


@pytest.mark.parametrize('name', NUMBERS)
def test_each_model_is_asked_what_it_has(name):
  model = tiny_models.make(name)
  before = [v.numpy() for v in model.variables]
  measured = diagnostics.measure(diagnosing.observe(model, Images()))
  found = {n for numbers in measured.values() for n in numbers}
  assert found == NUMBERS[name] | DECODER
  for value, variable in zip(before, model.variables, strict=True):
    np.testing.assert_array_equal(value, variable)


def test_they_are_the_numbers_of_the_first_examples():
  model, images = tiny_models.make('VAE'), Images(600)
  observed = diagnosing.observe(model, images)
  assert len(observed.mean) == diagnosing.NUMBER == 500
  mean, sigma = model.posterior(model.to_model(images.read(slice(0, 500))))
  np.testing.assert_allclose(observed.mean, mean, atol=1e-6)
  np.testing.assert_allclose(observed.sigma, sigma, atol=1e-6)


@pytest.fixture(name='diagnosis')
def _diagnosis(tmp_path, monkeypatch):
  """A callback at every step of 20, whose warnings a test decides."""
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('', {})
  run.events.mkdir()
  warned = []
  monkeypatch.setattr(diagnosing.logging, 'warning',
                      lambda _, text: warned.append(text))

  def make():
    made = diagnosing.Diagnosis(
        intervals.Intervals(20, *[1] * 5), Images(), run, io.StringIO())
    made.set_model(tiny_models.compiled('VAE'))
    made.on_train_begin()
    return made

  return make, warned, run, monkeypatch


def test_a_warning_is_given_when_it_begins_to_hold(diagnosis):
  make, warned, run, monkeypatch = diagnosis
  monkeypatch.setattr(diagnosing, 'observe',
                      lambda *unused: diagnostics.Observed())
  callback = make()
  for step, holds in enumerate((1, 1, 1, 0, 0, 1), 1):
    monkeypatch.setattr(diagnostics, 'judge',
                        lambda _, h=holds: {'saturation': 'Dark.'} if h else {})
    callback.at_step(step, {})
  # Not in the first tenth of the run.
  assert warned == ['Step 2: Dark.', 'Step 6: Dark.']
  assert json.loads((run.path / 'diagnostics.json').read_text()) == {
      'step': 6, 'warnings': {'saturation': 'Dark.'}}
  # A resumed run does not repeat it; a damaged file does no harm.
  make().at_step(7, {})
  assert len(warned) == 2
  (run.path / 'diagnostics.json').write_text('[')
  make().at_step(8, {})
  assert warned[2:] == ['Step 8: Dark.']


def test_the_numbers_are_in_the_log_and_in_events(diagnosis):
  make, _, run, _ = diagnosis
  callback = make()
  callback.at_step(1, {})
  callback.at_step(2, {})
  line = callback.stream.getvalue().splitlines()[-1]
  assert line.startswith('step 2 diagnostics  active_units ')
  read = runs_lib.Run(run.path)
  steps, values = curves.read_events(read)['diagnostics', 'kl_in_nats']
  assert list(steps) == [1, 2] and f'kl_in_nats {values[1]:.4g}' in line
  found = curves.read_vectors(read)
  step, kl = found['kl_of_dimension']
  assert step == 2 and kl.shape == (tiny_models.LATENT_DIM,)
  np.testing.assert_allclose(kl.sum(), values[1], rtol=1e-5)


def test_training_draws_what_it_would_draw_without(diagnosis):
  make, _, _, _ = diagnosis
  ends = []
  for is_diagnosed in (False, True):
    model = tiny_models.compiled('VAE')
    callback = make()
    callback.set_model(model)
    for step in (1, 2):
      model.train_step(tf.constant(tiny_models.images()))
      if is_diagnosed:
        callback.at_step(step, {})
    ends.append([v.numpy() for v in model.variables])
  for one, other in zip(*ends, strict=True):
    np.testing.assert_array_equal(one, other)
