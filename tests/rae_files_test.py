"""The gin files of the RAE paper, held against its Table 1 and its code.

Both stand here once more, written by hand.
"""
import pathlib
import re

import keras
import numpy as np
import pytest

from pgak import data
from pgak import networks
from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration

registry.register()

GIN = pathlib.Path(__file__).absolute().parent.parent / 'gin'
FOLDER = 'papers/rae_iclr2020'
DATASETS = ('mnist', 'cifar10', 'celeba')
TITLES = {'mnist': 'MNIST', 'cifar10': 'CIFAR-10', 'celeba': 'CelebA'}

# Table 1: FID of reconstructions, N, mixture, interpolations, on each set.
TABLE_1 = """
vae 18.26 19.21 17.66 18.21 57.94 106.37 103.78 88.62 39.12 48.12 45.52 44.49
cv_vae 15.15 33.79 17.87 25.12 37.74 94.75 86.64 69.71 40.41 48.87 49.30 44.96
wae_mmd 10.03 20.42 9.39 14.34 35.97 117.44 93.53 76.89 34.81 53.67 42.73 40.93
rae_gp 14.04 22.21 11.54 15.32 32.17 83.05 76.33 64.08 39.71 116.30 45.63 47.00
rae_l2 10.53 22.22 8.69 14.54 32.24 80.80 74.16 62.54 43.52 51.13 47.97 45.98
rae_sn 15.65 19.67 11.74 15.15 27.61 84.25 75.30 63.62 36.01 44.74 40.95 39.53
rae 11.67 23.92 9.81 14.67 29.05 83.87 76.28 63.27 40.18 48.20 44.68 43.67
ae 12.95 58.73 10.66 17.12 30.52 84.74 76.47 61.57 40.79 127.85 45.10 50.94
"""
# The released weights by set: (w of the KL or of the latents' square, the
# regulariser's), learning rate, epochs.
RELEASED = {
    'vae': [(.312, 0, 1e-4, 100), (.024, 0, 1e-4, 100), (.09024, 0, 1e-4, 70)],
    'cv_vae': [(.039, 0, 1e-4, 100), (9e-4, 0, 1e-4, 70), (.01, 0, 1e-4, 70)],
    'wae_mmd': [(0, .03, 1e-3, 100), (0, .006, 1e-3, 70), (0, 100, 1e-3, 70)],
    'rae_gp': [(1e-4, 5e-8, 5e-4, 100), (9e-4, 0, 5e-4, 100),
               (1e-4, 1e-7, 1e-3, 70)],
    'rae_l2': [(1e-4, 1e-7, 5e-4, 100), (1e-3, 1e-6, 5e-4, 100),
               (1e-4, 1e-7, 1e-3, 70)],
    'rae_sn': [(9e-3, 0, 5e-4, 100), (.03, 0, 5e-4, 100),
               (2.4e-3, 0, 1e-3, 70)],
    'rae': [(5e-4, 0, 5e-4, 100), (.01, 0, 5e-4, 100), (1e-4, 0, 1e-3, 70)],
    'ae': [(0, 0, 5e-4, 100), (0, 0, 5e-4, 100), (0, 0, 1e-3, 70)],
}
LATENTS = {'mnist': 16, 'cifar10': 128, 'celeba': 64}
SIDE = {'mnist': 32, 'cifar10': 32, 'celeba': 64}
# Whole batches of 100 in 50,000, 40,000 and 162,770 images.
STEPS = {'mnist': 500, 'cifar10': 400, 'celeba': 1627}
REGULARISER = {'rae_gp': 'gradient_penalty', 'rae_l2': 'decoder_l2',
               'wae_mmd': 'mmd'}
CELLS = [(model, dataset) for model in RELEASED for dataset in DATASETS]


def _files():
  return {p.name for p in (GIN / FOLDER).glob('*.gin')}


