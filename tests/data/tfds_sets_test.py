"""The public data sets, real ones where they are at hand, else made copies."""
import ast
import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.data import decoding

REAL = os.environ.get('PGAK_TEST_DATA')
needs_real = pytest.mark.skipif(not REAL, reason='PGAK_TEST_DATA is not set')
SIZES = {'train': 5, 'validation': 3, 'test': 2}


def write_tfds(folder, name, splits, shape, encoding, key='label'):
  """Writes a small set as TFDS would, and returns split -> its images."""
  import tensorflow_datasets as tfds
  state = np.random.RandomState(0)
  images = {split: state.randint(0, 256, (SIZES[split],) + shape, np.uint8)
            for split in splits}
  tfds.disable_progress_bar()
  tfds.dataset_builders.store_as_tfds_dataset(
      name=name, version='3.0.1', data_dir=str(folder),
      split_datasets={split: tf.data.Dataset.from_tensor_slices(
          {'image': x, key: np.arange(len(x), dtype=np.int64)})
                      for split, x in images.items()},
      features=tfds.features.FeaturesDict({
          'image': tfds.features.Image(shape=shape, encoding_format=encoding),
          key: tfds.features.Scalar(np.int64)}))
  return images


@pytest.fixture(name='cache')
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  monkeypatch.delenv('TFDS_DATA_DIR', raising=False)


def everything(array):
  return array.read(np.arange(len(array)))


def test_a_copy_of_mnist_is_read_with_its_labels(cache, tmp_path):
  images = write_tfds(tmp_path, 'mnist', ('train', 'test'), (28, 28, 1), 'png')
  dataset = data.mnist(str(tmp_path))
  for split in ('train', 'test'):
    array = dataset.split(split)
    # TFDS shuffles when it writes; the label tells which image it was.
    np.testing.assert_array_equal(
        everything(array), images[split][array.labels])
    assert sorted(array.labels) == list(range(SIZES[split]))
  assert dataset.split('validation').split == 'test'
  held_out = data.mnist(str(tmp_path), validation_examples=2)
  assert len(held_out.split('train')) == 3
  assert held_out.split('validation').split == 'validation'


@pytest.mark.parametrize('name', ['mnist', 'fashion_mnist'])
def test_images_may_be_padded_with_zeros(cache, tmp_path, name):
  write_tfds(tmp_path, name, ('train', 'test'), (28, 28, 1), 'png')
  make = getattr(data, name)
  plain = everything(make(str(tmp_path)).split('train'))
  dataset = make(str(tmp_path), pad=2, validation_examples=1)
  assert (dataset.name, dataset.image_shape) == (f'{name}_pad2', (32, 32, 1))
  assert [len(dataset.split(s)) for s in ('train', 'validation')] == [4, 1]
  padded = np.concatenate(
      [everything(dataset.split(s)) for s in ('train', 'validation')])
  np.testing.assert_array_equal(padded, np.pad(
      plain, [(0, 0), (2, 2), (2, 2), (0, 0)]))
  assert dataset.split('train').preprocessing['pad'] == 2


@pytest.mark.parametrize('crop', [108, 140])
def test_a_copy_of_celeb_a_is_cropped_and_resized(cache, tmp_path, crop):
  splits = ('train', 'validation', 'test')
  images = write_tfds(tmp_path, 'celeb_a', splits, (218, 178, 3), 'jpeg', 'id')
  dataset = data.celeb_a(str(tmp_path), crop=crop)
  assert dataset.name == f'celeb_a_crop{crop}'
  assert dataset.splits == ('train', 'validation', 'test', 'all')
  assert [len(dataset.split(split)) for split in dataset.splits] == [
      5, 3, 2, 10]
  wanted = {decode_and_resize(image, crop) for image in images['train']}
  assert {image.tobytes()
          for image in everything(dataset.split('train'))} == wanted
  assert dataset.split('train').preprocessing['crop'] == crop


@pytest.mark.parametrize('crop', [179, None])
def test_a_crop_that_celeb_a_has_not_is_refused_unread(tmp_path, crop):
  with pytest.raises(errors.UserError, match=f'celeb_a.crop = {crop}.*178'):
    data.celeb_a(str(tmp_path), crop=crop)


