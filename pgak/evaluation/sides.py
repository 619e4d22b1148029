"""One side of a comparison: images, or statistics that were saved of some."""
import dataclasses
import json

import numpy as np

from pgak import errors
from pgak import files
from pgak.data import decoding
from pgak.data import survey
from pgak.metrics import feature_sets
from pgak.metrics import frechet
from pgak.metrics import reference

__all__ = ['Side', 'check_output', 'is_statistics', 'line', 'load',
           'of_pictures', 'save', 'warnings_of']

_BATCH = 500
_KEY = 'pgak_statistics'
# Formats that lose information, as `formats.NAMES` has them; WebP and JPEG 2000
# can do without, but seldom do.
_LOSSY = ('JPEG', 'WEBP', 'AVIF', 'JPEG2000')
_EXACT = ('PNG', 'BMP', 'TIFF', 'PPM')


@dataclasses.dataclass(frozen=True)
class Side:
  """What is compared, and what it is made of.

  Attributes:
    name: string, as the user gave it.
    images: uint8 `[N, h, w, C]`, or None where there are statistics.
    statistics: list of dictionaries, one per net, as `save` writes them; None
      where there are images.
    shape: `(h, w, C)` of the images.
    number: int N.
    resize: string, how pictures in files became images of that shape.
    formats: `{name: how many}` of picture files that were looked at.
    sizes: `((width, height) of the smallest, and of the largest)`, or None.

  Raises:
    UserError: if `images` are none.
  """
  name: str
  images: np.ndarray | None = None
  statistics: list | None = None
  shape: tuple = ()
  number: int = 0
  resize: str = 'none'
  formats: dict = dataclasses.field(default_factory=dict)
  sizes: tuple | None = None

  def __post_init__(self):
    if self.images is not None:
      if self.images.dtype != np.uint8 or self.images.ndim != 4:
        raise errors.UserError(
            f'{self.name} holds {self.images.dtype} of the shape '
            f'{list(self.images.shape)}, and images are compared: give uint8 '
            '[N, h, w, C].')
      object.__setattr__(self, 'shape', tuple(self.images.shape[1:]))
      object.__setattr__(self, 'number', len(self.images))

  def described(self):
    """Returns all but the arrays, as JSON has it."""
    return {'name': self.name, 'number': self.number,
            'shape': list(self.shape), 'resize': self.resize,
            'formats': dict(self.formats),
            'sizes': self.sizes and [list(size) for size in self.sizes],
            'holds': 'statistics' if self.images is None else 'images'}

  @property
  def asked(self):
    """Names of the features in the statistics, as a user gives them."""
    return [found['asked'] for found in self.statistics or ()]

  def collect(self, nets):
    """Returns a `feature_sets.Collected` by each net.

    Args:
      nets: list of `features.FeatureNet`.

    Raises:
      UserError: if statistics hold no such features.
    """
    if self.images is None:
      return [_moments_of(self, net) for net in nets]
    return feature_sets.collect(nets, _batches(self.images))


def of_pictures(place, array, chosen, is_loose):
  """Makes the side of some images of a split.

  Args:
    place: where they were read, as the user gave it.
    array: an `ImageArray`.
    chosen: positions of the images.
    is_loose: whether `place` is a folder, zip or tar of pictures.

  Returns:
    A `Side` that says how pictures in files became these images.
  """
  said = {'resize': decoding.resize_name(array.preprocessing) or 'none'}
  if is_loose:
    seen = survey.survey(place)
    said |= {'formats': seen.formats, 'sizes': seen.sizes}
    if set(seen.sizes) == {array.image_shape[1::-1]}:
      said['resize'] = 'none'
  return Side(str(place), array.read(chosen), **said)


def _batches(images):
  # Single features are kept of the first ones, which lack classes where files
  # are in the order of those.
  order = (np.random.default_rng(0).permutation(len(images))
           if len(images) > reference.MAXIMUM_ROWS else np.arange(len(images)))
  for first in range(0, len(images), _BATCH):
    yield images[order[first:first + _BATCH]]


def _moments_of(side, net):
  found = next((s for s in side.statistics if s['features'] == net.name), None)
  held = ', '.join(s['features'] for s in side.statistics)
  if found is None:
    raise errors.UserError(
        f'{side.name} holds statistics of the features {held} and none of '
        f'{net.name}: choose other --features, or give the images.')
  if found['fingerprint'] != net.fingerprint:
    raise errors.UserError(
        f'The statistics in {side.name} are of another {net.name} '
        f'({found["fingerprint"]}, and this one is {net.fingerprint}): save '
        'them again.')
  count = found['count']
  return feature_sets.Collected(net, frechet.Moments(
      net.size, count, found['mean'], (count - 1) * found['covariance']))


