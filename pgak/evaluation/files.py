"""Curves and pictures that an evaluation leaves in the run."""
import contextlib
import csv
import pathlib

from absl import logging

from pgak import errors
from pgak.metrics import prd
from pgak.pictures import grids
from pgak.pictures import png
from pgak.pictures import scatter

__all__ = ['Files']


@contextlib.contextmanager
def _optional():
  """Turns a failed write into a warning: scores matter more than pictures."""
  try:
    yield
  except OSError as e:
    logging.warning('A picture or table of the evaluation cannot be written '
                    '(%s).', errors.reason(e))


class Files:
  """Writes files below a run's folder, named by all that distinguishes them.

  What a metric leaves is in a folder of its name: `prd/<name>.npz` holds the
  arrays `precision` and `recall`, `prd/<name>.png` is its plot,
  `neighbours/<name>.png` shows samples beside real images, where name is
  `step-<step>_<images>_<prior>_<features>`;
  `grids/step-<step>_<prior>.png` shows samples of a density
  (for pairs, lines of a condition, its image and samples), and
  `separability/step-<step>_<prior>.csv` has a line for each attribute.

  Args:
    folder: path, or None to write nothing.
    step: int, the checkpoint's step.
  """

  def __init__(self, folder, step):
    self.folder = folder and pathlib.Path(folder)
    self.step = step

  def _path(self, kind, *names):
    # Eight digits, so that files sort by step.
    return self.folder / kind / '_'.join([f'step-{self.step:08d}', *names])

  @_optional()
  def write_parts(self, metric, value, score):
    """Writes the curve, picture and table that a value has, if any.

    Args:
      metric: string, the metric's name, which the folder gets.
      value: a `metric.Value`.
      score: the `scores.Score` that was made of it, which names the file.
    """
    parts = [value.curve, value.picture, value.table]
    if not self.folder or all(part is None for part in parts):
      return
    named = (score.images, score.prior, score.features)
    path = self._path(metric, *named)
    if value.curve is not None:
      prd.write(path, *value.curve, ', '.join(named))
    if value.picture is not None:
      png.write(path.with_name(path.name + '.png'), value.picture)
    if value.table is not None:
      # Without images and features, which are the same for each value of a
      # table: it is written once under one name.
      path = self._path(metric, score.prior)
      path.parent.mkdir(parents=True, exist_ok=True)
      with path.with_name(path.name + '.csv').open('w', newline='') as file:
        csv.writer(file, lineterminator='\n').writerows(value.table)

  @_optional()
  def write_grid(self, images, prior):
    """Writes samples of a density, uint8 `[n, h, w, C]`, as one picture."""
    if self.folder:
      path = self._path('grids', prior)
      png.write(path.with_name(path.name + '.png'), grids.picture(images))

  @_optional()
  def write_cloud(self, real, drawn, prior):
    """Writes samples of a density beside data, both float `[n, D]`."""
    if self.folder:
      path = self._path('grids', prior)
      png.write(
          path.with_name(path.name + '.png'),
          png.decode(scatter.samples(real, drawn)))

  @_optional()
  def write_translations(self, picture, prior):
    """Writes a uint8 picture of conditions, images and samples of a prior."""
    if self.folder:
      path = self._path('grids', prior)
      png.write(path.with_name(path.name + '.png'), picture)