def test_the_attributes_of_celeb_a(cache, tmp_path):
  import tensorflow_datasets as tfds
  grey = np.arange(4, dtype=np.uint8)
  images = np.broadcast_to(
      60 * grey[:, None, None, None], (4, 218, 178, 3)).copy()
  examples = tf.data.Dataset.from_tensor_slices({
      'image': images,
      'attributes': {'Smiling': grey > 1, 'Male': grey == 2}})
  tfds.disable_progress_bar()
  tfds.dataset_builders.store_as_tfds_dataset(
      name='celeb_a', version='2.1.0', data_dir=str(tmp_path),
      split_datasets=dict.fromkeys(('train', 'validation', 'test'), examples),
      features=tfds.features.FeaturesDict({
          'image': tfds.features.Image(
              shape=(218, 178, 3), encoding_format='jpeg'),
          'attributes': {'Smiling': np.bool_, 'Male': np.bool_}}))
  dataset = data.celeb_a(str(tmp_path), image_shape=(128, 128, 3), crop=128)
  for split in ('train', 'validation', 'test'):
    array = dataset.split(split)
    number = np.rint(everything(array).mean((1, 2, 3)) / 60.)
    assert sorted(array.attribute_names) == ['Male', 'Smiling']
    np.testing.assert_array_equal(
        data.attribute_masks(array, ['Smiling', 'Male']),
        np.stack([number > 1, number == 2], 1))


def decode_and_resize(image, crop):
  """Returns the bytes that an image through JPEG, crop and resize becomes."""
  image = decoding.decode(tf.io.encode_jpeg(image, quality=95).numpy(), 3)
  top, left = (218 - crop) // 2, (178 - crop) // 2
  resized = tf.image.resize(
      image[top:top + crop, left:left + crop], [64, 64], 'bicubic')
  return np.clip(np.rint(resized), 0, 255).astype(np.uint8).tobytes()


@pytest.mark.slow
def test_a_prepared_set_needs_neither_tfds_nor_its_source(cache, tmp_path):
  source = tmp_path / 'source'
  write_tfds(source, 'mnist', ('train', 'test'), (28, 28, 1), 'png')
  before = data.mnist(str(source)).split('test').fingerprint
  source.rename(tmp_path / 'elsewhere')
  code = ('import json, sys\nfrom pgak import data\n'
          f'array = data.mnist({str(source)!r}).split("test")\n'
          'print(json.dumps([array.fingerprint, array.read([1]).shape,'
          ' "tensorflow_datasets" in sys.modules]))')
  told = subprocess.run(
      [sys.executable, '-c', code], check=True, capture_output=True, text=True,
      env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}).stdout
  assert json.loads(told) == [before, [1, 28, 28, 1], False]


def test_an_absent_set_is_told_with_what_to_put_where(cache, tmp_path):
  with pytest.raises(errors.UserError) as caught:
    data.celeb_a(str(tmp_path)).split('train')
  for word in (str(tmp_path), 'celeb_a/', '--data_dir', 'TFDS_DATA_DIR',
               'celeb_a.download', 'img_align_celeba.zip', 'crop = 108',
               'antialias = False', "partition = 'list_eval_partition.txt'"):
    assert word in str(caught.value)
  assert '\n' not in str(caught.value)


@pytest.mark.parametrize('settings', [
    dict(crop=108), dict(crop=140), dict(crop=108, resize='bicubic_tf1'),
    dict(crop=108, antialias=True)])
def test_the_hint_gives_the_pixels_and_splits_of_celeb_a(
    cache, tmp_path, settings):
  images, files = write_celeb_a(tmp_path)
  dataset = data.celeb_a(str(tmp_path), **settings)
  with pytest.raises(errors.UserError) as caught:
    data.celeb_a(str(tmp_path / 'absent'), **settings).split('train')
  found = re.findall(r"images\.(\w+) = ([\w']+(?:\.txt')?)", str(caught.value))
  hinted = {name: ast.literal_eval(value) for name, value in found}
  assert hinted.keys() == {'crop', 'antialias', 'resize', 'partition'}
  archive = tmp_path / 'img_align_celeba.zip'
  with zipfile.ZipFile(archive, 'w') as file:
    for name, content in files.items():
      file.writestr(f'img_align_celeba/{name}', content)
    file.writestr('list_eval_partition.txt', '\n'.join(
        f'{name} {i}' for i, split in enumerate(images) for name in
        images[split]))
  other = data.images(archive, (64, 64, 3), **hinted)
  assert other.splits == dataset.splits
  for split in dataset.splits:
    pixels = [sorted(x.tobytes() for x in everything(d.split(split)))
              for d in (dataset, other)]
    assert pixels[0] == pixels[1]
  names = [decoding.resize_name(d.split('test').preprocessing)
           for d in (dataset, other)]
  assert names[0] == names[1]


