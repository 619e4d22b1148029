"""GANs and models whose parts take turns, killed and given again.

Slow. What a model keeps beside its parts' weights (the steps of a critic, a
generator of latents, how far a net has grown) must be in its checkpoints, on
one device and on two replicas.
"""
import random
import signal
import time

import forked
import numpy as np
import pytest
import tiny_runs
import two_devices

from pgak.bin import train
from pgak.runs import run_directory

pytestmark = pytest.mark.slow

# So many that no run is over before it is seen to have begun.
STEPS = 240
REPLICA_STEPS = 100
MODELS = {
    'sn_gan': ('SNGAN.critic_steps = 2',),
    'pg_gan': ('PGGAN.growing = 0.7', 'sgd.learning_rate = 0.001'),
    'alae': ('LatentGenerator.units = (8,)', 'latent_critic.units = 4'),
    'gmmn': ('LatentGenerator.units = (8,)', 'GMMN.autoencoder_steps = 30',
             'batch_norm = True'),
}


def flags(path, model, *more):
  return [f'--run_dir={path}', *tiny_runs.flags(
      f'train.steps = {STEPS}', 'train.checkpoint_every = 4',
      'train.log_every = 4', 'train.validate_every = 20',
      'train.sample_every = 50', 'sgd.learning_rate = 0.02', *MODELS[model],
      *more, files=[f'models/{model}.gin'])]


def newest(path):
  run = run_directory.RunDirectory(path, create=True)
  return max(run.checkpoints(), default=0)


def finish(main, path, *settings):
  result = forked.run(main, flags(path, *settings))
  assert result.status == 0, result.err
  return result.out


def end(number, main, path, least, *settings):
  """Sends a signal some time after a step; returns the exit status."""
  child = forked.start(main, flags(path, *settings))
  while child.poll() is None and newest(path) < least:
    time.sleep(0.001)
  time.sleep(random.Random(least).uniform(0., 0.03))
  child.send_signal(number)
  result = child.wait()
  assert 'Traceback' not in result.err, result
  return result.status


def ended_twice(main, path, steps, *settings):
  """Kills a run, interrupts it, and trains it to its end."""
  assert end(signal.SIGKILL, main, path, 8, *settings) == -signal.SIGKILL
  assert 8 <= newest(path) < steps
  assert end(signal.SIGTERM, main, path, 40, *settings) == 143
  step = newest(path)
  assert 40 <= step < steps
  out = finish(main, path, *settings)
  assert f'step {steps}/{steps}' in out and 'step 4/' not in out


@pytest.mark.exhaustive
@pytest.mark.parametrize('model', MODELS)
def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path, model):
  whole, ended = tmp_path / 'whole', tmp_path / 'ended'
  settings = (model, 'train.xla = True')
  finish(train.run, whole, *settings)
  ended_twice(train.run, ended, STEPS, *settings)
  found, expected = (tiny_runs.saved(p, STEPS) for p in (ended, whole))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.exhaustive
@pytest.mark.parametrize('model', ['sn_gan', 'alae'])
def test_a_killed_run_of_two_replicas(tmp_path, model):
  whole, ended = tmp_path / 'whole', tmp_path / 'ended'
  settings = (model, "train.strategy = 'mirrored'",
              f'train.steps = {REPLICA_STEPS}')
  finish(two_devices.train, whole, *settings)
  ended_twice(two_devices.train, ended, REPLICA_STEPS, *settings)
  found, expected = (tiny_runs.saved(p, REPLICA_STEPS) for p in (ended, whole))
  assert set(found) == set(expected)
  # Without XLA the order of a sum may change, and with it the last bits, 6e-8
  # of a number, which 60 steps magnify; a batch too few makes 1e-2 and more.
  for name, value in expected.items():
    np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5,
                               err_msg=name)
