"""Tests of what a sweep remembers, and of its table."""
import math
import shutil

import pytest

from pgak import sweeping
from pgak.runs import run_directory
from pgak.sweeping import results


@pytest.fixture(name='make')
def _make(tmp_path):
  """Function of the file's text to a sweep with a one-line gin file."""
  (tmp_path / 'a.gin').write_text('train.steps = 4\n')

  def make(text='', cells=('a', 'b')):
    path = tmp_path / 'it.sweep'
    named = {c: [str(tmp_path / 'a.gin')] for c in cells}
    path.write_text(f'sweep.cells = {named}\n{text}\n')
    return sweeping.read(path)

  return make


def train(record, step=4):
  run = run_directory.RunDirectory(record.run_dir, create=True)
  run.write_config('', {})
  with run.writing_checkpoint(step):
    pass
  record.write_trained()
  return run


def score(value, metric='frechet', prior='gmm', **more):
  return {**dict.fromkeys(run_directory.SCORE_COLUMNS, 'none'), 'step': 4,
          'metric': metric, 'value': value, 'prior': prior,
          'images': 'samples', **more}


def test_mean_and_standard_error():
  # Deviations -1, 0, 1: s^2 = 2 / 2 = 1 and the error is 1 / sqrt(3).
  mean, error = results.mean_and_error([1., 2., 3.])
  assert (mean, error) == (2., pytest.approx(1. / math.sqrt(3.)))
  assert results.mean_and_error([5.]) == (5., None)
  assert math.isnan(results.mean_and_error([1., math.nan])[0])


def test_a_run_is_trained_with_its_settings_and_checkpoint(make, tmp_path):
  job = make().jobs[0]
  record = results.Record(tmp_path, job)
  assert not record.is_trained
  run = train(record)
  assert record.is_trained and results.Record(tmp_path, job).is_trained
  (tmp_path / 'a.gin').write_text('train.steps = 5\n')
  assert not results.Record(tmp_path, job).is_trained
  (tmp_path / 'a.gin').write_text('train.steps = 4  # As before.\n')
  assert results.Record(tmp_path, job).is_trained
  run.prune(1)
  (run.checkpoint_folder / 'step-00000004').rename(
      run.checkpoint_folder / 'step-00000003')
  assert not results.Record(tmp_path, job).is_trained


def test_an_evaluation_is_of_its_step_and_flags(make, tmp_path):
  sweep = make("sweep.evaluations = [{'protocol': 'quick'}, "
               "{'protocol': 'quick', 'checkpoint': 'best'}]")
  latest, best = sweep.evaluations
  record = results.Record(tmp_path, sweep.jobs[0])
  run = train(record)
  run.write_best(4, 'loss', 1.)
  rows = [score('1.5')]
  record.write_rows(best, rows)
  again = results.Record(tmp_path, sweep.jobs[0])
  assert again.rows(best) == rows and again.rows(latest) is None
  with run.writing_checkpoint(8):
    pass
  run.write_best(8, 'loss', 0.5)
  assert again.rows(best) is None


@pytest.mark.parametrize('content', ['', '{', '[]', '{"settings": 1}', 'null'])
def test_a_damaged_record_means_to_do_it_again(make, tmp_path, content):
  record = results.Record(tmp_path, make().jobs[0])
  train(record)
  record.path.write_text(content)
  assert not results.Record(tmp_path, make().jobs[0]).is_trained


def test_the_table(make, tmp_path):
  sweep = make("sweep.seeds = [0, 1, 2]\n"
               "sweep.evaluations = [{'protocol': 'quick'}]")
  for job in sweep.jobs[:-1]:
    record = results.Record(tmp_path, job)
    train(record)
    value = 1. + job.seed if job.cell == 'a' else 10.
    rows = [score(value), score(7., prior='none', images='reconstructions'),
            score(0.5, features='768')]
    record.write_rows(sweep.evaluations[0], rows[:2 if job.cell == 'b' else 3])
  lines = results.format_table(sweep, tmp_path).splitlines()
  assert lines[0] == 'frechet' and 'features none' in lines[1]
  assert lines[2].split() == ['gmm', 'reconstructions']
  # sqrt(1/3) = 0.577; the last job, b's third seed, is not there yet.
  assert lines[3].split() == ['a', '2', '+-', '0.58', '(n=3)',
                              '7', '+-', '0', '(n=3)']
  assert lines[4].split() == ['b', '10', '+-', '0', '(n=2)',
                              '7', '+-', '0', '(n=2)']
  # Other features are another table, in which b has no row.
  assert lines[6] == 'frechet' and 'features 768' in lines[7]
  assert lines[8].split() == ['gmm'] and lines[9].split()[0] == 'a'
  assert len(lines) == 10


def test_settings_that_no_column_holds_keep_scores_apart(make, tmp_path):
  sweep = make("sweep.evaluations = [{'protocol': 'quick'}, {'protocol': "
               "'quick', 'bindings': ['GaussianMixture.covariance = 1']}]",
               cells=['a'])
  record = results.Record(tmp_path, sweep.jobs[0])
  train(record)
  for evaluation, value in zip(sweep.evaluations, (1., 2.)):
    record.write_rows(evaluation, [score(value), score(3., 'mse')])
  frechet, mse = results.format_table(sweep, tmp_path).split('\n\n')[:2]
  assert 'gmm (quick GaussianMixture.covariance = 1)' in frechet
  assert '1 (n=1)' in frechet and '2 (n=1)' in frechet
  assert mse.count('n=1') == 1


def test_seeds_of_a_score_with_an_error_and_of_nan_are_one_column(
    make, tmp_path):
  sweep = make("sweep.seeds = [0, 1, 2]\n"
               "sweep.evaluations = [{'protocol': 'quick'}]", cells=['a'])
  for job in sweep.jobs:
    record = results.Record(tmp_path, job)
    train(record)
    record.write_rows(sweep.evaluations[0], [
        score(1. + job.seed, error=0.1 + job.seed, better='lower'),
        score(math.nan if job.seed else 3., 'mse')])
  frechet, mse = results.format_table(sweep, tmp_path).split('\n\n')[:2]
  assert frechet.splitlines()[-1].split() == ['a', '2', '+-', '0.58', '(n=3)']
  assert mse.splitlines()[-1].split() == ['a', 'nan', '(n=3)']


def test_a_run_that_is_trained_anew_is_not_measured(make, tmp_path):
  sweep = make("sweep.evaluations = [{'protocol': 'quick'}]")
  evaluation, = sweep.evaluations
  record = results.Record(tmp_path, sweep.jobs[0])
  train(record)
  record.write_rows(evaluation, [score(1.)])
  shutil.rmtree(record.run_dir)
  record = results.Record(tmp_path, sweep.jobs[0])
  assert not record.is_trained
  train(record)
  for kept in (record, results.Record(tmp_path, sweep.jobs[0])):
    assert kept.is_trained and kept.rows(evaluation) is None
