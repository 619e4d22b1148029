"""Tests of what a run holds and how it is written."""
import json
import multiprocessing
import pathlib
import shutil
import subprocess
import sys

import pytest

from pgak import errors
from pgak import files
from pgak.runs import not_measured
from pgak.runs import run_directory


@pytest.fixture(name='run')
def _run(tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('train.steps = 3\n', {'seed': 4})
  return run


def write_checkpoint(run, step, content='weights'):
  with run.writing_checkpoint(step) as prefix:
    pathlib.Path(prefix).write_text(content, encoding='utf-8')


def row(step, value):
  return dict(dict.fromkeys(run_directory.SCORE_COLUMNS, 'x'), step=step,
              value=value)


# === The folder ===


def test_config_is_kept(run):
  again = run_directory.RunDirectory(str(run.path))
  assert again.config_gin == 'train.steps = 3\n'
  # A key of config.gin: see files.key.
  assert again.config == {'seed': 4, 'config_keys': ['a6cb04f0b655cf08']}
  assert again.checkpoints() == [] and again.scores() == []
  assert again.best is None


def test_what_is_no_run_is_refused(tmp_path):
  for path in (tmp_path, tmp_path / 'absent'):
    with pytest.raises(errors.UserError, match='is not a run directory'):
      run_directory.RunDirectory(path)
  assert not (tmp_path / 'absent').exists()


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
  (tmp_path / 'thesis.tex').write_text('years of work', encoding='utf-8')
  with pytest.raises(errors.UserError, match='thesis.tex'):
    run_directory.RunDirectory(tmp_path, create=True)
  assert [p.name for p in tmp_path.iterdir()] == ['thesis.tex']


def test_a_file_in_the_way_is_refused(tmp_path):
  path = tmp_path / 'file'
  path.write_text('mine', encoding='utf-8')
  for folder in (path, path / 'run'):
    with pytest.raises(errors.UserError, match='Cannot make'):
      run_directory.RunDirectory(folder, create=True)
  assert path.read_text(encoding='utf-8') == 'mine'


def test_what_a_killed_beginning_leaves_is_taken(tmp_path):
  (tmp_path / 'config.json').write_text('{}', encoding='utf-8')
  (tmp_path / '.config.gin.1.part').write_text('tr', encoding='utf-8')
  run = run_directory.RunDirectory(tmp_path, create=True)
  assert not run.has_config


@pytest.mark.parametrize('text', ['', '{"seed": ', '[1]', 'null', None])
def test_a_damaged_config_json_is_named(run, text):
  path = run.path / 'config.json'
  path.unlink()
  if text is not None:
    path.write_text(text, encoding='utf-8')
  with pytest.raises(errors.UserError, match='config.json is missing or damag'):
    run.config


def test_a_config_json_without_a_part_is_named(run):
  with pytest.raises(errors.UserError, match="config.json .*no 'data'"):
    run.config['data']
  assert run.config.get('imports', []) == []


def test_a_run_exists_only_when_all_of_its_configuration_is_there(
    tmp_path, monkeypatch):
  run = run_directory.RunDirectory(tmp_path / 'new', create=True)
  written = []
  write = files.write_text

  def fail_at_second(path, text):
    written.append(path.name)
    if len(written) == 2:
      raise KeyboardInterrupt
    write(path, text)

  monkeypatch.setattr(files, 'write_text', fail_at_second)
  with pytest.raises(KeyboardInterrupt):
    run.write_config('train.steps = 3\n', {'seed': 4})
  assert written == ['config.json', 'config.gin'] and not run.has_config
  monkeypatch.undo()
  # What was begun can be begun again.
  run_directory.RunDirectory(run.path, create=True).write_config('', {})


# === The lock ===


def _try_to_lock(path, answers):
  try:
    with run_directory.RunDirectory(path).locked():
      answers.put('got it')
  except errors.UserError as e:
    answers.put(str(e))


def ask_another_process(path):
  context = multiprocessing.get_context('fork')
  answers = context.Queue()
  process = context.Process(target=_try_to_lock, args=(path, answers))
  process.start()
  answer = answers.get(timeout=60)
  process.join()
  return answer


def test_one_process_at_a_time(run):
  with run.locked():
    assert 'is in use by another train command' in ask_another_process(run.path)
  assert ask_another_process(run.path) == 'got it'


# === Checkpoints ===


def test_a_half_written_checkpoint_is_never_seen(run):
  write_checkpoint(run, 5)
  with pytest.raises(KeyboardInterrupt):
    with run.writing_checkpoint(10) as prefix:
      pathlib.Path(prefix).write_text('half', encoding='utf-8')
      assert run.checkpoints() == [5]
      raise KeyboardInterrupt
  assert run.checkpoints() == [5] and run.resolve_checkpoint() == 5
  write_checkpoint(run, 10)
  assert run.checkpoints() == [5, 10]
  folder = pathlib.Path(run.checkpoint_prefix(10)).parent
  assert [p.read_text(encoding='utf-8') for p in folder.iterdir()] == [
      'weights']


def test_what_is_no_checkpoint_is_passed_over(run):
  write_checkpoint(run, 5)
  for name in ('.step-00000007.part', 'step-x', 'step-00000008.old', 'notes'):
    (run.checkpoint_folder / name).mkdir()
  assert run.checkpoints() == [5]


def test_a_checkpoint_is_replaced(run):
  write_checkpoint(run, 5)
  write_checkpoint(run, 5, 'others')
  path = pathlib.Path(run.checkpoint_prefix(5))
  assert path.read_text(encoding='utf-8') == 'others'


def test_prune_keeps_the_newest_and_the_best(run):
  for step in (2, 4, 6, 8, 100000000, 10):
    write_checkpoint(run, step)
  run.write_best(4, 'fid', 3.)
  run.prune(2)
  assert run.checkpoints() == [4, 10, 100000000]
  run.write_best(10, 'fid', 2.)
  run.prune(1)
  assert run.checkpoints() == [10, 100000000]
  run.prune(5)
  assert run.checkpoints() == [10, 100000000]


def test_best(run):
  write_checkpoint(run, 5)
  run.write_best(5, 'fid', 3.5)
  assert run.best == {'step': 5, 'metric': 'fid', 'value': 3.5}
  assert run.resolve_checkpoint('best') == 5
  (run.checkpoint_folder / 'best.json').write_text('{"st')
  with pytest.raises(errors.UserError, match='best.json is missing or damaged'):
    run.resolve_checkpoint('best')


def test_a_checkpoint_is_found_by_what_it_is_called(run):
  with pytest.raises(errors.UserError, match='no checkpoint yet'):
    run.resolve_checkpoint()
  write_checkpoint(run, 5)
  write_checkpoint(run, 10)
  assert run.resolve_checkpoint('latest') == 10
  assert run.resolve_checkpoint(5) == run.resolve_checkpoint('5') == 5
  with pytest.raises(errors.UserError, match='no best checkpoint'):
    run.resolve_checkpoint('best')
  for wrong in ('6', 6, 'newest', '-5', '5.0', ''):
    with pytest.raises(errors.UserError, match=r'one of \[5, 10\]'):
      run.resolve_checkpoint(wrong)


def test_a_best_checkpoint_that_was_deleted_is_named(run):
  write_checkpoint(run, 5)
  run.write_best(3, 'fid', 3.5)
  with pytest.raises(errors.UserError, match='3'):
    run.resolve_checkpoint('best')


# === Scores ===


def test_scores_are_appended(run):
  run.append_scores([row(1, 0.5), row(2, 0.25)])
  run.append_scores([row(3, 1e-30)])
  text = (run.path / 'scores.csv').read_text(encoding='utf-8')
  assert text.startswith('step,metric,value,dataset,')
  assert [float(r['value']) for r in run.scores()] == [0.5, 0.25, 1e-30]
  assert [r['step'] for r in run.scores()] == ['1', '2', '3']
  assert not list(run.path.glob('.scores*.part'))


def test_scores_that_were_measured_again_replace_the_former(run):
  run.append_scores([row(1, 0.5), row(2, 0.25), row(2, 0.25) | {'seed': 7}])
  run.append_scores([row(2, 0.75) | {'error': 0.1}, row(3, 0.1)], replace=True)
  assert [(r['step'], r['value']) for r in run.scores()] == [
      ('1', '0.5'), ('2', '0.25'), ('2', '0.75'), ('3', '0.1')]


def test_scores_that_lost_their_last_line_end_keep_their_rows(run):
  run.append_scores([row(1, 0.5)])
  path = run.path / 'scores.csv'
  path.write_text(path.read_text().rstrip('\n'))
  run.append_scores([row(2, 0.25)])
  assert [r['step'] for r in run.scores()] == ['1', '2']


def _older(run):
  """Writes scores as they were before there was the column `images`."""
  columns = [c for c in run_directory.SCORE_COLUMNS if c != 'images']
  rows = [row(1, 0.5), row(1, 0.1) | {'metric': 'reconstruction_mse'}]
  lines = [','.join(columns)] + [
      ','.join(str(r[c]) for c in columns) for r in rows]
  (run.path / 'scores.csv').write_text('\n'.join(lines) + '\n')


def test_older_scores_are_of_samples_and_reconstructions(run):
  _older(run)
  assert [tuple(r) for r in run.scores()] == 2 * [run_directory.SCORE_COLUMNS]
  assert [(r['value'], r['images']) for r in run.scores()] == [
      ('0.5', 'samples'), ('0.1', 'reconstructions')]


def test_older_scores_are_appended_to_without_loss(run):
  _older(run)
  before = run.scores()
  run.append_scores([row(2, 0.25)])
  assert run.scores()[:2] == before and len(run.scores()) == 3
  text = (run.path / 'scores.csv').read_text()
  assert text.startswith(','.join(run_directory.SCORE_COLUMNS) + '\n')
  assert text.count('\n') == 4


@pytest.mark.parametrize('content', [
    'a,b\n1,2\n', ','.join(run_directory.SCORE_COLUMNS) + '\n1,fid\n',
    ','.join(run_directory.SCORE_COLUMNS) + '\n' + 20 * '1,' + '1\n'])
def test_damaged_scores_are_told(run, content):
  (run.path / 'scores.csv').write_text(content)
  with pytest.raises(errors.UserError, match='scores.csv is .*damaged'):
    run.scores()


def test_a_row_with_another_column_changes_nothing(run):
  run.append_scores([row(1, 0.5)])
  with pytest.raises(ValueError):
    run.append_scores([row(2, 0.5), dict(row(3, 0.5), colour='red')])
  assert len(run.scores()) == 1


@pytest.mark.parametrize('column', ['step', 'value', 'prior'])
def test_a_row_without_a_column_changes_nothing(run, column):
  run.append_scores([row(1, 0.5)])
  with pytest.raises(ValueError, match=f"no '{column}'"):
    run.append_scores([{n: v for n, v in row(2, 0.5).items() if n != column}])
  assert len(run.scores()) == 1


def test_files_are_what_the_docstring_says(run):
  assert json.loads((run.path / 'config.json').read_text())['seed'] == 4
  assert {p.name for p in run.path.iterdir()} == {'config.gin', 'config.json'}


# === Two processes, and killed ones ===


APPEND = """
import sys
from pgak.runs import run_directory
run = run_directory.RunDirectory(sys.argv[1])
for i in range(20):
  row = dict.fromkeys(run_directory.SCORE_COLUMNS, sys.argv[2])
  run.append_scores([row | {'value': i}])
"""


def test_four_processes_lose_no_score(run):
  children = [subprocess.Popen([sys.executable, '-c', APPEND, run.path, str(i)])
              for i in range(4)]
  assert [child.wait() for child in children] == [0] * 4
  rows = run.scores()
  assert sorted((row['metric'], int(row['value'])) for row in rows) == sorted(
      (str(i), value) for i in range(4) for value in range(20))


RECORD = """
import sys
from pgak.runs import not_measured
from pgak.runs import run_directory
run = run_directory.RunDirectory(sys.argv[1])
for i in range(40):
  not_measured.record(run, f'{sys.argv[2]}_{i}', {'lpips': 'why'}, ['lpips'])
"""


def test_two_processes_lose_nothing_of_what_is_not_measured(run):
  children = [subprocess.Popen([sys.executable, '-c', RECORD, run.path, name])
              for name in 'ab']
  assert [child.wait() for child in children] == [0] * 2
  assert set(not_measured.read(run.path)) == {
      f'{name}_{i}' for name in 'ab' for i in range(40)}


def test_half_a_last_row_goes_and_the_whole_ones_stay(run):
  rows = [dict.fromkeys(run_directory.SCORE_COLUMNS, name) for name in '123']
  run.append_scores(rows[:2])
  path = run.path / 'scores.csv'
  path.write_text(path.read_text()[:-9])
  assert run.scores() == rows[:1]
  run.append_scores(rows[2:])
  assert run.scores() == [rows[0], rows[2]]


def test_half_a_pruned_checkpoint_does_not_count(run, monkeypatch):
  for step in (1, 2, 3):
    with run.writing_checkpoint(step) as prefix:
      pathlib.Path(prefix + '.index').write_text('x', encoding='utf-8')
      pathlib.Path(prefix + '.data').write_text('x', encoding='utf-8')

  def killed(folder):
    next(iter(folder.iterdir())).unlink()
    raise KeyboardInterrupt

  with monkeypatch.context() as patch:
    patch.setattr(shutil, 'rmtree', killed)
    with pytest.raises(KeyboardInterrupt):
      run.prune(2)
  assert run.checkpoints() == [2, 3]
  run.prune(2)
  assert sorted(p.name for p in run.checkpoint_folder.iterdir()) == [
      'step-00000002', 'step-00000003']
