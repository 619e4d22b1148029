"""No request ends a server, or takes much of its memory.

Each export is asked in a process of its own, whose memory is limited.
"""
import json
import pathlib
import re
import subprocess
import sys

import pytest
import tiny_commands
import tiny_runs

from pgak.bin import export
from pgak.serving import exporting
import tiny_models
import tiny_pairs

SCRIPT = pathlib.Path(__file__).with_name('hostile_requests.py')
# Of the process that asks: far below what one unbounded request once took.
ALLOWED = 1500
GROWTH = 200

# What is answered, though some of it is odd.
ANSWERED = re.compile(
    r'nothing|(0|1|8|1024) rows|seed -?\d+|'
    r'(latents|base|vectors|start|end) greatest|'
    r'image_bytes (large|8 large)')
REFUSALS = {
    r'(9|1025|200000) rows': '`batch` must be 0 to',
    r'(?!weight).* (NaN|-?infinity)': '` must be finite',
    r'weight (NaN|-?infinity|greatest|below|above)': '`weight` must be 0 to 1',
    r'label (below|above)': '`label` must be 0 to',
    r'.* of 1 row': 'must be equally many, but are',
    r'.* of (less|more) rank': 'is not compatible with expected shape',
    r'.* (short|wide|scalar|of no width)': 'is not compatible with expected',
}


def asked(folder):
  """Returns `{request: (outcome, megabytes)}` of a process that survives."""
  done = subprocess.run(
      [sys.executable, '-P', SCRIPT, folder, str(ALLOWED)],
      capture_output=True, text=True, check=False)
  assert done.returncode == 0, done.stderr[-2000:]
  return json.loads(done.stdout.splitlines()[-1])


def check(folder, growth=GROWTH):
  """Holds each outcome against what it must be."""
  found = asked(folder)
  for request, (outcome, megabytes) in found.items():
    wrong = request.partition(': ')[2]
    assert megabytes < growth, request
    if ANSWERED.fullmatch(wrong):
      assert outcome == 'answer', (request, outcome)
      continue
    assert outcome.startswith(('InvalidArgumentError', 'TypeError')), (
        request, outcome)
    for pattern, sentence in REFUSALS.items():
      if re.fullmatch(pattern, wrong):
        assert sentence in outcome, (request, outcome)
  return found


@pytest.mark.slow
def test_an_export_of_images_survives(tmp_path):
  model = tiny_models.make('VAE')
  found = check(exporting.export_model(model, tmp_path, verified=False))
  assert {r.partition(':')[0] for r in found} == {
      'decode', 'encode', 'encode_image', 'generate', 'generate_png',
      'interpolate', 'interpolate_spherical', 'log_prob', 'reconstruct',
      'sample_latents', 'serving_default'}


@pytest.mark.slow
@pytest.mark.exhaustive
def test_an_export_that_xla_compiles_survives(tmp_path):
  """Its checks stand outside of what is compiled, where they would do nothing.
  """
  model = tiny_models.make('VAE')
  folder = exporting.export_model(model, tmp_path, max_batch=8, xla=True)
  metadata = json.loads((folder / 'metadata.json').read_text())
  assert metadata['xla'] and metadata['batch_sizes'] == [1, 4, 8]
  assert b'_XlaMustCompile' in (folder / 'saved_model.pb').read_bytes()
  check(folder, growth=10 * GROWTH)  # Compiling takes memory, once.


@pytest.mark.slow
@pytest.mark.parametrize('make', [
    tiny_models.of_vectors, pytest.param(
        lambda: tiny_pairs.make('VUNetFlow'), marks=pytest.mark.exhaustive)])
def test_an_export_of_another_kind_survives(tmp_path, make):
  check(exporting.export_model(make(), tmp_path, verified=False))


@pytest.mark.slow
@pytest.mark.exhaustive
def test_an_export_of_a_run_with_a_flow_survives(tmp_path, capsys):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 1', 'train.log_every = 1',
                  files=('models/vae.gin',))
  result = tiny_commands.call(
      export, capsys, f'--run_dir={tmp_path / "run"}', '--prior=real_nvp',
      '--noverify', '--gin_param=RealNVP.max_epochs = 2')
  assert result.status == 0, result.err
  check(tmp_path / 'run' / 'export' / '1')
