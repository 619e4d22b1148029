"""Makes virtual environments that have what pgak needs, but not pgak."""
import sys
import venv

__all__ = ['make']


def make(folder, with_pip=False):
  """Makes an environment; returns the folder of its programs.

  It is lent the packages of the environment of the tests, but not the checkout:
  Python reads no `.pth` file, such as an editable install's hook, from a folder
  that is itself named in one.
  """
  venv.create(folder, symlinks=True, with_pip=with_pip)
  packages, = folder.glob('lib/python*/site-packages')
  lent = [path for path in sys.path if path.endswith('-packages')]
  (packages / 'lent.pth').write_text('\n'.join(lent), encoding='utf-8')
  return folder / 'bin'
