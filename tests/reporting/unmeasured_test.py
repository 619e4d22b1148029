"""What a report says of runs that were not measured."""
import ast
import inspect
import shlex

import pytest
import tiny_reports

from pgak import priors
from pgak.reporting import runs as runs_lib
from pgak.reporting import unmeasured
from pgak.runs import not_measured
from pgak.runs import run_directory


def missing(tmp_path, **runs):
  """Returns `{run: [(what, command)]}`, each run given by its scores."""
  made = [tiny_reports.make(tmp_path / name, name, rows=rows, events=False)
          for name, rows in runs.items()]
  table = unmeasured.block(runs_lib.cells([runs_lib.read(m) for m in made]))
  found = {}
  for run, *said in table.rows if table else ():
    found.setdefault(run.split(',')[0], []).append(
        tuple(s.replace(str(tmp_path), 'runs') for s in said))
  return found


def score(**others):
  return tiny_reports.row('frechet', 1., **{
      'protocol': 'quick', 'prior': 'standard_normal'} | others)


def test_nothing_is_said_where_all_is_measured(tmp_path):
  assert missing(tmp_path, AE=[score()], VAE=[score()]) == {}


def test_without_scores_there_is_the_command(tmp_path):
  said = [('quick', 'pgak_evaluate --run_dir=runs/AE --protocol=quick')]
  assert missing(tmp_path, AE=[]) == {'AE': said}


def test_what_others_were_measured_by_is_missing(tmp_path):
  assert missing(
      tmp_path, AE=[score(), score(prior='gmm_10'), score(prior='learned_maf')],
      RAE=[score(protocol='rae_quick', prior='gmm_10')]) == {
          'AE': [('rae_quick',
                  'pgak_evaluate --run_dir=runs/AE --protocol=rae_quick')],
          'RAE': [('quick',
                   'pgak_evaluate --run_dir=runs/RAE --protocol=quick')]}


def test_a_density_of_another_model_is_missing(tmp_path):
  assert missing(tmp_path, AE=[score(), score(prior='gmm_5')],
                 VAE=[score()]) == {'VAE': [(
                     'quick with gmm_5',
                     'pgak_evaluate --run_dir=runs/VAE --protocol=quick '
                     "--prior=gmm --gin_param='GaussianMixture.num_components "
                     "= 5'")]}


def test_a_likelihood_is_no_measure_of_samples(tmp_path):
  moved = score(prior='gmm_10_round_trips_1')
  # Of the density before the trips, which none of the samples are of.
  likelihood = score(images='data', prior='gmm_10') | {
      'metric': 'log_likelihood_train'}
  assert missing(tmp_path / 'a', AE=[moved, likelihood], VAE=[moved]) == {}
  found = missing(tmp_path / 'b', AE=[score(), score(prior='gmm_10')],
                  VAE=[score(), likelihood])
  assert [what for what, _ in found['VAE']] == ['quick with gmm_10']


@pytest.mark.parametrize('settings', [
    {}, {'num_components': 7}, {'covariance': 'diagonal', 'num_components': 3},
    {'bandwidth': 'scott'}, {'bandwidth': 0.25}, {'noise': 0.05},
    {'noise': 0., 'sampling_steps': 8}, {'sampling_steps': 64},
    {'guidance': 2.5}, {'sampling_steps': 8, 'guidance': 0.}])
@pytest.mark.parametrize('source, limit', [('means', None), ('samples', 20)])
@pytest.mark.parametrize('name', priors.NAMES)
def test_the_flags_make_a_density_of_that_label(name, source, limit, settings):
  kind = priors.NAMES[name]
  if name == 'standard_normal' or not set(settings) <= set(
      inspect.signature(kind).parameters):
    return
  prior = kind(3, **settings)
  prior.source, prior.max_fitted = source, limit
  _, chosen, *params = shlex.split(
      'x' + unmeasured.prior_flags('quick', prior.label))
  bound = dict(param.removeprefix('--gin_param=').split(' = ')
               for param in params)
  again = priors.NAMES[chosen.removeprefix('--prior=')](3, **{
      key.removeprefix(f'{kind.__name__}.'): ast.literal_eval(value)
      for key, value in bound.items() if not key.startswith('density.')})
  again.source = ast.literal_eval(bound.get('density.source', "'means'"))
  again.max_fitted = ast.literal_eval(bound.get('density.max_latents', 'None'))
  assert again.label == prior.label


@pytest.mark.parametrize('label, flags', [
    ('standard_normal', ' --prior=own'),
    ('learned_maf', ' --prior=own'), ('uniform_sphere', ' --prior=own'),
    ('mine', ' --prior=mine'),
    ('mine_round_trips_3',
     " --prior=mine --gin_param='density.round_trips = 3'"),
    ('standard_normal_round_trips_2',
     " --prior=own --gin_param='density.round_trips = 2'"),
    ('real_nvp_of_samples_round_trips_1',
     " --prior=real_nvp --gin_param='density.source = '\"'\"'samples'\"'\"''"
     " --gin_param='density.round_trips = 1'")])
