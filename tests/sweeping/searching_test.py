"""Searches, with commands that take milliseconds."""
import io
import pathlib
import runpy
import statistics
import sys

import pytest

from pgak import errors
from pgak import sweeping

pytest.importorskip('optuna')

STAND_IN = runpy.run_path(str(
    pathlib.Path(__file__).absolute().parent / 'stand_in.py'))
SEARCH = '''
sweep.gin_files = ['a.gin']
sweep.search = {
    'value': ('uniform', 0.5, 4.),
    'other': ('choice', ['x', None]),
    'size': ('log_int', 1, 100),
}
sweep.objective = {'metric': 'frechet', 'prior': 'quick'}
sweep.evaluations = [{'protocol': 'quick'}, {'protocol': 'vectors'}]
'''
ALL = 4


@pytest.fixture(autouse=True)
def _folder(monkeypatch, tmp_path):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'a.gin').write_text('train.steps = 4\n')


class Runner(sweeping.Runner):
  """Calls the stand-in for the commands in this process."""

  def _call(self, command, log, trained=None):
    assert not self._stopped
    if self._ends(trained):
      return None
    print('calls', file=log)
    reason = self._reason(command)
    self._ends(trained)
    return reason

  def _reason(self, command):
    try:
      STAND_IN['main'](command[0].removeprefix('pgak_'), *command[1:])
    except SystemExit as e:
      return str(e)

  def refusal(self, job):
    return self._reason([*self.train_command(job), '--dry_run'])


def searcher_of(*bindings, text=SEARCH, better='lower', output='out',
                **settings):
  pathlib.Path('a.sweep').write_text(text, encoding='utf-8')
  sweep = sweeping.read('a.sweep', [f'sweep.trials = {ALL}', *bindings])
  runner = Runner(sweep, output, 'bin', stream=io.StringIO(), **settings)
  return sweeping.Searcher(runner, lambda name, images: better)


def found(searcher):
  """Returns the rows of the table of trials, split."""
  lines = searcher.table().splitlines()
  return [line.split() for line in lines[2:lines.index('')]]


def calls(folder='out'):
  return sum(line == 'calls' for log in pathlib.Path(folder).rglob(
      '*.log') for line in log.read_text().splitlines())


def test_a_search_ends_with_its_best_bindings():
  searcher = searcher_of('sweep.seeds = [0, 1]')
  assert not searcher.run()
  table = searcher.table()
  assert table.startswith('frechet (lower is better), 4 of 4 trials\n')
  rows = found(searcher)
  assert sorted(row[0] for row in rows) == [str(i) for i in range(ALL)]
  values = [float(row[1]) for row in rows]
  # The mean of the seeds: the stand-in adds them.
  assert values == sorted(values)
  assert all(v == pytest.approx(float(row[2]) + 0.5, abs=1e-3)
             for v, row in zip(values, rows))
  best = rows[0]
  assert table.endswith(
      f'The best, trial-{best[0]}, as lines of a gin file:\n'
      f'value = {best[2]}\nother = {best[3]}\nsize = {best[4]}\n')
  # A cell like any other, for every other command.
  sweep = searcher._runner.sweep
  assert len(sweep.jobs) == 2 * ALL
  assert 'trial-3' in sweeping.format_table(sweep, 'out')
  log = pathlib.Path('out/trial-3/seed-1.log').read_text(
      encoding='utf-8')
  assert 'train.seed = 1' in log.splitlines()[0]
  # Given again, nothing is left.
  before = calls()
  assert not searcher_of('sweep.seeds = [0, 1]').run() and calls() == before
  # More trials go on.
  more = searcher_of('sweep.seeds = [0, 1]', f'sweep.trials = {ALL + 1}')
  more.run()
  assert len(found(more)) == ALL + 1 and calls() == before + 6


def stopped_at(searcher, name, number):
  """Lets a method of a search fail at a trial."""
  method = getattr(searcher, name)

  def stop(*trial):
    if len(searcher._trials()) > number:
      raise KeyboardInterrupt
    return method(*trial)

  setattr(searcher, name, stop)
  with pytest.raises(KeyboardInterrupt):
    searcher.run()


def test_an_interrupted_search_finds_the_same():
  whole = searcher_of(output='whole', better='higher')
  whole.run()
  # Trial 2 was measured and not told.
  stopped_at(searcher_of(better='higher'), '_value', 2)
  # A kill while a line was written.
  with pathlib.Path('out/search.journal').open('a', encoding='utf-8') as file:
    file.write('{"op_code": 4, "wor')
  on = searcher_of(better='higher')
  assert not on.run()
  assert found(on) == found(whole) and calls() == calls('whole')


