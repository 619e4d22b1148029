"""Tests of the topology of a model's codes."""
import numpy as np
import pytest
import tensorflow as tf
import tiny_evaluation

from pgak import data
from pgak import errors
from pgak.evaluation import latent_topology
from pgak.metrics import topology


class _Same(tiny_evaluation.Model):
  """Its codes are the images."""

  def encode_mean(self, floats, training=False):
    return tf.reshape(floats, [-1, np.prod(floats.shape[1:])])


def test_points_are_pixels_and_codes_are_latents():
  array = data.digits().split('test')
  values, number = latent_topology.measure(tiny_evaluation.Model(), array)
  levels = array.read(np.arange(297)).reshape(297, 64)
  assert number == 297
  # As the model's floats are made: rounding breaks ties.
  codes = levels[:, :3].astype(np.float32) * np.float32(1. / 255.)
  expected = topology.topology(levels / 255., codes)
  assert values == pytest.approx(expected, abs=1e-3)
  assert values['trustworthiness'] < 0.9


def test_codes_that_are_the_images_keep_all():
  values, _ = latent_topology.measure(_Same(), data.digits().split('test'))
  assert min(values.values()) > 0.99  # Rounding breaks ties.


def test_the_first_2000_images_count():
  array = data.synthetic((4, 4, 1), 2800).split('train')
  _, number = latent_topology.measure(_Same(), array)
  assert number == 2000


def test_codes_that_are_no_numbers_are_told():
  class Broken(tiny_evaluation.Model):
    def encode_mean(self, floats, training=False):
      return tf.fill([tf.shape(floats)[0], 3], np.nan)

  with pytest.raises(errors.UserError, match='finite'):
    latent_topology.measure(Broken(), data.digits().split('test'))
