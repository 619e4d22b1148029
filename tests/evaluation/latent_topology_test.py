"""Tests of the topology of a model's codes."""
import numpy as np
import pytest
import tensorflow as tf
import tiny_evaluation

from pgak import data
from pgak import errors
from pgak.evaluation import context
from pgak.evaluation import examples
from pgak.evaluation import protocols
from pgak.metrics import metric
from pgak.metrics import topology


class _Same(tiny_evaluation.Model):
  """Its codes are the images."""

  def encode_mean(self, floats, training=False):
    return tf.reshape(floats, [-1, np.prod(floats.shape[1:])])


def _measure(model, dataset, split='test'):
  """Values by name, and of how many images they are."""
  source = examples.Examples(
      dataset, protocols.Protocol('mine', split=split))
  found = list(metric.find('topology', 'images').compute(
      context.Context(model, source, {})))
  number, = {value.num_samples for value in found}
  return {value.name: value.value for value in found}, number


def test_points_are_pixels_and_codes_are_latents():
  array = data.digits().split('test')
  values, number = _measure(tiny_evaluation.Model(), data.digits())
  levels = array.read(np.arange(297)).reshape(297, 64)
  assert number == 297
  # As the model's floats are made: rounding breaks ties.
  codes = levels[:, :3].astype(np.float32) * np.float32(1. / 255.)
  expected = topology.topology(levels / 255., codes)
  assert values == pytest.approx(expected, abs=1e-3)
  assert values['trustworthiness'] < 0.9


def test_codes_that_are_the_images_keep_all():
  values, _ = _measure(_Same(), data.digits())
  assert min(values.values()) > 0.99  # Rounding breaks ties.


def test_the_first_2000_images_count():
  dataset = data.synthetic((4, 4, 1), 2800)
  _, number = _measure(_Same(), dataset, 'train')
  assert number == 2000


def test_latents_that_are_not_finite_are_an_error():
  class Broken(tiny_evaluation.Model):
    def encode_mean(self, floats, training=False):
      return tf.fill([tf.shape(floats)[0], 3], np.nan)

  with pytest.raises(errors.UserError, match='finite'):
    _measure(Broken(), data.digits())
