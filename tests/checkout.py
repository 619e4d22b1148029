"""Copies the checkout, for what must not write into it."""
import pathlib
import shutil

__all__ = ['ROOT', 'copy']

ROOT = pathlib.Path(__file__).absolute().parent.parent
_MADE = ('.git', '.venv', '__pycache__', 'build', 'dist', '*.egg-info')


def copy(folder):
  """Copies what is written by hand into a new folder; returns its path."""
  shutil.copytree(ROOT, folder, ignore=_ignored)
  return folder


def _ignored(folder, names):
  """Returns the names in a folder that are made; only at the top, `runs`."""
  top = {'runs'} if pathlib.Path(folder) == ROOT else set()
  return top | shutil.ignore_patterns(*_MADE)(folder, names)
