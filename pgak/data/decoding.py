"""Photographs to small images: decode, rotate upright, crop, resize.

Training and every command read pictures by this module alone, so that they see
the same pixels; in an export's graph `graph_decoding` gives the same.
"""
import io
import struct
from typing import Literal

from PIL import Image
from PIL import ImageOps
import numpy as np
import tensorflow as tf

from pgak.data import formats
from pgak.data import orientation
from pgak.data import pixels

__all__ = ['MAX_PIXELS', 'Resize', 'center_crop', 'decode',
           'described', 'largest_window', 'resize', 'resize_name', 'to_shape']

# A larger picture is refused before it is decoded: a small file can claim any
# size, and a decoder allocates it.
MAX_PIXELS = 1 << 26

Resize = Literal['bicubic', 'bicubic_tf1']

# Pillow's modes whose range is known.
_MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'RGBa', 'CMYK',
          'YCbCr', 'HSV')


class _Refused(ValueError):
  """A sound picture that pgak does not decode."""


def decode(data, channels, background=pixels.WHITE):
  """Decodes one picture and rotates it by its EXIF or XMP orientation.

  The content decides which format it is; of several frames the first is taken.
  16-bit levels are divided by 257.

  Args:
    data: bytes of a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 or PPM.
    channels: 1 for grey, 3 for colour; the decoder converts.
    background: what shows through where the picture is transparent, a level or
      three levels of 0 to 255. None drops transparency, which shows hidden
      colours, and reads a PNG or JPEG in all else as version 0.4 did: levels
      of 16 bits are cut to 8, and only a JPEG with EXIF is rotated.

  Returns:
    uint8 tensor `[height, width, channels]`.

  Raises:
    ValueError: if the data are no such picture, are damaged, hold more than
      `MAX_PIXELS` pixels or numbers without a stated range; the message is one
      clause.
  """
  form = formats.sniff(data)
  if form is None:
    raise _Refused(f'it is no {formats.LISTED}')
  # The common formats by TensorFlow's ops, which an export's graph has, too.
  decoder = {'PNG': _decode_png, 'JPEG': _decode_jpeg}.get(form, _decode_other)
  try:
    return decoder(data, channels, background)
  except _Refused:
    raise
  # Pillow refuses some sizes before `_check_size` sees them.
  except Image.DecompressionBombError as error:
    raise _Refused(f'it has more than {MAX_PIXELS} pixels, the most that pgak '
                   'decodes') from error
  except Exception as error:  # Pillow raises whatever its plugins raise.
    raise ValueError('it is damaged') from error


def _decode_png(data, channels, background):
  # From the header, before anything is decoded.
  width, height = struct.unpack('>II', data[16:24])
  _check_size(height, width)
  if background is None:
    return tf.io.decode_png(data, channels)
  # Byte 24 is the bit depth.
  dtype = tf.uint16 if data[24] == 16 else tf.uint8
  turn = orientation.stated(data, 'PNG')
  if _may_be_transparent(data):
    rgba = _levels(tf.io.decode_png(data, 4, dtype))
    # A picture that only could be transparent is read as one without alpha.
    if tf.reduce_min(rgba[..., 3]) < 255:
      mixed = pixels.composite(rgba, background)
      return orientation.upright(pixels.to_channels(mixed, channels), turn)
  image = _levels(tf.io.decode_png(data, channels, dtype))
  return orientation.upright(image, turn)


def _levels(image):
  return pixels.eight_bits(image) if image.dtype == tf.uint16 else image


def _may_be_transparent(png):
  """Whether a PNG has an alpha channel or names a transparent colour."""
  # Byte 25 is the colour type; tRNS stands before the pixels.
  return png[25] in (4, 6) or b'tRNS' in png[:png.find(b'IDAT')]


def _decode_jpeg(data, channels, background):
  height, width, stored = tf.io.extract_jpeg_shape(data).numpy().tolist()
  _check_size(height, width)
  # TensorFlow brings the four inks of CMYK to three colours, and to no grey.
  # The exact transform, since the default depends on the system.
  decoded = tf.io.decode_jpeg(data, 3 if stored == 4 else channels,
                              dct_method='INTEGER_ACCURATE')
  if decoded.shape[-1] != channels:
    decoded = pixels.to_channels(decoded, channels)
  return orientation.upright(decoded, orientation.stated(
      data, 'JPEG', xmp=background is not None))


def _decode_other(data, channels, background):
  image = Image.open(io.BytesIO(data), formats=[formats.sniff(data)])
  _check_size(image.height, image.width)
  # Now, so that damage is found before the orientation is applied.
  image.load()
  try:
    ImageOps.exif_transpose(image, in_place=True)
  except Exception:  # A broken note is no reason to refuse the picture.
    pass
  # Pillow reads PPMs of 16 bits as 32-bit integers.
  if image.mode.startswith('I;16') or (
      image.format == 'PPM' and image.mode == 'I'):
    image = Image.fromarray(_from_16_bits(image))
  if image.mode not in _MODES:
    raise _Refused(f'it holds numbers of the kind {image.mode!r}, whose range '
                   'it does not state; save it with 8 or 16 bits')
  if image.has_transparency_data:
    rgb = pixels.composite(
        tf.constant(np.asarray(image.convert('RGBA'))), background)
  else:
    rgb = tf.constant(np.asarray(image.convert('RGB')))
  return pixels.to_channels(rgb, channels)


