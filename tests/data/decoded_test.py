"""A preparation that was interrupted goes on where it was."""
import numpy as np
import pytest

from pgak.data import decoded
from pgak.data import decoding
from pgak.data import folders
from pgak.data import progress
from pgak.data import store
from pgak.pictures import png


@pytest.fixture(name='photos')
def _photos(tmp_path, monkeypatch):
  """Twenty grey pictures and a damaged one, in chunks of four."""
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  monkeypatch.setattr(folders, '_CHUNK', 4)
  monkeypatch.setattr(folders, '_KEPT_FROM', 1)
  folder = tmp_path / 'photos'
  folder.mkdir()
  for i in range(20):
    image = np.random.default_rng(i).integers(0, 256, [8, 8, 1], np.uint8)
    (folder / f'{i:02d}.png').write_bytes(png.encode(image))
  (folder / '03.png').write_bytes(b'\x89PNG\r\n\x1a\nno')
  return folder


def _prepare(photos):
  return folders.images(photos, (8, 8, 1), skip_damaged=True,
                        test_fraction=0.).split('train')


@pytest.mark.parametrize('error', [KeyboardInterrupt, RuntimeError])
def test_what_was_decoded_is_not_decoded_again(
    photos, monkeypatch, capsys, error):
  decode, read = decoding.decode, []

  def counted(data, *rest):
    read.append(data)
    if len(read) == 14:
      raise error
    return decode(data, *rest)

  monkeypatch.setattr(decoding, 'decode', counted)
  with pytest.raises(error):
    _prepare(photos)
  (scratch,) = (photos.parent / 'cache/data').glob('*.decoded') if (
      error is KeyboardInterrupt) else (None,)
  read[:] = [b''] * 14
  found = _prepare(photos)
  # Three chunks of four were whole; after an error all is begun anew.
  assert len(read) - 14 == (8 if scratch else 20)
  assert len(found) == 19
  np.testing.assert_array_equal(found.read([0, 3, 18]), np.stack([
      png.decode((photos / f'{i:02d}.png').read_bytes())[..., :1]
      for i in (0, 4, 19)]))
  assert '1 it is damaged (03.png)' in capsys.readouterr().err
  assert not list((photos.parent / 'cache/data').glob('*.decoded'))


@pytest.mark.parametrize('harm', ['lines', 'pixels'])
def test_half_a_chunk_is_not_taken(tmp_path, harm):
  images = np.arange(24, dtype=np.uint8).reshape([6, 2, 2, 1])
  with decoded.Decoded(tmp_path / 'd', (2, 2, 1)) as done:
    for i in (0, 2, 4):
      assert done.next() is None
      done.put(images[i:i + 2], [i])
  path = tmp_path / 'd' / {'lines': 'chunks'}.get(harm, harm)
  path.write_bytes(path.read_bytes()[:-1])
  with decoded.Decoded(tmp_path / 'd', (2, 2, 1)) as done:
    for i in (0, 2):
      found, notes = done.next()
      np.testing.assert_array_equal(found, images[i:i + 2])
      assert notes == [i]
    assert done.next() is None
    done.put(images[4:], ['anew'])
  with decoded.Decoded(tmp_path / 'd', (2, 2, 1)) as done:
    assert [done.next()[1] for _ in range(3)] == [[0], [2], ['anew']]


def test_without_a_terminal_a_line_a_minute_says_how_far_it_is(
    capsys, monkeypatch):
  monkeypatch.setattr(progress, '_MINUTE', -1.)
  recipe = store.Recipe('toy', (1, 1, 1), ('train',))
  with progress.bar(recipe) as bar:
    assert len(list(bar.counted([([1, 2],), ([3],)]))) == 2
  assert capsys.readouterr().err.splitlines() == [
      '2 examples prepared', '3 examples prepared']
