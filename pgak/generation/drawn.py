"""A drawing of a model, and the file that it is written to."""
import csv
import dataclasses
import re

import numpy as np

from pgak import errors
from pgak import files
from pgak.pictures import grids
from pgak.pictures import png

__all__ = ['Drawn', 'check_output', 'write']


@dataclasses.dataclass
class Drawn:
  """A picture and its content.

  Attributes:
    arrays: `{name: array}`, everything that the picture shows.
    grid: uint8 images `[N, h, w, C]` in rows of `columns`, or None.
    columns: int.
    chart: PNG bytes, or None.
    table: `{column: [N] values}`, one line per image, or None.
    text: sentences to print.
  """
  arrays: dict
  grid: np.ndarray | None = None
  columns: int | None = None
  chart: bytes | None = None
  table: dict | None = None
  text: str = ''


# The names in a folder of images: only such a folder may be replaced.
_IN_A_FOLDER = re.compile(r'\d{6,}\.png|images\.npz')
# Kinds of which there are charts and numbers, and no images.
_CHARTS = ('latents', 'paths', 'ood')


def check_output(output, kind, kinds, overwrite=False):
  """Refuses a file that cannot be written, before anything is made.

  Args:
    output: path of the file, or of a folder if it ends with a slash.
    kind: what is to be drawn.
    kinds: names of all that can be.
    overwrite: whether an existing file is replaced, or a folder that holds only
      images written by `write`.

  Raises:
    errors.UserError: if there is no such kind, if the file exists, or if its
      suffix names no format of the kind.
  """
  if kind not in kinds:
    raise errors.UserError(f'There is no kind {kind!r}: choose one of '
                           f'{", ".join(kinds)}.')
  if output.endswith('.csv') and kind in ('log_density', 'ood'):
    pass
  elif not output.endswith(('.png', '.npz', '/')):
    raise errors.UserError(
        f'{output} must end with .png for a picture, .npz for an array or / '
        'for a folder of images, or, for log_density and ood, .csv for a '
        'table.')
  if output.endswith('/') and kind in _CHARTS:
    raise _no_images(output)
  path = files.local(output)
  if path.exists() and not overwrite:
    raise errors.UserError(f'{output} exists: give --overwrite, choose another '
                           '--output, or move it away.')
  if path.is_dir() and not (output.endswith('/') and _holds_images(path)):
    raise errors.UserError(f'{output} exists and is a folder with other files: '
                           'choose another --output.')


def _no_images(output):
  return errors.UserError('A folder holds images, and these are none: give a '
                          f'file ending with .npz instead of {output}.')


def _holds_images(folder):
  return all(_IN_A_FOLDER.fullmatch(path.name) for path in folder.iterdir())


def write(output, drawing):
  """Writes a drawing as a picture, arrays or a table, and prints the file.

  A folder gets each image, `000000.png` and so on, and all of them in
  `images.npz`, the array `arr_0`, uint8 RGB `[N, h, w, 3]`, as programs that
  compute an FID read it.

  Args:
    output: path that ends with .png, .npz or .csv, or with a slash.
    drawing: `Drawn`.

  Raises:
    errors.UserError: if it cannot be written.
  """
  path = files.local(output)
  if output.endswith('.png') and drawing.chart is None and drawing.grid is None:
    raise errors.UserError(f'Of these there is no picture: name {output} .npz '
                           'for an array.')
  if output.endswith('/') and not _is_pictures(drawing.arrays.get('images')):
    raise _no_images(output)
  try:
    with files.replacing(path) as part:
      if output.endswith('.png'):
        part.write_bytes(drawing.chart or png.encode(
            grids.picture(drawing.grid, drawing.columns)))
      elif output.endswith('/'):
        _write_folder(part, drawing.arrays['images'])
      elif output.endswith('.npz'):
        # np.savez would append .npz to the name of the part.
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


def _is_pictures(images):
  return (images is not None and images.dtype == np.uint8 and images.ndim == 4
          and images.shape[-1] in (1, 3))


def _write_folder(folder, images):
  folder.mkdir()
  for i, image in enumerate(images):
    (folder / f'{i:06d}.png').write_bytes(png.encode(image))
  # The readers of such files expect RGB.
  colour = np.broadcast_to(images, (*images.shape[:3], 3))
  np.savez(folder / 'images.npz', colour)


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