def test_a_trial_that_was_not_asked_for_to_the_end_is_left_out():
  stopped_at(searcher_of(), '_run_batch', 1)
  journal = pathlib.Path('out/search.journal')
  lines = journal.read_text(encoding='utf-8').splitlines(keepends=True)
  # Without the last of the three values of trial 1.
  journal.write_text(''.join(lines[:-1]), encoding='utf-8')
  on = searcher_of()
  assert not on.run()
  assert sorted(int(row[0]) for row in found(on)) == [0, 2, 3, 4]


# === Trials that end early ===

PRUNED = ('sweep.pruned_by = "early"', 'sweep.bindings = ["early = 1"]',
          'sweep.sampler = "random"', 'sweep.trials = 12')


def of_trials(searcher):
  """Returns `{number: (state, {step: early score}, value of the binding)}`."""
  return {t.number: (t.state.name, t.intermediate_values, t.params['value'])
          for t in searcher._trials()}


def test_a_trial_worse_than_the_median_ends_early():
  searcher = searcher_of(*PRUNED)
  assert not searcher.run()
  found_, before = of_trials(searcher), []
  for number, (state, early, value) in found_.items():
    # Of five trials or more that were trained to their ends.
    is_over = len(before) >= 5 and value > statistics.median(before)
    assert state == ('PRUNED' if is_over else 'COMPLETE')
    # The first score was enough, and the second was not told.
    assert early == pytest.approx(
        {1: value + 1.} if is_over else {1: value + 1., 2: value + 0.5},
        abs=1e-3)
    run = pathlib.Path(f'out/trial-{number}/seed-0')
    assert run.with_suffix('.json').exists() != is_over
    if not is_over:
      before.append(value)
  ended = [n for n, (state, *_) in found_.items() if state == 'PRUNED']
  assert 2 <= len(ended) <= 7
  assert 'Ended early, by early: ' + ', '.join(
      f'trial-{n}' for n in ended) + '.\n' in searcher.table()
  # Trainings, and two evaluations of those that went on.
  assert calls() == 12 + 2 * (12 - len(ended))
  again = searcher_of(*PRUNED)
  assert not again.run() and calls() == 12 + 2 * (12 - len(ended))
  # Where more is better, it is the others.
  other = searcher_of(*PRUNED, better='higher', output='higher')
  other.run()
  assert {n: (s[1], s[2]) for n, s in of_trials(other).items()} != found_
  assert max(s[2] for s in of_trials(other).values() if s[0] == 'COMPLETE'
             ) == max(s[2] for s in found_.values())


def test_an_early_score_of_the_other_direction():
  """An accuracy for a distance, as it were: the pruner sees its negative."""
  pathlib.Path('a.sweep').write_text(SEARCH, encoding='utf-8')
  runner = Runner(sweeping.read('a.sweep', [*PRUNED]), 'out', 'bin',
                  stream=io.StringIO())
  searcher = sweeping.Searcher(runner, lambda name, images: {
      'early': 'higher', 'frechet': 'lower'}[name])
  searcher.run()
  assert all(early[1] == pytest.approx(-value - 1., abs=1e-3)
             for _, early, value in of_trials(searcher).values())
  assert {s for s, *_ in of_trials(searcher).values()} == {'PRUNED', 'COMPLETE'}


def test_an_interrupted_search_ends_the_same_trials_early():
  whole = searcher_of(*PRUNED, output='whole')
  whole.run()
  ended = [n for n, s in of_trials(whole).items() if s[0] == 'PRUNED'][0]
  for number in (ended, ended + 1):
    # Between the end of a trial's commands and what is told of it.
    part = searcher_of(*PRUNED)
    run = part._runner.run

    def stop(run=run, part=part, number=number):
      run()
      if len(part._trials()) > number:
        raise KeyboardInterrupt

    part._runner.run = stop
    with pytest.raises(KeyboardInterrupt):
      part.run()
  on = searcher_of(*PRUNED)
  assert not on.run()
  assert of_trials(on) == of_trials(whole) and calls() == calls('whole')


