"""Tests of LPIPS."""
import gin
import keras
import made_weights
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.metrics import lpips
from pgak.metrics import lpips_nets
from pgak.networks import pretrained


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory):
  """Made weights of SqueezeNet and made heads, with the names of real ones."""
  folder = tmp_path_factory.mktemp('perceptual')
  made_weights.npz(folder / 'squeezenet1_1.npz', made_weights.torch_squeeze())
  draw = np.random.default_rng(5)
  for net, channels in lpips_nets.CHANNELS.items():
    made_weights.npz(folder / f'{net}.npz', {
        f'lin{k}.model.1.weight': draw.uniform(
            size=(1, number, 1, 1)).astype('f4')
        for k, number in enumerate(channels)})
  return folder


@pytest.fixture(name='named', autouse=True)
def _named(folder, monkeypatch):
  monkeypatch.setenv('PGAK_PERCEPTUAL', str(folder))


def _images(number=3, side=24, channels=3, seed=6):
  return np.random.default_rng(seed).integers(
      0, 256, (number, side, side, channels), np.uint8)


def test_golden_value_of_a_tap():
  # Two positions of two channels. Unit vectors (0.6, 0.8) and (1, 0): squared
  # differences 0.16 and 0.64; then (0, 1) twice: 0. Heads 2 and 1:
  # (2 * 0.16 + 0.64) / 2 = 0.48. A position without activity stays 0:
  # (0, 0) to (0, 7) is 1, times 1, halved.
  a = tf.constant([[[[3., 4.], [0., 5.]]], [[[0., 0.], [1., 1.]]]])
  b = tf.constant([[[[9., 0.], [0., 1.]]], [[[0., 7.], [2., 2.]]]])
  np.testing.assert_allclose(
      lpips.tap_distance(a, b, tf.constant([2., 1.])), [0.48, 0.5], rtol=1e-6)


def test_is_the_published_sum_over_taps(folder):
  distance = lpips.LPIPS('squeeze')
  images, others = _images(seed=1), _images(seed=2)
  network = lpips_nets.backbone(
      'squeeze', pretrained.read(folder / 'squeezenet1_1.npz'))
  heads = np.load(folder / 'squeeze.npz')
  expected = np.zeros(3)
  for k, (a, b) in enumerate(zip(network(images / np.float32(255.)),
                                 network(others / np.float32(255.)))):
    a, b = (np.asarray(t, np.float64) for t in (a, b))
    a, b = (t / (np.sqrt((t**2).sum(-1, keepdims=True)) + 1e-10)
            for t in (a, b))
    expected += ((a - b)**2 @ heads[f'lin{k}.model.1.weight'].ravel()).mean(
        (1, 2))
  np.testing.assert_allclose(distance(images, others), expected, rtol=1e-4)


def test_is_zero_for_equal_images_symmetric_and_takes_floats_and_grey():
  distance = lpips.LPIPS('squeeze', batch_size=2)
  images, others = _images(seed=1), _images(seed=2)
  np.testing.assert_array_equal(distance(images, images), 0.)
  found = distance(images, others)
  assert found.shape == 3 and np.all(found > 0.01)
  np.testing.assert_allclose(found, distance(others, images), rtol=1e-5)
  np.testing.assert_allclose(found, distance(
      images / np.float32(127.5) - 1., others / np.float32(127.5) - 1.),
                             rtol=1e-3)
  # Batches change nothing, and an empty one is one.
  np.testing.assert_allclose(found, lpips.LPIPS('squeeze')(images, others),
                             rtol=1e-4)
  assert distance(images[:0], others[:0]).shape == 0
  grey = _images(channels=1), _images(channels=1, seed=9)
  np.testing.assert_allclose(
      distance(*grey), distance(*[np.repeat(g, 3, -1) for g in grey]),
      rtol=1e-4)


def test_a_label_has_net_and_version(folder):
  distance = lpips.LPIPS('squeeze')
  # Made heads cannot pass for the published ones.
  assert distance.label.startswith('lpips_squeeze_heads-')
  assert distance.backbone == 'squeeze_torch_' + pretrained.read(
      folder / 'squeezenet1_1.npz').fingerprint
  gin.bind_parameter('LPIPS.net', 'alex')
  with pytest.raises(errors.UserError, match='no AlexNet weights.*alexnet.npz'):
    gin.get_configurable(lpips.LPIPS)()


