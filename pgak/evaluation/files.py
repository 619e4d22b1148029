"""Curves and pictures that an evaluation leaves in the run."""
import contextlib
import logging
import pathlib

from pgak import errors
from pgak.metrics import prd
from pgak.pictures import grids
from pgak.pictures import png
from pgak.pictures import scatter

__all__ = ['Files']


@contextlib.contextmanager
def _optional():
  """Goes on without a file that cannot be written: the scores are what counts.
  """
  try:
    yield
  except OSError as e:
    logging.warning('A picture or table of the evaluation cannot be written '
                    '(%s).', errors.reason(e))


class Files:
  """Writes below a run's folder, named by all that tells them apart.

  `prd/<name>.npz` holds the arrays `precision` and `recall`, `prd/<name>.png`
  is its plot, `neighbours/<name>.png` shows samples beside real images, where
  name is `step-<step>_<images>_<prior>_<features>`;
  `grids/step-<step>_<prior>.png` shows samples of a density
  (or, for pairs, rows of a condition, its image and samples), and
  `separability/step-<step>_<prior>.csv` holds a line for each attribute.

  Args:
    folder: path, or None to write nothing.
    step: int, the checkpoint's step.
  """

  def __init__(self, folder, step):
    self.folder = folder and pathlib.Path(folder)
    self.step = step

  def _path(self, kind, *names):
    return self.folder / kind / '_'.join([f'step-{self.step:08d}', *names])

  @_optional()
  def write_curve(self, curve, images, prior, features):
    """Writes `(precision, recall)`, or nothing for None."""
    if self.folder and curve is not None:
      title = f'{images}, {prior}, {features}'
      prd.write(self._path('prd', images, prior, features), *curve, title)

  @_optional()
  def write_grid(self, images, prior):
    """Writes samples of a density, uint8 `[n, h, w, C]`, as one picture."""
    if self.folder:
      path = self._path('grids', prior)
      png.write(path.with_name(path.name + '.png'),
                           grids.picture(images))

  @_optional()
  def write_cloud(self, real, drawn, prior):
    """Writes samples of a density beside data, both float `[n, D]`."""
    if self.folder:
      path = self._path('grids', prior)
      png.write(
          path.with_name(path.name + '.png'),
          png.decode(scatter.samples(real, drawn)))

  @_optional()
  def write_separations(self, found, prior):
    """Writes a `separations.Separations` of a density."""
    if self.folder:
      path = self._path('separability', prior)
      found.write(path.with_name(path.name + '.csv'))

  @_optional()
  def write_translations(self, picture, prior):
    """Writes a uint8 picture of conditions, images and samples of a prior."""
    if self.folder:
      path = self._path('grids', prior)
      png.write(path.with_name(path.name + '.png'), picture)

  @_optional()
  def write_picture(self, picture, images, prior, features):
    """Writes a uint8 picture `[H, W, C]` of neighbours."""
    if self.folder:
      path = self._path('neighbours', images, prior, features)
      png.write(path.with_name(path.name + '.png'), picture)
