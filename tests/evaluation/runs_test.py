"""Tests of the evaluation of runs."""
import dataclasses

import gin
import pytest
import tensorflow as tf
import tiny_evaluation

from pgak import data
from pgak import errors
from pgak import evaluation
from pgak import priors
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.metrics import metric
from pgak.runs import checkpoints
from pgak.runs import not_measured
from pgak.runs import run_directory
from pgak.runs import score_files


@pytest.fixture(name='flat')
def _flat(monkeypatch):
  monkeypatch.setattr(evaluator_lib, 'feature_net', tiny_evaluation.flat_net)
  return protocols.Protocol('flat', ('64',), num_samples=150, split='test')


@pytest.fixture(name='run')
def _run(tmp_path):
  return tiny_evaluation.make_run(tmp_path / 'run')


def test_a_scorer_measures_the_own_prior_and_latents(flat):
  protocol = protocols.Protocol('flat', ('64',), 20, 'test',
                                priors=('gmm', 'kde'))
  score = evaluation.frechet_scorer(data.digits(), protocol)
  del flat
  gin.parse_config(tiny_evaluation.CONFIG)
  model = checkpoints.build(**checkpoints.build_settings())
  rows = score(model, 5)
  assert [row['metric'] for row in rows] == [
      'frechet_flat_64', 'reconstruction_mse', 'latent_match_prior_data',
      'latent_match_prior_generated', 'latent_match_data_generated']
  assert rows[0]['prior'] == 'standard_normal' and rows[0]['step'] == 5


@pytest.mark.parametrize('asked', [
    (protocols.OWN_OR_MIXTURE,), (protocols.OWN_OR_GAUSSIAN, 'gmm')])
def test_a_scorer_of_an_ae_draws_from_a_gaussian_of_its_latents(flat, asked):
  del flat
  protocol = protocols.Protocol('flat', ('64',), 20, 'test', priors=asked)
  score = evaluation.frechet_scorer(data.digits(), protocol, latents=False)
  gin.parse_config(tiny_evaluation.CONFIG)
  model = checkpoints.build(**checkpoints.build_settings())
  own = model.prior
  rows = score(model, 5)
  assert rows[0]['prior'] == 'gaussian' and model.prior is own
  both = evaluation.frechet_scorer(data.digits(), protocol)(model, 5)
  # Of its own prior, which is N(0, I).
  assert both[:len(rows)] == rows
  assert both[-1]['metric'] == 'latent_match_data_generated'
  # Training makes the latents of a VAE and N(0, I) alike.
  model.matches_prior = True
  assert score(model, 5)[0]['prior'] == 'standard_normal'


def test_an_ae_is_measured_by_a_mixture_of_its_latents(run, flat, capsys):
  changed = dataclasses.replace(flat, priors=(protocols.OWN_OR_MIXTURE,))
  rows = evaluation.evaluate(run.path, protocol=changed)
  drawn, = {row['prior'] for row in rows if row['images'] == 'samples'}
  assert drawn == 'gmm_10'
  assert '--prior=own takes N(0, I)' in capsys.readouterr().out
  rows = evaluation.evaluate(run.path, protocol=changed, prior='own')
  assert {row['prior'] for row in rows} == {'standard_normal', 'none'}
  assert '--prior' not in capsys.readouterr().out


@pytest.mark.parametrize('checkpoint, steps', [
    ('latest', [20]), ('best', [10]), ('all', [10, 20]), (10, [10]),
    ('10', [10])])
def test_evaluate_measures_and_appends(run, flat, checkpoint, steps):
  rows = evaluation.evaluate(run.path, checkpoint, protocol=flat)
  assert [row['step'] for row in rows[::2]] == steps
  written = run.scores()
  assert len(written) == len(rows)
  assert list(written[0]) == list(run_directory.SCORE_COLUMNS)
  for row, text in zip(rows, written):
    assert float(text['value']) == row['value']
    assert text['prior'] in ('standard_normal', 'none')
  if checkpoint == 'all':
    assert rows[0]['value'] != rows[2]['value']
    evaluation.evaluate(run.path, 10, protocol=flat)
    assert len(run.scores()) == len(rows) + 2
    # The same checkpoint gives the same numbers.
    assert run.scores()[-2:] == written[:2]