def _from_16_bits(image):
  """Returns the levels of a grey picture of 9 to 16 bits, uint8 `[h, w]`.

  Pillow's own conversion clips them at 255.
  """
  levels = np.asarray(image).astype(np.int64)
  tags = getattr(image, 'tag_v2', {})  # Of a TIFF.
  # Tag 258 is the bits per sample; scanners write 12 bits in 16.
  most = (1 << tags.get(258, (16,))[0]) - 1
  levels = np.minimum((levels * 255 + most // 2) // most, 255).astype(np.uint8)
  # Tag 262 is 0 where white is 0.
  return 255 - levels if tags.get(262) == 0 else levels


def _check_size(height, width):
  if not 0 < height * width <= MAX_PIXELS:
    raise _Refused(f'it has {height} x {width} pixels, and {MAX_PIXELS} is the '
                   'most that pgak decodes')


def center_crop(image, height, width):
  """Crops the centre of `[H, W, C]`; an odd margin is smaller at the top left.

  Raises:
    ValueError: if the image is smaller than the crop.
  """
  image_height, image_width = image.shape[:2]
  if image_height < height or image_width < width:
    raise ValueError(f'it has {image_height} x {image_width} pixels, fewer '
                     f'than the crop of {height} x {width}')
  # As the papers' crops of CelebA, `(218 - crop) // 2`.
  top, left = (image_height - height) // 2, (image_width - width) // 2
  return image[top:top + height, left:left + width]


def resize(image, height, width, antialias, kernel='bicubic'):
  """Resizes uint8 `[H, W, C]` by bicubic interpolation, rounded and clipped.

  Args:
    image: uint8 tensor.
    height: int, pixels.
    width: int, pixels.
    antialias: whether the kernel grows when the image shrinks. Without it, as
      in the code of most papers on CelebA, the result is sharper and aliased.
    kernel: 'bicubic' for Keys' kernel with a = -1/2 and pixels centred on
      halves; 'bicubic_tf1' for TensorFlow 1's, a = -3/4 and pixels at whole
      numbers, which moves the image by up to half a pixel and never smooths.

  Returns:
    uint8 tensor `[height, width, C]`.
  """
  if kernel == 'bicubic_tf1':
    resized = tf.raw_ops.ResizeBicubic(
        images=image[tf.newaxis], size=[height, width], align_corners=False,
        half_pixel_centers=False)[0]
  else:
    resized = tf.image.resize(
        image, [height, width], 'bicubic', antialias=bool(antialias))
  # Bicubic overshoots at edges.
  return tf.cast(tf.clip_by_value(tf.round(resized), 0., 255.), tf.uint8)


def resize_name(preprocessing):
  """Returns the name of the resizing for a score, or None.

  Args:
    preprocessing: dictionary of every choice that made the pixels.

  Returns:
    'bicubic', 'bicubic_antialias' or 'bicubic_tf1', and None where nothing was
    resized.
  """
  name = preprocessing.get('resize')
  smoothed = name and preprocessing.get('antialias')
  return f'{name}_antialias' if smoothed else name


def described(size, image_shape, crop=None, antialias=True):
  """Returns what `resize_name` is to read of images of one size.

  Args:
    size: their height and width, None where these differ from image to image.
    image_shape: `(height, width, channels)`, what `to_shape` makes of them.
    crop: as in `to_shape`.
    antialias: as in `resize`.

  Returns:
    A dictionary, empty where images are at most cropped.
  """
  height, width, _ = image_shape
  window = crop, crop
  if crop is None and None not in size:
    window = tuple(map(int, largest_window(*size, height, width)))
  return {} if window == (height, width) else {
      'resize': 'bicubic', 'antialias': antialias}


def largest_window(rows, columns, height, width):
  """Returns the size of the largest part of a picture with some proportions.

  Args:
    rows: pixels of the picture, int or int tensor.
    columns: the same across.
    height: of the proportions `height : width`, int.
    width: int.

  Returns:
    `(rows, columns)` of the part, int tensors of at least 1.
  """
  return (tf.maximum(tf.minimum(rows, columns * height // width), 1),
          tf.maximum(tf.minimum(columns, rows * width // height), 1))


def to_shape(image, image_shape, crop, antialias, kernel='bicubic'):
  """Crops and resizes uint8 `[H, W, C]` to `image_shape`.

  Args:
    image: uint8 tensor.
    image_shape: `(height, width, channels)`.
    crop: side in pixels of the square in the middle that is kept, or None for
      the largest middle part with the proportions of `image_shape`.
    antialias: as in `resize`.
    kernel: as in `resize`.

  Raises:
    ValueError: if the image is smaller than the crop.
  """
  height, width, _ = image_shape
  window = crop, crop
  if crop is None:
    window = map(int, largest_window(*image.shape[:2], height, width))
  image = center_crop(image, *window)
  return resize(image, height, width, antialias, kernel)