def line(described):
  """Returns in a line what `Side.described` gave."""
  sizes = dict.fromkeys(
      f'{width}x{height}' for width, height in described['sizes'] or ())
  formats = [f'{name} {n}' for name, n in described['formats'].items()]
  files_of = f' of {" to ".join(sizes)} pixels' if sizes else ''
  shape = 'x'.join(map(str, described['shape']))
  how = described['resize']
  return ''.join([
      f'{described["name"]}: ',
      'statistics of ' if described['holds'] == 'statistics' else '',
      f'{described["number"]} images of {shape}',
      '' if how == 'none' else f' by {how}',
      f', from {", ".join(formats)}{files_of}' if formats else ''])


def warnings_of(one, other):
  """Returns sentences on what makes a distance between two sides doubtful.

  Args:
    one: a `Side`.
    other: a `Side`.
  """
  shares = [_share_of_lossy(side) for side in (one, other)]
  if None in shares or abs(shares[0] - shares[1]) < 0.1:
    return []
  told = [f'{share:.0%} of {side.name}'
          for side, share in zip((one, other), shares)]
  return [f'{told[0]} and {told[1]} are in formats that lose details, such as '
          'JPEG: a part of the distance is theirs.']


def _share_of_lossy(side):
  """Returns the share of lossy files; None where formats are not known."""
  lossy, exact = (sum(side.formats.get(name, 0) for name in names)
                  for names in (_LOSSY, _EXACT))
  return lossy / (lossy + exact) if lossy + exact else None


# === Statistics ===


def check_output(path, overwrite=False):
  """Refuses a file that `save` cannot write, before anything is read.

  Args:
    path: path of the file.
    overwrite: whether a file that is there is replaced.

  Raises:
    UserError: names the way out.
  """
  if not str(path).endswith('.npz'):
    raise errors.UserError(f'Statistics are kept in an .npz file: give '
                           f'--save_statistics={path}.npz.')
  place = files.local(path)
  if place.exists() and not overwrite:
    raise errors.UserError(
        f'{path} exists: give --overwrite, choose another --save_statistics, '
        'or move it away.')
  try:
    with files.beside(place) as part:
      part.touch()
  except OSError as e:
    raise _unwritable(path, e) from e


def save(path, side, collected, asked):
  """Saves the statistics of a side's features.

  The file holds, for the i-th net, `mean_i` `[D]`, `covariance_i` `[D, D]`,
  both float64, the latter divided by n - 1, and `count_i`; and under
  `pgak_statistics`, as JSON, the net's name, fingerprint, resize and
  preprocessing, and what the side was.

  Args:
    path: one that `check_output` takes.
    side: a `Side`.
    collected: what its `collect` returned.
    asked: the names of the nets as the user gave them, such as '768'.

  Raises:
    UserError: if it cannot be written.
  """
  nets = [dict(features=c.net.name, asked=str(name), metric=c.net.metric,
               fingerprint=c.net.fingerprint, resize=c.net.resize,
               preprocessing=c.net.preprocessing)
          for c, name in zip(collected, asked)]
  arrays = {}
  for i, c in enumerate(collected):
    arrays |= {f'mean_{i}': c.moments.mean, f'count_{i}': c.moments.count,
               f'covariance_{i}': c.moments.covariance}
  about = json.dumps({'side': side.described(), 'nets': nets})
  try:
    with files.replacing(files.local(path)) as part, part.open('wb') as file:
      np.savez(file, **{_KEY: about}, **arrays)
  except OSError as e:
    raise _unwritable(path, e) from e


def _unwritable(path, error):
  return errors.UserError(f'{path} cannot be written ({errors.reason(error)}): '
                          'choose another --save_statistics.')


def is_statistics(path):
  """Whether a file is one that `save` wrote.

  Args:
    path: `pathlib.Path`.
  """
  if path.suffix != '.npz' or not path.is_file():
    return False
  try:
    with np.load(path, allow_pickle=False) as arrays:
      return _KEY in arrays.files
  except (OSError, ValueError, AttributeError):
    return False  # Damaged, or a bare array: who reads it says so.


def load(path):
  """Reads the `Side` that `save` wrote the statistics of.

  Args:
    path: `pathlib.Path`.

  Raises:
    UserError: if it is damaged.
  """
  arrays = files.load_npz(path) or {}
  try:
    about = json.loads(str(arrays[_KEY]))
    side = about['side']
    found = [dict(net, mean=arrays[f'mean_{i}'],
                  count=int(arrays[f'count_{i}']),
                  covariance=arrays[f'covariance_{i}'])
             for i, net in enumerate(about['nets'])]
    sizes = side['sizes'] and tuple(tuple(size) for size in side['sizes'])
    return Side(str(path), None, found, tuple(side['shape']), side['number'],
                side['resize'], side['formats'], sizes)
  except (KeyError, TypeError, ValueError) as e:
    raise errors.UserError(f'The statistics in {path} are damaged: save them '
                           'again.') from e
