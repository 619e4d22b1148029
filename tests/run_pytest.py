"""Runs pytest on the files it is given; the `main` of Bazel's tests."""
import importlib.util
import pathlib
import sys

import pytest

__all__ = []

BIN = pathlib.Path(__file__).absolute().parent.parent / 'bin'


def name_bin():
  """Lets tests import `pgak.bin`, which is setup.py's name for `bin`."""
  if not BIN.is_dir() or importlib.util.find_spec('pgak.bin'):
    return
  spec = importlib.util.spec_from_file_location(
      'pgak.bin', BIN / '__init__.py', submodule_search_locations=[str(BIN)])
  module = importlib.util.module_from_spec(spec)
  sys.modules['pgak.bin'] = sys.modules['pgak'].bin = module


if __name__ == '__main__':
  name_bin()
  sys.exit(pytest.main(sys.argv[1:]))
