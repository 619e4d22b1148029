"""Pictures are decoded, turned, cropped and resized as the books say."""
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from pgak.data import decoding

PICTURE = np.random.RandomState(0).randint(0, 256, [7, 5, 3], np.uint8)
# Blocks of one colour, which JPEG keeps.
BLOCKS = np.kron(np.array([[20, 90, 160], [230, 60, 130]], np.uint8),
                 np.ones([16, 16], np.uint8))[..., None]


def png(image):
  return tf.io.encode_png(image).numpy()


def jpeg(image, orientation=None, order='<'):
  data = tf.io.encode_jpeg(image, quality=100).numpy()
  if orientation is None:
    return data
  mark = b'II*\0' if order == '<' else b'MM\0*'
  tiff = mark + struct.pack(order + 'IHHHIHHI', 8, 2, 0x0100, 3, 1, 9, 0, 0)
  tiff = tiff[:-4] + struct.pack(order + 'HHIHHI', 0x0112, 3, 1, orientation,
                                 0, 0)
  body = b'Exif\0\0' + tiff
  segment = b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body
  return data[:2] + segment + data[2:]


def test_png_is_exact():
  decoded = decoding.decode(png(PICTURE), 3)
  np.testing.assert_array_equal(decoded, PICTURE)


def test_channels_are_converted():
  grey = decoding.decode(png(np.full([2, 2, 3], [255, 0, 0], np.uint8)), 1)
  assert grey.shape == (2, 2, 1)
  assert 40 < grey[0, 0, 0] < 100  # The luma of pure red.
  colour = decoding.decode(png(PICTURE[..., :1]), 3)
  np.testing.assert_array_equal(colour, np.repeat(PICTURE[..., :1], 3, -1))


# What the EXIF standard says is stored for a picture that is seen upright.
STORED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: x.transpose(1, 0, 2)[::-1],
    7: lambda x: x.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda x: x.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize('orientation', sorted(STORED))
@pytest.mark.parametrize('order', ['<', '>'])
def test_a_photograph_is_turned_upright(orientation, order):
  stored = np.ascontiguousarray(STORED[orientation](BLOCKS))
  decoded = decoding.decode(jpeg(stored, orientation, order), 1).numpy()
  assert decoded.shape == BLOCKS.shape
  assert np.abs(decoded.astype(int) - BLOCKS).max() <= 2


@pytest.mark.parametrize('orientation', [0, 9])
def test_a_senseless_orientation_changes_nothing(orientation):
  decoded = decoding.decode(jpeg(BLOCKS, orientation), 1)
  assert np.abs(decoded.numpy().astype(int) - BLOCKS).max() <= 2


def test_a_broken_exif_note_is_passed_over():
  data = jpeg(BLOCKS, 6)
  place = data.find(b'Exif') + 6 + 4
  broken = data[:place] + b'\xff\xff\xff\xff' + data[place + 4:]
  assert decoding.decode(broken, 1).shape == BLOCKS.shape


@pytest.mark.parametrize('data', [
    b'', b'GIF89a', b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff', png(PICTURE)[:-20],
    png(PICTURE)[:30], jpeg(BLOCKS)[:-200], jpeg(BLOCKS)[:30]])
def test_damaged_data_are_refused(data):
  with pytest.raises(ValueError, match='damaged|it is no PNG'):
    decoding.decode(data, 3)


def test_a_claim_of_too_many_pixels_is_refused_before_decoding():
  header = struct.pack('>IIBBBBB', 1 << 20, 1 << 20, 8, 2, 0, 0, 0)
  chunk = b'IHDR' + header
  data = (b'\x89PNG\r\n\x1a\n' + struct.pack('>I', len(header)) + chunk +
          struct.pack('>I', zlib.crc32(chunk)))
  with pytest.raises(ValueError, match='1048576 x 1048576 pixels'):
    decoding.decode(data, 3)


def test_centre_crop_of_celeb_a_starts_at_the_floor():
  picture = np.zeros([218, 178, 3], np.uint8)
  picture[55:163, 35:143] = 1  # (218 - 108) // 2 and (178 - 108) // 2.
  cropped = decoding.center_crop(picture, 108, 108)
  assert cropped.shape == (108, 108, 3) and cropped.all()
  odd = decoding.center_crop(np.arange(5)[:, None, None] * np.ones([1, 5, 1]),
                             2, 2)
  assert odd[:, 0, 0].tolist() == [1, 2]


