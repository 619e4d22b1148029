"""The files of the paper on generation without prior matching."""
import pytest

from pgak import models
from pgak import registry
from pgak import sweeping
from pgak.runs import checkpoints
from pgak.runs import configuration

registry.register()

PAPER = 'papers/no_prior_matching'
TABLES = {'table1_celeba': ('celeba', (64, 64, 3), 162770),
          'table2_cifar10': ('cifar10', (32, 32, 3), 50000)}
# The columns of Tables 1 and 2, in their order.
COLUMNS = {'vae': models.VAE, 'aae': models.AAE, 'wae': models.WAEMMD,
           'intro_vae': models.IntroVAE, 'age': models.AGE,
           'no_prior_matching': models.NoPriorMatching}


def build(files, bindings=()):
  configuration.parse(files, [*bindings, 'base_filters = 2'])
  return checkpoints.build(**checkpoints.build_settings())


def jobs(name):
  return sweeping.read(f'{PAPER}/{name}.sweep').jobs


@pytest.mark.parametrize('table, job', [
    (t, j) for t in TABLES for j in jobs(t)],
                         ids=lambda v: getattr(v, 'cell', v))
def test_a_column_of_a_table(table, job):
  dataset, shape, number = TABLES[table]
  small = ['decoder_filters = 2'] if dataset == 'cifar10' else []
  model = build(job.gin_files, [*job.bindings, *small])
  assert type(model) is COLUMNS[job.cell]
  assert model.image_shape == shape and model.latent_dim == 128
  # "Each model is trained for 25 epochs."
  steps = configuration.setting('train.steps')
  assert steps == 25 * (number // configuration.setting('train.batch_size'))


@pytest.mark.parametrize('table', TABLES)
def test_the_columns_of_a_table_are_the_papers(table):
  found = sweeping.read(f'{PAPER}/{table}.sweep')
  assert [j.cell for j in found.jobs] == list(COLUMNS)
  evaluation, = found.evaluations
  assert '--protocol=no_prior_matching_2021' in evaluation.flags


def test_the_rows_of_figure_6():
  rows = jobs('fig6_mnist')
  assert [j.cell for j in rows] == [
      'without_batch_norm', 'batch_norm', 'batch_norm_regularizer']
  found = []
  for job in rows:
    model = build(job.gin_files, [*job.bindings, 'dense_units = 4'])
    # "The latent dimension is set to 256D."
    assert isinstance(model, models.NoPriorMatching)
    assert model.latent_dim == 256 and model.image_shape == (28, 28, 1)
    normalised = any(layer.name == 'normalised_latents'
                     for layer in model.encoder.layers)
    found.append((normalised, model.image_critic is not None,
                  model.is_on('interpolation')))
  assert found == [(False, False, False), (True, False, False),
                   (True, True, True)]


def test_the_small_sweep_has_all_baselines_and_both_ablations():
  found = jobs('mnist_small')
  steps = {}
  for job in found:
    configuration.parse(job.gin_files, job.bindings)
    steps[job.cell] = configuration.setting('train.steps')
    assert configuration.setting('train.dataset')().name == 'mnist'
  assert set(COLUMNS) - {'wae'} < set(steps)
  assert {'wae_mmd', 'wae_gan', 'soft_intro_vae', 'alae', 'acai', 'sn_gan',
          'pg_gan', 'batch_norm', 'without_batch_norm'} < set(steps)
  assert {n for n, s in steps.items() if s != 5000} == {'untrained'}


def test_the_swiss_roll_has_ten_seeds_of_every_model():
  found = jobs('swiss_roll')
  assert {j.seed for j in found} == set(range(10))
  cells = {j.cell for j in found}
  assert cells == {'no_prior_matching', 'vae', 'aae', 'alae', 'wae_mmd',
                   'intro_vae', 'age'}
