"""Tests of `import pgak`: small, and `load` is there when it is asked for."""
import subprocess
import sys

import pytest

import pgak
from pgak.runs import checkpoints

SOURCE = """
import sys
import pgak
assert pgak.__version__
loaded = {'tensorflow', 'keras', 'gin', 'numpy'} & set(sys.modules)
assert not loaded, loaded
"""


def test_the_package_alone_imports_nothing_slow():
  subprocess.run([sys.executable, '-c', SOURCE], check=True, timeout=60)


def test_load_is_that_of_checkpoints():
  assert pgak.load is checkpoints.load
  assert set(pgak.__all__) == {'__version__', 'load'}


def test_there_is_nothing_else():
  with pytest.raises(AttributeError, match="no attribute 'save'"):
    pgak.save  # pylint: disable=no-member,pointless-statement