def test_flags_of_what_is_the_models_own_and_of_round_trips(label, flags):
  assert unmeasured.prior_flags('quick', label) == flags


def test_a_newer_checkpoint_is_not_measured(tmp_path):
  found = missing(tmp_path, AE=[score(step=300)])
  assert [what for what, _ in found['AE']] == [
      'quick at step 600; the scores are of step 300']


def test_what_was_measured_at_the_best_checkpoint_is_measured_there(tmp_path):
  made = tiny_reports.make(tmp_path / 'AE', rows=[score(step=300)],
                           events=False)
  other = tiny_reports.make(
      tmp_path / 'VAE', 'VAE', events=False,
      rows=[score(), score(prior='gmm_10')])
  run = run_directory.RunDirectory(made)
  with run.writing_checkpoint(300):
    pass
  run.write_best(300, 'loss', 1.)
  cells = runs_lib.cells([runs_lib.read(path) for path in (made, other)])
  (_, what, command), = unmeasured.block(cells).rows
  assert what == 'quick with gmm_10'
  assert '--checkpoint=best --protocol=quick --prior=gmm' in command


def test_a_density_at_an_older_checkpoint_is_missing(tmp_path):
  found = missing(tmp_path, AE=[score(), score(prior='kde', step=300)])
  assert [what for what, _ in found['AE']] == ['quick with kde']


def test_what_no_model_of_its_kind_can_have_is_not_missing(tmp_path):
  rows = [score(), score(prior='gmm_10'), score(prior='gmm_10_of_samples'),
          score(prior='standard_normal_round_trips_2')]
  made = [tiny_reports.make(tmp_path / name, name, rows=of, events=False)
          for name, of in (('VAE', rows), ('SNGAN', rows[:1]), ('AE', [
              *rows[:2], score(prior='learned_maf_round_trips_2')]))]
  for file in (made[1] / 'samples').glob('reconstructions_*'):
    file.unlink()
  cells = runs_lib.cells([runs_lib.read(path) for path in made])
  assert unmeasured.block(cells) is None
  config = made[2] / 'config.gin'
  config.write_text(
      'gaussian/encoder.log_variance = True\n' + config.read_text())
  cells = runs_lib.cells([runs_lib.read(path) for path in made])
  (label, what, _), = unmeasured.block(cells).rows
  assert label == 'AE, seed 0' and what == 'quick with gmm_10_of_samples'


def test_round_trips_of_a_prior_of_its_own_are_missing_under_one_name(tmp_path):
  found = missing(tmp_path, VAE=[score(prior='learned_maf_round_trips_2')],
                  AE=[score()])
  (what, command), = found['AE']
  assert what == 'quick with own_round_trips_2'
  assert command.endswith("--prior=own --gin_param='density.round_trips = 2'")


def test_a_density_beside_those_of_a_protocol_is_named(tmp_path):
  rows = [score(protocol='rae_quick', prior=p)
          for p in ('standard_normal', 'gmm_10', 'kde')]
  made = tiny_reports.make(tmp_path / 'AE', rows=rows, events=False)
  read = runs_lib.read(made)
  assert [line.partition('--protocol=')[2]
          for line in unmeasured.measured_commands(read)] == [
              'rae_quick', 'rae_quick --prior=kde']
  found = missing(tmp_path / 'runs', VAE=rows, RAE=rows[:1])
  assert [what for what, _ in found['RAE']] == ['rae_quick with kde']


def test_commands_import_what_the_run_was_trained_with(tmp_path):
  made = tiny_reports.make(tmp_path / 'AE', rows=[score(step=300)],
                           events=False)
  file = made / 'config.json'
  file.write_text(file.read_text().replace('"imports": []',
                                           '"imports": ["my.models"]'))
  read = runs_lib.read(made)
  (_, _, command), = unmeasured.block(runs_lib.cells([read])).rows
  for line in (command, *unmeasured.measured_commands(read)):
    assert ' --import=my.models ' in line


def test_what_an_evaluation_left_out_is_said_with_why(tmp_path):
  made = tiny_reports.make(tmp_path / 'GAN', 'SNGAN', rows=[score()],
                           events=False)
  cells = runs_lib.cells([runs_lib.read(made)])
  assert unmeasured.left_out(cells) is None
  run = run_directory.RunDirectory(made)
  asked = {'topology', 'frechet'}
  not_measured.record(run, 'quick', {'topology': 'sn_gan has no encoder'},
                      asked)
  not_measured.record(run, 'quick', {'lpips': 'There are no weights.'},
                      {'lpips'}, ['--metrics=lpips'])
  (label, what, why, command), other = unmeasured.left_out(cells).rows
  assert label == 'SN-GAN, seed 0' and what == 'quick: lpips'
  assert why == 'There are no weights'
  assert command == (f'pgak_evaluate --run_dir={made} --protocol=quick '
                     '--metrics=lpips')
  assert other[1:3] == ['quick: topology', 'sn_gan has no encoder']
  # What was measured since is left out no longer.
  not_measured.record(run, 'quick', {}, asked)
  (_, what, _, _), = unmeasured.left_out(cells).rows
  assert what == 'quick: lpips'
