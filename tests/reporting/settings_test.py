"""Tests of scores over a setting."""
import pathlib

import pytest
import tiny_reports

from pgak.reporting import runs
from pgak.reporting import settings


def cell(model='FPVAE', number=0, seeds=(0,), scores=None, dataset='mnist',
         **bindings):
  """Returns a cell whose runs were trained with these bindings."""
  made = []
  for seed in seeds:
    run = runs.Run(pathlib.Path('.'), {
        'train.model': f'@{model}', 'train.seed': str(seed),
        **{k.replace('__', '.'): v for k, v in bindings.items()}},
                   {'data': {'name': dataset}})
    for (metric, images, prior), value in (scores or {}).items():
      run.scores.append(runs.read_score({
          k: str(v) for k, v in tiny_reports.row(
              metric, value + seed, images=images, prior=prior).items()}))
    made.append(run)
  return runs.Cell(f'cell {number}', made, number)


def betas(model='FPVAE', values=('0.', '0.01', '1.'), **others):
  return [cell(model, i, beta=v, **{f'{model}__beta': '%beta'}, **others)
          for i, v in enumerate(values)]


def test_a_model_over_its_own_setting_in_order():
  members = betas(values=('1.', '0.', '0.01'))
  (key, lines), = settings.series(members).items()
  assert key == ('mnist', 'beta')
  (label, points), = lines
  assert label == 'FP-VAE' and list(points) == [0., .01, 1.]
  assert points[1.] is members[0]


def test_two_models_with_a_setting_of_one_name_stand_together():
  lines = settings.series(betas() + betas('PriorAAE'))['mnist', 'beta']
  assert [label for label, _ in lines] == ['FP-VAE', 'Prior-AAE']


@pytest.mark.parametrize('members', [
    betas(values=('0.', '1.')),                       # Two values are no curve.
    betas(values=('0.', '1.', '1.')),                 # Which one is it?
    [cell(number=i, FPVAE__beta=v, train__steps=s)    # Two things differ.
     for i, (v, s) in enumerate([('0.', '1'), ('.1', '2'), ('1.', '3')])],
    [cell(number=i, adam__learning_rate=v)            # No setting of the model.
     for i, v in enumerate(['.1', '.2', '.3'])],
    betas(values=('@a', '@b', 'None')),
    [cell(number=i, FPVAE__beta=v, train__image_error=e)  # A text, too.
     for i, (v, e) in enumerate([('0.', '@a'), ('.1', '@a'), ('1.', '@b')])],
    [cell(number=i, FPVAE__beta=v, **{                    # And in a scope.
        'critic/adam__learning_rate': r, 'encoder/adam__learning_rate': '.1'})
     for i, (v, r) in enumerate([('0.', '.1'), ('.1', '.2'), ('1.', '.3')])],
])
def test_what_is_no_curve(members):
  assert not settings.series(members)


def test_a_scope_that_comes_with_the_setting_is_no_difference():
  members = betas()
  for i, member in enumerate(members):
    scope = 'gaussian/' if i else ''
    member.runs[0].bindings[f'{scope}encoder.latent_dim'] = '8'
  assert settings.series(members)


def test_a_paper_s_line_begins_with_a_deterministic_encoder():
  members = betas()
  for i, member in enumerate(members):
    scope = 'gaussian/' if i else ''
    member.runs[0].bindings |= {
        'FPVAE.encoder': f'@{scope}encoder()',
        f'{scope}encoder.log_variance': str(bool(i))}
  assert settings.series(members)


def test_two_settings_that_cross_are_two_lines():
  both = [cell(number=i, FPVAE__beta=v, encoder__batch_norm=b)
          for i, (v, b) in enumerate(
              (v, b) for v in ('0.', '.1', '1.') for b in ('True', 'False'))]
  lines = settings.series(both)['mnist', 'beta']
  assert [(label, list(points.values())) for label, points in lines] == [
      ('FP-VAE, as cell 0', both[::2]), ('FP-VAE, as cell 1', both[1::2])]


def test_lines_of_one_model_are_told_apart():
  both = betas(train__steps='5') + betas(train__steps='9')
  for number, member in enumerate(both):
    member.label = f'cell {number}'
  lines = settings.series(both)['mnist', 'beta']
  assert [label for label, _ in lines] == ['FP-VAE, as cell 0',
                                           'FP-VAE, as cell 3']


def test_distances_come_first_and_errors_beside_them():
  def scored(model, prior, best):
    return [cell(model, i, (0, 1), {
        ('reconstruction_mse', 'reconstructions', 'none'): .1 * (i + 1),
        ('fid', 'reconstructions', 'none'): 9. + i,
        ('fid', 'samples', prior): 9. - i + best,
        ('inception_score', 'samples', prior): 3.},
                 **{f'{model}__beta': v})
            for i, v in enumerate(['0.', '.01', '1.'])]
  cells = scored('FPVAE', 'real_nvp', 0.) + scored(
      'PriorAAE', 'latent_generator', 2.)
  (name, pictures), = settings.charts_over_settings(cells).items()
  assert name == 'beta'
  assert [p.caption.split(',')[0] for p in pictures] == [
      'fid of samples over beta',
      'reconstruction_mse of reconstructions over beta',
      'fid of reconstructions over beta']
  assert len({p.name for p in pictures}) == 3
  assert all('FP-VAE, Prior-AAE' in p.alt for p in pictures)
