"""A command whose flag is not given takes what the run binds."""
import flag_tables
import gin
import pytest
import tiny_commands

from pgak import evaluation
from pgak import registry
from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import sample
from pgak.generation import drawing
from pgak.runs import configuration
from pgak.runs import run_directory
from pgak.serving import exporting

registry.register()


@pytest.fixture(name='run_dir')
def _run_dir(tmp_path):
  configuration.parse(['quickstart.gin'])
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(gin.config_str(), {'imports': [], 'seed': 0})
  gin.clear_config()
  return run.path


@pytest.mark.parametrize('binary, module, name, more, theirs, own', [
    (evaluate, evaluation, 'evaluate', [],
     {'protocol': 'vectors', 'checkpoint': 'best', 'latents': True},
     {'output': None}),
    (export, exporting, 'export', [],
     {'checkpoint': 'best', 'precision': 'bfloat16', 'format': 'onnx'},
     {'output': None, 'version': None, 'overwrite': False, 'verified': True}),
    (sample, drawing, 'sample', ['--output=a.npz'],
     {'checkpoint': 'best', 'seed': 7},
     {'kind': 'samples', 'overwrite': False})])
def test_a_flag_that_is_not_given_is_as_the_run_binds_it(
    run_dir, capsys, monkeypatch, binary, module, name, more, theirs, own):
  # Where to write, and over what, whoever made the run does not say.
  others = {'output': 'a', 'version': 3, 'overwrite': True, 'verified': False,
            'kind': 'latents'}
  with (run_dir / 'config.gin').open('a') as file:
    for setting, value in (theirs | {n: others[n] for n in own}).items():
      file.write(f'\n{name}.{setting} = {value!r}')
  seen = {}
  monkeypatch.setattr(evaluation, 'format_table', str)
  monkeypatch.setattr(module, name, lambda *_, **unused: seen.update({
      n: gin.query_parameter(f'{name}.{n}') for n in theirs | own}) or [])
  flag_tables.call(binary, capsys, f'--run_dir={run_dir}', *more)
  assert seen == theirs | own
  flag_tables.call(binary, capsys, f'--run_dir={run_dir}', *more,
                   '--checkpoint=latest')
  assert seen['checkpoint'] == 'latest'


def test_numbers_go_with_the_protocol_that_is_given(
    run_dir, capsys, monkeypatch):
  with (run_dir / 'config.gin').open('a') as file:
    file.write("\nevaluate.protocol = 'vectors'")
  recorder = flag_tables.Recorder(['vectors.num_samples'], [])
  monkeypatch.setattr(evaluation, 'evaluate', recorder)
  monkeypatch.setattr(evaluation, 'format_table', str)
  assert 'the run or a --gin_param binds' in tiny_commands.refused(
      evaluate, capsys, f'--run_dir={run_dir}', '--num_samples=77', status=2)
  flag_tables.call(evaluate, capsys, f'--run_dir={run_dir}', '--num_samples=77',
                   '--protocol=vectors')
  assert recorder.bound == {'vectors.num_samples': 77}
