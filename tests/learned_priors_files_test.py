"""The files of the paper on learned priors, held against its text."""
import pathlib

import pytest

from pgak import models
from pgak import registry
from pgak import sweeping
from pgak.runs import checkpoints
from pgak.runs import configuration

registry.register()

GIN = pathlib.Path(__file__).absolute().parent.parent / 'gin'
PAPER = 'papers/learned_priors'
# Section 4.1: latents, and the image shapes that the data have.
LATENTS = {'mnist': 8, 'fashion_mnist': 8, 'cifar10': 64}
SHAPES = {'mnist': (28, 28, 1), 'fashion_mnist': (28, 28, 1),
          'cifar10': (32, 32, 3)}


def jobs():
  """Each cell of fig. 3, once: the small sweeps have the same."""
  return [(dataset, job) for dataset in LATENTS
          for job in sweeping.read(f'{PAPER}/fig3_{dataset}.sweep').jobs]


def build(files, bindings=()):
  configuration.parse(files, [*bindings, 'base_filters = 2',
                              'dense_units = 4'])
  return checkpoints.build(**checkpoints.build_settings())


@pytest.mark.parametrize('dataset, job', jobs(), ids=lambda v: getattr(
    v, 'cell', v))
def test_a_cell_of_figure_3(dataset, job):
  model = build(job.gin_files, job.bindings)
  assert model.latent_dim == LATENTS[dataset]
  assert model.image_shape == SHAPES[dataset]
  name, _, beta = job.cell.partition('_beta_')
  kinds = {'fp_vae': models.FPVAE, 'prior_aae': models.PriorAAE,
           'vae': models.VAE, 'aae': models.AAE}
  assert type(model) is kinds[name]
  if beta:
    assert model.beta == float(beta)
  # At beta = 0 the encoder is deterministic, and only then.
  assert model.is_stochastic == (
      name == 'vae' or name == 'fp_vae' and beta != '0')
  if name == 'fp_vae':
    # Annealed over the first 50,000 steps; a run of 200,000 has a quarter.
    assert model.annealing_steps == 50000 and model.run_steps == 200000
    assert model.table.rows['prior_nll'] == ('prior',)
    assert model.is_on('kl_flow') == (beta != '0')


def test_figure_3_has_four_values_of_beta_for_both_models():
  for name in LATENTS:
    cells = [j.cell for j in sweeping.read(f'{PAPER}/fig3_{name}.sweep').jobs]
    for model in ('fp_vae', 'prior_aae'):
      assert [c for c in cells if c.startswith(model)] == [
          f'{model}_beta_{b}' for b in ('0', '0.01', '0.1', '1')]


@pytest.mark.parametrize('dataset', ['mnist', 'fashion_mnist'])
def test_the_small_sweeps_have_the_cells_of_the_large(dataset):
  large, small = (sweeping.read(f'{PAPER}/fig3_{dataset}{s}.sweep').jobs
                  for s in ('', '_small'))
  small = [job for job in small if job.seed == 0]
  assert [j.cell for j in small] == [j.cell for j in large]
  for a, b in zip(small, large):
    assert a.gin_files == b.gin_files
    assert set(b.bindings) <= set(a.bindings)


def test_the_annealing_of_the_small_sweep_is_a_quarter():
  job = next(j for j in sweeping.read(f'{PAPER}/fig3_mnist_small.sweep').jobs
             if j.cell == 'fp_vae_beta_1')
  model = build(job.gin_files, job.bindings)
  model.step.assign(250)
  assert float(model.weight('kl_flow')) == pytest.approx(0.5e-2)
  model.step.assign(500)
  assert float(model.weight('kl_flow')) == pytest.approx(1e-2)


@pytest.mark.parametrize('dataset, steps', [
    ('mnist', 50000), ('fashion_mnist', 50000), ('cifar10', 50000),
    ('mnist_small', 500), ('fashion_mnist_small', 500)])
def test_the_vae_is_annealed_as_fp_vae_is(dataset, steps):
  """Section 4.1: "experiments involving either VAE or FP-VAE"."""
  cells = {j.cell: j for j in sweeping.read(
      f'{PAPER}/fig3_{dataset}.sweep').jobs}
  built = [(build(cells[c].gin_files, cells[c].bindings), term)
           for c, term in (('vae', 'kl'), ('fp_vae_beta_1', 'kl_flow'))]
  for step in (0, 1, steps // 3, steps, 4 * steps):
    for model, term in built:
      model.step.assign(step)
      assert float(model.weight(term)) == pytest.approx(
          1e-2 * min(step / steps, 1.), rel=1e-5)


@pytest.mark.parametrize('dataset, job', jobs(), ids=lambda v: getattr(
    v, 'cell', v))
def test_a_critic_and_its_opponents_have_less_momentum(dataset, job):
  del dataset
  model = build(job.gin_files, job.bindings)
  found = {part: float(o.beta_1) for part, o in model.optimizers.items()}
  less = {'aae': {'critic', 'encoder'},
          'prior': {'critic', 'encoder', 'prior'}}.get(
              job.cell.split('_')[0], set())
  assert found == {p: 0.5 if p in less else 0.9 for p in model.parts}


def test_figure_2_is_an_fp_ae_with_two_latents():
  model = build([f'{PAPER}/fig2_mnist_2d.gin'])
  assert model.name == 'fp_ae' and model.latent_dim == 2
  assert model.prior is model.flow and model.prior.label == 'learned_real_nvp'


@pytest.mark.parametrize('flow', ['real_nvp', 'maf'])
def test_the_flow_is_a_setting(flow):
  model = build([f'{PAPER}/mnist.gin', 'models/fp_vae.gin'],
                [f'FlowPrior.flow = {flow!r}'])
  assert model.prior.label == f'learned_{flow}'
  assert len(model.prior.flow.nets) == 4
  assert model.prior.flow.hidden_units == (64, 64)


@pytest.mark.parametrize('beta', ['vae', 'ae'])
def test_flow_matching_in_the_flows_place(beta):
  model = build([f'{PAPER}/mnist.gin', f'models/fp_{beta}.gin',
                 'settings/flow_matching_prior.gin'], [])
  assert model.prior.label == 'learned_flow_matching'
  assert model.prior is model.parts['prior']


def test_the_rows_of_table_1():
  rows = sweeping.read(f'{PAPER}/table1_celeba.sweep').jobs
  assert [j.cell for j in rows] == ['vae', 'beta_vae', 'fp_ae', 'pg_gan']
  for job in rows:
    configuration.parse(job.gin_files, [*job.bindings, 'base_filters = 1'])
    model = checkpoints.build(**checkpoints.build_settings())
    # Section 5: a 128x128 region of the face, 128 latents, VGG19's layers.
    assert model.image_shape == (128, 128, 3) and model.latent_dim == 128
    assert model.name == job.cell
    assert configuration.setting('PerceptualError.layers') == (
        'relu1_1', 'relu2_1', 'relu3_1', 'relu4_1')
    assert configuration.setting('PerceptualError.relative') is False
