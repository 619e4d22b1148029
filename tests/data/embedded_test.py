"""The data sets inside the package."""
import numpy as np
from sklearn import datasets

from pgak import data


def test_digits_are_the_real_ones_with_their_labels():
  original = datasets.load_digits()
  digits = data.digits()
  train, test = digits.split('train'), digits.split('test')
  assert digits.image_shape == (8, 8, 1)
  assert (len(train), len(test)) == (1500, 297)
  every = np.concatenate([a.read(np.arange(len(a))) for a in (train, test)])
  # 16 grey levels are far enough apart for rounding to be undone.
  np.testing.assert_array_equal(
      np.rint(every[..., 0] * 16. / 255.), original.images)
  np.testing.assert_array_equal(
      np.concatenate([train.labels, test.labels]), original.target)


def test_digits_use_the_whole_range_rounded_to_nearest():
  digits = data.digits().split('all')
  levels = np.unique(digits.read(np.arange(len(digits))))
  # 255 v / 16 for v = 0...16: 15.94, 31.88, 47.81, ..., 127.5 (to even: 128).
  assert levels.tolist() == [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159,
                             175, 191, 207, 223, 239, 255]


def test_synthetic_images_are_a_function_of_the_seed():
  def pixels(**options):
    array = data.synthetic((6, 5, 3), num_examples=8, **options).split('all')
    return array.read(np.arange(len(array)))

  assert pixels().shape == (8, 6, 5, 3)
  np.testing.assert_array_equal(pixels(), pixels())
  assert np.any(pixels() != pixels(seed=1))
  assert len(np.unique(pixels().reshape([8, -1]), axis=0)) == 8


def test_synthetic_splits():
  dataset = data.synthetic((6, 5, 3), num_examples=8)
  assert len(dataset.split('train')) == 6
  assert len(dataset.split('test')) == 2
  assert dataset.name == 'synthetic_6x5x3'
