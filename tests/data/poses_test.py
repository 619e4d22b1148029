import numpy as np
import pytest

from pgak import errors
from pgak.data import poses


def test_a_disc_by_its_distance():
  """Radius 1 about the centre of pixel (2, 3); half a pixel of soft edge."""
  picture = poses.draw(np.array([[3.5, 2.5]]), 6, 8, radius=1.)
  cover = picture[..., 0] / 255.  # The first hue is red.
  assert picture[..., 1:].max() == 0
  assert cover[2, 3] == 1. and cover[2, 4] == pytest.approx(0.5, abs=0.01)
  assert cover[3, 4] == pytest.approx(1.5 - 2**0.5, abs=0.01)
  assert cover[2, 5] == 0. and cover.sum() == pytest.approx(
      1. + 4 * 0.5 + 4 * (1.5 - 2**0.5), abs=0.05)


def test_a_stick_joins_two_places_and_needs_both():
  places = np.array([[1.5, 3.5], [8.5, 3.5]])
  drawn = poses.draw(places, 7, 10, limbs=((0, 1),), radius=1.)
  assert np.all(drawn[3, 2:8].max(-1) > 0)
  assert drawn[:2].max() == drawn[5:].max() == 0
  places[1] = np.nan
  alone = poses.draw(places, 7, 10, limbs=((0, 1),), radius=1.)
  assert alone[:, 4:].max() == 0 and alone[3, 1].max() == 255
  assert poses.draw(np.full((18, 2), np.nan), 7, 10).max() == 0


def test_limbs_are_those_of_18_keypoints():
  assert len(poses.LIMBS) == 17
  assert max(map(max, poses.LIMBS)) == 17
  places = np.stack([np.arange(18) + 0.5, np.full(18, 4.5)], 1)
  assert np.any(poses.draw(places, 9, 18) != poses.draw(places, 9, 18, ()))
  # Any other number has no sticks of its own.
  np.testing.assert_array_equal(poses.draw(places[:5], 9, 18),
                                poses.draw(places[:5], 9, 18, ()))


def test_the_two_files_hold_the_same(tmp_path):
  (tmp_path / 'k.csv').write_text(
      'name,x0,y0,x1,y1\na.png,1,2,3.5,4\nb/c.jpg,-1,-1,,7\n')
  np.savez(tmp_path / 'k.npz', names=['a.png', 'b/c.jpg'],
           keypoints=[[[1., 2.], [3.5, 4.]], [[-1., -1.], [np.nan, 7.]]])
  for name in ('k.csv', 'k.npz'):
    read = poses.Keypoints(tmp_path / name)
    np.testing.assert_array_equal(read.of('a.png'), [[1., 2.], [3.5, 4.]])
    assert np.isnan(read.of('b/c.jpg')).all()  # Half a place is none.
    assert 'a.png' in read and 'z.png' not in read
    with pytest.raises(errors.UserError, match='no line for.*z.png'):
      read.of('z.png')


@pytest.mark.parametrize('text, named', [
    ('a.png,1,2\nb.png,1\n', 'line 2 has 2 fields'),
    ('a.png,1,2,3\n', 'line 1 has 4 fields'),
    ('a.png,1,two\n', 'in line 1'),
    ('a.png\n', 'line 1 has 1 fields')])
def test_a_damaged_csv_is_refused_with_its_line(tmp_path, text, named):
  (tmp_path / 'k.csv').write_text(text)
  with pytest.raises(errors.UserError, match=named):
    poses.Keypoints(tmp_path / 'k.csv')


def test_a_damaged_npz_is_refused(tmp_path):
  (tmp_path / 'k.npz').write_bytes(b'nothing')
  with pytest.raises(errors.UserError, match='k.npz cannot be used'):
    poses.Keypoints(tmp_path / 'k.npz')
  np.savez(tmp_path / 'l.npz', names=['a'], keypoints=np.zeros((1, 3, 3)))
  with pytest.raises(errors.UserError, match='shape'):
    poses.Keypoints(tmp_path / 'l.npz')
  np.savez(tmp_path / 'm.npz', names=np.array(['a'], object), keypoints=[1.])
  with pytest.raises(errors.UserError, match='pickle'):
    poses.Keypoints(tmp_path / 'm.npz')