def test_evaluate_measures_the_weights_of_the_checkpoint(run, flat):
  model = checkpoints.load_configured(run, 20)
  row, _ = evaluation.evaluate(run.path, 20, protocol=flat)
  evaluator = evaluation.Evaluator(data.digits(), flat)
  assert evaluator.score(model)['frechet_flat_64'] == pytest.approx(
      row['value'], rel=1e-6)


def test_a_checkpoint_that_is_not_there_is_named(run, flat):
  with pytest.raises(errors.UserError, match="no checkpoint '30'"):
    evaluation.evaluate(run.path, '30', protocol=flat)
  assert not run.scores()


def test_a_given_prior_replaces_the_protocols(run, flat):
  rows = evaluation.evaluate(run.path, 20, protocol=flat, prior='gaussian')
  assert [(r['metric'], r['prior']) for r in rows] == [
      ('frechet_flat_64', 'gaussian'), ('log_likelihood_train', 'gaussian'),
      ('log_likelihood_held_out', 'gaussian'), ('reconstruction_mse', 'none')]
  assert tf.math.is_finite(rows[1]['value'])
  own, _ = evaluation.evaluate(run.path, 20, protocol=flat, prior='own')
  assert own['value'] != rows[0]['value']
  both = evaluation.evaluate(run.path, 20, protocol=flat,
                             prior=['gaussian', 'own'])
  assert {r['prior']: r['value'] for r in both
          if r['metric'] == 'frechet_flat_64'} == {
              'gaussian': rows[0]['value'], 'standard_normal': own['value']}


def test_a_density_that_cannot_be_fitted_is_an_error_before_measuring(
    run, flat, monkeypatch):
  monkeypatch.setattr(evaluator_lib.Evaluator, 'rows', None)
  gin.parse_config("density.source = 'samples'")
  with pytest.raises(errors.UserError, match='leave `density.source` out'):
    evaluation.evaluate(run.path, 20, flat, prior=['own', 'gaussian'])


@pytest.mark.parametrize('name', ['Gauss', 'digits'])
def test_an_unknown_prior_is_an_error_before_anything_is_measured(
    run, monkeypatch, name):
  monkeypatch.setattr(evaluator_lib, 'Evaluator', None)
  with pytest.raises(errors.UserError, match=f'no prior {name!r}'):
    evaluation.evaluate(run.path, 20, prior=['own', name])


def test_given_metrics_replace_the_protocols(run, flat):
  rows = evaluation.evaluate(run.path, 20, protocol=flat, metrics=['prd'])
  assert {r['metric'] for r in rows} == {'prd_f_8', 'prd_f_1_8'}
  assert sorted(p.suffix for p in (run.path / 'prd').iterdir()) == [
      '.npz', '.png']
  with pytest.raises(errors.UserError, match="no metric 'fid' of images"):
    evaluation.evaluate(run.path, 20, protocol=flat, metrics=['fid'])


def test_latents_alone_are_measured_without_metrics(run, flat):
  rows = evaluation.evaluate(run.path, 20, flat, metrics=[], latents=True)
  assert {'latent_match_prior_data'} <= {r['metric'] for r in rows}
  assert not [r for r in rows if r['metric'].startswith('frechet')]


def test_a_metric_that_the_prior_lacks_is_a_sentence(run, flat, monkeypatch):
  monkeypatch.setattr(priors.StandardNormal, 'name', 'another')
  with pytest.raises(errors.UserError, match=r'is not N\(0, I\), which the m'):
    evaluation.evaluate(run.path, 20, flat, metrics=['latent_match'])


def test_weights_that_are_not_there_are_recorded(run, monkeypatch):
  monkeypatch.setenv('PGAK_INCEPTION', 'absent.npz')
  with pytest.raises(errors.UnavailableError, match='absent.npz'):
    evaluation.evaluate(run.path, 20, 'fid768_test', metrics=['frechet'])
  said = not_measured.read(run.path)['fid768_test']['frechet']
  assert 'no Inception weights at absent.npz' in said['reason']
  assert said['flags'] == ['--metrics=frechet']


