"""Tests of the report's tables, on scores made by hand."""
import dataclasses

from pgak.metrics import metric
from pgak.reporting import gains
from pgak.reporting import pages
from pgak.reporting import runs
from pgak.reporting import tables

CHOICES = ('mnist', 'inception_2015_pool_3', '10000', 'test', 'none', 'none',
           'truncate', 'inference', 'rae_iclr2020')
QUICK = ('mnist', 'mnist_classifier', '500', 'all', 'none', 'none', 'nearest',
         'inference', 'quick')


def _score(column, choices, value):
  return runs.Score(7, runs.Column(*column), choices, '0', value,
                    metric.better_of(*column[:2]))


def cell(label, model, *seeds, choices=CHOICES, examples=60000):
  """Returns a cell; each of `seeds` is `{(metric, images, prior): value}`."""
  made = []
  for seed, values in enumerate(seeds):
    run = runs.Run(
        label, {'train.model': f'@{model}', 'train.seed': str(seed),
                'train.batch_size': '100', 'base_filters': '128'},
        {'data': {'name': 'mnist', 'examples': examples}}, last_step=60000)
    run.scores = [_score(column, choices, value)
                  for column, value in values.items()]
    made.append(run)
  return runs.Cell(label, made, 0)


def samples(value, prior='gaussian', metric='fid'):
  return {(metric, 'samples', prior): value}


def texts(table):
  return [[c.text if isinstance(c, pages.TableCell) else c for c in row]
          for row in table.rows]


def test_rows_hold_mean_and_error_and_the_best_is_marked():
  table, = tables.score_tables([
      cell('AE', 'AE', samples(10.), samples(14.)),
      cell('RAE', 'RAE', samples(9.), {}), cell('VAE', 'VAE', {})])
  # 10 and 14: mean 12, s = sqrt(8), error sqrt(8 / 2) = 2.
  assert table.header == ['model', 'runs', 'steps', 'samples, gaussian']
  assert texts(table) == [['AE', '2', '7', '12.0 ± 2.0'],
                          ['RAE', '2', '7', '9.000']]
  assert [row[3].best for row in table.rows] == [False, True]
  assert [row[3].note for row in table.rows] == ['', 'n = 1']
  assert table.caption.startswith('fid: rae_iclr2020 on mnist')
  assert table.caption.endswith('. Less is better.')
  assert 'rounding truncate' in table.detail


def test_scores_of_an_older_step_than_their_row_say_so():
  made = cell('VAE', 'VAE', samples(7.), samples(9.))
  for i, run in enumerate(made.runs):
    run.scores[0] = dataclasses.replace(run.scores[0], step=8)
    run.scores += [_score(('fid', 'samples', 'gmm_10'), CHOICES, 5.),
                   _score(('kid', 'samples', 'gaussian'), QUICK, 1.)][:2 - i]
    run.scores += [_score(('fid', 'samples', 'gaussian'), CHOICES, 20.)]
  table = tables.score_tables([made])[0]
  # The newest alone is the column's.
  assert texts(table) == [['VAE', '2', '8', '8.0 ± 1.0', '5.000 ± 0']]
  assert [c.note for c in table.rows[0][3:]] == ['', 'step 7']


def test_scores_side_by_side_say_which_are_of_an_older_step():
  made = cell('VAE', 'VAE', samples(7.))
  made.runs[0].scores.append(dataclasses.replace(
      _score(('mse', 'samples', 'gaussian'), (*CHOICES[:2], '20',
                                              *CHOICES[3:]), 5.), step=8))
  table, = tables.overview_tables([made])
  assert [c.note for c in table.rows[0][3:]] == ['step 7', '']


def test_a_gain_is_of_one_checkpoint():
  made = cell('VAE', 'VAE', samples(7., 'standard_normal'))
  mixture = _score(('fid', 'samples', 'gmm_10'), CHOICES, 5.)
  made.runs[0].scores.append(dataclasses.replace(mixture, step=3))
  assert not gains.gain_tables([made])
  made.runs[0].scores.append(dataclasses.replace(
      _score(('fid', 'samples', 'standard_normal'), CHOICES, 9.), step=3))
  table, = gains.gain_tables([made])
  assert table.rows[0][4:7] == ['9.000', '5.000', '4.000']


def test_more_is_better_where_it_is():
  table, = tables.score_tables([
      cell('a', 'AE', samples(.5, metric='prd_f_8')),
      cell('b', 'RAE', samples(.7, metric='prd_f_8'))])
  assert [row[3].best for row in table.rows] == [False, True]


