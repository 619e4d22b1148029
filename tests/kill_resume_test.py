"""Runs that are killed at any moment and resumed lose and change nothing.

Slow: each command is a process of its own.
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tiny_runs

from pgak.runs import run_directory

pytestmark = pytest.mark.slow

TRAIN = pathlib.Path(__file__).absolute().parent.parent / 'bin' / 'train.py'
STEPS = 300
FLAGS = tiny_runs.flags(
    f'train.steps = {STEPS}', 'train.checkpoint_every = 5',
    'train.keep_checkpoints = 3', 'train.log_every = 5',
    'train.validate_every = 50', 'train.sample_every = 50', 'train.xla = True',
    'train.augmenter = @augmenter()', 'sgd.ema_decay = 0.99',
    'sgd.learning_rate = 0.05', files=['models/vae.gin'])


def start(run_dir, *flags):
  return subprocess.Popen(
      [sys.executable, str(TRAIN), f'--run_dir={run_dir}', *FLAGS, *flags],
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
      # A shell lets what it starts in the background ignore interrupts.
      preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def finish(run_dir):
  process = start(run_dir)
  stdout, stderr = process.communicate(timeout=300)
  assert not process.returncode, stderr[-3000:]
  return stdout


def wait_for(process, condition):
  """Waits until a condition holds; tells whether the process still runs."""
  deadline = time.monotonic() + 240.
  while time.monotonic() < deadline:
    if process.poll() is not None:
      return False
    if condition():
      return True
    time.sleep(0.0005)
  raise TimeoutError


def kill(process):
  os.kill(process.pid, signal.SIGKILL)
  process.communicate()


def newest(run_dir):
  folder = run_dir / 'checkpoints'
  if not folder.is_dir():
    return 0
  return max(run_directory.RunDirectory(run_dir).checkpoints(), default=0)


def is_writing(run_dir):
  return any((run_dir / 'checkpoints').glob('.step-*.part/*'))


def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path):
  undisturbed, run_dir = tmp_path / 'undisturbed', tmp_path / 'killed'
  finish(undisturbed)
  chance = random.Random(0)
  # Before the first step; then at random; then while a checkpoint is written.
  process = start(run_dir)
  assert wait_for(process, (run_dir / 'config.json').exists)
  kill(process)
  assert newest(run_dir) == 0
  reached, seen_writing = [], 0
  for while_writing in (False, True):
    process = start(run_dir)
    goal = newest(run_dir) + chance.randint(10, 40)
    if not wait_for(process, lambda: newest(run_dir) >= goal):
      break
    if while_writing:
      seen_writing += wait_for(process, lambda: is_writing(run_dir))
    else:
      time.sleep(chance.uniform(0., 0.1))
    kill(process)
    reached.append(newest(run_dir))
    # Whatever is there can be loaded: it is whole.
    tiny_runs.saved(run_dir, reached[-1])
  assert len(reached) == 2 and reached == sorted(set(reached))
  assert seen_writing
  out = finish(run_dir)
  assert f'step {STEPS}/{STEPS}' in out and f'step 5/{STEPS}' not in out
  found, expected = (tiny_runs.saved(d, STEPS) for d in (run_dir, undisturbed))
  assert set(found) == set(expected)
  for name, value in expected.items():
    np.testing.assert_array_equal(found[name], value, err_msg=name)
  assert run_directory.RunDirectory(run_dir).checkpoints() == [
      STEPS - 10, STEPS - 5, STEPS]
  assert not list((run_dir / 'checkpoints').glob('.step-*'))
  assert 'is finished' in finish(run_dir)


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
  process = start(tmp_path / 'run', '--gin_param=train.steps = 100000')
  assert wait_for(process, lambda: newest(tmp_path / 'run') >= 5)
  process.send_signal(signal.SIGINT)
  _, stderr = process.communicate(timeout=60)
  assert process.returncode == 130
  step = newest(tmp_path / 'run')
  assert (f'Interrupted at step {step}: the same command goes on from step '
          f'{step}, whose checkpoint is in') in stderr
  assert 'Traceback' not in stderr
