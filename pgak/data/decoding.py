"""Photographs to small images: decode, turn upright, crop, resize."""
import struct

import tensorflow as tf

__all__ = ['MAX_PIXELS', 'center_crop', 'decode', 'resize', 'to_shape']

# A larger picture is refused before it is decoded: a small file can claim any
# size, and a decoder believes it.
MAX_PIXELS = 1 << 26

_PNG = b'\x89PNG\r\n\x1a\n'
_JPEG = b'\xff\xd8\xff'


def decode(data, channels):
  """Decodes one PNG or JPEG and turns it as its EXIF orientation says.

  Args:
    data: bytes of the file.
    channels: 1 for grey, 3 for colour; the decoder converts, and drops alpha.

  Returns:
    uint8 tensor `[height, width, channels]`.

  Raises:
    ValueError: if the data are neither, are damaged, or hold more than
      `MAX_PIXELS` pixels; the message is one clause.
  """
  try:
    height, width = _size(data)
    if not 0 < height * width <= MAX_PIXELS:
      raise ValueError(f'it has {height} x {width} pixels, and '
                       f'{MAX_PIXELS} is the most that pgak decodes')
    if data.startswith(_PNG):
      return tf.io.decode_png(data, channels)
    image = tf.io.decode_jpeg(data, channels, dct_method='INTEGER_ACCURATE')
    return _upright(image, _orientation(data))
  except (tf.errors.OpError, struct.error) as error:
    raise ValueError('it is damaged') from error


def center_crop(image, height, width):
  """Cuts the middle out of `[H, W, C]`; an odd margin is less at the top left.

  Raises:
    ValueError: if the image is smaller than the crop.
  """
  image_height, image_width = image.shape[:2]
  if image_height < height or image_width < width:
    raise ValueError(f'it has {image_height} x {image_width} pixels, fewer '
                     f'than the crop of {height} x {width}')
  top, left = (image_height - height) // 2, (image_width - width) // 2
  return image[top:top + height, left:left + width]


def resize(image, height, width, antialias):
  """Resizes uint8 `[H, W, C]` by bicubic interpolation, rounded and clipped.

  The kernel is Keys' with a = -1/2, and pixels are centred on halves.

  Args:
    image: uint8 tensor.
    height: int, pixels.
    width: int, pixels.
    antialias: whether the kernel grows when the image shrinks. Without it, as
      in the code of most papers on CelebA, the result is sharper and aliased.

  Returns:
    uint8 tensor `[height, width, C]`.
  """
  resized = tf.image.resize(
      image, [height, width], 'bicubic', antialias=bool(antialias))
  return tf.cast(tf.clip_by_value(tf.round(resized), 0., 255.), tf.uint8)


def to_shape(image, image_shape, crop, antialias):
  """Crops and resizes uint8 `[H, W, C]` to `image_shape`.

  Args:
    image: uint8 tensor.
    image_shape: `(height, width, channels)`.
    crop: side in pixels of the square in the middle that is kept, or None for
      the largest middle part with the proportions of `image_shape`.
    antialias: as in `resize`.

  Raises:
    ValueError: if the image is smaller than the crop.
  """
  height, width, _ = image_shape
  crop_height = crop_width = crop
  if crop is None:
    crop_height = min(image.shape[0], max(1, image.shape[1] * height // width))
    crop_width = min(image.shape[1], max(1, image.shape[0] * width // height))
  image = center_crop(image, crop_height, crop_width)
  return resize(image, height, width, antialias)


def _size(data):
  """Reads `(height, width)` from the header."""
  if data.startswith(_PNG):
    width, height = struct.unpack('>II', data[16:24])
    return height, width
  if data.startswith(_JPEG):
    height, width, _ = tf.io.extract_jpeg_shape(data).numpy().tolist()
    return height, width
  raise ValueError('it is neither a PNG nor a JPEG')


def _orientation(data):
  """Returns the EXIF orientation of a JPEG, 1 to 8, or 1 where none is told.

  A camera stores the picture as its sensor lies and tells here how to turn it.
  """
  start = data[:1 << 16].find(b'Exif\0\0')
  tiff = data[start + 6:]
  order = {b'II': '<', b'MM': '>'}.get(tiff[:2])
  if start < 0 or order is None:
    return 1
  try:
    directory, = struct.unpack(order + 'I', tiff[4:8])
    count, = struct.unpack(order + 'H', tiff[directory:directory + 2])
    for i in range(count):
      entry = tiff[directory + 2 + 12 * i:directory + 14 + 12 * i]
      tag, _, _, value = struct.unpack(order + 'HHIH', entry[:10])
      if tag == 0x0112:
        return value if 1 <= value <= 8 else 1
  except struct.error:  # A broken note is no reason to refuse the picture.
    pass
  return 1


def _upright(image, orientation):
  """Undoes an EXIF orientation: mirrored if even but for 3/4, then turned."""
  turns = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}.get(orientation, 0)
  image = tf.image.rot90(image, turns) if turns else image
  if orientation in (2, 4, 5, 7):
    image = tf.image.flip_left_right(image)
  return image