def test_a_crop_that_is_larger_than_the_picture_is_refused():
  with pytest.raises(ValueError, match='fewer than the crop of 6 x 6'):
    decoding.center_crop(PICTURE, 6, 6)


def test_resize_is_keys_bicubic_rounded_and_clipped():
  # A step from 0 to 200, doubled: the new pixels lie 1/4 from the old ones.
  # Keys' kernel (a = -1/2) at distances 0.25, 0.75, 1.25, 1.75 weighs
  # 0.8671875, 0.2265625, -0.0703125, -0.0234375; the part of it that falls on
  # the right of the step, for the four pixels around it, in order:
  # -0.0703125, 0.203125, 0.796875, 1.0703125, times 200.
  row = np.array([0, 0, 0, 0, 200, 200, 200, 200], np.uint8)
  image = np.tile(row[None, :, None], [8, 1, 1])
  resized = decoding.resize(image, 16, 16, antialias=False).numpy()[8, :, 0]
  assert resized[6:10].tolist() == [0, 41, 159, 214]  # -14 clipped to 0.


def tf1_bicubic(image, height, width):
  """TensorFlow 1's `resize_bicubic`, pixel by pixel, before rounding.

  Output (i, j) is read at (i * H / height, j * W / width); Keys' kernel has
  a = -3/4, and beyond the edge the last pixel goes on.
  """
  def weights(shift):
    x = np.abs(np.array([shift + 1, shift, 1 - shift, 2 - shift]))
    return np.where(x <= 1, 1.25 * x**3 - 2.25 * x**2 + 1,
                    -.75 * x**3 + 3.75 * x**2 - 6 * x + 3)
  rows, columns, _ = image.shape
  result = np.zeros([height, width, image.shape[2]])
  for i in range(height):
    for j in range(width):
      y, x = i * rows / height, j * columns / width
      near_y = np.clip(np.arange(int(y) - 1, int(y) + 3), 0, rows - 1)
      near_x = np.clip(np.arange(int(x) - 1, int(x) + 3), 0, columns - 1)
      result[i, j] = np.einsum(
          'i,j,ijc->c', weights(y % 1), weights(x % 1),
          image[near_y][:, near_x].astype(float))
  return result


@pytest.mark.parametrize('sides', [(27, 16), (8, 14), (21, 7)])
def test_the_kernel_of_tensorflow_1(sides):
  # 27 to 16 is 108 to 64, as the authors of PGA resize CelebA.
  before, after = sides
  image = np.random.RandomState(0).randint(
      0, 256, [before, before, 3]).astype(np.uint8)
  wanted = tf1_bicubic(image, after, after)
  resized = decoding.resize(image, after, after, False, 'bicubic_tf1').numpy()
  # TensorFlow reads the kernel from a table of 1,024 places.
  assert np.abs(resized - np.clip(wanted, 0, 255)).max() <= .6
  ours = decoding.resize(image, after, after, False).numpy()
  assert np.abs(resized.astype(int) - ours).mean() > 5


@pytest.mark.parametrize('choices,name', [
    ({'resize': 'bicubic', 'antialias': False}, 'bicubic'),
    ({'resize': 'bicubic', 'antialias': True}, 'bicubic_antialias'),
    ({'resize': 'bicubic_tf1', 'antialias': False}, 'bicubic_tf1'),
    ({}, None), ({'pad': 2}, None)])
def test_the_name_of_a_resize_tells_the_pixels(choices, name):
  assert decoding.resize_name(choices) == name


def test_antialiasing_smooths_what_shrinks_and_only_that():
  stripes = np.tile(np.array([0, 255], np.uint8), [32, 16])[..., None]
  smooth = decoding.resize(stripes, 8, 8, antialias=True).numpy()
  assert np.ptp(smooth[2:6, 2:6].astype(int)) < 16
  larger = [decoding.resize(PICTURE, 14, 10, antialias=a) for a in (0, 1)]
  np.testing.assert_array_equal(*larger)


def test_an_image_of_the_right_size_is_left_alone():
  same = decoding.to_shape(PICTURE, (7, 5, 3), None, True)
  np.testing.assert_array_equal(same, PICTURE)


@pytest.mark.parametrize('shape,kept', [
    ((40, 60, 3), (slice(None), slice(10, 50))),
    ((60, 40, 3), (slice(10, 50), slice(None)))])
def test_without_a_crop_the_largest_middle_part_is_kept(shape, kept):
  picture = np.full(shape, 9, np.uint8)
  picture[kept] = 100
  assert np.all(decoding.to_shape(picture, (8, 8, 3), None, True) == 100)
