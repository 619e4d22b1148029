"""Distances between two sets of images."""
import numpy as np
from PIL import Image
import pytest
import tiny_evaluation

import pgak
from pgak import data
from pgak import errors
from pgak.evaluation import comparison
from pgak.evaluation import side_readers
from pgak.metrics import frechet
from pgak.metrics import random_net
from pgak.metrics import reference


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


def test_what_is_of_the_first_features_says_so(monkeypatch):
  net = tiny_evaluation.flat_net('64', None)
  sets = _noise(50, 0), _noise(40, 1, 200)
  every = comparison.compare(*sets, [net])
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', 30)
  few = comparison.compare(*sets, [net])
  assert [d.numbers for d in every] == [(50, 40)] * 3
  # Of equally many features there is one subset, and no deviation.
  assert [(d.metric, d.numbers) for d in few] == [
      ('frechet_flat_64', (50, 40)), ('kernel_flat_64', (30, 30))]
  assert few[0].value == pytest.approx(every[0].value)


def test_the_error_is_that_of_all_images(monkeypatch):
  net = tiny_evaluation.flat_net('64', None)
  sets = [(_noise(800, i), _noise(800, 100 + i, 200)) for i in range(10)]
  every = [comparison.compare(*both, [net])[0].error for both in sets]
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', 200)
  few = [comparison.compare(*both, [net])[0].error for both in sets]
  # Of 200 images it would be twice as large.
  assert np.mean(few) == pytest.approx(np.mean(every), rel=0.35)


def test_the_first_features_are_of_all_classes(monkeypatch):
  monkeypatch.setattr(reference, 'MAXIMUM_ROWS', 60)
  net = tiny_evaluation.flat_net('64', None)
  dark, light = _noise(100, 0, 20), 255 - _noise(100, 1, 20)
  one, other = (np.concatenate(both) for both in ((dark, light), (light, dark)))
  near, far = (comparison.compare(one, to, [net])[1].value
               for to in (other, light))
  assert abs(near) < 0.2 * far


def test_all_parts_of_a_folder_and_of_a_file_take_part(tmp_path):
  images = _noise(9, 0)
  for i, image in enumerate(images):
    folder = tmp_path / 'pictures' / ('train' if i < 2 else 'test')
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0]).save(folder / f'{i}.png')
  (tmp_path / 'tested').mkdir()
  (tmp_path / 'pictures' / 'test').rename(tmp_path / 'tested' / 'test')
  np.savez(tmp_path / 'it.npz', x_train=images[:2], x_test=images[2:])
  np.savez(tmp_path / 'tested.npz', x_test=images[2:])
  reader = side_readers.SideReader([])

  def number(name):
    return reader.read([tmp_path / name])[0].described()['number']

  assert number('it.npz') == 9 and number('tested.npz') == 7
  assert number('tested') == 7 and number('pictures') == 2
  (tmp_path / 'tested' / 'test').rename(tmp_path / 'pictures' / 'test')
  assert number('pictures') == 9


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
