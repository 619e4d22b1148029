"""Tests of the evaluate command, called in this process."""
import json
import pathlib
import shutil

import numpy as np
import pytest
import tiny_commands
import tiny_runs

import pgak
from pgak.bin import evaluate
from pgak.runs import run_directory
from pgak.runs import score_files

QUICK = ('--gin_param=classifier.steps = 20', '--num_samples=70')


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 4', 'train.checkpoint_every = 2')
  return path


@pytest.fixture(name='run_dir')
def _run_dir(trained, tmp_path):
  """A copy of the run, to be damaged."""
  return pathlib.Path(shutil.copytree(trained, tmp_path / 'run'))


def test_round_trips_of_the_own_prior_and_of_a_density(run_dir, capsys):
  result = tiny_commands.call(
      evaluate, capsys, f'--run_dir={run_dir}', '--prior=own,gaussian',
      '--metrics=frechet',
      '--gin_param=density.round_trips = 2', *QUICK)
  assert result.status == 0, result.err
  made = run_directory.RunDirectory(run_dir).scores()
  assert [row['prior'] for row in made] == [
      'standard_normal_round_trips_2', 'gaussian_round_trips_2',
      # Log-likelihoods, which are those of the density before the trips.
      'gaussian', 'gaussian']


def test_separability_of_the_classes_of_a_labelled_set(run_dir, capsys):
  with pytest.warns(UserWarning, match='raise attribute_classifiers.steps'):
    result = tiny_commands.call(
        evaluate, capsys, f'--run_dir={run_dir}', '--num_samples=200',
        '--protocol=learned_priors_separability',
        '--gin_param=attribute_net.attributes = ["label=1", "label=4"]',
        '--gin_param=attribute_classifiers.steps = 2',
        '--gin_param=separability.bootstraps = 10')
  assert result.status == 0, result.err
  rows = {row['metric']: row
          for row in run_directory.RunDirectory(run_dir).scores()}
  assert 1. <= float(rows['separability_z']['value']) <= 4.
  assert rows['separability_z']['num_samples'] == '200'
  assert 'digits_attributes2_' in result.out
  assert len(list(run_dir.glob('separability/*.csv'))) == 1


def test_a_packed_run_needs_an_output(run_dir, tmp_path, capsys):
  packed = pgak.pack(run_dir, tmp_path / 'me.zip')
  wanted = (f'--run_dir={packed}', '--metrics=reconstruction_mse', *QUICK[1:])
  result = tiny_commands.call(evaluate, capsys, *wanted)
  assert result.status == 2 and 'give --output' in result.err
  for name, flag in (('a.csv', '--output={}'),
                     ('b.csv', '--gin_param=evaluate.output = "{}"')):
    path = tmp_path / name
    result = tiny_commands.call(evaluate, capsys, *wanted, '--prior=own',
                                flag.format(path))
    assert result.status == 0, result.err
    assert f'The scores are in {path}.' in result.out
    row, = score_files.read(path)
    assert row['metric'] == 'reconstruction_mse'


def test_scores_are_printed_and_appended(run_dir, capsys):
  run = run_directory.RunDirectory(run_dir)
  before = {p.name: p.read_bytes() for p in run_dir.iterdir() if p.is_file()}
  result = tiny_commands.call(
      evaluate, capsys, f'--run_dir={run_dir}', '--checkpoint=all', '--seed=3',
      '--prior=own', *QUICK)
  assert result.status == 0, result.err
  rows = run.scores()
  assert [(r['step'], r['metric']) for r in rows] == [
      (step, metric) for step in '24'
      for metric in ('frechet_digits_classifier', 'reconstruction_mse')]
  assert {r['seed'] for r in rows} == {'3'}
  assert {r['num_samples'] for r in rows} == {'70'}
  for row in rows:
    assert row['metric'] in result.out
    for column in ('dataset', 'prior', 'split', 'rounding', 'batch_norm'):
      assert f'{column} {row[column]}' in result.out
    assert f'{float(row["value"]):.6g}' in result.out
  assert result.out.endswith(
      f'The scores are in {run_dir}/scores.csv.\nNext: pgak_sample '
      f'--run_dir={run_dir} --output=samples.png\n')
  # A second evaluation keeps the first one's rows.
  result = tiny_commands.call(
      evaluate, capsys, f'--run_dir={run_dir}', '--checkpoint=2', '--seed=3',
      '--latents', '--json', '--prior=own', *QUICK)
  assert result.status == 0
  told = json.loads(result.out)
  assert [(r['metric'], r['step']) for r in told] == [
      (r['metric'], int(r['step'])) for r in run.scores()[4:]]
  assert told[0]['value'] == float(rows[0]['value'])
  assert run.scores()[:4] == rows
  assert run.scores()[4:6] == rows[:2]
  assert {r['metric'] for r in run.scores()[6:]} == {
      'latent_match_prior_data', 'latent_match_prior_generated',
      'latent_match_data_generated'}
  for name, content in before.items():
    assert (run_dir / name).read_bytes() == content


