"""The files of the PGA papers, held against the papers' tables.

What their authors' commands say stands here once more, written by hand.
"""
import pathlib
import re

import numpy as np
import pytest
import shipped_files
from shipped_files import SYNTHETIC
from shipped_files import build
from shipped_files import shipped
from shipped_files import step

from pgak import optimizers
from pgak.runs import configuration

# Of the authors' commands (the repository's README; "zn_rec", "zh_rec", "nll",
# "vrec", "vkld"): net, epochs, learning rate, batch norm, H, alpha, beta,
# gamma, weight of eq. 12's error (VPGA) or gamma' (LVPGA), eta, warm-up. Then
# the paper's FID (ICML 2020, Table 1).
COMMANDS = """
lpga  mnist   mnist 600 0.1 no  12  6e-2 0    1.5e-2 -      -    3000 10.34 0.15
lpga  cifar10 32    400 0.2 yes 128 3e-2 0    1.5e-2 -      -    3000 55.87 0.25
lpga  celeba  64    100 0.4 yes 128 3e-2 1e-2 1e-2   -      -    3000 14.53 0.52
vpga  mnist   mnist 600 0.1 no  32  6e-2 0    -      1e-2   2e-2 0    4.97  0.07
vpga  cifar10 32    400 0.2 yes 128 3e-2 0    -      5e-3   3e-2 0    51.51 1.16
vpga  celeba  64    60  0.4 yes 128 3e-2 1e-2 -      1e-2   2e-3 0    24.73 1.25
lvpga mnist   mnist 600 0.1 no  32  6e-2 0    0      2e-2   2e-2 3000 6.32  0.16
lvpga cifar10 32    400 0.2 yes 128 3e-2 0    2e-2   1.5e-2 5e-2 3000 52.94 0.89
lvpga celeba  64    100 0.4 yes 128 3e-2 1e-2 1e-2   1e-2   5e-3 3000 13.80 0.20
vae   mnist   mnist 600 0.1 no  32  -    -    -      -      -    0    13.83 0.06
vae cifar10 32 400 0.2 yes 128 - - - - - 0 115.74 0.63
vae   celeba  64    100 0.4 yes 128 -    -    -      -      -    0    43.60 0.33
"""
TABLE = {f'{row[0]}_{row[1]}': row
         for row in map(str.split, COMMANDS.strip().splitlines())}
# Whole batches of 64 in 60,000, 50,000 and 202,599 images.
STEPS_PER_EPOCH = {'mnist': 937, 'cifar10': 781, 'celeba': 3165}
COLUMNS = {'mnist': 'MNIST', 'cifar10': 'CIFAR-10', 'celeba': 'CelebA'}
ICML = 'papers/pga_icml2020'
WORKSHOP = 'papers/pga_workshop2019'
# Quoted in section 4, of CIFAR-10.
GANS = {f'{ICML}/wgan_gp_cifar10.gin': '40.2',
        f'{ICML}/sn_gan_cifar10.gin': '25.5'}
# Of the workshop paper's table, where it differs from the later one's.
WORKSHOP_FIDS = {'lpga_mnist': '12.06 +- 0.12', 'vpga_mnist': '11.67 +- 0.21',
                 'vae_mnist': '15.55 +- 0.18'}


def weights_of(model):
  """Which columns of the table are which terms of a model."""
  return {
      'lpga': {'latent_reconstruction': 7, 'data_latent_reconstruction': 8,
               'nll_encoder': 9, 'nll_decoder': 9},
      'vpga': {'latent_reconstruction': 7, 'data_latent_reconstruction': 8,
               'variational_reconstruction': 10, 'kl': 11},
      'lvpga': {'latent_reconstruction': 7, 'data_latent_reconstruction': 8,
                'nll_encoder': 9, 'variational_nll': 10, 'kl': 11},
      'vae': {},
  }[model]


PGA = shipped(ICML) + shipped('papers/pga_workshop2019')