def test_two_protocols_never_share_a_table():
  both = tables.score_tables([
      cell('a', 'AE', samples(1.)),
      cell('b', 'RAE', samples(2.), choices=QUICK)])
  assert [texts(t)[0][0] for t in both] == ['a', 'b']
  # One row alone is not the best of anything.
  assert not any(row[3].best for t in both for row in t.rows)


def test_many_columns_are_split_by_metric():
  values = {(m, 'samples', f'gmm_{n}'): 1. for m in ('fid', 'kid')
            for n in range(1, 6)} | samples(1., metric='kid_std')
  found = tables.score_tables([cell('a', 'AE', values)])
  assert [t.caption.split(':')[0] for t in found] == ['fid', 'kid']
  assert [len(t.rows[0]) for t in found] == [8, 8]


def test_kinds_of_scores_stand_side_by_side():
  pixels, latents = (CHOICES[:1] + (name, '2000') + CHOICES[3:]
                     for name in ('pixels', 'latents'))
  cells = []
  for label, prior, fid, mse, trust in (
      ('a', 'gaussian', 9., .02, .9), ('b', 'latent_generator', 8., .03, None)):
    made = cell(label, 'AE', samples(fid, prior))
    made.runs[0].scores += [
        _score(column, choices, value)
        for column, choices, value in (
            (('reconstruction_mse', 'reconstructions', 'none'), pixels, mse),
            (('trustworthiness', 'data', 'none'), latents, trust),
            (('log_likelihood_train', 'data', prior), latents, -1.))
        if value is not None]
    cells.append(made)
  # A second density is a second row; what has none of its own stands in both.
  cells[1].runs[0].scores.append(
      _score(('fid', 'samples', 'gmm_5'), CHOICES, 7.))
  table, = tables.overview_tables(cells)
  assert table.header == ['model', 'runs', 'samples of', 'fid',
                          'reconstruction mse', 'trustworthiness']
  assert texts(table) == [
      ['a', '1', 'gaussian', '9.000', '0.02000', '0.9000'],
      ['b', '1', 'gmm 5', '7.000', '0.03000', '–'],
      ['b', '1', 'latent generator', '8.000', '0.03000', '–']]
  assert [[c.best for c in row[3:] if c != '–'] for row in table.rows] == [
      [False, True, False], [True, False], [False, False]]
  assert 'trustworthiness: latents, 2000 images, split test' in table.detail


def test_one_kind_of_scores_or_too_many_have_no_overview():
  assert not tables.overview_tables([cell('a', 'AE', samples(1.))])
  many = cell('a', 'AE', {
      (f'fid_{i}', 'samples', 'gaussian'): 1. for i in range(12)})
  many.runs[0].scores.append(
      _score(('fid', 'samples', 'own'), QUICK[:-1] + CHOICES[-1:], 1.))
  assert not tables.overview_tables([many])


def test_columns_of_one_metric_are_told_apart():
  both = {(f'fid{end}', images, 'none'): 1. for images in (
      'samples', 'reconstructions') for end in ('', '_768')}
  more = CHOICES[:2] + ('500',) + CHOICES[3:]
  made = cell('a', 'AE', both)
  made.runs[0].scores.append(
      _score(('fid', 'samples', 'none'), more, 2.))
  table, = tables.overview_tables([made])
  assert table.header[3:] == [
      'fid, reconstructions', 'fid, samples, 10000 images, test',
      'fid 768, reconstructions', 'fid 768, samples',
      'fid, samples, 500 images, test']


def test_the_gain_is_taken_run_by_run():
  # The runs differ by 10, their gains 5 and 7 by 2: mean 6, s = sqrt(2),
  # error 1, ratio 6.
  ae = cell('AE', 'AE', samples(20.) | samples(15., 'gmm_10'),
            samples(30.) | samples(23., 'gmm_10'))
  vae = cell('VAE', 'VAE', samples(9., 'standard_normal')
             | samples(1., 'gmm_10') | samples(5.))
  table, = gains.gain_tables([ae, vae])
  assert texts(table) == [
      ['VAE', 'fid', 'standard_normal', 'gmm_10', '9.000', '1.000',
       '8.000', 'one run'],
      ['AE', 'fid', 'gaussian', 'gmm_10', '25.0 ± 5.0', '19.0 ± 4.0',
       '6.0 ± 1.0', '6.0']]


def test_no_gain_without_both():
  assert not gains.gain_tables([cell('AE', 'AE', samples(1.)), cell(
      'RAE', 'RAE', samples(1., 'gmm_10'), {})])


def paper_cells(choices=CHOICES, **others):
  values = {'AE': 58., 'RAE': 24., 'RAEL2': 22., 'RAESN': 20.}
  return [cell(runs.model_name(m), m, samples(v), choices=choices, **others)
          for m, v in values.items()]


