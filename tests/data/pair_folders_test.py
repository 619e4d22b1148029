import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.data import poses


def write(path, pixels):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_bytes(tf.io.encode_png(np.asarray(pixels, np.uint8)).numpy())


def picture(value, height=12, width=8, channels=3):
  return np.full((height, width, channels), value)


def folder(path, number=4, conditions=True):
  """Images of one grey level each, and conditions ten levels above."""
  for i in range(number):
    write(path / 'images' / 'sub' / f'{i}.png', picture(20 * i))
    if conditions:
      write(path / 'conditions' / 'sub' / f'{i}.png', picture(20 * i + 10))
  return path


def opened(path, **settings):
  settings = dict(image_shape=(12, 8, 3)) | settings
  return data.pairs(path=str(path), **settings)


def levels(array):
  images, conditions = array.read_pairs(np.arange(len(array)))
  return [(int(i[0, 0, 0]), int(c[0, 0, 0])) for i, c in zip(
      images, conditions)]


def test_images_and_conditions_of_one_name(tmp_path):
  dataset = opened(folder(tmp_path / 'pairs'), test_fraction=0.)
  array = dataset.split('train')
  assert levels(array) == [(0, 10), (20, 30), (40, 50), (60, 70)]
  assert dataset.name == 'pairs_pairs'
  assert dataset.image_shape == dataset.condition_shape == (12, 8, 3)
  assert array.preprocessing['condition'] == 'file' and array.labels is None
  with pytest.raises(errors.UserError, match='split test.*is empty'):
    dataset.split('test')


def test_a_transparent_condition_lies_on_the_background(tmp_path):
  write(tmp_path / 'images' / '0.png', picture(20))
  write(tmp_path / 'conditions' / '0.png', np.concatenate(
      [picture(90), picture(0, channels=1)], -1))
  for settings, level in (({}, 255), ({'background': (7, 8, 9)}, 7),
                          ({'background': None}, 90)):
    dataset = opened(tmp_path, test_fraction=0., **settings)
    assert levels(dataset.split('train')) == [(20, level)]
  with pytest.raises(errors.UserError, match='pairs.background = -1'):
    opened(tmp_path, background=-1)


def test_a_list_says_which_pairs_are_for_testing(tmp_path):
  folder(tmp_path)
  (tmp_path / 'test.txt').write_text('sub/2.png\n\nsub/0.png\n')
  dataset = opened(tmp_path, image_shape=(6, 4, 1), condition_channels=1)
  assert levels(dataset.split('test')) == [(0, 10), (40, 50)]
  assert levels(dataset.split('train')) == [(20, 30), (60, 70)]
  assert dataset.condition_shape == (6, 4, 1)
  (tmp_path / 'test.txt').write_text('9.png\n')
  with pytest.raises(errors.UserError, match='names 9.png'):
    opened(tmp_path).split('test')


def test_folders_say_which_pairs_are_for_testing(tmp_path):
  folder(tmp_path / 'train', 3)
  folder(tmp_path / 'test', 1)
  dataset = opened(tmp_path)
  assert len(dataset.split('train')) == 3
  assert levels(dataset.split('test')) == [(0, 10)]


def test_a_hash_of_the_name_says_it_else(tmp_path):
  dataset = opened(folder(tmp_path, 8), test_fraction=0.3)
  number = len(dataset.split('test'))
  assert 1 <= number < 8 and len(dataset.split('train')) == 8 - number


def test_keypoints_move_with_crop_and_resize(tmp_path):
  """12 x 8, its middle 6 x 6 from (3, 1), doubled: (x - 1) 2, (y - 3) 2."""
  folder(tmp_path, 2, conditions=False)
  (tmp_path / 'keypoints.csv').write_text(
      'sub/0.png,4,6,1,3\nsub/1.png,-1,-1,7,9\n')
  dataset = opened(tmp_path, image_shape=(12, 12, 3), crop=6, test_fraction=0.)
  found = dataset.split('train').read_conditions([0, 1])
  np.testing.assert_array_equal(
      found[0], poses.draw(np.array([[6., 6.], [0., 0.]]), 12, 12))
  np.testing.assert_array_equal(
      found[1], poses.draw(np.array([[np.nan] * 2, [12., 12.]]), 12, 12))


def test_a_change_of_the_conditions_makes_the_set_anew(tmp_path):
  first = opened(folder(tmp_path, 2), test_fraction=0.).split('train')
  write(tmp_path / 'conditions' / 'sub' / '1.png', picture(200, 13))
  again = opened(tmp_path, test_fraction=0.).split('train')
  assert levels(again) == [(0, 10), (20, 200)]
  assert again.fingerprint != first.fingerprint


@pytest.mark.parametrize('spoil, named', [
    (lambda p: (p / 'conditions/sub/1.png').unlink(),
     'sub/1.png.*has no condition'),
    (lambda p: (p / 'conditions/sub/1.png').write_bytes(b'no'),
     '1.png.*cannot be used'),
    (lambda p: (p / 'images').rename(p / 'pictures'), 'no folder images'),
    (lambda p: (p / 'conditions').rename(p / 'poses'), 'neither a folder')])
def test_a_folder_that_is_not_whole_is_refused(tmp_path, spoil, named):
  spoil(folder(tmp_path))
  with pytest.raises(errors.UserError, match=named):
    opened(tmp_path).split('train')


@pytest.mark.parametrize('settings, named', [
    (dict(image_shape=None), 'pairs.image_shape'),
    (dict(condition_channels=2), 'condition_channels'),
    (dict(test_fraction=1.), 'test_fraction')])
def test_settings_out_of_bounds_are_refused(tmp_path, settings, named):
  with pytest.raises(errors.UserError, match=named):
    opened(folder(tmp_path), **settings)
