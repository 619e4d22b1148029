"""Tests of the functions behind the signatures of models of pairs."""
import numpy as np
import pytest
import tensorflow as tf
import tiny_pairs

from pgak.serving import conditional_signatures

LATENT_DIM = tiny_pairs.make('VUNet').latent_dim


@pytest.fixture(name='model', scope='module')
def _model():
  return tiny_pairs.make('VUNet')


@pytest.fixture(name='served', scope='module')
def _served(model):
  endpoints = conditional_signatures.ConditionalEndpoints(model, max_batch=3)
  return {name: tf.function(function, specs, autograph=False)
          for name, (function, specs) in endpoints.signatures().items()}


def images(number):
  return np.zeros([number, 8, 8, 1], np.uint8)


def test_as_many_may_be_asked_for_as_are_allowed(served):
  for number in (0, 1, 3):
    made = served['generate'](np.arange(number), images(number))['images']
    assert made.shape == (number, 8, 8, 1)
    latents = served['encode'](images(number), images(number))['latents']
    assert len(latents) == number
  seeds = np.arange(4)
  for name, inputs in {
      'generate': [seeds, images(4)], 'generate_png': [seeds, images(4)],
      'sample_latents': [seeds, images(4)], 'encode': [images(4)] * 2,
      'decode': [np.zeros([4, LATENT_DIM], 'f'), images(4)],
      'reconstruct': [images(4)] * 2}.items():
    with pytest.raises(tf.errors.InvalidArgumentError,
                       match='`batch` must be 0 to 3, but is. .4'):
      served[name](*inputs)


def test_each_row_is_the_models_by_its_seed_and_its_condition(model, served):
  conditions = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1)).astype(
      np.uint8)
  seeds = np.array([4, 1 << 50, 4])
  made = served['generate'](seeds, conditions)['images']
  for image, seed, condition in zip(made, seeds, conditions):
    expected = model.sample(condition[np.newaxis], seed=int(seed))[0]
    assert np.abs(np.int32(image) - np.int32(expected)).max() <= 1


def test_what_would_be_given_nothing_is_left_out(model):
  left_out = conditional_signatures.ConditionalEndpoints(model).left_out
  assert set(left_out) == {
      'encode_image', 'interpolate', 'interpolate_spherical', 'log_prob',
      'latent_to_base', 'base_to_latent', 'generate_class', 'log_prob_class',
      'generate_attributes'}


def test_images_and_conditions_are_equally_many(served):
  with pytest.raises(tf.errors.InvalidArgumentError, match='equally many'):
    served['encode'](images(2), images(1))


def test_what_is_no_number_is_no_latent(served):
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='`latents` must be finite'):
    served['decode'](np.full([2, LATENT_DIM], np.nan, 'f'), images(2))


def test_generate_is_first_and_so_the_default(served):
  assert next(iter(served)) == 'generate'
