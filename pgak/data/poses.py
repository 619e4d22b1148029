"""Keypoints of a body, read from a file and drawn as a picture."""
import colorsys
import csv
import hashlib
import pathlib
import zipfile

import numpy as np

from pgak import errors
from pgak.data import picture_lists

__all__ = ['Keypoints', 'LIMBS', 'draw']

# Pairs of the 18 keypoints of COCO's order with a neck, as pose estimators
# write them: nose, neck, right shoulder, elbow, wrist, left ones, right hip,
# knee, ankle, left ones, eyes, ears.
LIMBS = ((0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8),
         (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (0, 14), (14, 16),
         (0, 15), (15, 17))
# 1 GiB: the file is read whole.
_MAX_BYTES = 1 << 30


class Keypoints:
  """A file of keypoints: K places `(x, y)` in each picture, in its pixels.

  A `.csv` has a line `NAME,x0,y0,x1,y1,...` for each picture; an empty or
  negative number is a place that is not seen. A first line that begins with
  `name,` is passed over. An `.npz` holds `names`, strings `[N]`, and
  `keypoints`, floats `[N, K, 2]`.

  Args:
    path: the file.

  Attributes:
    fingerprint: 16 hexadecimal digits that change with the file.

  Raises:
    UserError: if it cannot be read, with the number of the line.
  """

  def __init__(self, path):
    self._path = pathlib.Path(path)
    if self._path.stat().st_size > _MAX_BYTES:
      raise self._error(f'it has more than {_MAX_BYTES} bytes')
    content = self._path.read_bytes()
    self.fingerprint = hashlib.sha256(content).hexdigest()[:16]
    read = self._read_npz if self._path.suffix == '.npz' else self._read_csv
    self._places = read()

  def __contains__(self, name):
    return picture_lists.spelled(name) in self._places

  def of(self, name):
    """Returns float `[K, 2]`, NaN where a place is not seen.

    Raises:
      UserError: if the picture is not in the file.
    """
    if name not in self:
      raise self._error(f'it has no line for the picture {name}')
    return self._places[picture_lists.spelled(name)]

  def _error(self, reason):
    return errors.UserError(
        f'The keypoints in {self._path} cannot be used: {reason}; give a line '
        'NAME,x0,y0,x1,y1,... for every picture, all of one length.')

  def _read_csv(self):
    try:
      rows = list(csv.reader(
          # Spreadsheets write a byte order mark.
          self._path.read_text(encoding='utf-8-sig').splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
      raise self._error(str(error)) from error
    found, length = {}, None
    for number, row in enumerate(rows, 1):
      if not row or (number == 1 and row[0].lower() == 'name'):
        continue
      # The first line decides: K is the same for all pictures.
      length = length or len(row)
      if len(row) != length or length < 3 or length % 2 == 0:
        raise self._error(f'line {number} has {len(row)} fields')
      try:
        places = [float(field) if field.strip() else np.nan
                  for field in row[1:]]
      except ValueError as error:
        raise self._error(f'in line {number} {error}') from error
      found[picture_lists.spelled(row[0])] = _seen(np.reshape(places, [-1, 2]))
    return found

  def _read_npz(self):
    try:
      with np.load(self._path, allow_pickle=False) as arrays:
        names, places = arrays['names'], arrays['keypoints']
      if places.shape != (len(names), places.shape[1], 2):
        raise ValueError(f'keypoints has the shape {list(places.shape)}')
      return {picture_lists.spelled(str(n)): _seen(p)
              for n, p in zip(names, places)}
    except (OSError, KeyError, ValueError, IndexError,
            zipfile.BadZipFile) as error:
      raise self._error(str(error)) from error


def _seen(places):
  places = np.asarray(places, np.float64)
  # Pose estimators write -1 for what they do not see.
  missing = ~np.isfinite(places).all(1) | (places < 0.).any(1)
  return np.where(missing[:, None], np.nan, places)


def draw(places, height, width, limbs=None, radius=None):
  """Draws keypoints as discs and limbs as sticks, each in a colour of its own.

  A pixel's centre lies at whole coordinates and a half; what is further than
  the radius from every disc and stick is black. Later ones lie above.

  Args:
    places: float `[K, 2]`, x and y in pixels of the picture that is drawn; NaN
      for places that are not seen.
    height: int, pixels.
    width: int, pixels.
    limbs: pairs of keypoints; by default `LIMBS` for 18 keypoints and none for
      another number.
    radius: of the discs, in pixels; by default a 32nd of the height, 1 at the
      least.

  Returns:
    uint8 `[height, width, 3]`.
  """
  radius = max(height / 32., 1.) if radius is None else radius
  if limbs is None:
    limbs = LIMBS if len(places) == 18 else ()
  picture = np.zeros((height, width, 3))
  # Limbs first, so that the discs lie above them.
  shapes = [(a, b, radius / 2.) for a, b in limbs]
  shapes += [(k, k, radius) for k in range(len(places))]
  for i, (a, b, thick) in enumerate(shapes):
    if np.isfinite(places[[a, b]]).all():
      # Half a pixel of transition, against jagged edges.
      cover = np.clip(thick + 0.5 - _distances(places[a], places[b], height,
                                               width), 0., 1.)[..., None]
      colour = 255. * np.array(colorsys.hsv_to_rgb(i / len(shapes), 1., 1.))
      picture = picture * (1. - cover) + colour * cover
  return np.rint(picture).astype(np.uint8)


def _distances(start, end, height, width):
  """Distances of all pixels' centres from a stretch, float `[h, w]`."""
  x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
  along = end - start
  # A disc is a stretch of length 0.
  length2 = max(float(along @ along), 1e-12)
  share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1])
                  / length2, 0., 1.)
  return np.hypot(x - start[0] - share * along[0],
                  y - start[1] - share * along[1])
