"""Latents of one's own pictures by an export alone."""
import keras
import numpy as np
import pytest
import tiny_commands

from pgak import errors
from pgak import models
from pgak.bin import encode
from pgak.pictures import png
from pgak.serving import client
from pgak.serving import encoding
from pgak.serving import exporting

SHAPE = (4, 4, 1)


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory):
  keras.utils.set_random_seed(0)
  images, drawn = keras.Input(SHAPE), keras.Input((2,))
  latents = keras.layers.Dense(2)(keras.layers.Flatten()(images))
  decoded = keras.layers.Reshape(SHAPE)(keras.layers.Dense(16)(drawn))
  model = models.AE(keras.Model(images, latents), keras.Model(
      drawn, keras.layers.Activation('tanh')(decoded)))
  return exporting.export_model(
      model, tmp_path_factory.mktemp('export'), max_batch=64, verified=False,
      crop=4)


def test_pictures_become_what_the_export_says_of_them(folder, tmp_path, capsys):
  photos = tmp_path / 'photos'
  photos.mkdir()
  images = np.random.default_rng(0).integers(
      0, 256, [3, 8, 8, 1], np.uint8)
  for i, image in enumerate(images):
    (photos / f'{i}.png').write_bytes(png.encode(image))
  result = tiny_commands.call(
      encode, capsys, f'--export_dir={folder.parent}', f'--data={photos}',
      f'--output={tmp_path}/it.npz')
  assert result.status == 0, result.err
  served = client.ServedModel(folder)
  # Cropped, and not resized.
  expected = served.encode(images[:, 2:6, 2:6])
  with np.load(tmp_path / 'it.npz') as found:
    assert list(found['names']) == ['0.png', '1.png', '2.png']
    np.testing.assert_allclose(found['latents'], expected, atol=1e-5)
    np.testing.assert_allclose(found['log_prob'],
                               served.log_prob(found['latents']))


@pytest.mark.parametrize('flags, match', [
    ((), 'Give either --run_dir or --export_dir'),
    (('--export_dir=x', '--run_dir=y'), 'Give either'),
    (('--export_dir=x', '--prior=gmm'), 'give --run_dir for --prior')])
def test_flags_that_do_not_go_together(capsys, flags, match):
  result = tiny_commands.call(encode, capsys, '--data=x', '--output=it.npz',
                              *flags)
  assert result.status == 2 and match in result.err


def test_what_an_export_cannot_encode_is_a_sentence(folder, tmp_path):
  np.save(tmp_path / 'vectors.npy', np.zeros([3, 5]))
  with pytest.raises(errors.UserError, match='holds vectors of'):
    encoding.encode_export(folder, tmp_path / 'vectors.npy',
                           tmp_path / 'it.npz')
