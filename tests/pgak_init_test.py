"""Tests of `import pgak`: small, and `load` is there when it is asked for."""
import importlib.util
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


@pytest.mark.parametrize('name', pgak.__all__)
def test_what_is_offered_is_there(name):
  assert getattr(pgak, name)


def test_there_is_nothing_else():
  with pytest.raises(AttributeError, match="no attribute 'save'"):
    pgak.save


OLD = """
import importlib, warnings
import pgak
for name, (homes, renamed) in pgak.MOVED.items():
  with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    old = importlib.import_module(f'pgak.{name}')
    again = importlib.import_module(f'pgak.{name}')
  said = [str(w.message) for w in caught if w.category is FutureWarning]
  own = [s for s in said if s.startswith(f'pgak.{name} is now ')]
  assert len(own) == 1 and all(f'pgak.{h}' in own[0] for h in homes), said
  assert again is old
  for home in homes:
    new = importlib.import_module(f'pgak.{home}')
    for function in new.__all__:
      assert getattr(old, function) is getattr(new, function), function
  for function, place in renamed.items():
    home, _, new = place.rpartition('.')
    assert getattr(old, function) is getattr(
        importlib.import_module(f'pgak.{home}'), new)
from pgak import images
from pgak.metrics import protocols
from pgak.latent_tools import views
print(len(pgak.MOVED), images.write_png.__name__, protocols.NAMES[0],
      views.View.__name__)
"""


def test_modules_of_0_4_are_found_where_they_were():
  done = subprocess.run([sys.executable, '-c', OLD], check=False, timeout=120,
                        capture_output=True, text=True)
  assert not done.returncode, done.stderr[-2000:]
  assert done.stdout == f'{len(pgak.MOVED)} write fid768_test Drawn\n'
  with pytest.raises(ModuleNotFoundError, match="'pgak.attic'"):
    importlib.import_module('pgak.attic')


def test_a_module_of_ones_own_is_not_taken_for_an_old_one_of_ours():
  for name in ('images', 'charts', 'sampling', 'callbacks'):
    assert importlib.util.find_spec(name) is None
    assert importlib.util.find_spec(f'pgak.{name}')
