"""Tests of the first look at pictures."""
import zipfile

from PIL import Image
import numpy as np
import pytest

from pgak.data import sources
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


@pytest.mark.parametrize('mode, suffix', [
    ('LA', 'png'), ('I;16', 'png'), ('I;16', 'tif'), ('1', 'png'),
    ('L', 'jpg')])
def test_other_pictures_of_one_channel_are_grey(tmp_path, mode, suffix):
  Image.new(mode, (8, 6)).save(tmp_path / f'a.{suffix}')
  assert survey.survey(tmp_path).grey


def test_a_damaged_member_of_a_zip_is_passed_over(tmp_path):
  _write(tmp_path, (8, 8, 1), (6, 9, 1), (7, 7, 1))
  for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
    with zipfile.ZipFile(tmp_path / 'x.zip', 'w', method) as file:
      for name in ('0.png', '1.png', '2.png'):
        file.write(tmp_path / name, name)
      start = file.getinfo('1.png').header_offset
    content = bytearray((tmp_path / 'x.zip').read_bytes())
    # Behind the header of 30 bytes and the name.
    for place in range(start + 38, start + 60):
      content[place] ^= 255
    (tmp_path / 'x.zip').write_bytes(content)
    found = survey.survey(tmp_path / 'x.zip')
    assert found.number == 3 and sorted(found.sides) == [7, 8]


def test_a_picture_that_may_not_be_read_is_passed_over(tmp_path, monkeypatch):
  _write(tmp_path, (8, 8, 1), (6, 9, 1))
  source = sources.open_source(tmp_path)
  read = source.read

  def refuse(name):
    if name == '0.png':
      raise PermissionError(13, 'Permission denied')
    return read(name)

  monkeypatch.setattr(source, 'read', refuse)
  monkeypatch.setattr(sources, 'open_source', lambda path: source)
  assert survey.survey(tmp_path).sides == [6]
