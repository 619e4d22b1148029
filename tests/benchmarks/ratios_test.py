"""Tests that both sides of the benchmark's ratios do the same."""
import keras
import numpy as np
import pytest
import ratios
import tensorflow as tf


@pytest.mark.parametrize('name', ratios.MODELS)
def test_the_step_by_hand_is_the_same_mathematics(name):
  images = tf.constant(np.random.RandomState(0).uniform(
      -1, 1, (4,) + ratios.SHAPE), tf.float32)
  keras.utils.set_random_seed(1)
  model = ratios._model(name)
  keras.utils.set_random_seed(1)
  step = ratios._step_by_hand(name)
  weights = model.term_weights
  decoder_only = weights.get('nll_decoder', 0.)
  for _ in range(3):
    noise = model.draw_noise(images)
    terms = {t: float(tf.reduce_mean(v))
             for t, v in model.terms(images, noise).items()}
    expected = sum(weights.get(t, 1.) * v for t, v in terms.items())
    expected -= decoder_only * terms.get('nll_decoder', 0.)
    # The constant of eq. 6, log(2 pi) / 2, is not in the step by hand.
    expected -= weights.get('nll_encoder', 0.) * 0.5 * np.log(2 * np.pi)
    model.train_step(images)
    # Steps that were the same so far give the same loss.
    assert float(step(images)) == pytest.approx(expected, rel=1e-4)


def test_operations_are_counted():
  """A VAE's step has the AE's, but for a second head and the noise."""
  count = {name: ratios.operations(ratios._step_by_hand(name),
                                   (2,) + ratios.SHAPE)
           for name in ('ae', 'vae', 'lpga')}
  assert count['ae'] < count['vae'] < 1.01 * count['ae']
  # Forward passes: F 4 and G 4, where the AE has one of each; the AE goes back
  # through both once, LPGA through F 4 times and G 3, with fewer weights.
  assert 2.5 < count['lpga'] / count['ae'] < 4.


def test_the_table_holds_every_ratio():
  row = dict(model='vpga', ms=12.3, by_hand=1.01, to_first=3.2, predicted=4.)
  text = ratios.format_table([row])
  assert '| vpga | 12.3 | 1.01 | 3.20 | 4.00 | 0.80 |' in text


def test_both_mixtures_end_at_the_same_density():
  found = ratios.mixture_ratio(300, 3, 2, iterations=4, repeats=1)
  assert found['difference'] < 1e-4
  assert found['ratio'] == pytest.approx(
      found['seconds'] / found['scikit_learn'])


def test_sampling_through_a_flow_is_timed_beside_decoding():
  found = ratios.sampling_ratio(number=4, latent_dim=3, repeats=1)
  assert found['ratio'] == found['sampling'] / found['decoding'] > 0.


def test_what_is_timed_has_no_autotuning(monkeypatch):
  iterated = []

  def runner(step, batches, steps):
    iterated.append(batches.options().autotune.enabled)
    return lambda: None

  monkeypatch.setattr(ratios, '_fit_runner', runner)
  monkeypatch.setattr(ratios, '_loop_runner', runner)
  monkeypatch.setattr(ratios, '_seconds', lambda run: 1.)
  ratios.train_step_ratios(['ae'], batch_size=2, repeats=1)
  assert iterated == [False, False]
