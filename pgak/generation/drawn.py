"""What was drawn from a model, and the file that it is written to."""
import csv
import dataclasses

import numpy as np

from pgak import errors
from pgak import files
from pgak.pictures import grids
from pgak.pictures import png

__all__ = ['Drawn', 'check_output', 'write']


@dataclasses.dataclass
class Drawn:
  """A picture and what is in it.

  Attributes:
    arrays: `{name: array}`, all that the picture shows.
    grid: uint8 images `[N, h, w, C]` in rows of `columns`, or None.
    columns: int.
    chart: PNG bytes, or None.
    table: `{column: [N] values}`, a row an image, or None.
    text: sentences to print.
  """
  arrays: dict
  grid: np.ndarray | None = None
  columns: int | None = None
  chart: bytes | None = None
  table: dict | None = None
  text: str = ''


def check_output(output, kind, kinds):
  """Refuses a file that cannot be written, before anything is made.

  Args:
    output: path of the file.
    kind: what is to be drawn.
    kinds: names of all that can be.

  Raises:
    errors.UserError: if there is no such kind, if the file is there, or if its
      name says nothing that the kind has.
  """
  if kind not in kinds:
    raise errors.UserError(f'There is no kind {kind!r}: choose one of '
                           f'{", ".join(kinds)}.')
  if output.endswith('.csv') and kind in ('log_density', 'ood'):
    pass
  elif not output.endswith(('.png', '.npz')):
    raise errors.UserError(
        f'{output} must end with .png for a picture or .npz for an array, or, '
        'for log_density and ood, .csv for a table.')
  if files.local(output).exists():
    raise errors.UserError(f'{output} exists: choose another --output, or '
                           'move the file away.')


def write(output, drawing):
  """Writes what was drawn as a picture, arrays or a table, and says so.

  Args:
    output: path that ends with .png, .npz or .csv.
    drawing: `Drawn`.

  Raises:
    errors.UserError: if it cannot be written.
  """
  path = files.local(output)
  if output.endswith('.png') and drawing.chart is None and drawing.grid is None:
    raise errors.UserError(f'Of these there is no picture: name {output} .npz '
                           'for an array.')
  try:
    with files.replacing(path) as part:
      if output.endswith('.png'):
        part.write_bytes(drawing.chart or png.encode(
            grids.picture(drawing.grid, drawing.columns)))
      elif output.endswith('.npz'):
        with part.open('wb') as file:
          np.savez(file, **drawing.arrays)
      else:
        _write_table(part, drawing.table)
  except OSError as e:
    raise errors.UserError(
        f'{output} cannot be written ({e.strerror}): choose another --output.'
    ) from e
  if drawing.text:
    print(drawing.text)
  print(f'Wrote {_content(output, drawing)} to {output}.')


def _write_table(path, table):
  with open(path, 'w', newline='', encoding='utf-8') as file:
    writer = csv.writer(file)
    writer.writerow(table)
    writer.writerows(zip(*(column.tolist() for column in table.values())))


def _content(output, drawing):
  if output.endswith('.csv'):
    return f'{len(drawing.table["index"])} rows'
  return 'a chart' if drawing.grid is None and output.endswith('.png') else (
      _count(drawing.arrays['images']) if 'images' in drawing.arrays
      else ', '.join(drawing.arrays))


def _count(images):
  return f'{len(images)} {"vectors" if images.ndim == 2 else "images"}'
