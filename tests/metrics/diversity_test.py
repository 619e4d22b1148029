"""Tests of the diversity of two images for each condition."""
import types

import numpy as np
import pytest

from pgak.metrics import diversity


class _Net:
  """The features of an image are its pixels."""
  name = 'flat'

  def __call__(self, batches):
    for batch in batches:
      yield batch.reshape(len(batch), -1).astype(np.float32)


def test_it_is_the_mean_distance_of_features_over_all_batches():
  number = diversity._BATCH + 2
  images = np.zeros([number, 2, 1, 1], np.uint8)
  others = images.copy()
  others[-2:, :, 0, 0] = 3, 4  # At the distance 5; the others are equal.
  context = types.SimpleNamespace(examples=images, others=others, nets=[_Net()])
  mean, error = diversity._compute(context)
  assert (mean.name, error.name) == ('diversity_flat', 'diversity_flat_se')
  assert mean.value == pytest.approx(2. * 5. / number)
  distances = np.r_[np.zeros(number - 2), 5., 5.]
  assert mean.error == error.value == pytest.approx(
      distances.std(ddof=1) / number**0.5)
