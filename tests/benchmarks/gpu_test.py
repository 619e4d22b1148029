"""Runs the benchmarks of an accelerator small, on the CPU of the tests."""
import importlib
import json
import os
import re
import subprocess
import sys
import venv

import checkout
import numpy as np
import pytest

import pgak
from pgak.metrics import frechet

ROOT = checkout.ROOT
FOLDER = ROOT / 'benchmarks'
SMALL = ['--factor=32', '--batch_size=4', '--chunk=2', '--calls=1']


def _run(*command, python=sys.executable):
  done = subprocess.run(
      [str(part) for part in command], cwd=FOLDER, text=True,
      capture_output=True, env=os.environ | {'PYTHON': str(python)})
  assert not done.returncode, done.stderr[-3000:]
  return done.stdout


@pytest.fixture(scope='module')
def jax_python(tmp_path_factory):
  """An interpreter that has JAX, and neither TensorFlow nor pgak."""
  folder = tmp_path_factory.mktemp('jax')
  venv.create(folder, symlinks=True, with_pip=True)
  python = folder / 'bin' / 'python'
  done = subprocess.run([python, '-m', 'pip', 'install', '-q', 'jax'],
                        capture_output=True, text=True)
  if done.returncode:
    pytest.skip(f'JAX cannot be installed here: {done.stderr[-200:]}')
  return python


@pytest.mark.slow
@pytest.mark.exhaustive
def test_one_command_times_all_where_tensorflow_is(tmp_path):
  output = tmp_path / 'gpu.json'
  _run('sh', 'gpu.sh', output, *SMALL)
  result = json.loads(output.read_text())
  assert [(row['precision'], row['xla']) for row in result['train']] == [
      ('float32', True), ('float32', False), ('mixed_bfloat16', True),
      ('mixed_bfloat16', False)]
  assert all(row['images_per_second'] > 0. for row in result['train'])
  assert result['resumed'] == {'steps': 8, 'largest_difference': 0.}
  assert [row['batch_size'] for row in result['served']] == [1, 8, 64, 512]
  assert result['way'] == 'TensorFlow' and result['devices']
  assert result['not_run'] == ['several GPUs: there are not',
                               'features: --inception is not given']


@pytest.mark.slow
@pytest.mark.exhaustive
def test_the_same_functions_run_by_jax(tmp_path, jax_python):
  programs, output = tmp_path / 'programs', tmp_path / 'gpu.json'
  _run(sys.executable, 'gpu.py', f'--save={programs}', *SMALL)
  _run('sh', 'gpu.sh', output, programs, python=jax_python)
  result = json.loads(output.read_text())
  assert [row['precision'] for row in result['train']] == [
      'float32', 'mixed_bfloat16']
  full, mixed = result['train']
  assert full['terms'] == pytest.approx(
      full['terms_by_tensorflow_on_a_cpu'], rel=1e-3)
  # After a step in bfloat16 the other terms are further apart.
  assert mixed['terms']['reconstruction'] == pytest.approx(
      mixed['terms_by_tensorflow_on_a_cpu']['reconstruction'], rel=2e-2)
  for row in (full, mixed):
    assert row['resumed_largest_difference'] == 0.
  off = [row['grey_levels_off'] for row in result['sampled']
         if 'grey_levels_off' in row]
  assert len(off) == 2 and max(off) <= 1.
  assert any('export' in line for line in result['not_run'])