def _build(model, dataset, *bindings):
  configuration.parse([f'{FOLDER}/{model}_{dataset}.gin'], bindings)
  return checkpoints.build(**checkpoints.build_settings())


def test_every_cell_has_its_file():
  assert _files() == {f'{m}_{d}.gin' for m, d in CELLS} | {
      f'{name}_{d}.gin' for name in ('common', 'rae_gp_eq17')
      for d in DATASETS}


@pytest.mark.parametrize('model, dataset', CELLS)
def test_a_header_tells_the_row_and_the_commands(model, dataset):
  lines = (GIN / FOLDER / f'{model}_{dataset}.gin').read_text().splitlines()
  end = next(i for i, line in enumerate(lines) if not line.startswith('#'))
  text = ' '.join(' '.join(li.lstrip('# ') for li in lines[:end]).split())
  name = {'wae_mmd': 'WAE'}.get(model, model.upper().replace('_', '-'))
  assert f'Table 1, row {name}, {TITLES[dataset]}: FID' in text
  row = next(r.split() for r in TABLE_1.strip().splitlines()
             if r.startswith(f'{model} '))
  first = 1 + 4 * DATASETS.index(dataset)
  found = re.findall(r'\b\d+\.\d\d\b', text.split('pgak_train')[0])
  assert found == row[first:first + 4]
  assert f'--gin_file={FOLDER}/{model}_{dataset}.gin' in text
  assert '--protocol=rae_iclr2020' in text and '--checkpoint=best' in text
  epochs = RELEASED[model][DATASETS.index(dataset)][3]
  assert f'{epochs} epochs' in text and 'not run' in text
  released = text.split('Released settings: ')[1]
  rate = RELEASED[model][DATASETS.index(dataset)][2]
  assert (f'Adam at {rate:g}'.replace('e-0', 'e-').replace('0.0001', '1e-4')
          .replace('0.0005', '5e-4') in released) == (rate != 1e-3)
  assert ('batches of 1,000, printed 100' in released) == (
      (model, dataset) == ('vae', 'celeba'))
  assert ('70 epochs, printed 100' in released) == (
      epochs == 70 and dataset != 'celeba')
  assert 'a linear stem of the decoder' in released


@pytest.mark.parametrize('model, dataset', CELLS)
def test_a_file_has_the_settings_of_its_authors(model, dataset):
  built = _build(model, dataset, 'base_filters = 2')
  w, regulariser, rate, epochs = RELEASED[model][DATASETS.index(dataset)]
  h, side = LATENTS[dataset], SIDE[dataset]
  setting = configuration.setting
  weights = built.term_weights
  if model == 'vae':  # On a sum over pixels of the mean over channels.
    assert weights['kl'] == pytest.approx(w * h / side**2, rel=0.01)
  elif model == 'cv_vae':
    assert weights['latent_l2'] == pytest.approx(w * h / (2 * side**2),
                                                 rel=0.01)
    assert built.posterior_sigma == 0.7
  elif model not in ('ae', 'wae_mmd'):
    assert weights['latent_l2'] == w
  if (model, dataset) == ('wae_mmd', 'celeba'):
    regulariser = 100. / (0.05 * 64 * 64 * 3)
  if model in REGULARISER:
    assert weights[REGULARISER[model]] == pytest.approx(regulariser, rel=0.01)
  if model == 'rae_l2':
    assert built.dense_kernels == (dataset == 'celeba')
  if model == 'rae_gp':
    assert built.variant == 'released'
  normalised = [layer for net in built.parts.values() for layer in net.layers
                if isinstance(layer, networks.SpectralNormalization)]
  assert bool(normalised) == (model == 'rae_sn')
  if model == 'rae_sn':
    assert not _bare_kernels(built)
  if model == 'vae':  # log sigma = 5 tanh(.), from 0 on.
    assert setting('encoder.sigma_head') == 'tanh'
    bias = built.encoder.get_layer('log_variance').bias.numpy()
    np.testing.assert_allclose(bias, 0.)
  if model == 'wae_mmd':
    assert built.input_noise == (0.01 if dataset == 'celeba' else 0.)
  assert setting('adam.learning_rate') == rate
  batch = 1000 if (model, dataset) == ('vae', 'celeba') else 100
  steps = STEPS[dataset] if batch == 100 else 162
  assert setting('train.batch_size') == batch
  assert setting('train.steps') == epochs * steps
  assert setting('train.validate_every') == steps
  assert setting('train.checkpoint_every') == steps
  assert setting('train.best_by') == 'validation_loss'
  assert setting('train.plateau_patience') == 5
  assert setting('train.plateau_factor') == 0.5
  assert setting('train.learning_rate_schedule') is None
  assert built.latent_dim == h and built.value_range == (0., 1.)
  assert built.image_shape == (side, side, 1 if dataset == 'mnist' else 3)
  for part in ('encoder', 'decoder'):
    assert setting(f'rae_{part}.kernel_size') == (4 if side == 32 else 5)
  assert setting('rae_encoder.centred') == (side == 32)


