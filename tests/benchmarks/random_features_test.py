"""Tests of the choice of a random net, on what is known by hand."""
import keras
import numpy as np
import pytest
import random_features

from pgak.metrics import features
from pgak.metrics import frechet


def test_spearman_is_of_ranks():
  scores = {str(i): {'fid_768': v, 'same': v**3, 'other': -v, 'two': w}
            for i, (v, w) in enumerate([(1., 1.), (2., 3.), (5., 2.)])}
  found = random_features.correlations(scores)
  # Of (1, 2, 3) and (1, 3, 2): 1 - 6 (0 + 1 + 1) / (3 * 8).
  assert found == pytest.approx({'same': 1., 'other': -1., 'two': 0.5})
  table = random_features.format_table({'mnist': scores}).splitlines()
  assert table[0] == '| data | checkpoint | FID-768 | same | other | two |'
  assert table[-1] == (
      '| mnist | Spearman with FID-768 | 1 | 1.000 | -1.000 | 0.500 |')


@pytest.mark.parametrize('name, size', [
    ('moments', 448), ('quarters', 768), ('balanced', 480)])
def test_designs_see_images_of_any_size(name, size):
  net = random_features.DESIGNS[name]()
  images = np.random.default_rng(0).integers(0, 256, (3, 13, 8, 1), np.uint8)
  found, = net([images])
  assert found.shape == (3, size) and net.size == size
  again, = random_features.DESIGNS[name]()([images])
  np.testing.assert_array_equal(found, again)


def test_quarters_are_where_they_are():
  x = np.arange(16.).reshape(1, 4, 4, 1)
  found = [float(q[0, 0]) for q in random_features._quarters(
      keras.ops.convert_to_tensor(x))]
  assert found == [2.5, 4.5, 10.5, 12.5]


def test_samples_are_measured_once_and_in_parts(tmp_path, monkeypatch):
  monkeypatch.setattr(random_features, '_PART', 30)
  asked = []
  def make():
    asked.append(1)
    inputs = keras.Input((4, 4, 1))
    return features.FeatureNet(
        keras.Model(inputs, keras.layers.AveragePooling2D(2)(inputs)[:, :, 0, 0]
                    ), lambda x: keras.ops.cast(x, 'float32'), 'n', 'n', 'none')
  arrays = {name: np.random.default_rng(i).integers(
      0, 100 + 50 * i, (60, 4, 4, 1), np.uint8)
      for i, name in enumerate(['real', 'vae-100', 'vae-20'])}
  for name, images in arrays.items():
    np.save(tmp_path / f'{name}.npy', images)
    for part in (0, 1, 0):
      random_features.add_features(tmp_path / f'{name}.npy', make, part)
  assert len(asked) == 6  # Parts that are kept are not made again.
  found = random_features.measure(tmp_path, 60, {'n': make})
  assert list(found) == ['vae-20', 'vae-100']
  for name, row in found.items():
    both = [frechet.moments(make()([arrays[n]])) for n in ('real', name)]
    assert row['n'] == pytest.approx(frechet.distance(*both))
    assert row['fid_768'] == pytest.approx(row['n'])
