"""Tests of the script that checks an export, in this process."""
import keras
import numpy as np
import pytest

from pgak import models
from pgak import serving
from pgak import serving_check

SHAPE = (4, 4, 3)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  keras.utils.set_random_seed(0)
  images = keras.Input(SHAPE)
  latents = keras.layers.Dense(2)(keras.layers.Flatten()(images))
  drawn = keras.Input((2,))
  decoded = keras.layers.Reshape(SHAPE)(keras.layers.Dense(48)(drawn))
  decoded = keras.layers.Activation('sigmoid')(decoded)
  model = models.AE(keras.Model(images, latents), keras.Model(drawn, decoded))
  output = tmp_path_factory.mktemp('export')
  return serving.export_model(model, output, verified=False)


@pytest.fixture
def expected(folder):
  """The model's own answers, to be changed and then put back."""
  path = folder / 'assets.extra' / 'expected.npz'
  kept = path.read_bytes()
  with np.load(path) as arrays:
    yield dict(arrays)
  path.write_bytes(kept)


def save(folder, arrays):
  np.savez(folder / 'assets.extra' / 'expected.npz', **arrays)


def test_every_signature_passes_both_loaders(folder):
  differences = serving_check.check(str(folder))
  assert set(differences) == {'object', 'session'}
  for found in differences.values():
    assert set(found) == {
        'decode', 'encode', 'encode_image', 'generate', 'generate_png',
        'interpolate', 'reconstruct', 'sample_latents', 'serving_default'}
    assert max(found.values()) <= 1.


@pytest.mark.parametrize('key', [
    'decode/out/images', 'generate/out/images', 'interpolate/out/images',
    'generate_png/out/image_bytes'])
def test_two_grey_levels_are_too_many(folder, expected, key):
  expected[key] = expected[key] ^ 2  # Every level moves by two.
  save(folder, expected)
  with pytest.raises(serving_check.Mismatch, match='differs .* by 2, more'):
    serving_check.check(str(folder))


@pytest.mark.parametrize('key', [
    'encode/out/latents', 'encode_image/out/latents',
    'sample_latents/out/latents'])
@pytest.mark.parametrize('change', [
    lambda latents: 1.02 * latents, lambda latents: np.nan * latents])
def test_other_latents_are_found(folder, expected, key, change):
  expected[key] = change(expected[key]).astype(np.float32)
  save(folder, expected)
  with pytest.raises(serving_check.Mismatch, match='differs from the model'):
    serving_check.check(str(folder))


@pytest.mark.parametrize('key, array', [
    ('encode/out/latents', np.zeros((4, 2), np.float64)),
    ('decode/out/images', np.zeros((4, 4, 4, 1), np.uint8)),
    ('decode/out/pictures', np.zeros((4, *SHAPE), np.uint8))])
def test_other_names_types_and_shapes_are_found(folder, expected, key, array):
  expected[key] = array
  save(folder, expected)
  with pytest.raises(serving_check.Mismatch):
    serving_check.check(str(folder))


def test_an_answer_that_depends_on_its_batch_is_found(folder, expected):
  def call(signature, inputs):
    images = np.zeros((5, *SHAPE), np.uint8)
    return {'images': images[:len(inputs['latents'])]
            + np.uint8(10 * len(inputs['latents']))}

  calls = {'decode': ({'latents': expected['decode/in/latents']}, {})}
  with pytest.raises(serving_check.Mismatch, match='one latent of a batch'):
    serving_check._check_properties(call, calls)


def test_main_says_what_differs(folder, expected, capsys):
  expected['decode/out/images'] ^= 2
  save(folder, expected)
  with pytest.raises(SystemExit, match='decode differs from the model by 2'):
    serving_check.main(['serving_check.py', str(folder)])
  assert not capsys.readouterr().out
