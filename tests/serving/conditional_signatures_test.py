"""Tests of the functions behind the signatures of models of pairs."""
import numpy as np
import pytest
import tensorflow as tf
import tiny_pairs

from pgak.serving import conditional_signatures

LATENT_DIM = tiny_pairs.make('VUNet').latent_dim


@pytest.fixture(name='served', scope='module')
def _served():
  endpoints = conditional_signatures.ConditionalEndpoints(
      tiny_pairs.make('VUNet'), max_count=3)
  return {name: tf.function(function, specs, autograph=False)
          for name, (function, specs) in endpoints.signatures().items()}


def images(number):
  return np.zeros([number, 8, 8, 1], np.uint8)


def test_as_many_may_be_asked_for_as_are_allowed(served):
  for number in (0, 1, 3):
    made = served['generate'](images(number), np.int64(0))['images']
    assert made.shape == (number, 8, 8, 1)
    latents = served['encode'](images(number), images(number))['latents']
    assert len(latents) == number
  for name, inputs in {
      'generate': [images(4), np.int64(0)], 'encode': [images(4)] * 2,
      'decode': [np.zeros([4, LATENT_DIM], 'f'), images(4)],
      'sample_latents': [images(4), np.int64(0)],
      'reconstruct': [images(4)] * 2}.items():
    with pytest.raises(tf.errors.InvalidArgumentError,
                       match='`batch` must be 0 to 3, but is. .4'):
      served[name](*inputs)


def test_images_and_conditions_are_equally_many(served):
  with pytest.raises(tf.errors.InvalidArgumentError, match='equally many'):
    served['encode'](images(2), images(1))


def test_what_is_no_number_is_no_latent(served):
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='`latents` must be finite'):
    served['decode'](np.full([2, LATENT_DIM], np.nan, 'f'), images(2))


def test_generate_is_first_and_so_the_default(served):
  assert next(iter(served)) == 'generate'