def write_celeb_a(folder):
  """Writes a celeb_a of TFDS; returns `{split: names}` and `{name: bytes}`."""
  import tensorflow_datasets as tfds
  if REAL:
    with zipfile.ZipFile(
        f'{REAL}/celeba_subset/img_align_celeba_half.zip') as faces:
      members = sorted(n for n in faces.namelist() if n.endswith('.jpg'))[:10]
      content = [tf.image.resize(tf.io.decode_jpeg(faces.read(n)), [218, 178])
                 for n in members]
  else:
    state = np.random.RandomState(0)
    content = [state.randint(0, 256, (218, 178, 3)) for _ in range(10)]
  files = {f'{i:06}.jpg': tf.io.encode_jpeg(
      tf.cast(x, tf.uint8), quality=95).numpy() for i, x in enumerate(content)}
  names = list(files)
  images = {'train': names[:5], 'validation': names[5:8], 'test': names[8:]}
  tfds.disable_progress_bar()
  tfds.dataset_builders.store_as_tfds_dataset(
      name='celeb_a', version='2.1.0', data_dir=str(folder),
      split_datasets={split: tf.data.Dataset.from_tensor_slices(
          {'image': np.stack([tf.io.decode_jpeg(
              files[n], dct_method='INTEGER_ACCURATE') for n in chosen])})
                      for split, chosen in images.items()},
      features=tfds.features.FeaturesDict({'image': tfds.features.Image(
          shape=(218, 178, 3), encoding_format='png')}))
  return images, files


def test_the_kernel_of_tensorflow_1_never_smooths(tmp_path):
  with pytest.raises(errors.UserError, match='celeb_a.antialias = False'):
    data.celeb_a(str(tmp_path), antialias=True, resize='bicubic_tf1')


def test_the_environment_says_where_sets_are(cache, tmp_path, monkeypatch):
  write_tfds(tmp_path, 'mnist', ('train', 'test'), (28, 28, 1), 'png')
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path))
  assert len(data.mnist().split('train')) == 5


def test_a_damaged_source_is_told(cache, tmp_path):
  write_tfds(tmp_path, 'mnist', ('train', 'test'), (28, 28, 1), 'png')
  record = next(tmp_path.rglob('*train.tfrecord*'))
  content = bytearray(record.read_bytes())
  content[len(content) // 2] ^= 255
  record.write_bytes(content)
  with pytest.raises(errors.UserError, match='train of mnist .* whole copy'):
    data.mnist(str(tmp_path)).split('train')


def test_a_set_of_another_shape_is_told(cache, tmp_path):
  write_tfds(tmp_path, 'cifar10', ('train', 'test'), (28, 28, 3), 'png')
  with pytest.raises(errors.UserError, match='not the set of that name'):
    data.cifar10(str(tmp_path)).split('train')


@pytest.mark.slow
@needs_real
def test_real_mnist():
  dataset = data.mnist(f'{REAL}/tfds')
  train, test = dataset.split('train'), dataset.split('test')
  assert (len(train), len(test)) == (60000, 10000)
  # The counts and moments that every description of MNIST gives.
  assert np.bincount(train.labels).tolist() == [
      5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
  assert np.bincount(test.labels).tolist() == [
      980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
  pixels = everything(train)
  assert abs(pixels.mean() / 255. - .1307) < 1e-4
  assert abs(pixels.std() / 255. - .3081) < 1e-4
  assert (train.fingerprint, test.fingerprint) == (
      '59edd5ea35c00629', 'a85d8dffc6063fb8')
  ones = pixels[train.labels == 1].mean(0)[..., 0]
  assert ones[14, 14] > 150 and ones[14, 4] < 5  # A stroke in the middle.


@pytest.mark.slow
@needs_real
def test_real_cifar10():
  dataset = data.cifar10(f'{REAL}/tfds')
  train, test = dataset.split('train'), dataset.split('test')
  assert np.bincount(train.labels).tolist() == [5000] * 10
  assert np.bincount(test.labels).tolist() == [1000] * 10
  means = everything(train).mean((0, 1, 2)) / 255.
  np.testing.assert_allclose(means, [.4914, .4822, .4465], atol=1e-4)


@pytest.mark.slow
@needs_real
@pytest.mark.exhaustive
def test_real_fashion_mnist():
  dataset = data.fashion_mnist(f'{REAL}/tfds')
  train = dataset.split('train')
  assert np.bincount(train.labels).tolist() == [6000] * 10
  assert len(dataset.split('test')) == 10000
  assert abs(everything(train).mean() / 255. - .2860) < 1e-4