def test_scores_on_the_way_that_are_not_there():
  with pytest.raises(errors.UserError,
                     match="'early' is not among .* set `train.score_every`"):
    searcher_of('sweep.pruned_by = "early"').run()
  # A score of an evaluation is none on the way.
  with pytest.raises(errors.UserError, match="'frechet' is not among"):
    searcher_of('sweep.pruned_by = "frechet"', output='evaluated').run()
  runner = searcher_of('sweep.pruned_by = "early"')._runner
  with pytest.raises(errors.UserError, match="pruned_by` names 'early', which"):
    sweeping.Searcher(runner, lambda name, images: {
        'early': 'neither', 'frechet': 'lower'}[name])


def test_several_at_a_time_and_random():
  searcher = searcher_of('sweep.sampler = "random"', parallel=3)
  assert not searcher.run()
  assert len(found(searcher)) == ALL
  # Random trials do not depend on each other.
  one = searcher_of('sweep.sampler = "random"', output='one')
  one.run()
  assert found(one) == found(searcher)


def test_a_failed_trial_is_run_again():
  text = SEARCH.replace("['x', None]", "['train', 'evaluate', 'none']").replace(
      "'other'", "'fail'")
  # The first choice fails at once, before any trial.
  with pytest.raises(errors.UserError, match='first trial: It cannot train.'):
    searcher_of(text=text).run()
  text = text.replace("['train', 'evaluate', 'none']", "['none', 'evaluate']")
  searcher = searcher_of(text=text, output='some')
  failures = searcher.run()
  failed = {name.split('/')[0] for name in failures}
  rows = found(searcher)
  assert failed and len(rows) + len(failed) == ALL
  assert {row[3] for row in rows} == {"'none'"}
  before = calls('some')
  assert set(searcher_of(text=text, output='some').run()) == set(failures)
  # Their two evaluations, and no training.
  assert calls('some') == before + 2 * len(failed)


@pytest.mark.parametrize('objective, named', [
    ("'frechet'", 'fits 2 scores of trial-0/seed-0.*prior quick.*vectors'),
    ("'fid'", 'fits 0 scores of trial-0/seed-0.*metric frechet'),
])
def test_an_objective_that_is_no_score_ends_it(objective, named):
  text = SEARCH.replace("{'metric': 'frechet', 'prior': 'quick'}", objective)
  with pytest.raises(errors.UserError, match=named):
    searcher_of(text=text).run()
  assert calls() == 3
  # Corrected, it goes on with what was measured.
  searcher = searcher_of('sweep.trials = 1')
  assert not searcher.run() and len(found(searcher)) == 1 and calls() == 3


def test_another_search_in_the_folder_is_refused():
  searcher_of('sweep.trials = 1').run()
  for text, bindings in ((SEARCH.replace('4.)', '5.)'), ()),
                         (SEARCH, ['sweep.search_seed = 1']),
                         (SEARCH.replace("'prior': 'quick'",
                                         "'prior': 'vectors'"), ())):
    with pytest.raises(errors.UserError, match='holds a search with other'):
      searcher_of('sweep.trials = 1', *bindings, text=text).run()


def test_gin_files_that_were_edited_are_refused_once_a_trial_is_told():
  file = pathlib.Path('a.gin')
  stopped_at(searcher_of(), '_run_batch', 0)
  file.write_text('train.steps = 4\nother = 1\n', encoding='utf-8')
  searcher_of('sweep.trials = 1').run()
  file.write_text('train.steps = 4  # As ever.\nother = 1\n',
                  encoding='utf-8')
  assert not searcher_of('sweep.trials = 2').run()
  file.write_text('train.steps = 4\nother = 50\n', encoding='utf-8')
  with pytest.raises(errors.UserError, match='other content of its gin files'):
    searcher_of('sweep.trials = 3').run()
  # A journal without their content goes on.
  journal = pathlib.Path('out/search.journal')
  lines = journal.read_text(encoding='utf-8').splitlines(keepends=True)
  journal.write_text(''.join(s for s in lines if 'digests' not in s),
                     encoding='utf-8')
  assert not searcher_of('sweep.trials = 3').run()


def test_what_a_search_needs(monkeypatch):
  with pytest.raises(errors.UserError, match="'frechet', which is no score"):
    searcher_of(better='neither')
  monkeypatch.setitem(sys.modules, 'optuna', None)
  with pytest.raises(errors.UserError, match='pip install optuna'):
    searcher_of()


def test_the_commands_of_a_trial():
  first, *rest = searcher_of().pending_commands()
  assert '--run_dir=out/trial-0/seed-0' in first and 'value = 0.5' in first
  assert len(rest) == 2 and not pathlib.Path('out').exists()
