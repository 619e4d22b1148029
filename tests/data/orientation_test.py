"""A picture's orientation out of notes made by hand, here and in a graph."""
import struct

import numpy as np
import pytest
import tensorflow as tf

from pgak.data import graph_orientation
from pgak.data import orientation


def exif(value, order='<', entries=(), kind=3):
  """Returns EXIF data: a TIFF header and a directory that ends with the tag."""
  tags = [*entries, (orientation.ORIENTATION, kind, 1, value)]
  head = (b'II' if order == '<' else b'MM') + struct.pack(order + 'HI', 42, 8)
  return head + struct.pack(order + 'H', len(tags)) + b''.join(
      struct.pack(order + 'HHIHH', *tag, 0) for tag in tags)


def jpeg(note):
  return b'\xff\xd8\xff\xe1..' + orientation.EXIF_MARKS['JPEG'] + note


def stated(data, form='JPEG', **settings):
  """Returns what both readers say, which must be one number."""
  found = orientation.stated(data, form, **settings)
  assert found == int(graph_orientation.stated(
      tf.constant(data), form, **settings))
  return found


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('value', [0, 1, 5, 8, 9])
def test_the_tag_is_found_behind_others(order, value):
  others = [(0x010f, 2, 99, 1), (0x0110, 2, 99, 2)]
  expected = value if value in range(1, 9) else 1
  assert stated(jpeg(exif(value, order, others))) == expected


def test_a_note_on_a_maker_that_is_cut_off_takes_nothing_along():
  # 60,000 bytes of the maker's own stand behind the end of the data.
  assert stated(jpeg(exif(6, entries=[(0x927c, 7, 60000, 0xffff)]))) == 6


@pytest.mark.parametrize('note', [
    b'', b'II', b'XX' + exif(6)[2:], exif(6)[:-4], exif(6)[:-12],
    exif(6)[:4] + b'\xff\xff\xff\xff' + exif(6)[8:]])
def test_a_damaged_note_says_nothing(note):
  assert stated(jpeg(note)) == 1
  assert stated(jpeg(exif(6)[:-2])) == 6  # The value itself is whole.


def test_xmp_counts_where_exif_says_nothing():
  for text in (b'<a tiff:Orientation="3">', b'<tiff:Orientation>3</tiff:'):
    assert stated(b'\xff\xd8' + text) == 3
    assert stated(b'\xff\xd8' + text, xmp=False) == 1
    assert stated(jpeg(exif(6)) + text) == 6
    assert stated(b'\x89PNG' + text, 'PNG') == 3
  assert stated(b'\xff\xd8<tiff:Orientation>x') == 1


# How each moves the corners of 1 2 / 3 4, by the EXIF standard.
CORNERS = {1: '1234', 2: '2143', 3: '4321', 4: '3412', 5: '1324', 6: '3142',
           7: '4231', 8: '2413'}


@pytest.mark.parametrize('value', CORNERS)
def test_a_picture_is_turned_upright(value):
  image = tf.constant([[[1], [2]], [[3], [4]]], tf.uint8)
  expected = np.array([*map(int, CORNERS[value])]).reshape(2, 2, 1)
  for number in (value, tf.constant(value)):
    np.testing.assert_array_equal(
        orientation.upright(image, number), expected)
