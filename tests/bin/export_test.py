"""Tests of the export command, called in this process."""
import json
import shutil

import numpy as np
import pytest
import tiny_commands
import tiny_runs

import pgak
from pgak import serving
from pgak.bin import export
from pgak.serving import client


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 4', 'train.checkpoint_every = 2')
  return path


@pytest.mark.slow
@pytest.mark.exhaustive
def test_twice_makes_two_versions(run_dir, tmp_path, capsys):
  output = tmp_path / 'new' / 'exports'
  flags = [f'--run_dir={run_dir}', f'--output={output}', '--noverify']
  first = tiny_commands.call(export, capsys, *flags)
  assert first.status == 0, first.err
  assert f'Exported to {output}/1.' in first.out
  before = tiny_runs.content(output / '1')
  second = tiny_commands.call(export, capsys, *flags, '--checkpoint=2')
  assert f'Exported to {output}/2.' in second.out
  assert tiny_runs.content(output / '1') == before
  assert sorted(p.name for p in output.iterdir()) == ['1', '2']
  # An AE: both draw from a density of its latents.
  model = pgak.load(run_dir, prior=None)
  assert model.prior.name == 'gmm'
  served = client.ServedModel(output / '1')
  np.testing.assert_allclose(served.generate([1]).astype(int),
                             model.sample(1, seed=1).numpy(), atol=1)
  assert json.loads((output / '1/metadata.json').read_text())['step'] == 4
  assert json.loads((output / '2/metadata.json').read_text())['step'] == 2
  # A version that is there is not replaced.
  assert f'{output}/1 exists' in tiny_commands.refused(
      export, capsys, *flags, '--version=1')
  assert tiny_runs.content(output / '1') == before
  third = tiny_commands.call(export, capsys, *flags, '--version=1',
                             '--checkpoint=2', '--overwrite')
  assert third.status == 0, third.err
  assert json.loads((output / '1/metadata.json').read_text())['step'] == 2
  assert sorted(p.name for p in output.iterdir()) == ['1', '2']


@pytest.mark.slow
@pytest.mark.exhaustive
def test_it_carries_the_density(run_dir, tmp_path, capsys):
  result = tiny_commands.call(
      export, capsys, f'--run_dir={run_dir}', f'--output={tmp_path}',
      '--prior=gmm', '--gin_param=GaussianMixture.num_components = 4')
  assert result.status == 0, result.err
  served = client.ServedModel(tmp_path)
  assert served.metadata['density']['label'] == 'gmm_4'
  assert served.log_prob(np.zeros([2, 3])).shape == (2,)


@pytest.mark.slow
def test_it_is_verified_in_a_fresh_process(run_dir, tmp_path, capsys):
  copy = tmp_path / 'run'
  shutil.copytree(run_dir, copy)
  result = tiny_commands.call(export, capsys, f'--run_dir={copy}')
  assert result.status == 0, result.err
  assert (copy / 'export/1/saved_model.pb').exists()


@pytest.mark.parametrize('flags, status, named', [
    (['--checkpoint=3'], 1, '[2, 4]'),
    (['--checkpoint=best'], 1, 'train.best_by'),
    (['--prior=Gauss'], 1, 'Gauss'),
    (['--prior=gmm', '--gin_param=Gaussian.regularisation = 1.'], 1,
     'never read'),
    (['--version=0'], 2, 'version'),
    (['--version=new'], 2, 'version'),
    (['--overwrite'], 2, 'version'),
    (['--seed=3'], 2, 'seed'),
    (['--gin_param=export.max_count = 0'], 1, 'max_count'),
    (['--gin_param=quick.seed = 1'], 1, 'quick'),
])
def test_a_wrong_flag_is_one_sentence(
    run_dir, tmp_path, capsys, flags, status, named):
  output = tmp_path / 'export'
  assert named in tiny_commands.refused(
      export, capsys, f'--run_dir={run_dir}', f'--output={output}', *flags,
      status=status)
  assert not output.exists()


@pytest.mark.parametrize('flag', ['--format={}',
                                  "--gin_param=export.format = '{}'"])
def test_only_a_saved_model_is_drawn_from_next(
    run_dir, tmp_path, capsys, monkeypatch, flag):
  monkeypatch.setattr(serving, 'export', lambda run_dir: tmp_path)
  for name in ('saved_model', 'onnx'):
    result = tiny_commands.call(export, capsys, f'--run_dir={run_dir}',
                                flag.format(name))
    assert result.status == 0, result.err
    assert ('Next: ' in result.out) == (name == 'saved_model')


def test_a_packed_run_needs_an_output(run_dir, tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(serving, 'export', lambda run_dir: tmp_path)
  copy = tmp_path / 'run'
  shutil.copytree(run_dir, copy)
  with open(copy / 'config.gin', 'a', encoding='utf-8') as file:
    file.write("\nexport.output = 'theirs'\n")  # Of whoever packed it.
  packed = pgak.pack(copy, tmp_path / 'me.zip')
  for flags, status in (
      ([], 2), (['--gin_param=export.output = None'], 2),
      ([f'--output={tmp_path}'], 0),
      ([f'--gin_param=export.output = "{tmp_path}"'], 0)):
    result = tiny_commands.call(
        export, capsys, f'--run_dir={packed}', *flags)
    assert result.status == status, result
    assert ('give --output' in result.err) == (status == 2)


def test_what_is_missing_is_named(tmp_path, capsys):
  assert '--run_dir' in tiny_commands.refused(export, capsys, status=2)
  assert 'is not a run directory' in tiny_commands.refused(
      export, capsys, f'--run_dir={tmp_path}')


def test_an_output_that_is_a_file_is_named_and_kept(run_dir, tmp_path, capsys):
  path = tmp_path / 'file'
  path.write_text('mine')
  assert str(path) in tiny_commands.refused(
      export, capsys, f'--run_dir={run_dir}', f'--output={path}')
  assert path.read_text() == 'mine'


def test_a_damaged_checkpoint_is_named(run_dir, tmp_path, capsys):
  copy = tmp_path / 'run'
  shutil.copytree(run_dir, copy)
  path = copy / 'checkpoints/step-00000004/checkpoint.data-00000-of-00001'
  path.write_bytes(path.read_bytes()[:100])
  assert 'step-00000004' in tiny_commands.refused(
      export, capsys, f'--run_dir={copy}')
  assert not (copy / 'export').exists()


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize('name,module', [('tflite', 'ai_edge_litert'),
                                         ('onnx', 'tf2onnx')])
def test_a_format_is_written_beside_the_export(
    run_dir, tmp_path, capsys, name, module):
  pytest.importorskip(module)
  flags = [f'--run_dir={run_dir}', f'--format={name}']
  result = tiny_commands.call(export, capsys, *flags)
  assert result.status == 0, result.err
  folder = run_dir / name / '1'
  assert f'Exported to {folder}.' in result.out and 'Next' not in result.out
  assert sorted(p.name for p in folder.iterdir()) == [
      f'decode.{name}', f'encode.{name}', 'metadata.json']
  metadata = json.loads((folder / 'metadata.json').read_text())
  assert metadata['step'] == 4 and metadata['dataset']['name'] == 'digits'
  assert 'leave out --prior' in tiny_commands.refused(
      export, capsys, *flags, '--prior=gmm')
