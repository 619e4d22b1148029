"""Workers and replicas against one device, with the same global batch.

Slow: every worker is a process of its own. The nets have no batch norm, whose
statistics are those of a replica's own share.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest
import tiny_runs

pytestmark = pytest.mark.slow

TRAIN = pathlib.Path(__file__).absolute().parent.parent / 'bin' / 'train.py'
# One CPU becomes two devices, before TensorFlow has looked at it.
MIRRORED = """
import sys
import tensorflow as tf
config = tf.config
config.set_logical_device_configuration(
    config.list_physical_devices('CPU')[0],
    2 * [config.LogicalDeviceConfiguration()])
assert len(config.list_logical_devices()) == 2
from pgak.bin import train
train.main(sys.argv)
"""
BINDINGS = ('train.log_every = 5', 'train.validate_every = 10',
            'train.sample_every = 10', 'train.checkpoint_every = 10',
            'sgd.learning_rate = 0.02', 'base_filters = 8',
            'conv_digits_encoder.dense_units = 32',
            'conv_digits_decoder.dense_units = 32')
# At the authors' epsilon a tiny untrained net makes eq. 7 chaos: rounding grows
# tenfold in two steps, on one device as on two.
MODELS = {
    'vpga': ('sgd.ema_decay = 0.9', 'train.clip_norm = 0.5'),
    'lpga': ('LPGA.epsilon = 1.', 'LPGA.warm_up_steps = 5'),
}


def flags(run_dir, model, steps, strategy, *more):
  return [f'--run_dir={run_dir}', *tiny_runs.flags(
      *BINDINGS, *MODELS[model], f'train.steps = {steps}',
      f'train.strategy = "{strategy}"', *more,
      files=[f'models/{model}.gin'])]


def start(command, **environment):
  return subprocess.Popen(
      [sys.executable, *command], stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})


def finish(processes, timeout=300):
  """Returns `[(exit status, stdout, stderr)]`; ends what does not end."""
  try:
    return [(*reversed([p.communicate(timeout=timeout), p.returncode]),)
            for p in processes]
  finally:
    for process in processes:
      process.kill()


def free_addresses(number):
  sockets = [socket.socket() for _ in range(number)]
  for one in sockets:
    one.bind(('127.0.0.1', 0))
  addresses = [f'127.0.0.1:{one.getsockname()[1]}' for one in sockets]
  for one in sockets:
    one.close()
  return addresses


def train_workers(arguments, number=2):
  workers = free_addresses(number)
  return finish([start([str(TRAIN), *arguments], TF_CONFIG=json.dumps({
      'cluster': {'worker': workers},
      'task': {'type': 'worker', 'index': i}})) for i in range(number)])


def train_mirrored(arguments):
  return finish([start(['-c', MIRRORED, *arguments])])


def check(results):
  for status, (_, stderr) in results:
    assert not status, stderr[-3000:]
  return [stdout for _, (stdout, _) in results]


@pytest.fixture(name='one_device', scope='module')
def _one_device(tmp_path_factory):
  """Function of a model's name to what a run on one device ends with."""
  folder = tmp_path_factory.mktemp('one_device')

  def state(model):
    if not (folder / model).exists():
      tiny_runs.train(folder / model, *BINDINGS, *MODELS[model],
                      'train.steps = 20', files=[f'models/{model}.gin'])
    return tiny_runs.saved(folder / model, 20)

  return state


def assert_same(found, expected):
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-5,
                               err_msg=name)


def moved(run_dir):
  """Returns how far the weights went from step 10 to 20, at most."""
  first, last = (tiny_runs.saved(run_dir, step) for step in (10, 20))
  return max(np.abs(last[n] - first[n]).max() for n in last
             if '/_trainable_variables/' in n)


@pytest.mark.exhaustive
@pytest.mark.parametrize('model', MODELS)
def test_two_replicas(model, one_device, tmp_path):
  run_dir = tmp_path / 'run'
  check(train_mirrored(flags(run_dir, model, 10, 'mirrored')))
  # The same command with more steps resumes.
  out, = check(train_mirrored(flags(run_dir, model, 20, 'mirrored')))
  assert 'step 15/20' in out and 'step 10/20' not in out
  assert_same(tiny_runs.saved(run_dir, 20), one_device(model))
  assert moved(run_dir) > 1e-3
  assert len(list((run_dir / 'samples').iterdir())) == 6


@pytest.mark.exhaustive
def test_two_workers(one_device, tmp_path):
  run_dir = tmp_path / 'run'
  chief, other = check(
      train_workers(flags(run_dir, 'lpga', 20, 'multi_worker')))
  assert 'step 20/20' in chief and not other
  assert_same(tiny_runs.saved(run_dir, 20), one_device('lpga'))
  assert sorted(p.name for p in (run_dir / 'checkpoints').iterdir()) == [
      'step-00000010', 'step-00000020']


def test_two_workers_resume(one_device, tmp_path):
  run_dir = tmp_path / 'run'
  check(train_workers(flags(run_dir, 'vpga', 10, 'multi_worker')))
  chief, other = check(
      train_workers(flags(run_dir, 'vpga', 20, 'multi_worker')))
  assert 'step 15/20' in chief and 'step 10/20' not in chief
  assert_same(tiny_runs.saved(run_dir, 20), one_device('vpga'))
  changed = train_workers(flags(run_dir, 'vpga', 20, 'multi_worker',
                                'train.seed = 1'))
  for status, (_, stderr) in changed:
    assert status == 1 and 'train.seed' in stderr
    assert 'Traceback' not in stderr


def test_batch_norm_and_scores_on_two_replicas(tmp_path):
  """Each replica has its own batch statistics; all else must go as ever."""
  run_dir = tmp_path / 'run'
  check(train_mirrored(flags(
      run_dir, 'vpga', 10, 'mirrored', 'batch_norm = True',
      'train.score_every = 10', 'train.best_by = "reconstruction_mse"',
      'quick.num_samples = 50')))
  state = tiny_runs.saved(run_dir, 10)
  assert all(np.all(np.isfinite(v)) for v in state.values())
  assert 'reconstruction_mse' in (run_dir / 'scores.csv').read_text()


def test_a_run_in_use_is_refused(tmp_path):
  run_dir = tmp_path / 'run'
  arguments = [str(TRAIN), *flags(run_dir, 'vpga', 1000000, 'one_device')]
  first = start(arguments)
  try:
    for line in first.stdout:
      if line.startswith('step'):
        break
    (status, (_, stderr)), = finish([start(arguments)])
    assert first.poll() is None
  finally:
    first.kill()
    first.wait()
  assert status == 1
  assert 'is in use by another train command' in stderr.splitlines()[-1]
  assert 'Traceback' not in stderr
