"""Any set of TensorFlow Datasets: splits, labels, configurations, absence."""
import made_tfds
import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak.data import decoding


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  monkeypatch.delenv('TFDS_DATA_DIR', raising=False)


def level(array):
  return array.read(np.arange(len(array)))[:, 0, 0, 0]


def test_splits_and_labels_are_those_of_the_set(tmp_path):
  folder = made_tfds.write(tmp_path, 'shapes',
                           {'train': 9, 'test': 3, 'extra': 2})
  made = data.tfds('shapes', data_dir=folder)
  assert set(made.splits) == {'train', 'test', 'extra', 'all'}
  assert made.image_shape == (6, 5, 3)
  for split, size in (('train', 9), ('test', 3), ('extra', 2)):
    array = made.split(split)
    assert len(array) == size and array.label_names == ('a', 'b', 'c', 'd')
    np.testing.assert_array_equal(level(array), 10 * array.labels)


def test_a_set_of_train_alone_is_cut_and_resized(tmp_path):
  folder = made_tfds.write(tmp_path, 'alone', {'train': 40},
                           shape=(None, None, 3))
  assert data.tfds('alone', data_dir=folder).image_shape == (64, 64, 3)
  made = data.tfds('alone', (4, 4, 1), folder, validation_fraction=0.1)
  parts = [made.split(s) for s in ('train', 'validation', 'test')]
  assert sum(map(len, parts)) == 40 and all(map(len, parts))
  assert parts[0].image_shape == (4, 4, 1)
  for part in parts:
    np.testing.assert_array_equal(level(part), 10 * part.labels)


def test_configurations_and_versions(tmp_path):
  for config, version, size in (('big', '1.0.0', 3), ('big', '1.10.0', 4),
                                ('small', '1.2.0', 5)):
    made_tfds.write(tmp_path, 'many', {'train': size}, config, version=version)
  folder = str(tmp_path)
  with pytest.raises(errors.UserError, match='configurations big, small'):
    data.tfds('many', data_dir=folder)
  for name, size in (('many/big', 4), ('many/big:1.0.0', 3), ('many/small', 5)):
    made = data.tfds(name, data_dir=folder, test_fraction=0.)
    assert len(made.split('train')) == size


def test_several_images_are_told_apart(tmp_path):
  folder = made_tfds.write(tmp_path, 'pairs', {'train': 4}, mask=True)
  assert data.tfds('pairs', data_dir=folder, image='mask').split('train')
  with pytest.raises(errors.UserError, match='it has image, mask'):
    data.tfds('pairs', data_dir=folder, image='depth')


@pytest.mark.parametrize('name, words', [
    ('nothing', 'is not in .*tfds.download = True'),
    ('a b', 'is not NAME'), ('../x', 'is not NAME')])
def test_what_is_not_there_is_a_sentence(tmp_path, name, words):
  with pytest.raises(errors.UserError, match=words):
    data.tfds(name, data_dir=str(tmp_path))


def test_the_pixels_are_those_of_the_set_of_that_name(tmp_path):
  folder = made_tfds.write(tmp_path, 'mnist', {'train': 6, 'test': 4},
                           shape=(28, 28, 1))
  one, other = (made.split('test') for made in (
      data.tfds('mnist', data_dir=folder), data.mnist(folder)))
  assert one.fingerprint == other.fingerprint
  np.testing.assert_array_equal(one.labels, other.labels)


@pytest.mark.parametrize('settings, resize', [
    ({}, None), ({'image_shape': (3, 3, 3)}, 'bicubic_antialias'),
    ({'image_shape': (3, 3, 3), 'antialias': False}, 'bicubic'),
    ({'image_shape': (5, 5, 3)}, None),
    ({'image_shape': (4, 4, 3), 'crop': 4}, None),
    ({'image_shape': (4, 4, 3), 'crop': 5}, 'bicubic_antialias')])
def test_scores_say_how_images_were_resized(tmp_path, settings, resize):
  folder = made_tfds.write(tmp_path, 'shapes', {'train': 4})  # 6 x 5.
  made = data.tfds('shapes', data_dir=folder, **settings)
  # Also of what is prepared already.
  for dataset in (made, data.tfds('shapes', data_dir=folder, **settings)):
    found = dataset.split('train').preprocessing
    assert decoding.resize_name(found) == resize


def test_images_of_any_size_are_resized(tmp_path):
  folder = made_tfds.write(tmp_path, 'alone', {'train': 4},
                           shape=(None, None, 3))
  found = data.tfds('alone', data_dir=folder).split('train').preprocessing
  assert decoding.resize_name(found) == 'bicubic_antialias'
