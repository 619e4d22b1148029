"""Finds run directories, and the sweeps that they belong to."""
import os
import pathlib

from pgak import errors
from pgak import files

__all__ = ['find', 'planned']


def find(paths):
  """Finds run directories.

  Args:
    paths: run directories, and folders that hold some at any depth.

  Returns:
    Pair of a list of distinct paths and a list of sentences on arguments that
    hold none, and on cells of a sweep that did not begin.

  Raises:
    errors.UserError: if there is none at all.
  """
  found, problems = {}, []
  for path in map(files.local, paths):
    if not path.exists():
      raise errors.UserError(f'There is nothing at {path}: give run '
                             'directories, or folders that hold some.')
    here, sweeps = _below(path)
    if not here:
      problems.append(f'{path} is no run directory and holds none: no folder '
                      'in it has a config.gin.')
    for run in here:
      found.setdefault(run.resolve(), run)
    problems += [f'{folder / name} is named in sweep.json and holds no run.'
                 for folder in sweeps for name in planned(folder)
                 if not (folder / name / 'config.gin').is_file()]
  if not found:
    raise errors.UserError(
        'There is nothing to report: ' + ' '.join(problems)[:500])
  return list(found.values()), list(dict.fromkeys(problems))


def _below(path):
  """Returns the run directories in a folder, and the folders of sweeps."""
  found, sweeps, seen = [], [], set()
  for folder, children, names in os.walk(path, followlinks=True):
    here = pathlib.Path(folder)
    if here.resolve() in seen:  # A link may lead to what it is in.
      children.clear()
      continue
    seen.add(here.resolve())
    if 'config.gin' in names:
      found.append(here)
      children.clear()  # What a run holds is its own.
    elif 'sweep.json' in names:
      sweeps.append(here)
    # A run's own name rather than that of a link to it.
    children[:] = sorted((c for c in children if not c.startswith('.')),
                         key=lambda c: ((here / c).is_symlink(), c))
  return found, sweeps


def planned(folder):
  """Returns `{run directory: its commands}` of a sweep, by relative paths.

  Args:
    folder: `pathlib.Path`; without a sweep.json there are none.
  """
  try:
    cells_of_sweep = files.load_json(folder / 'sweep.json')['cells']
    return {cell['run_dir']: [cell['train'], *cell['evaluate']]
            for cell in cells_of_sweep}
  except (KeyError, OSError, TypeError, ValueError):
    return {}  # No sweep, or none that can be read: its runs speak for it.
