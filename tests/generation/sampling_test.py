"""Tests of sampling, pictures and the re-estimation of batch norm."""
import keras
import numpy as np
import pytest
import tiny_models

from pgak.generation import sampling
from pgak.models import batch_norm
from pgak.pictures import grids


def uint8_images(number, seed=0):
  return np.random.default_rng(seed).integers(
      0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)


class Array:
  """Images as the data room gives them, in memory."""

  def __init__(self, images):
    self.images = images

  def __len__(self):
    return len(self.images)

  def read(self, indices):
    return self.images[indices]


def generate(model, *args, **settings):
  return np.concatenate(list(sampling.generate(model, *args, **settings)))


# === Samples ===


def test_samples_are_the_decoded_prior():
  model = tiny_models.make('VAE')
  images = generate(model, 7, seed=3)
  assert images.shape == (7, 3, 2, 1) and images.dtype == np.uint8
  np.testing.assert_array_equal(
      images, model.decode(model.prior.sample(7, 3)))
  np.testing.assert_array_equal(images, generate(model, 7, seed=3))
  assert np.any(images != generate(model, 7, seed=4))


@pytest.mark.parametrize('name', ['AE', 'AGE'])
@pytest.mark.parametrize('mode', ['inference', 'train'])
def test_latents_are_decoded_as_the_model_decodes_them(name, mode):
  # Off the sphere that AGE's own latents lie on.
  latents = np.float32([[3., 0., 0.], [0., .1, 0.], [1., 1., 1.]])
  model = tiny_models.make(name)
  np.testing.assert_array_equal(
      generate(model, 3, latents=latents, batch_norm=mode),
      model.decode(latents))


def test_batches_do_not_change_samples():
  model = tiny_models.make('AE', batch_norm=True)
  batches = list(sampling.generate(model, 7, batch_size=3))
  assert [len(b) for b in batches] == [3, 3, 1]
  np.testing.assert_allclose(  # to one grey level
      np.concatenate(batches).astype(int), generate(model, 7), atol=1)


def test_training_mode_normalises_by_the_batch_and_changes_nothing():
  model = tiny_models.make('AE', batch_norm=True)
  before = [v.numpy() for v in model.decoder.variables]
  latents = model.prior.sample(6, 0)
  hidden = model.decoder.layers[1](latents).numpy()
  normalised = (hidden - hidden.mean(0)) / np.sqrt(hidden.var(0) + 1e-3)
  gamma, beta = model.decoder.layers[2].weights[:2]
  expected = normalised * gamma.numpy() + beta.numpy()
  for layer in model.decoder.layers[3:]:
    expected = layer(expected)
  expected = model.kind.to_users(expected).numpy()
  found = generate(model, 6, batch_norm='train')
  np.testing.assert_allclose(found.astype(int), expected, atol=1)
  assert np.any(np.abs(found.astype(int) - generate(model, 6)) > 1)
  halves = generate(model, 6, batch_norm='train', batch_size=3)
  assert np.any(np.abs(found.astype(int) - halves) > 1)
  for variable, value in zip(model.decoder.variables, before):
    np.testing.assert_array_equal(variable.numpy(), value)


def test_rounding():
  model = tiny_models.make('AE')
  nearest = generate(model, 50)
  truncated = generate(model, 50, rounding='truncate')
  difference = nearest.astype(int) - truncated
  assert set(np.unique(difference)) == {0, 1}


def test_a_wrong_mode_is_refused():
  with pytest.raises(ValueError, match='inference or train'):
    next(sampling.generate(tiny_models.make('AE'), 1, batch_norm='eval'))


def test_samples_follow_the_weights():
  model = tiny_models.make('AE')
  before = generate(model, 5)
  tiny_models.scatter(model, seed=5)
  assert np.any(before != generate(model, 5))


# === Pictures ===


def test_the_ends_of_a_line_are_the_reconstructions():
  model = tiny_models.make('AE')
  images = uint8_images(6)
  lines = sampling.interpolations(model, images, steps=5)
  assert lines.shape == (3 * 5, 3, 2, 1) and lines.dtype == np.uint8
  lines = lines.reshape(3, 5, 3, 2, 1)
  reconstructed = model.reconstruct(images).numpy()
  np.testing.assert_allclose(
      lines[:, 0].astype(int), reconstructed[:3], atol=1)
  np.testing.assert_allclose(
      lines[:, -1].astype(int), reconstructed[3:], atol=1)
  latents = model.encode(images).numpy()
  middle = model.decode((latents[:3] + latents[3:]) / 2.).numpy()
  np.testing.assert_allclose(lines[:, 2].astype(int), middle, atol=1)


def test_pictures_are_grids():
  model = tiny_models.make('AE')
  samples = sampling.sample_picture(model, 4)
  assert samples.dtype == np.uint8 and samples.ndim == 3
  pairs = sampling.reconstruction_picture(model, uint8_images(8))
  lines = sampling.interpolation_picture(model, uint8_images(4), steps=8)
  # Both have 8 columns and 2 rows.
  assert pairs.shape == lines.shape


def test_an_image_stands_beside_its_reconstruction():
  model = tiny_models.make('AE')
  images = uint8_images(4)
  found = sampling.reconstruction_picture(model, images)
  pairs = [one for image, made in zip(images, model.reconstruct(images).numpy())
           for one in (image, made)]
  np.testing.assert_array_equal(
      found, grids.picture(np.stack(pairs), columns=8))


# === Batch norm ===


def normed(net):
  return next(layer for layer in net.layers
              if hasattr(layer, 'moving_variance'))


