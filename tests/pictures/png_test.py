"""PNG files, whole or not at all."""
import io
import os

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

from pgak.pictures import png


@pytest.mark.parametrize('channels', [1, 3])
def test_png_round_trip(tmp_path, channels):
  image = np.random.default_rng(0).integers(
      0, 256, (5, 7, channels), dtype=np.uint8)
  path = tmp_path / 'new' / 'image.png'
  png.write(path, image)
  png.write(path, image)
  np.testing.assert_array_equal(tf.io.decode_png(path.read_bytes()), image)
  assert png.encode(image) == path.read_bytes()
  assert os.listdir(path.parent) == ['image.png']


def test_a_description_is_kept_and_hides_nothing():
  image = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
  content = png.encode(image, 'what it shows')
  assert png.description(content) == 'what it shows'
  np.testing.assert_array_equal(png.decode(content), image)
  with Image.open(io.BytesIO(content)) as read:
    assert read.text == {'Description': 'what it shows'}
  assert png.description(png.encode(image)) == ''
  assert png.description(b'no png') == ''


def test_a_png_that_cannot_be_made_leaves_the_old_one(tmp_path):
  path = tmp_path / 'image.png'
  image = np.zeros((2, 2, 1), np.uint8)
  png.write(path, image)
  with pytest.raises(Exception):
    png.write(path, np.zeros((2, 2, 3), np.float32))
  np.testing.assert_array_equal(tf.io.decode_png(path.read_bytes()), image)
  assert os.listdir(tmp_path) == ['image.png']


@pytest.mark.parametrize('channels, shown', [(1, 1), (2, 1), (3, 3), (4, 3),
                                             (7, 3)])
def test_of_other_channels_some_are_shown(channels, shown):
  image = np.arange(6 * channels, dtype=np.uint8).reshape([2, 3, channels])
  decoded = tf.io.decode_png(png.encode(image))
  np.testing.assert_array_equal(decoded, image[..., :shown])