def test_the_table_has_its_files():
  assert set(shipped(ICML)) == {
      *(f'{ICML}/{name}.gin' for name in TABLE),
      *(f'{ICML}/fig4_lpga_{d}.gin' for d in COLUMNS),
      *(f'{ICML}/{m}_celeba_crop140.gin'
        for m in ('vae', 'lpga', 'vpga', 'lvpga')), *GANS}
  assert set(shipped(WORKSHOP)) == {
      f'{WORKSHOP}/{m}_{d}.gin' for m in ('vae', 'lpga', 'vpga')
      for d in COLUMNS}


@pytest.mark.parametrize('name', TABLE)
def test_a_file_has_the_settings_of_its_authors(name):
  configuration.parse([f'{ICML}/{name}.gin'])
  setting = configuration.setting
  (model, data_name, net, epochs, rate, batch_norm, latent_dim, *_) = TABLE[
      name]
  for term, column in weights_of(model).items():
    assert setting(f'{model.upper()}.{term}') == float(TABLE[name][column])
  assert setting('train.steps') == int(epochs) * STEPS_PER_EPOCH[data_name]
  assert setting('train.batch_size') == 64
  assert setting('train.optimizer').__name__ == optimizers.sgd.__name__
  assert setting('sgd.learning_rate') == float(rate)
  assert setting('sgd.momentum') == 0.9
  assert not setting('sgd.nesterov')
  for unused in ('train.learning_rate_schedule', 'train.clip_norm',
                 'train.augmenter', 'train.optimizers', 'sgd.ema_decay'):
    assert setting(unused) is None
  for part in ('encoder', 'decoder'):
    assert setting(f'{part}.latent_dim') == int(latent_dim)
    builder = 'conv_mnist' if net == 'mnist' else 'dcgan'
    assert setting(f'{part}.network').__name__ == f'{builder}_{part}'
    assert setting(f'{builder}_{part}.batch_norm') == (batch_norm == 'yes')
    assert setting(f'{builder}_{part}.base_filters') == 64
    if net != 'mnist':
      assert setting(f'dcgan_{part}.num_layers') == {'32': 3, '64': 4}[net]
  assert setting('decoder.value_range') == (-1., 1.)


@pytest.mark.parametrize('name', TABLE)
def test_a_built_model_has_the_constants_of_its_authors(name):
  small = build([f'{ICML}/{name}.gin', SYNTHETIC], 'base_filters = 2')
  model, warm_up = TABLE[name][0], int(TABLE[name][12])
  if model in ('lpga', 'lvpga'):
    assert small.warm_up_steps == warm_up == 3000
    small.step.assign(3000)
    assert float(small.weight('latent_reconstruction')) == 0.
    assert float(small.weight('reconstruction')) == 1.
    small.step.assign(3001)
    assert float(small.weight('latent_reconstruction')) == pytest.approx(
        float(TABLE[name][7]))
    small.step.assign(0)
  if model == 'lpga':
    assert small.epsilon == 1e-2 and small.perturbation == 'sphere'
  if model == 'lvpga':
    assert small.sigma_floor == 1e-2
  if model == 'vpga':
    assert not small.warm_up_steps
    assert small.likelihood_sigma is None and small.posterior_sigma is None
  if small.is_stochastic:  # exp(log_variance / 2) = 0.1 at first
    bias = small.encoder.get_layer('log_variance').bias.numpy()
    np.testing.assert_allclose(np.exp(bias / 2.), 0.1, rtol=1e-6)
  step(small)


@pytest.mark.parametrize('name', [n for n in TABLE if n.endswith('celeba')])
def test_celeb_a_is_cropped_and_not_split_as_by_its_authors(name):
  configuration.parse([f'{ICML}/{name}.gin'])
  assert configuration.setting('train.split') == 'all'
  assert configuration.setting('train.dataset')().name == 'celeb_a_crop108'


@pytest.mark.parametrize('name', GANS)
def test_the_gans_that_are_quoted(name):
  model = build([name, SYNTHETIC], 'base_filters = 2')
  assert model.latent_dim == 128 and model.critic_steps == 5
  assert configuration.setting('train.steps') == 100_000
  on = {t: model.term_weights.get(t, 1.) for t in model.term_names}
  rates = [float(o.learning_rate) for o in model.optimizers.values()]
  if 'wgan' in name:  # Gulrajani et al., algorithm 1.
    assert on == {'discrimination': 1., 'gradient_penalty': 10.,
                  'adversarial': 1.}
    assert rates == pytest.approx([1e-4, 1e-4])
    model.run_steps = 4  # Its net does not grow.
    assert float(model.level(1)) == 0.
  else:
    assert rates == pytest.approx([2e-4, 2e-4])
  assert {(o.beta_1, o.beta_2, o.use_ema) for o in model.optimizers.values()
          } == {(0., 0.9, False)}
  step(model)


