"""Files of scores: a run's scores.csv, and those beside a packed run."""
import csv

from absl import logging

from pgak import errors
from pgak import files
from pgak.runs import scores as scores_lib

__all__ = ['append', 'read']


def append(path, rows, replace=False):
  """Appends `scores.Score`s, or dictionaries like them, to a file.

  Two processes may do so at the same time. What is there stays, with the
  columns of today; half a last line, of a process that was killed, goes.

  Args:
    path: `pathlib.Path` of a .csv, which is made where there is none.
    rows: the scores.
    replace: whether what is there goes that differs in value or error alone.

  Raises:
    errors.UserError: if the file is damaged.
    OSError: if it cannot be written.
  """
  # Read, extended and replaced under one lock, or one of two commands loses
  # its scores.
  with files.locked(path.with_name(f'.{path.stem}.lock'), '', wait=True):
    known = read(path)
    if replace:
      new = {_measured(row)
             for row in scores_lib.from_csv(scores_lib.to_csv(rows))}
      known = [row for row in known if _measured(row) not in new]
    files.write_text(path, scores_lib.to_csv([*known, *rows]))


def _measured(row):
  """Returns what a row of text is a measurement of."""
  return tuple(row[name] for name in ('step', 'metric', *scores_lib.CHOICES))


def read(path, numbers=True):
  """Returns the rows of a file, all values as text; [] where there is none.

  Columns that version 0.4 did not have are there, as `scores.from_csv` fills
  them in. Half a last line is left out, with a warning: its process was killed.

  Args:
    path: `pathlib.Path`.
    numbers: whether to treat a step or value that is no number as damage.

  Raises:
    errors.UserError: if the file is damaged.
  """
  if not path.is_file():
    return []
  try:
    text = path.read_text(encoding='utf-8')
    rows = scores_lib.from_csv(text)
  except (csv.Error, OSError, ValueError) as e:
    raise _damaged(path, e) from e
  # csv.DictReader fills the columns of a short row with None.
  if rows and not text.endswith('\n') and None in rows[-1].values():
    logging.warning('%s ends with half a row, which is left out.', path)
    rows.pop()
  return [_whole(row, path, numbers) for row in rows]


def _whole(row, path, numbers):
  """Returns a row with all columns, in order."""
  columns = scores_lib.COLUMNS
  if set(row) != set(columns) or None in row.values():
    raise _damaged(path, f'its columns are not {", ".join(columns)}')
  try:
    if numbers:
      int(row['step']), float(row['value'])
  except ValueError as e:
    raise _damaged(path, f'a step or value is no number: {e}') from e
  return {column: row[column] for column in columns}


def _damaged(path, reason):
  return errors.UserError(f'{path} is missing or damaged ({reason}): restore '
                          'it, or move it away.')
