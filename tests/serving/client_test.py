"""Tests of loading an export and asking it."""
import json
import shutil

import keras
import numpy as np
import pytest

from pgak import errors
from pgak import models
from pgak.serving import client
from pgak.serving import exporting
from pgak.serving import versions

SHAPE = (4, 4, 1)


@pytest.fixture(scope='module')
def model():
  keras.utils.set_random_seed(0)
  images = keras.Input(SHAPE)
  latents = keras.layers.Dense(2)(keras.layers.Flatten()(images))
  drawn = keras.Input((2,))
  decoded = keras.layers.Reshape(SHAPE)(keras.layers.Dense(16)(drawn))
  decoded = keras.layers.Activation('tanh')(decoded)
  return models.AE(keras.Model(images, latents), keras.Model(drawn, decoded))


@pytest.fixture(scope='module')
def folder(model, tmp_path_factory):
  output = tmp_path_factory.mktemp('export')
  return exporting.export_model(model, output, max_batch=64, verified=False)


@pytest.fixture(scope='module')
def served(folder):
  return client.ServedModel(folder)


def images(number, seed=0):
  shape = (number, *SHAPE)
  return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def assert_same_images(actual, expected):
  actual, expected = np.asarray(actual), np.asarray(expected)
  assert actual.dtype == np.uint8 and actual.shape == expected.shape
  assert np.abs(actual.astype(int) - expected.astype(int)).max() <= 1


def test_it_answers_as_the_model_does(model, served):
  some = images(5)
  assert served.image_shape == SHAPE and served.latent_dim == 2
  latents = served.encode(some)
  np.testing.assert_allclose(latents, model.encode(some), atol=1e-5)
  assert_same_images(served.decode(latents), model.decode(latents))
  assert_same_images(served.reconstruct(some), model.reconstruct(some))
  assert_same_images(served.generate([3, 2**40]), np.concatenate(
      [model.sample(1, seed=seed) for seed in (3, 2**40)]))
  assert_same_images(served.sample(5, seed=3)[:1], model.sample(1, seed=3))


def test_samples_of_one_seed_are_those_of_the_seeds_that_follow(model, served):
  latents = served.sample_latents(200, seed=3)
  for i, seed in list(enumerate(client.seeds_of(3, 200)))[::66]:
    np.testing.assert_allclose(
        latents[i], model.prior.sample(1, int(seed))[0], rtol=1e-6)
  np.testing.assert_array_equal(served.sample_latents(9, seed=3), latents[:9])


def test_seeds_beside_each_other_give_others():
  drawn = np.concatenate([client.seeds_of(seed, 100)
                          for seed in (0, 1, 2, -1, 2**63 - 1, -2**63)])
  assert len(set(drawn.tolist())) == 600 and drawn.dtype == np.int64
  # Their bits are as often 0 as 1.
  bits = np.unpackbits(drawn.view(np.uint8))
  assert abs(bits.mean() - 0.5) < 0.02


def test_interpolation_begins_and_ends_with_the_reconstructions(model, served):
  start, end = images(2), images(2, seed=1)
  arcs = served.interpolate(start, end, steps=3, spherical=True)
  assert_same_images(arcs, model.interpolate(start, end, 3, spherical=True))
  lines = served.interpolate(start, end, steps=4)
  assert lines.shape == (2, 4, *SHAPE)
  assert_same_images(lines[:, 0], model.reconstruct(start))
  assert_same_images(lines[:, -1], model.reconstruct(end))


def test_more_lines_than_one_call_makes(served):
  start, end = images(30), images(30, seed=1)
  lines = served.interpolate(start, end, steps=5)
  assert_same_images(lines[29], served.interpolate(start[29:], end[29:], 5)[0])
  # More points than rows of a request.
  line = served.interpolate(start[:1], end[:1], steps=99)
  assert_same_images(line[:, [0, 49, 98]],
                     served.interpolate(start[:1], end[:1], steps=3))


def test_the_home_folder_has_its_usual_name(model, tmp_path, monkeypatch):
  monkeypatch.setenv('HOME', str(tmp_path))
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'served' / '3').mkdir(parents=True)
  with pytest.raises(errors.UserError, match=f'^{tmp_path}/served/3 exists'):
    exporting.export_model(model, '~/served', version=3, verified=False)


@pytest.mark.parametrize('label, way', [
    ('gmm_10', 'the run with another --prior, such as kde.$'),
    ('gmm_10_round_trips_2', 'with density.round_trips = 0, or another --pr')])
def test_what_a_density_lacks_names_its_cause(served, monkeypatch, label, way):
  monkeypatch.setitem(served.metadata, 'density', {'label': label})
  with pytest.raises(errors.UserError, match=way):
    served._require('none', 'a distribution', 'kde')


def test_what_is_out_of_bounds_is_not_sent(served, monkeypatch):
  monkeypatch.setattr(served, '_loaded', None)
  for call in (lambda: served.sample(-1),
               lambda: served._call('decode', latents=np.zeros([65, 2], 'f')),
               lambda: served.decode([[np.nan, 0.]])):
    with pytest.raises(errors.UserError, match='must be'):
      call()


