"""The files that the cases of bad input read, made in one folder."""
import json
import pathlib
import shutil
import tarfile
import zipfile

import numpy as np
from PIL import Image

__all__ = ['make']

_TINY = """include 'quickstart.gin'
include 'models/vae.gin'
base_filters = 2
conv_digits_encoder.dense_units = 6
conv_digits_decoder.dense_units = 6
latent_dim = 3
train.batch_size = 16
train.optimizer = @sgd
sgd.learning_rate = 0.1
train.learning_rate_schedule = None
train.xla = False
train.steps = 4
train.checkpoint_every = 2
"""

_MINE = """import gin
from pgak import models
@gin.register
class {}(models.VAE):
  pass
"""


def make(folder):
  """Makes all files but the run and its export in a folder."""
  here = pathlib.Path(folder)
  _gin_files(here)
  _pictures(here)
  _weights(here)
  for name, text in {'syntax_error': 'def x(:\n',
                     'mine_one': _MINE.format('Mine'),
                     'mine_two': _MINE.format('Mine'),
                     'another_vae': _MINE.format('VAE')}.items():
    (here / f'{name}.py').write_text(text)
  keras = here / 'home' / '.keras'
  keras.mkdir(parents=True)
  (keras / 'keras.json').write_text(json.dumps(
      {'floatx': 'float64', 'epsilon': 0.1, 'backend': 'jax',
       'image_data_format': 'channels_first'}))


def _gin_files(here):
  (here / 'tiny.gin').write_text(_TINY)
  (here / 'photos.gin').write_text(
      f"{_TINY}include 'datasets/images.gin'\nimages.path = '{here}/photos'\n")
  (here / 'crlf.gin').write_bytes(_TINY.replace('\n', '\r\n').encode())
  (here / 'mark.gin').write_text('\ufeff' + _TINY)
  (here / 'utf16.gin').write_bytes(_TINY.encode('utf-16'))
  (here / 'binary.gin').write_bytes(bytes(range(256)))
  (here / 'deep.gin').write_text('VAE.kl = ' + '[' * 100000 + ']' * 100000)
  (here / 'loop.gin').write_text(f"include '{here}/loop.gin'\n")
  (here / 'includes.gin').write_text("include 'nope.gin'\n")
  (here / 'unknown.gin').write_text('VAE.kl = 3.\nVAE.kll = 3\n')
  (here / 'value.gin').write_text('VAE.kl = 3.\nVAE.kl = kl\n')
  (here / 'open.gin').write_text('VAE.kl = (3.\n')


def _pictures(here):
  photos = here / 'photos'
  photos.mkdir()
  noise = np.random.RandomState(0)
  for i in range(40):
    Image.fromarray(noise.randint(0, 255, (9, 10), np.uint8)).save(
        photos / f'p{i}.png')
  for name in ('one', 'broken', 'empty', 'loop'):
    (here / name).mkdir()
  for name in ('one', 'broken'):
    shutil.copy(photos / 'p0.png', here / name)
  (here / 'broken' / 'a.png').write_bytes(b'xx')
  (here / 'loop' / 'a').symlink_to(here / 'loop')
  with zipfile.ZipFile(here / 'empty.zip', 'w'):
    pass
  with zipfile.ZipFile(here / 'evil.zip', 'w') as archive:
    archive.writestr('../a.png', 'x')
  with zipfile.ZipFile(here / 'cut.zip', 'w') as archive:
    archive.write(photos / 'p0.png', 'p0.png')
  whole = (here / 'cut.zip').read_bytes()
  (here / 'cut.zip').write_bytes(whole[:-40])


def _weights(here):
  (here / 'empty.npz').write_bytes(b'')
  for name in ('binary.npz', 'binary.pb'):
    (here / name).write_bytes(bytes(range(256)))
  np.savez(here / 'odd.npz', a=np.zeros(3))
  (here / 'broken.h5').write_bytes(b'\x89HDF\r\n\x1a\n' + b'0' * 100)
  (here / 'broken.tgz').write_bytes(b'\x1f\x8b' + b'0' * 50)
  with tarfile.open(here / 'other.tgz', 'w:gz') as archive:
    archive.add(here / 'tiny.gin', 'tiny.gin')
  # A GraphDef of two nodes, each the other's input.
  (here / 'cycle.pb').write_bytes(b''.join(
      b'\n\x10\n\x01%b\x12\x08Identity\x1a\x01%b' % pair
      for pair in ((b'a', b'b'), (b'b', b'a'))))