def _bare_kernels(model):
  return [layer.name for net in model.parts.values() for layer in net.layers
          if isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D,
                                keras.layers.Conv2DTranspose))]


@pytest.mark.parametrize('dataset', DATASETS)
def test_equation_17_is_a_file_beside_the_released_penalty(dataset):
  built = _build('rae_gp_eq17', dataset, 'base_filters = 2')
  released = _build('rae_gp', dataset, 'base_filters = 2')
  assert (built.variant, built.gradient_penalty) == ('probe', 1e-2)
  assert built.latent_l2 == released.latent_l2
  text = (GIN / FOLDER / f'rae_gp_eq17_{dataset}.gin').read_text()
  assert 'eq. 17' in text and 'not run' in text
  assert f'--gin_file={FOLDER}/rae_gp_eq17_{dataset}.gin' in text
  sweep = (GIN / FOLDER / 'table1_cifar10.sweep').read_text()
  assert 'so that it is an RAE' in sweep


@pytest.mark.parametrize('net, dataset', [
    ('conv_digits', 'digits'), ('conv_mnist', 'mnist'), ('conv_32', 'cifar10'),
    ('conv_64', 'celeb_a'), ('rae_32', 'mnist_32'),
    ('rae_64', 'celeb_a_crop140')])
def test_rae_sn_normalises_every_kernel_of_these_nets(net, dataset):
  configuration.parse(
      ['base.gin', f'datasets/{dataset}.gin', f'networks/{net}.gin',
       'recipes/modern.gin', 'models/rae_sn.gin'],
      ['latent_dim = 3', 'base_filters = 2', 'train.steps = 1'])
  model = checkpoints.build(**checkpoints.build_settings())
  assert not _bare_kernels(model)


@pytest.mark.parametrize('dataset', DATASETS)
def test_the_nets_are_of_the_authors_size(dataset):
  configuration.parse([f'{FOLDER}/ae_{dataset}.gin'])
  assert configuration.setting('rae_encoder.base_filters') == 128
  assert configuration.setting('rae_decoder.stem') == 'linear'
  dataset = configuration.setting('train.dataset')()
  split = configuration.setting('train.validation_split')
  assert split == 'validation' and split in dataset.splits


@pytest.mark.parametrize('model', RELEASED)
def test_each_model_steps(model):
  built = _build(model, 'cifar10', 'base_filters = 2',
                 'train.dataset = @synthetic', 'synthetic.image_shape = '
                 '%image_shape')
  images = configuration.setting('train.dataset')().split('train')
  batch = next(iter(data.train_batches(images, 4, seed=0,
                                       value_range=built.value_range)))
  logs = built.train_step(batch)
  assert np.all(np.isfinite([float(v) for v in logs.values()]))
  assert float(np.min(batch)) >= 0.
