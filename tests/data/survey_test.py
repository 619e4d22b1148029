"""Tests of the first look at pictures."""
import numpy as np

from pgak.data import survey
from pgak.pictures import png


def _write(folder, *shapes):
  for i, shape in enumerate(shapes):
    png.write(folder / f'{i}.png', np.zeros(shape, np.uint8))


def test_sides_are_the_shorter_ones_and_grey_is_of_all(tmp_path):
  _write(tmp_path, (40, 30, 1), (16, 90, 1))
  (tmp_path / 'broken.png').write_bytes(b'no picture')
  found = survey.survey(tmp_path)
  assert found.number == 3 and sorted(found.sides) == [16, 30] and found.grey
  _write(tmp_path, (8, 8, 3))
  assert not survey.survey(tmp_path).grey


def test_most_pictures_have_the_size():
  # 19 of 20 are 0.95.
  found = survey.Survey(20, np.array([70] * 19 + [20]), False)
  assert found.size() == 64 and found.size(share=0.96) == 16
  assert found.size((128,)) == 128


def test_a_path_may_begin_with_the_home(tmp_path, monkeypatch):
  monkeypatch.setenv('HOME', str(tmp_path))
  (tmp_path / 'a').mkdir()
  _write(tmp_path / 'a', (40, 30, 1))
  assert survey.survey('~/a').number == 1
