"""The protocol of memorisation, on models that copy and on one that does not.
"""
import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tiny_evaluation

from pgak import data
from pgak import priors
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.metrics import copies
from pgak.metrics import three_samples


pytestmark = pytest.mark.slow


class Linear(tiny_evaluation.Model):
  """The pixels are the latents, so a density of them is one of images."""

  latent_dim = 64

  def encode_mean(self, images, training=False):
    return tf.reshape(images, [-1, 64])

  def decoder(self, latents, training=False):
    return tf.reshape(latents, [-1, 8, 8, 1])


class _Images:
  """Draws the latents of a split's images."""

  name = 'images'

  def __init__(self, split, count):
    images = data.digits().split(split).read(np.arange(count))
    self._latents = images.reshape(-1, 64).astype(np.float32) / 255.

  def sample(self, n, seed=0):
    return tf.constant(self._latents[:n])


@pytest.fixture(name='measured', scope='module')
def _measured():
  """Returns `{density: {(metric, features): row}}`."""
  protocol = dataclasses.replace(
      protocols.resolve('memorisation'), features=('192',), num_samples=290,
      priors=('own',))
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(evaluator_lib, 'feature_net', tiny_evaluation.flat_net)
    evaluator = evaluator_lib.Evaluator(data.digits(), protocol)
    found = {}
    for name, prior in {
        'resampled': priors.Resampled(64), 'kde': priors.KernelDensity(
            64, 1e-4), 'test': _Images('test', 290)}.items():
      model = Linear()
      if name != 'test':
        prior.fit(model.encode_split(data.digits().split('train')))
      model.prior = prior
      rows = evaluator.rows(model, 0, latents=False)
      found[name] = {(r['metric'], r['features']): r for r in rows}
  return found


SPACES = ('pixels', 'flat_192', 'latents')


@pytest.mark.parametrize('name', ['resampled', 'kde'])
@pytest.mark.parametrize('space', SPACES)
def test_what_copies_is_found(measured, name, space):
  rows = measured[name]
  assert rows['copy_share', space]['value'] > 0.95 > copies.MOST
  assert rows['authenticity', space]['value'] < 0.05
  assert rows['authenticity_of_test', space]['value'] > 0.2
  if space != 'pixels':
    assert (rows['three_sample_test', space]['value']
            < three_samples.LEAST)


@pytest.mark.parametrize('space', SPACES)
def test_what_does_not_copy_passes(measured, space):
  rows = measured['test']
  assert rows['copy_share', space]['value'] <= copies.MOST
  # The test split has 297 images, of which these are 290.
  assert rows['authenticity', space]['value'] == pytest.approx(
      rows['authenticity_of_test', space]['value'], abs=0.02)
  if space != 'pixels':
    row = rows['three_sample_test', space]
    assert abs(row['value']) < 3. * float(row['error'])


def test_scores_name_what_was_compared(measured):
  row = measured['resampled']['copy_share', 'latents']
  assert (row['prior'], row['split'], row['num_samples'], row['images']) == (
      'resampled', 'train vs test', 290, 'samples')
  assert row['better'] == 'neither' and row['protocol'] == 'memorisation'
  row = measured['kde']['log_likelihood_train', 'latents']
  # Each latent is its own centre, and no other is near.
  other = measured['kde']['log_likelihood_held_out', 'latents']
  assert row['value'] > other['value'] + 1e6


def test_more_samples_are_kept_only_where_a_metric_needs_them(measured):
  del measured
  plain = protocols.Protocol('plain', (), 20, 'test',
                             metrics=('reconstruction_mse',))
  assert evaluator_lib.Evaluator(
      data.digits(), plain).source.num_kept == 1000