def test_priors_and_metrics_of_a_flag_replace_the_protocols(run_dir, capsys):
  result = tiny_commands.call(
      evaluate, capsys, f'--run_dir={run_dir}', '--protocol=rae_quick', *QUICK,
      '--prior=own,gmm', '--metrics=frechet,neighbours',
      '--gin_param=GaussianMixture.num_components = 2')
  assert result.status == 0, result.err
  rows = run_directory.RunDirectory(run_dir).scores()
  assert {(r['images'], r['prior']) for r in rows
          if r['metric'] == 'frechet_digits_classifier'} == {
              ('reconstructions', 'none'), ('interpolations', 'none'),
              ('samples', 'standard_normal'), ('samples', 'gmm_2')}
  likelihoods = [line for line in result.out.splitlines()
                 if 'log_likelihood_train' in line]
  # The held-out one stands beside it.
  assert len(likelihoods) == 1 and 'log_likelihood_held_out' in likelihoods[0]
  assert len(list((run_dir / 'neighbours').glob('*_gmm_2_*.png'))) == 2


@pytest.mark.parametrize('flags, status, named', [
    (['--metrics=fid'], 1, "'fid'"),
    (['--prior=own,Gauss'], 1, 'Gauss'),
    (['--prior=own', '--gin_param=GaussianMixture.num_components = 2'], 1,
     'never read'),
    (['--prior=gmm', '--gin_param=GaussianMixture.num_component = 2'], 1,
     'num_component'),
    (['--metrics=prd', '--num_samples=5'], 1, 'needs 20 images'),
    (['--checkpoint=3'], 1, r'[2, 4]'),
    (['--checkpoint=best'], 1, 'train.best_by'),
    (['--prior=Gauss'], 1, 'Gauss'),
    (['--protocol=fid'], 2, 'protocol'),
    (['--num_samples=1'], 2, 'num_samples'),
    (['--output=x'], 1, 'x must end with .csv'),
    (['--folder=x'], 2, 'folder'),
    (['--gin_param=train.stepz = 1'], 1, 'stepz'),
    (['--gin_param=my_macro = 1'], 1, 'my_macro'),
    (['--protocol=fid768_test', '--inception=absent.npz'], 1, 'absent.npz'),
])
def test_a_wrong_flag_is_one_sentence(trained, capsys, flags, status, named):
  flags = [f'--run_dir={trained}', *QUICK[:status == 1 and 'fid768' not in str(
      flags)], *flags]
  assert named in tiny_commands.refused(evaluate, capsys, *flags, status=status)
  assert not (trained / 'scores.csv').exists()


@pytest.mark.parametrize('protocol', [
    "'rae_quick'", '@rae_quick', '@rae_quick()'])
@pytest.mark.parametrize('binding, named', [
    # Past the check of what is read, the checkpoint is what is wrong.
    ('Gaussian.regularisation = 0.5', '[2, 4]'),
    ('rae_quick.num_samples = 70', '[2, 4]'),
    ('quick.num_samples = 70', 'never read')])
def test_a_protocol_that_gin_binds_says_what_is_read(
    trained, capsys, protocol, binding, named):
  assert named in tiny_commands.refused(
      evaluate, capsys, f'--run_dir={trained}', '--checkpoint=3',
      f'--gin_param=evaluate.protocol = {protocol}', f'--gin_param={binding}')


@pytest.mark.parametrize('protocol', ['5', '@adam', "'fid'"])
def test_what_gin_binds_must_be_a_protocol(trained, capsys, protocol):
  line = tiny_commands.refused(
      evaluate, capsys, f'--run_dir={trained}',
      f'--gin_param=evaluate.protocol = {protocol}')
  assert 'protocol' in line and 'never read' not in line, line


def test_a_missing_run_directory_is_named(tmp_path, capsys):
  for path in (tmp_path / 'absent', tmp_path):
    line = tiny_commands.refused(evaluate, capsys, f'--run_dir={path}')
    assert str(path) in line and 'is not a run directory' in line
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('content', [b'', b'no weights', b'PK\x03\x04broken'])
@pytest.mark.parametrize('suffix', ['.npz', '.pb', '.tgz'])
def test_damaged_inception_weights_are_named(
    trained, tmp_path, capsys, content, suffix):
  path = tmp_path / f'weights{suffix}'
  path.write_bytes(content)
  assert str(path) in tiny_commands.refused(
      evaluate, capsys, f'--run_dir={trained}', '--protocol=fid768_test',
      f'--inception={path}')


def test_weights_of_another_net_are_named(trained, tmp_path, capsys):
  path = tmp_path / 'weights.npz'
  np.savez(path, kernel=np.zeros((3, 3)))
  assert str(path) in tiny_commands.refused(
      evaluate, capsys, f'--run_dir={trained}', '--protocol=fid768_test',
      f'--inception={path}')


@pytest.mark.parametrize('name, content, named', [
    ('config.gin', b'train.steps = = 3', 'config.gin'),
    ('config.gin', b'', 'config.gin'),
    ('config.gin', b'\xff\xfe\x00', 'config.gin'),
    ('config.json', b'{"se', 'config.json'),
    ('checkpoints/step-00000004/checkpoint.index', b'', 'step-00000004'),
    ('checkpoints/step-00000004/checkpoint.data-00000-of-00001', b'short',
     'step-00000004'),
])
def test_a_damaged_run_is_named_and_left_alone(
    run_dir, capsys, name, content, named):
  (run_dir / name).write_bytes(content)
  assert named in tiny_commands.refused(
      evaluate, capsys, f'--run_dir={run_dir}', *QUICK)
  assert (run_dir / name).read_bytes() == content
  assert not (run_dir / 'scores.csv').exists()
