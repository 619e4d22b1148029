"""What every test starts from: a cache of its own and a clean gin and Keras.
"""
import os
import shutil
import sys
import tempfile

import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')


def pytest_configure(config):
  """Gives the run, all its workers together, a cache that ends with it."""
  if 'PGAK_CACHE' not in os.environ:
    config.pgak_cache = tempfile.mkdtemp(prefix='pgak_cache_')
    os.environ['PGAK_CACHE'] = config.pgak_cache


def pytest_unconfigure(config):
  """Removes that cache; a worker inherited it and has none to remove."""
  if hasattr(config, 'pgak_cache'):
    shutil.rmtree(config.pgak_cache, ignore_errors=True)
    del os.environ['PGAK_CACHE']


@pytest.fixture(autouse=True)
def _clean_globals():
  """Undoes what a test left in gin's and Keras's global state."""
  yield
  if 'gin' in sys.modules:
    sys.modules['gin'].clear_config()
  if 'keras' in sys.modules:
    keras = sys.modules['keras']
    keras.config.set_floatx('float32')
    keras.config.set_dtype_policy('float32')


@pytest.fixture
def float64():
  """Makes Keras compute in float64; `_clean_globals` undoes it."""
  import keras
  keras.config.set_floatx('float64')
  keras.config.set_dtype_policy('float64')