def test_more_rows_than_one_call_takes(served):
  some = images(200)
  assert_same_images(served.reconstruct(some)[130:],
                     served.reconstruct(some[130:]))
  assert served.log_prob(served.encode(some)).shape == (200,)


def test_no_images_at_all(served):
  assert served.encode(images(0)).shape == (0, 2)
  assert served.sample(0).shape == (0, *SHAPE)
  assert served.decode(np.zeros([0, 2])).shape == (0, *SHAPE)
  lines = served.interpolate(images(0), images(0), 4)
  assert lines.shape == (0, 4, *SHAPE) and lines.dtype == np.uint8


@pytest.mark.parametrize('call, message', [
    (lambda s: s.encode(np.zeros((2, 4, 5, 1), np.uint8)),
     r'`images` must have the shape \[B, 4, 4, 1\], but has \[2, 4, 5, 1\]'),
    (lambda s: s.encode(np.zeros(SHAPE, np.uint8)), 'must have the shape'),
    (lambda s: s.decode(np.zeros((2, 3))), r'the shape \[B, 2\], but has'),
    (lambda s: s.sample(-1), '`n` must be 0 to 100000000, but is -1.$'),
    (lambda s: s.sample(2**40), '`n` must be 0 to 100000000, but is 10995116'),
    (lambda s: s.sample(1.5), '`n` must be a whole number, not 1.5.$'),
    (lambda s: s.sample(True), '`n` must be a whole number, not True.$'),
    (lambda s: s.generate(3), '`seeds` must be whole numbers'),
    (lambda s: s.generate([0.5]), '`seeds` must be whole numbers'),
    (lambda s: s.sample(2, seed=2**63), '`seed` must be -9223'),
    (lambda s: s.sample(2, seed=0.5), '`seed` must be a whole number'),
    (lambda s: s.interpolate(images(1), images(1), 1),
     '`steps` must be 2 to 100000000, but is 1.$'),
    (lambda s: s.interpolate(images(0), images(0), 2**31 - 1),
     '`steps` must be 2 to 100000000, but is 2147483647.$'),
    (lambda s: s.interpolate(images(1), images(1), 2.), 'whole number, not 2.'),
    (lambda s: s.interpolate(images(9), images(8), 64),
     '`start` and `end` must be equally many, but are 9 and 8.$'),
    (lambda s: s.decode([[0., np.nan], [0., 1.], [np.inf, 0.]]),
     '`latents` must be finite, .* hold NaN or infinity: 2.$'),
    (lambda s: s.log_prob([[0., np.nan]]), '`latents` must be finite'),
])
def test_wrong_inputs_are_told_in_a_sentence(served, call, message):
  with pytest.raises(errors.UserError, match=message) as caught:
    call(served)
  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('call', [
    lambda s, x, **k: s.encode(x, **k),
    lambda s, x, **k: s.reconstruct(x, **k),
    lambda s, x, **k: s.interpolate(x, x, 3, **k),
])
def test_floats_are_taken_with_their_range_alone(served, call):
  some = images(3)
  expected = call(served, some)
  for floats, value_range in ((some / 255., (0, 1)),
                              (some / 127.5 - 1., (-1, 1))):
    # Rounded to the grey levels that they came from.
    np.testing.assert_array_equal(
        call(served, floats, value_range=value_range), expected)
    with pytest.raises(errors.UserError, match='takes uint8 images, and these '
                       'are float64: give value_range'):
      call(served, floats)


def test_the_largest_version_is_taken(folder, tmp_path):
  for name in ('1', '9', '10', '.part-11', 'latest'):
    shutil.copytree(folder, tmp_path / name)
  assert versions.find(tmp_path) == tmp_path / '10'
  assert versions.find(tmp_path / '9') == tmp_path / '9'
  assert versions.numbers(tmp_path) == [1, 9, 10]


@pytest.mark.parametrize('path', ['', 'nowhere'])
def test_a_folder_without_an_export(tmp_path, path):
  with pytest.raises(errors.UserError, match='There is no export in'):
    client.ServedModel(tmp_path / path)


def damage_graph(folder):
  (folder / 'saved_model.pb').write_bytes(b'not a graph')


def damage_weights(folder):
  shutil.rmtree(folder / 'variables')


def damage_metadata(folder):
  (folder / 'metadata.json').write_text('{')


def forget_metadata(folder):
  (folder / 'metadata.json').unlink()


def strip_metadata(folder):
  (folder / 'metadata.json').write_text(json.dumps({'step': 1}))


@pytest.mark.parametrize('damage', [
    damage_graph, damage_weights, damage_metadata, forget_metadata,
    strip_metadata])
def test_a_damaged_export(folder, tmp_path, damage):
  damaged = shutil.copytree(folder, tmp_path / '1')
  damage(damaged)
  with pytest.raises(errors.UserError, match='cannot be read') as caught:
    client.ServedModel(damaged)
  assert '\n' not in str(caught.value)