@pytest.fixture(name='too_few')
def _too_few(monkeypatch, flat):
  """Returns a protocol with a metric that has too few examples."""
  def compute(context):
    if context.protocol.seed == 0:
      yield metric.Value('few', 1., features='pixels')
    raise errors.UnavailableError('It needs more.')

  monkeypatch.setitem(metric._METRICS, ('few', 'images'),
                      metric.Metric('few', compute, 'model'))
  return dataclasses.replace(flat, metrics=('few', 'frechet'))


def test_a_protocol_goes_on_without_what_has_too_few_examples(
    run, too_few, capsys):
  rows = evaluation.evaluate(run.path, 'all', protocol=too_few)
  assert [(r['metric'], r['step']) for r in rows] == [
      ('frechet_flat_64', 10), ('few', 10), ('frechet_flat_64', 20),
      ('few', 20)]
  assert capsys.readouterr().out.count('few is left out: It needs more.') == 1
  said = not_measured.read(run.path)['flat']
  assert said == {'few': {'reason': 'It needs more.', 'flags': []}}


@pytest.mark.parametrize('changes, metrics', [
    ({}, ['few', 'frechet']),  # It was asked for by name.
    ({'metrics': ('few',), 'seed': 1}, None)])  # Nothing is left.
def test_too_few_examples_are_an_error(run, too_few, changes, metrics):
  with pytest.raises(errors.UserError, match='It needs more'):
    evaluation.evaluate(run.path, 20, metrics=metrics,
                        protocol=dataclasses.replace(too_few, **changes))
  assert not run.scores()


def test_a_scorer_goes_on_without_what_has_too_few_examples(too_few, capsys):
  score = evaluation.frechet_scorer(data.digits(), too_few, latents=False)
  gin.parse_config(tiny_evaluation.CONFIG)
  model = checkpoints.build(**checkpoints.build_settings())
  for step in (1, 2):
    assert score(model, step)[0]['metric'] == 'frechet_flat_64'
  assert capsys.readouterr().out.count('It needs more.') == 1


def test_the_paper_of_raes_has_its_columns(run, flat):
  del flat
  gin.parse_config(['rae_quick.num_samples = 60',
                    'GaussianMixture.num_components = 2'])
  rows = evaluation.evaluate(run.path, 20, 'rae_quick', metrics=['frechet'])
  # An autoencoder's latents are pulled to no prior, so N is a fitted Gaussian.
  assert [(r['images'], r['prior'], r['num_samples']) for r in rows
          if r['metric'] == 'frechet_flat_classifier'] == [
              ('reconstructions', 'none', 60), ('interpolations', 'none', 60),
              ('samples', 'gaussian', 60), ('samples', 'gmm_2', 60)]
  assert {r['rounding'] for r in rows if r['features'] != 'latents'} == {
      'truncate'}


def test_a_damaged_configuration_is_an_error(run, flat):
  gin.clear_config()
  with pytest.raises(errors.UserError, match='parse_run'):
    evaluation.evaluate(run.path, protocol=flat)


def test_scores_that_cannot_be_kept_are_printed(run, flat, capsys, monkeypatch):
  def full(rows):
    raise OSError(28, 'No space left on device')

  monkeypatch.setattr(score_files, 'append', lambda path, rows: full(rows))
  with pytest.raises(errors.UserError, match='cannot be kept in .*No space'):
    evaluation.evaluate(run.path, protocol=flat)
  assert 'frechet_flat_64' in capsys.readouterr().out


def test_a_run_that_nobody_can_write_to_is_measured(run, flat, capsys,
                                                    monkeypatch):
  monkeypatch.setattr(run_directory.RunDirectory, 'is_writable', False)
  before = sorted(run.path.rglob('*'))
  evaluation.evaluate(run.path, protocol=flat)
  # But for the file of scores, which root could write here.
  assert sorted(set(run.path.rglob('*')) - set(before)) == [
      run.path / '.scores.lock', run.path / 'scores.csv']


def test_damaged_scores_are_an_error_before_anything_is_measured(
    run, flat, monkeypatch):
  (run.path / 'scores.csv').write_text('a,b\n1,2\n')
  monkeypatch.setattr(evaluator_lib, 'Evaluator', None)
  with pytest.raises(errors.UserError, match='scores.csv is missing or damage'):
    evaluation.evaluate(run.path, protocol=flat)