@pytest.mark.parametrize('name', ['VAE', 'AE'])
def test_moving_statistics_become_those_of_data_and_of_what_is_decoded(name):
  model = tiny_models.make(name, batch_norm=True)
  for net in model.parts.values():  # what training left there
    normed(net).moving_mean.assign(np.full(5, 9.))
    normed(net).moving_variance.assign(np.full(5, 7.))
  images = uint8_images(50)
  batch_norm.reestimate(model, Array(images), num_batches=5, batch_size=20,
                        seed=3)
  floats = model.to_model(images).numpy()
  dense = model.encoder.layers[2]
  batches = [floats[:20], floats[20:40], floats[40:]]
  check(model.encoder, dense, [b.reshape(len(b), -1) for b in batches])
  if name == 'AE':  # Its decoder sees latents of data alone.
    latents = [model.encode_mean(b).numpy() for b in batches]
  else:
    latents = np.split(model.prior.sample(100, 3).numpy(), 5)
  check(model.decoder, model.decoder.layers[1], latents)


def check(net, dense, batches):
  """Recomputes the statistics of a first layer's outputs in NumPy."""
  kernel, bias = (v.numpy().astype(np.float64) for v in dense.weights)
  outputs = [b.astype(np.float64) @ kernel + bias for b in batches]
  every = np.concatenate(outputs)
  np.testing.assert_allclose(
      normed(net).moving_mean.numpy(), every.mean(0), rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(
      normed(net).moving_variance.numpy(), every.var(0), rtol=1e-4)


def nested_in(layer, net=None):
  """Returns a net that calls a layer, or another net, in it."""
  inputs = keras.Input((net or layer).inputs[0].shape[1:])
  return keras.Model(inputs, layer(inputs))


class Fixed(keras.layers.Layer):
  """Calls a net as at inference, always."""

  def __init__(self, net):
    super().__init__()
    self.net = net

  def call(self, inputs):
    return self.net(inputs, training=False)


def test_statistics_of_nested_nets_are_estimated_like_others():
  images = Array(uint8_images(21))
  moments = []
  for wrap in (lambda net: net, nested_in, lambda net: nested_in(nested_in(
      net))):
    model = tiny_models.make('AE', batch_norm=True)
    norm = normed(model.encoder)
    model.encoder = wrap(model.encoder)
    batch_norm.reestimate(model, images, 3, 10)
    moments.append([norm.moving_mean.numpy(), norm.moving_variance.numpy()])
  for found in moments[1:]:
    for value, expected in zip(found, moments[0], strict=True):
      np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize('way', ['frozen', 'called'])
def test_statistics_that_training_leaves_alone_stay(way):
  model = tiny_models.make('AE', batch_norm=True)
  inner = model.encoder
  if way == 'frozen':
    inner.trainable = False
    model.encoder = nested_in(inner)
  else:
    model.encoder = nested_in(Fixed(inner), inner)
  normed(inner).moving_mean.assign(np.full(5, 0.1))
  normed(inner).moving_variance.assign(np.full(5, 0.3))
  before = [v.numpy() for v in inner.non_trainable_variables]
  batch_norm.reestimate(model, Array(uint8_images(21)), 3, 10)
  for variable, value in zip(inner.non_trainable_variables, before):
    np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize('num_batches, batch_size, tolerance', [
    (20, 200, 0.1), (300, 2, 0.25)])
def test_a_decoder_of_posterior_draws_gets_their_statistics(
    num_batches, batch_size, tolerance):
  # All means are 0 and all standard deviations 3, so that the first layer has
  # the mean b and the variance 9 sum_i k_ij^2, over many small batches, too.
  model = tiny_models.make('FPVAE', batch_norm=True)
  for name, bias in (('latents', 0.), ('log_variance', 2. * np.log(3.))):
    layer = model.encoder.get_layer(name)
    layer.set_weights([np.zeros_like(layer.get_weights()[0]), np.full(3, bias)])
  batch_norm.reestimate(
      model, Array(uint8_images(num_batches * batch_size)), num_batches,
      batch_size)
  kernel, bias = (v.numpy() for v in model.decoder.layers[1].weights)
  deviation = 3. * np.linalg.norm(kernel, axis=0)
  norm = normed(model.decoder)
  np.testing.assert_allclose(norm.moving_variance.numpy(), deviation**2,
                             rtol=tolerance)
  assert np.abs((norm.moving_mean.numpy() - bias) / deviation).max() < tolerance


def test_reestimation_leaves_the_weights_alone_and_repeats():
  model = tiny_models.make('VAE', batch_norm=True)
  before = tiny_models.values(model.encoder)
  images = Array(uint8_images(30))
  batch_norm.reestimate(model, images, 2, 10)
  first = [v.numpy() for v in model.encoder.non_trainable_variables]
  batch_norm.reestimate(model, images, 2, 10)
  for variable, value in zip(model.encoder.non_trainable_variables, first):
    np.testing.assert_array_equal(variable.numpy(), value)
  np.testing.assert_array_equal(tiny_models.values(model.encoder), before)


def test_without_batch_norm_nothing_is_read():
  images = Array(uint8_images(3))
  images.read = None
  batch_norm.reestimate(tiny_models.make('AE'), images)


def test_one_batch_makes_inference_what_training_mode_is():
  model = tiny_models.make('VAE', batch_norm=True)
  batch_norm.reestimate(model, Array(uint8_images(10)), 1, 40, seed=2)
  latents = model.prior.sample(40, 2)
  np.testing.assert_allclose(
      model.decoder(latents, training=False).numpy(),
      model.frozen('decoder', latents, training=True).numpy(), atol=1e-4)