@pytest.mark.parametrize('name', [n for n in PGA if n not in GANS and (
    pathlib.Path(n).stem not in TABLE or ICML not in n)])
def test_each_other_paper_file_steps(name):
  model = build([name, SYNTHETIC], 'base_filters = 2')
  step(model)
  if 'crop140' in name:
    assert configuration.setting('celeb_a.crop') == 140
    assert configuration.setting('train.split') == 'all'
  base = pathlib.Path(name).stem.removeprefix('fig4_').removesuffix('_crop140')
  other = build([f'{ICML}/{base}.gin', SYNTHETIC], 'base_filters = 2')
  on = {t: model.term_weights.get(t) for t in model.term_names}
  if 'fig4' in name:
    assert not {'latent_reconstruction', 'data_latent_reconstruction'} & set(on)
    assert {'reconstruction', 'nll_encoder', 'nll_decoder'} == set(on)
  else:
    assert set(on) == set(other.term_names)
    if f'{WORKSHOP}/vpga' in name:  # As it is printed: one weight, and no cut.
      assert (model.likelihood_sigma, model.direct_gradient) == (1., True)
      eta = float(TABLE[base][11])
      assert (on['variational_reconstruction'], on['kl']) == (eta / 2., eta)
    if WORKSHOP in name and 'mnist' in name:
      assert shipped_files.activations(model) == 2
      assert shipped_files.activations(other) == 3


def header(name):
  """Returns the comment at the top of a file as one line."""
  lines = (shipped_files.GIN / name).read_text(encoding='utf-8').splitlines()
  end = next(i for i, line in enumerate(lines) if not line.startswith('#'))
  return ' '.join(' '.join(line.lstrip('# ') for line in lines[:end]).split())


@pytest.mark.parametrize('name', PGA)
def test_the_header_of_a_paper_file(name):
  text, stem = header(name), pathlib.Path(name).stem
  assert text.startswith('Perceptual Generative Autoencoders (IC')
  command = re.search(
      r'pgak_train --run_dir=(\S+) \\ --gin_file=(\S+)', text)
  assert command and command.group(2) == name
  if name in GANS:
    assert f'FID {GANS[name]} of' in text and 'Ours: not run' in text
    return
  if 'crop140' in stem:
    assert 'supplement' in text and '140x140' in text and 'not run' in text
    return
  if stem.startswith('fig4'):
    assert 'fig. 4' in text and COLUMNS[stem.split('_')[-1]] in text
    return
  row = TABLE[stem]
  assert f'Table 1, row {row[0].upper()}, column {COLUMNS[row[1]]}' in text
  fid = f'{row[13]} +- {row[14]}'
  assert f'FID {WORKSHOP_FIDS.get(stem, fid) if ICML not in name else fid}.' \
      in text
  assert re.search(r'\bOurs: ', text), 'what we measured is not told'
  assert ('pgak_evaluate --run_dir=' + command.group(1)
          + ' --protocol=pga_icml2020') in text
  if ICML in name:
    assert f'{row[3]} epochs' in text


@pytest.mark.parametrize('name', [n for n in TABLE if n.startswith('vae')])
def test_the_spread_of_the_vae_is_told_and_meant(name):
  """2 s^2 H / D, in the header's s."""
  configuration.parse([f'{ICML}/{name}.gin'])
  s = float(re.search(r'\bs = (0\.\d+)', header(f'{ICML}/{name}.gin')).group(1))
  shape = configuration.setting('encoder.image_shape')
  expected = 2. * s**2 * int(TABLE[name][6]) / np.prod(shape)
  assert configuration.setting('VAE.kl') == pytest.approx(expected, rel=0.05)
