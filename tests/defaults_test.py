"""The quickstart as users have it: XLA, half a cosine, averaged weights.

Other fast tests turn these off, as XLA takes longer to compile a step than
their runs last. Here only the number of steps and the intervals are another's.
"""
import shutil

import gin
import numpy as np
import pytest
import tiny_runs

import pgak
from pgak import registry
from pgak import training
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import run_directory

SHORT = ('train.steps = 20', 'train.checkpoint_every = 10',
         'train.log_every = 10', 'train.sample_every = None')


def train(path):
  configuration.parse(['quickstart.gin'], SHORT, roots=registry.train_roots)
  try:
    return training.train(path)
  finally:
    gin.clear_config()


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory):
  registry.register()
  path = tmp_path_factory.mktemp('runs') / 'run'
  model = train(path)
  assert model.jit_compile is True
  assert all(o.use_ema for o in model.optimizers.values())
  return run_directory.RunDirectory(path)


@pytest.mark.slow
def test_a_resumed_run_ends_bit_for_bit_where_an_unbroken_one_does(
    run, tmp_path):
  path = tmp_path / 'run'
  shutil.copytree(run.path, path)
  shutil.rmtree(path / 'checkpoints' / 'step-00000020')
  train(path)
  found, expected = (tiny_runs.saved(p, 20) for p in (path, run.path))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(found[name], value, err_msg=name)


# The rate is 1e-3 (0.01 + 0.99 (1 + cos(pi s)) / 2) at the share s of the run.
@pytest.mark.parametrize('step, rate', [(10, 5.05e-4), (20, 1e-5)])
def test_a_loaded_model_has_its_place_on_the_schedule(run, step, rate):
  model = pgak.load(run.path, step)
  assert [float(o.learning_rate) for o in model.optimizers.values()] == (
      pytest.approx([rate, rate], rel=1e-4))


@pytest.mark.slow
def test_another_schedule_belongs_to_another_run(run):
  configuration.parse_run(run)
  gin.bind_parameter('train.learning_rate_schedule', None)
  # Without it a rate is a variable, which this checkpoint does not hold.
  with pytest.raises(pgak.errors.UserError, match='belongs to another model'):
    checkpoints.load_configured(run)
