"""Picture files of all formats and kinds, made with Pillow, for tests."""
import io

import numpy as np
from PIL import Image

__all__ = ['ALPHA', 'COLOURS', 'DEEP', 'SAVED', 'encoded', 'files', 'image',
           'wanted']

_STATE = np.random.RandomState(3)
ROWS, COLUMNS = np.mgrid[:11, :7]
# Smooth, so that a lossy format keeps it, with all three channels apart.
COLOURS = np.stack([20 + 20 * ROWS, 250 - 30 * COLUMNS, 9 * (ROWS + COLUMNS)],
                   -1).astype(np.uint8)
ALPHA = np.where(ROWS < 4, 0, np.where(ROWS < 8, 255, 100)).astype(np.uint8)
DEEP = (COLOURS[..., 0].astype(np.int64) * 257 + _STATE.randint(
    -120, 120, ROWS.shape)).astype(np.uint16)

# Which kinds Pillow saves in which format, and with which settings.
SAVED = {
    'PNG': ('grey', 'colour', 'palette', 'bit', 'alpha', 'grey_alpha', 'deep'),
    'JPEG': ('grey', 'colour', 'inks'),
    'WEBP': ('colour', 'alpha'),
    'GIF': ('palette', 'clear'),
    'BMP': ('grey', 'colour', 'palette', 'bit'),
    'TIFF': ('grey', 'colour', 'palette', 'bit', 'alpha', 'grey_alpha', 'deep',
             'inks'),
    'AVIF': ('grey', 'colour', 'alpha'),
    'JPEG2000': ('grey', 'colour', 'alpha', 'grey_alpha', 'deep'),
    'PPM': ('grey', 'colour', 'bit', 'deep'),
}
_SETTINGS = {'WEBP': {'lossless': True, 'exact': True},
             'JPEG': {'quality': 95, 'subsampling': 0},
             'AVIF': {'quality': 100, 'subsampling': '4:4:4'}}


def image(kind):
  """Returns a picture of Pillow's."""
  colour = Image.fromarray(COLOURS)
  if kind == 'deep':
    return Image.fromarray(DEEP)
  if kind == 'alpha':
    return Image.fromarray(np.dstack([COLOURS, ALPHA]))
  if kind == 'grey_alpha':
    return Image.merge('LA', [Image.fromarray(COLOURS[..., 0]),
                              Image.fromarray(ALPHA)])
  if kind in ('palette', 'clear'):
    return colour.quantize(8)
  mode = {'grey': 'L', 'colour': 'RGB', 'bit': '1', 'inks': 'CMYK'}[kind]
  return colour.convert(mode)


def encoded(picture, form, **settings):
  """Returns the bytes of a file."""
  stream = io.BytesIO()
  picture.save(stream, form, **{**_SETTINGS.get(form, {}), **settings})
  return stream.getvalue()


def files(form):
  """Returns `{kind: bytes}` of one format."""
  found = {}
  for kind in SAVED[form]:
    settings = {'transparency': 2} if kind == 'clear' else {}
    found[kind] = encoded(image(kind), form, **settings)
  return found


def wanted(kind, background, channels):
  """What such a file should be decoded to, in NumPy, `[H, W, channels]`."""
  if kind == 'deep':
    levels = np.floor(DEEP / 257. + .5)
    return np.repeat(levels[..., None], channels, -1).astype(np.uint8)
  picture = image(kind)
  alpha = np.full(ROWS.shape, 255)
  if kind == 'clear':
    alpha = np.where(np.asarray(picture) == 2, 0, 255)
  elif 'alpha' in kind:
    alpha = ALPHA
  colours = np.asarray(picture.convert('RGB')).astype(float)
  share = alpha[..., None] / 255.
  mixed = np.floor(colours * share + np.multiply(background, 1 - share) + .5)
  if channels == 3:
    return mixed.astype(np.uint8)
  return np.floor(mixed @ [[.299], [.587], [.114]] + .5).astype(np.uint8)