def test_the_published_value_stands_beside_ours():
  # 60,000 steps of 100 images: 100 epochs, as published.
  blocks = tables.published_tables(paper_cells())
  table = blocks[0]
  assert 'RAE (ICLR 2020) Table 1, FID, MNIST' in table.caption
  row = next(r for r in table.rows if r[0] == 'RAE-L2')
  n = table.header.index('N, ours')
  assert row[n].text == '22.00' and row[n + 1] == pages.TableCell('22.22')
  # The order of these four is the paper's: 58.73, 23.92, 22.22, 19.67.
  assert blocks[1].lines == ['N: Spearman rank correlation of ours with the '
                             'published column over 4 models: 1.00.']
  assert [r[0] for r in table.rows][-1] == '2sVAE'


def test_another_protocol_is_said_in_words():
  table, items = tables.published_tables(paper_cells(QUICK, examples=6000))
  row = next(r for r in table.rows if r[0] == 'AE')
  note = row[table.header.index('N, published')].note
  assert note.startswith('protocol differs: features, num_samples, split')
  assert 'epochs' in note and 'base filters' not in note
  assert '1e+03 epochs, published 100' in items.lines[0]
  # A model that was not run has nothing that differs.
  assert row[table.header.index('GMM, published')].note == ''


def test_fewer_than_four_models_have_no_correlation():
  assert len(tables.published_tables(paper_cells()[:3])) == 1


def test_the_second_stage_is_a_row_of_its_own():
  vae = cell('VAE', 'VAE', samples(18., 'two_stage'))
  table, *_ = tables.published_tables([vae])
  ours = {r[0]: r[table.header.index('N, ours')] for r in table.rows}
  assert ours['2sVAE'].text == '18.00' and ours['VAE'] == '–'


def test_a_paper_stands_beside_another_data_set_by_its_protocol():
  mine = CHOICES[:1] + ('inception_2015_768', '1000') + CHOICES[3:8] + (
      'no_prior_matching_fid768',)
  blocks = tables.published_tables([
      cell('mine', 'NoPriorMatching',
           samples(.3, 'latent_generator', 'fid_768'), choices=mine),
      cell('AAE', 'AAE', samples(.5, 'standard_normal', 'fid_768'),
           choices=mine)])
  found = [b for b in blocks if isinstance(b, pages.Table)]
  assert [t.title if hasattr(t, 'title') else t.caption.split('. ')[0]
          for t in found] == ['No prior matching Table 1, FID, CelebA',
                              'No prior matching Table 2, FID, CIFAR-10']
  rows = {row[0]: row[1:] for row in texts(found[0])}
  # As many digits as the paper has.
  assert rows['AAE'] == ['0.5000', '101'] and rows['AGE'] == ['–', '116']
  assert 'dataset' in found[0].rows[1][2].note


def test_another_data_set_has_no_published_values():
  fashion = ('fashion_mnist',) + CHOICES[1:]
  assert not tables.published_tables(paper_cells(fashion))


def test_two_spaces_of_a_model_are_two_rows_of_the_paper():
  faces = ('images_img_align_celeba_half_crop54', 'celeba_attributes40_ab12',
           '20000', 'train', '54', 'bicubic', 'nearest', 'inference',
           'learned_priors_separability')
  flow = {(f'separability_{space}', 'samples', 'learned_real_nvp'): value
          for space, value in (('z0', 2.5), ('zT', 1.5))}
  blocks = tables.published_tables([
      cell('FP-VAE', 'FPVAE', flow, choices=faces),
      cell('VAE', 'VAE', samples(2., 'standard_normal', 'separability_z'),
           choices=faces)])
  assert [row[:3] for row in texts(blocks[0])] == [
      ['VAE', '2.000', '2.14'], ['beta-VAE', '–', '2.09'],
      ['FP-VAE (z_0)', '2.500', '2.82'], ['FP-VAE (z_T)', '1.500', '1.67']]
  assert 'published CelebA' in blocks[1].lines[0]


def test_translations_stand_beside_the_paper():
  pairs = ('fashion_mnist_coarse', 'squeezenet', '10000', 'test', 'none',
           'none', 'nearest', 'inference', 'learned_priors_pairs')
  blocks = tables.published_tables([
      cell('VUNet', 'VUNet', {
          (f'diversity_lpips_squeeze_v0.1{end}', 'translations', 'own'): value
          for end, value in (('_se', .001), ('', .1))}, choices=pairs)])
  assert texts(blocks[0])[0][3:] == ['0.1000', '0.184']