@pytest.mark.slow
def test_a_model_trained_by_jax_becomes_a_run(tmp_path, jax_python):
  packed, trained = tmp_path / 'packed', tmp_path / 'trained'
  script = FOLDER / 'train_by_jax.py'
  _run(sys.executable, script, 'pack', packed, '--gin_file=quickstart.gin',
       '--chunk=2')
  _run(jax_python, script, 'train', packed, '--steps=4', '--log_every=2',
       f'--output={trained}')
  _run(sys.executable, script, 'unpack', packed, f'--trained={trained}',
       f'--run_dir={tmp_path / "run"}')
  model = pgak.load(tmp_path / 'run')
  assert int(model.step.numpy()) == 4
  with np.load(trained / 'trained.npz') as arrays:
    stored = sorted(array.tobytes() for array in arrays.values())
  found = sorted(v.numpy().tobytes() for net in model.parts.values()
                 for v in net.variables)
  assert found == stored
  logs = json.loads((trained / 'trained.json').read_text())['logs']
  assert [line[0] for line in logs] == [2, 4]
  assert logs[1][1] < logs[0][1]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_by_jax_a_decoder_is_polished_and_a_flow_fitted(tmp_path, jax_python):
  packed, trained = tmp_path / 'packed', tmp_path / 'trained'
  script, run = FOLDER / 'train_by_jax.py', tmp_path / 'run'
  _run(sys.executable, script, 'pack', packed, '--gin_file=quickstart.gin',
       '--chunk=2', '--fit', *(f'--gin_param={binding}' for binding in (
           'train.model = @AE', 'polish.steps = 4', 'FlowMatching.steps = 6',
           'FlowMatching.width = 32', 'FlowMatching.blocks = 1',
           'FlowMatching.conditional = False')))
  _run(jax_python, script, 'train', packed, '--steps=4', '--log_every=2',
       '--float16', f'--output={trained}')
  _run(sys.executable, script, 'unpack', packed, f'--trained={trained}',
       f'--run_dir={run}')
  result = json.loads((trained / 'trained.json').read_text())
  assert [line[0] for line in result['logs']] == [2, 4, 2, 4]
  assert [step for step, _ in result['fit']] == [2, 4, 6]
  assert result['fit'][2][1] < result['fit'][0][1]
  model = pgak.load(run, prior='flow_matching')
  assert int(model.step.numpy()) == 8
  # pgak's own fit, to the same latents.
  (flow,) = (run / 'densities').iterdir()
  flow.unlink()
  again = pgak.load(run, prior='flow_matching').prior
  for name, array in again.state().items():
    # The weights began as float16 and came back as such.
    np.testing.assert_allclose(model.prior.state()[name], array, atol=2e-3)
  assert again.fit_result.held_out_loss == pytest.approx(
      result['fit'][2][1], abs=2e-3)


def test_polishing_by_a_density_is_not_copied(tmp_path):
  done = subprocess.run(
      [sys.executable, FOLDER / 'train_by_jax.py', 'pack', tmp_path / 'packed',
       '--gin_file=quickstart.gin', '--gin_param=train.model = @AE',
       '--gin_param=polish.steps = 100',
       '--gin_param=polish.density = @FlowMatching'],
      capture_output=True, text=True, check=False, timeout=300)
  assert done.returncode == 1
  assert "add --gin_param='polish.density = None'" in done.stderr


def test_the_distance_there_is_the_one_here(monkeypatch):
  monkeypatch.syspath_prepend(str(FOLDER))
  jax_training = importlib.import_module('jax_training')
  a, b = (np.random.default_rng(seed).normal(size=(50, 6)) @ np.diag(scales)
          for seed, scales in enumerate([range(1, 7), [2.] * 6]))
  others = frechet.moments([a])
  assert jax_training.distance(b, others.mean, others.covariance) == (
      pytest.approx(frechet.distance(frechet.moments([b]), others), rel=1e-9))


def _told(text):
  return [float(number.replace(',', ''))
          for number in re.findall(r'[\d,]+\.?\d*', text)]


def test_the_documented_numbers_are_the_measured_ones():
  result = json.loads((FOLDER / 'h200.json').read_text())
  text = (ROOT / 'docs' / 'speed.md').read_text(encoding='utf-8')
  # Up to what was measured on CPUs, whose rows are others.
  text, _, _ = text.partition('## On a CPU')
  rows = {line.split('|')[1].strip(): _told(line.split('|', 2)[2])
          for line in text.splitlines() if line.startswith('| ')}
  for row in result['train']:
    assert rows[f'train step, {row["precision"]}'] == [
        round(row['steps_per_second'], 1), round(row['images_per_second'])]
  for precision in ('float32', 'mixed_bfloat16'):
    assert rows[f'images drawn a second, {precision}'] == [
        round(row['images_per_second']) for row in result['sampled']
        if row['precision'] == precision]
