"""Distances between two sets of images."""
import numpy as np
import pytest
import tiny_evaluation

import pgak
from pgak import data
from pgak import errors
from pgak.evaluation import comparison
from pgak.metrics import frechet
from pgak.metrics import random_net


def _noise(number, seed, high=256):
  return np.random.default_rng(seed).integers(
      0, high, (number, 8, 8, 1), np.uint8)


def test_it_is_the_frechet_and_the_kernel_distance_by_each_net():
  nets = [tiny_evaluation.flat_net(level, None) for level in ('64', '192')]
  one, other = _noise(300, 0), _noise(200, 1, 100)
  found = comparison.compare(one, other, nets)
  assert [d.metric for d in found] == [
      'frechet_flat_64', 'kernel_flat_64', 'kernel_flat_64_std',
      'frechet_flat_192', 'kernel_flat_192', 'kernel_flat_192_std']
  expected = frechet.distance(*(
      frechet.moments(nets[0]([images])) for images in (one, other)))
  assert found[0].value == pytest.approx(expected)
  assert found[0].numbers == (300, 200)
  assert 0. < found[0].error < found[0].value


def test_the_standard_error_is_the_spread_of_repetitions():
  net = tiny_evaluation.flat_net('64', None)
  found = [comparison.compare(_noise(500, i), _noise(500, 100 + i, 200),
                              [net])[0] for i in range(40)]
  spread = np.std([d.value for d in found], ddof=1)
  assert np.mean([d.error for d in found]) == pytest.approx(spread, rel=0.35)


def test_two_sizes_are_an_error():
  with pytest.raises(errors.UserError, match='give --size'):
    comparison.compare(_noise(9, 0), np.zeros((9, 4, 4, 1), np.uint8), [])


def test_random_features_tell_digits_from_noise():
  net = random_net.random_net()
  images = data.digits().split('train').read(np.arange(1400))
  real = images[::2], images[1::2]
  near, = (d for d in comparison.compare(*real, [net])
           if d.metric == 'frechet_random_net_0')
  far = comparison.compare(real[0], _noise(700, 0), [net])[0]
  assert 0. <= near.value < far.value / 20.
  assert net.fingerprint == random_net.random_net().fingerprint
  assert net.fingerprint != random_net.random_net(seed=1).fingerprint


@pytest.mark.filterwarnings('ignore:A Frechet distance')
def test_files_and_arrays_take_part_with_all_of_their_classes(tmp_path):
  dark, light = _noise(200, 0, 20), 255 - _noise(200, 1, 20)
  np.savez(tmp_path / 'it.npz', images=np.concatenate([light, dark]))
  near = pgak.compare(np.concatenate([dark, light]), tmp_path / 'it.npz',
                      number=100, features='random')[0]
  far = pgak.compare(dark, light, number=100, features='random')[0]
  assert near.numbers == (100, 100) and near.value < far.value / 10.


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:A Frechet distance')
def test_sides_are_folders_arrays_and_data_sets(tmp_path):
  images = data.digits().split('test').read(np.arange(200))
  np.savez(tmp_path / 'a.npz', images=images)
  from PIL import Image
  folder = tmp_path / 'pictures'
  folder.mkdir()
  for i, image in enumerate(images):
    Image.fromarray(image[..., 0]).resize((16, 16), 0).save(
        folder / f'{i:03}.png')
  same = pgak.compare(tmp_path / 'a.npz', folder, features=['random'])
  assert same[0].numbers == (200, 200)
  named = pgak.compare('digits:train', folder, features=['random'])
  assert named[0].numbers == (1500, 200)
  assert same[0].value < named[0].value < 100. * same[0].value + 1.
