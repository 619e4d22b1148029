"""What an export's images are given: labels, attributes and conditions."""
import json

import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_pairs

from pgak import errors
from pgak import priors
from pgak.serving import client
from pgak.serving import exporting
from pgak.serving import given as given_lib

LEARNED = {'labels': ['4', '7'], 'attributes': ['Smiling', 'Male']}


@pytest.mark.parametrize('given, suffix, inputs', [
    (None, '', {}), ([7, 4], '_class', {'label': [1, 0]}),
    ({'label': 7}, '_class', {'label': [1, 1]}),
    (7, '_class', {'label': [1, 1]}),
    ([[True, False]] * 2, '_attributes', {'attributes': [[1, -1]] * 2}),
    ({'Male': 0}, '_attributes', {'attributes': [[0, -1]] * 2}),
    ([[1, 0], [0, -1]], '_attributes', {'attributes': [[1, 0], [0, -1]]})])
def test_which_signature_takes_what_is_given(given, suffix, inputs):
  found, made = given_lib.request(LEARNED, given, 2)
  assert (found, {n: x.tolist() for n, x in made.items()}) == (suffix, inputs)


@pytest.mark.parametrize('metadata, given, sentence', [
    (LEARNED, [5, 4], 'no label 5: choose .*, 4, 7'),
    (LEARNED, [7.9, 4.2], 'Labels are integers'),
    ({'attributes': ['Male']}, 7, 'takes no labels: export'),
    (LEARNED, {'male': 1}, 'did you mean Male[?]'),
    (LEARNED, {'label': 7, 'Male': 1}, 'labels or attributes, not both'),
    ({}, [5, 4], 'takes no labels: export .* --prior=flow_matching'),
    ({'labels': ['4']}, {'Male': 1}, 'takes no attributes: export'),
    ({'condition_shape': [8, 8, 1]}, None,
     r'given conditions, and here are none: give them, uint8 \[B, 8, 8, 1\]'),
    ({'condition_shape': [8, 8, 1]}, np.zeros([2, 8, 8, 1]), 'are float64')])
def test_what_an_export_does_not_take(metadata, given, sentence):
  with pytest.raises(errors.UserError, match=sentence):
    given_lib.request(metadata, given, 2)


def test_as_many_conditions_as_images_are_asked_for():
  metadata = {'condition_shape': [8, 8, 1]}
  conditions = np.zeros([3, 8, 8, 1], np.uint8)
  for n in (None, 3):
    assert given_lib.number(metadata, n, conditions) == 3
  model = tiny_pairs.make('VUNet')
  for call in (lambda: given_lib.number(metadata, 5, conditions),
               lambda: model.sample(5, given=np.zeros(
                   [3, *model.condition_shape], np.uint8))):
    with pytest.raises(errors.UserError, match='5 draws .* 3 conditions given'):
      call()


def assert_same_images(actual, expected):
  actual, expected = np.asarray(actual, int), np.asarray(expected, int)
  assert actual.shape == expected.shape
  assert np.abs(actual - expected).max() <= 1


@pytest.mark.slow
def test_an_export_by_labels_and_attributes(tmp_path):
  model = tiny_models.make('SNGAN')
  latents = np.random.default_rng(0).normal(size=(60, tiny_models.LATENT_DIM))
  model.prior = priors.FlowMatching(
      tiny_models.LATENT_DIM, 8, 1, steps=5, batch_size=32).fit(
          latents, np.where(latents[:, 0] > 0., 7, 4),
          {'Wide': latents[:, 1] > 0., 'High': latents[:, 2] > 0.})
  # Verified in a process of its own, with answers for each signature.
  folder = exporting.export_model(model, tmp_path)
  metadata = json.loads((folder / 'metadata.json').read_text())
  assert metadata['attributes'] == ['Wide', 'High']
  assert metadata['signatures']['generate_attributes']['bounds'] == {
      'batch': [0, metadata['max_batch']], 'attributes': [-1, 1]}
  with np.load(folder / 'assets.extra' / 'expected.npz') as arrays:
    assert np.unique(
        arrays['generate_attributes/in/attributes']).tolist() == [-1, 0, 1]
  served = client.ServedModel(folder)
  for given in ({'Wide': 1, 'High': 0}, {'label': 7}, {'High': 1}):
    assert_same_images(served.sample(3, 5, given)[:1],
                       model.sample(1, 5, given))
  assert_same_images(served.generate([5, 6], [7, 4]), np.concatenate(
      [model.sample(None, s, [y]) for s, y in ((5, 7), (6, 4))]))
  points = np.float32(latents[:3])
  np.testing.assert_allclose(
      served.log_prob(points, [7, 7, 4]),
      model.prior.log_prob(tf.constant(points), [7, 7, 4]), rtol=1e-3)
  for call, sentence in (
      (lambda: served.log_prob(points, {'High': 1}), 'none by attributes'),
      (lambda: served.sample_latents(2, 0, [7, 7]), 'sample_latents_class'),
      (lambda: served.decode(points, points), 'takes no conditions'),
      (lambda: served.sample(2, 0, [7]), '2 draws are asked for and 1 labels')):
    with pytest.raises(errors.UserError, match=sentence):
      call()


@pytest.mark.slow
@pytest.mark.exhaustive
def test_an_export_of_a_model_of_pairs(tmp_path):
  model = tiny_pairs.make('VUNet')
  folder = exporting.export_model(model, tmp_path, max_batch=4, verified=False)
  served = client.ServedModel(folder)
  conditions, images = np.random.default_rng(0).integers(
      0, 256, (2, 6, *tiny_pairs.SHAPE)).astype(np.uint8)
  latents = served.encode(images, conditions=conditions)
  np.testing.assert_allclose(latents, model.encode(images, conditions),
                             atol=1e-4)
  assert_same_images(served.decode(latents, conditions),
                     model.decode(latents, conditions))
  assert_same_images(served.reconstruct(images, conditions=conditions),
                     model.reconstruct(images, conditions))
  made = served.sample(conditions, seed=3)
  assert_same_images(made[:1], model.sample(conditions[:1], seed=3))
  assert_same_images(served.sample(None, 3, conditions), made)
  latents = served.sample_latents(None, 3, conditions)
  assert_same_images(served.decode(latents, conditions), made)
  for call, sentence in (
      (lambda: served.sample(2), 'given conditions, and here are none'),
      (lambda: served.encode(images), 'given conditions, and here are none'),
      (lambda: served.encode(images, conditions=conditions[:2]),
       'must be equally many'),
      (lambda: served.sample(conditions[:, 1:]), 'must have the shape'),
      (lambda: served.interpolate(images, images, 2), 'has no interpolate'),
      (lambda: served.log_prob(latents), 'has no log_prob: call sample')):
    with pytest.raises(errors.UserError, match=sentence):
      call()
