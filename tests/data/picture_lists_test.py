"""Lists of pictures as other systems and programs write them."""
import unicodedata

import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak.data import attributes
from pgak.data import poses
from pgak.data import splits
from pgak.pictures import png

# As macOS names files, in two characters, and as others do, in one.
DECOMPOSED, COMPOSED = (unicodedata.normalize(form, 'café.png')
                        for form in ('NFD', 'NFC'))


def _attributes(folder, lines):
  path = folder / 'list.csv'
  path.write_bytes('\n'.join(['file,Hat', *(f'{name},{k > 0:d}' for name, k in
                                            lines)]).encode())
  found = attributes.AttributeList(path)
  return lambda names: found.rows(names)[:, 0].tolist()


def _celeba(folder, lines):
  path = folder / 'list.txt'
  path.write_text('\n'.join([str(len(lines)), 'Hat', *(
      f'{name} {1 if k else -1}' for name, k in lines)]), encoding='utf-8')
  found = attributes.AttributeList(path)
  return lambda names: found.rows(names)[:, 0].tolist()


def _splits(folder, lines, mark=''):
  del folder
  text = mark + '\n'.join(f'{name} {2 * k}' for name, k in lines)
  members = splits.SplitList('list.txt', text.encode()).members
  return lambda names: [name in members(names)['test'] for name in names]


def _keypoints(folder, lines, mark=''):
  path = folder / 'k.csv'
  path.write_text(mark + '\n'.join(f'{name},{k},{k}' for name, k in lines),
                  encoding='utf-8')
  found = poses.Keypoints(path)
  return lambda names: [bool(found.of(name)[0, 0]) for name in names]


def _npz(folder, lines):
  np.savez(folder / 'k.npz', names=[name for name, _ in lines],
           keypoints=[[[k, k]] for _, k in lines])
  found = poses.Keypoints(folder / 'k.npz')
  return lambda names: [bool(found.of(name)[0, 0]) for name in names]


def _test_names(folder, lines, mark=''):
  for name in (DECOMPOSED, 'a.png'):
    for kind in ('images', 'conditions'):
      path = folder / 'pairs' / kind / name
      path.parent.mkdir(parents=True, exist_ok=True)
      png.write(path, np.full([4, 4, 3], name == 'a.png', np.uint8))
  text = mark + '\n'.join(name for name, k in lines if k)
  (folder / 'pairs/test.txt').write_text(text, encoding='utf-8')
  test = data.pairs(path=str(folder / 'pairs'),
                    image_shape=(4, 4, 3)).split('test')
  found = test.read(np.arange(len(test)))[:, 0, 0, 0].tolist()
  return lambda names: [int(name == 'a.png') in found for name in names]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


@pytest.mark.parametrize('made', [_attributes, _celeba, _splits, _keypoints,
                                  _npz, _test_names])
def test_an_accent_is_one_character_or_two(tmp_path, made):
  found = made(tmp_path, [(COMPOSED, 1), ('a.png', 0)])
  assert found([DECOMPOSED, 'a.png']) == [True, False]


@pytest.mark.parametrize('made', [_splits, _keypoints, _test_names])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path, made):
  found = made(tmp_path, [('a.png', 1), (COMPOSED, 0)], '\ufeff')
  assert found(['a.png', DECOMPOSED]) == [True, False]


@pytest.mark.parametrize('line', ['c.png', 'c'])
def test_a_line_for_two_pictures_is_refused(tmp_path, line):
  for name in ('cats/c.png', 'dogs/c.png'):
    (tmp_path / 'x' / name).parent.mkdir(parents=True)
    png.write(tmp_path / 'x' / name, np.zeros([4, 4, 1], np.uint8))
  places = tmp_path / 'splits.txt', tmp_path / 'list.csv'
  match = f'line of {line} in the list of .*cats/c.png and of dogs/c.png: write'
  places[1].write_text(f'file,Hat\n{line},1\nb,0\n')
  with pytest.raises(errors.UserError, match=match):
    data.images(tmp_path / 'x', (4, 4, 1), attributes=places[1]).split('all')
  places[1].write_text('file,Hat\nc.png,1\ndogs/c.png,0\n')
  made = data.images(tmp_path / 'x', (4, 4, 1), attributes=places[1],
                     test_fraction=0.)
  assert made.split('all').attributes[:, 0].tolist() == [True, False]
  if line == 'c.png':
    places[0].write_text(f'{line} 0\n')
    with pytest.raises(errors.UserError, match=match):
      data.images(tmp_path / 'x', (4, 4, 1), partition=places[0])
  places[0].write_text('c.png 0\ndogs/c.png 2\n')
  made = data.images(tmp_path / 'x', (4, 4, 1), partition=places[0])
  assert len(made.split('train')) == len(made.split('test')) == 1
