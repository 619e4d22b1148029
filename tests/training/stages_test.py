"""Training in stages, and resuming within them."""
import shutil

import numpy as np
import pytest
import tiny_runs

from pgak import errors

FILES = ('models/gmmn.gin',)
SETTINGS = ('GMMN.autoencoder_steps = 4', 'LatentGenerator.units = (8,)',
            'batch_norm = True', 'sgd.ema_decay = 0.9',
            'train.checkpoint_every = 2',
            'train.log_every = 2', 'train.keep_checkpoints = 9')


def train(path, steps):
  tiny_runs.train(path, f'train.steps = {steps}', *SETTINGS, files=FILES)


@pytest.fixture(name='unbroken', scope='module')
def _unbroken(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'gmmn'
  train(path, 8)
  return path


def part(path, step, name):
  """What a checkpoint holds of a part's weights and state."""
  return {n: v for n, v in tiny_runs.saved(path, step).items()
          if n.startswith((f'model/{name}/',
                           f'model/{name}_optimizer/_trainable_variables/'))}


def same(found, expected):
  assert set(found) == set(expected) and expected
  return all(np.array_equal(found[n], v) for n, v in expected.items())


def test_the_parts_are_trained_one_after_the_other(unbroken):
  for name, moves_first in (('encoder', True), ('decoder', True),
                            ('prior', False)):
    at = {step: part(unbroken, step, name) for step in (2, 4, 8)}
    assert same(at[2], at[4]) != moves_first, name
    # The statistics of batch norm, too, stay as the first stage left them.
    assert same(at[4], at[8]) == moves_first, name


@pytest.mark.parametrize('killed_after', [2, 4, 6])
def test_a_run_resumes_in_the_stage_that_it_was_in(unbroken, tmp_path,
                                                   killed_after):
  path = tmp_path / 'run'
  shutil.copytree(unbroken, path)
  for step in range(killed_after + 2, 9, 2):
    shutil.rmtree(path / 'checkpoints' / f'step-{step:08d}')
  train(path, 8)
  found, expected = (tiny_runs.saved(p, 8) for p in (path, unbroken))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6,
                               err_msg=name)


@pytest.mark.parametrize('steps', [3, 4])
def test_a_run_that_would_not_reach_its_last_stage_is_refused(tmp_path, steps):
  with pytest.raises(errors.UserError, match='stages of gmmn .* steps 4, '
                     f'{steps}: .*`train.steps` after'):
    train(tmp_path / 'run', steps)


def test_a_stage_that_would_end_within_an_execution_is_refused(tmp_path):
  with pytest.raises(errors.UserError, match='stages of gmmn .* steps 3, 8: '
                     'let each be a multiple of .*steps_per_execution = 2'):
    tiny_runs.train(tmp_path / 'run', *SETTINGS, 'train.steps = 8',
                    'GMMN.autoencoder_steps = 3', 'train.validate_every = 2',
                    'train.sample_every = 2', 'train.steps_per_execution = 2',
                    files=FILES)
