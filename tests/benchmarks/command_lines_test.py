"""Every script in benchmarks/ explains itself, and refuses in a sentence."""
import importlib
import pathlib
import re
import sys

import cases
import pytest

from pgak import errors

FOLDER = pathlib.Path(__file__).parents[2] / 'benchmarks'
# pythae_side.py is given its arguments by pythae_comparison.py alone.
SCRIPTS = sorted(path.stem for path in FOLDER.glob('*.py')
                 if re.search(r'^def main\(', path.read_text(), re.M))


def _main(name, monkeypatch, *arguments):
  # gpu_jax.py is for a host with JAX.
  if name == 'gpu_jax':
    pytest.importorskip('jax')
  monkeypatch.setattr(sys, 'argv', [f'{name}.py', *arguments])
  with pytest.raises(SystemExit) as ended:
    cases.run(importlib.import_module(name).main)
  return ended.value.code


@pytest.mark.parametrize('name', SCRIPTS)
def test_help_is_told_and_a_wrong_argument_refused(name, monkeypatch, capsys):
  assert not _main(name, monkeypatch, '--help')
  assert capsys.readouterr().out.startswith(f'usage: {name}.py')
  assert _main(name, monkeypatch, '--absent') == 2
  assert re.search(rf'^{name}.py: error: .', capsys.readouterr().err, re.M)


@pytest.mark.parametrize('name', ['start_up', 'step_bound', 'xla_on_cpu'])
@pytest.mark.parametrize('case', ['quickstart.gin', ':4', 'a.gin:0', 'a.gin:x'])
def test_what_is_no_file_and_batch_size_is_refused(
    name, case, monkeypatch, capsys):
  assert _main(name, monkeypatch, case) == 2
  assert f'{case} is no gin file and batch size' in capsys.readouterr().err


@pytest.mark.parametrize('name, argument', [
    ('step_bound', 'absent.gin:4'), ('xla_on_cpu', 'absent.gin:4'),
    ('cell_steps', 'absent.sweep')])
def test_an_absent_file_is_a_sentence(name, argument, monkeypatch):
  said = _main(name, monkeypatch, argument)
  assert 'absent' in said and '\n' not in said


def test_only_what_a_user_can_mend_is_a_sentence():
  def fails():
    raise errors.UserError('It is so.')
  with pytest.raises(SystemExit, match='^It is so.$'):
    cases.run(fails)
  with pytest.raises(ZeroDivisionError):
    cases.run(lambda: 1 / 0)