@made_weights.needs_real
@pytest.mark.parametrize('net', lpips.NETS)
def test_the_published_heads_are_known(net):
  heads, version = lpips.load_heads(net, made_weights.REAL / f'{net}.npz')
  assert version == 'v0.1' and len(heads) == len(lpips_nets.CHANNELS[net])


@made_weights.needs_real
def test_real_weights_see_a_blur_where_pixels_see_brightness(monkeypatch):
  monkeypatch.setenv('PGAK_PERCEPTUAL', str(made_weights.REAL))
  distance = lpips.LPIPS()
  assert distance.label == 'lpips_squeeze_v0.1'
  assert distance.backbone.startswith('squeeze_caffe_')
  rows, columns = np.mgrid[:64, :64]
  image = 128 + 90 * np.sign(np.sin(rows / 3.) + np.cos(columns / 2.))
  images = np.repeat(image[None, ..., None], 3, -1).astype(np.uint8)
  blurred = (128 + 0.6 * (images.astype(float) - 128)).astype(np.uint8)
  brighter = np.minimum(images + 37., 255.).astype(np.uint8)
  assert np.square(images - blurred.astype(float)).mean() < np.square(
      images - brighter.astype(float)).mean()
  noise = np.random.default_rng(0).normal(0., 20., images.shape)
  noisy = np.clip(images + noise, 0, 255).astype(np.uint8)
  assert float(distance(images, noisy)[0]) > 2. * float(
      distance(images, brighter)[0]) > 0.


@pytest.mark.parametrize('settings, sentence', [
    (dict(net='resnet'), "net = 'resnet'` must be 'squeeze', 'vgg' or 'alex'"),
    (dict(net='squeeze', weights='imagenet'), 'no ImageNet weights'),
    (dict(net='squeeze', weights='absent.npz'), 'no weights at .*absent.npz'),
    (dict(net='squeeze', heads='absent.npz'), 'absent.npz.*cannot be read'),
    (dict(net='squeeze', heads='vgg.npz'), 'not those of LPIPS.s squeeze'),
    (dict(net='squeeze', heads='negative.npz'), 'not all at least 0')])
def test_bad_settings_are_one_sentence(folder, settings, sentence):
  made_weights.npz(folder / 'negative.npz', {
      f'lin{k}.model.1.weight': np.full((1, number, 1, 1), -1.)
      for k, number in enumerate(lpips_nets.CHANNELS['squeeze'])})
  if settings.get('heads') in ('vgg.npz', 'negative.npz'):
    settings = dict(settings, heads=folder / settings['heads'])
  with pytest.raises(errors.UserError, match=sentence):
    lpips.LPIPS(**settings)


def test_without_files_the_sentence_says_where_they_belong(
    tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_PERCEPTUAL', str(tmp_path))
  with pytest.raises(errors.UserError, match='put squeeze.npz into .*into a f'):
    lpips.LPIPS('squeeze')


def test_vgg16_comes_from_keras_where_there_is_no_file(monkeypatch):
  net = keras.applications.VGG16(include_top=False, weights=None)
  monkeypatch.setattr(keras.applications, 'VGG16', lambda **_: net)
  distance = lpips.LPIPS('vgg')
  assert distance.backbone.startswith('vgg_caffe_')
  found = distance(_images(side=16), _images(side=16, seed=1))
  assert np.all(np.isfinite(found))


def test_images_that_do_not_fit_are_refused():
  distance = lpips.LPIPS('squeeze')
  with pytest.raises(errors.UserError, match='at least 17 pixels.*not 16x16'):
    distance(_images(side=16), _images(side=16))
  with pytest.raises(ValueError, match='one shape'):
    distance(_images(side=24), _images(side=25))


def test_diversity_is_the_mean_and_its_standard_error():
  def distance(images, others):
    return np.abs(images - others).reshape(len(images), -1).mean(1)
  pairs = [(np.zeros((2, 1)), np.array([[1.], [2.]])),
           (np.zeros((1, 1)), np.array([[6.]]))]
  # 1, 2 and 6: mean 3, variance (4 + 1 + 9) / 2 = 7, error sqrt(7 / 3).
  assert lpips.diversity(distance, pairs) == pytest.approx(
      (3., np.sqrt(7. / 3.)))
  with pytest.raises(errors.UserError, match='two pairs.*there are 1'):
    lpips.diversity(distance, pairs[1:])
  with pytest.raises(errors.UserError, match='not finite'):
    lpips.diversity(lambda a, b: np.full(len(a), np.nan), pairs)
