"""Nets, optimizers, budgets and protocols of every sweep, written by hand.

From the papers and their authors' code; where a paper is silent, as the header
of the sweep's files says, ours. Weights are in `sweep_sources`.
"""
from typing import NamedTuple

__all__ = ['PROTOCOLS', 'Recipe', 'adam', 'protocols_of', 'recipe_of', 'sgd']


def sgd(rate, momentum=0.9):
  return {'name': 'SGD', 'learning_rate': rate, 'momentum': momentum,
          'nesterov': False}


def adam(rate, beta_1=0.9, beta_2=0.999, average=None):
  return {'name': 'Adam', 'learning_rate': rate, 'beta_1': beta_1,
          'beta_2': beta_2, 'average': average}


class Recipe(NamedTuple):
  """What a cell trains by.

  Attributes:
    net: name of the encoder and the decoder.
    filters: of the widest or the first convolution, as its setting counts.
    kernel: sides of the first convolution's kernel.
    batch_norm: whether the nets have it.
    batch: images in a step.
    steps: in all.
    optimizer: of each part that `optimizers` does not name.
    optimizers: by part.
    schedule: whether the rates follow a schedule.
  """
  net: str
  filters: int | tuple
  kernel: int | None
  batch_norm: bool
  batch: int
  steps: int
  optimizer: dict
  optimizers: dict = {}
  schedule: bool = False


# === Perceptual generative autoencoders: the authors' commands ===


def pga(dataset, cell):
  # Epochs of whole batches of 64 of 60,000, 50,000 and 202,599 images: 600,
  # 400, and 100, of VPGA 60.
  net, kernel, norm, steps, rate = {
      'mnist': ('conv_mnist', 5, False, 600 * 937, .1),
      'cifar10': ('dcgan', 5, True, 400 * 781, .2),
      'celeba': ('dcgan', 5, True, 100 * 3165, .4)}[dataset]
  if dataset == 'celeba' and cell.startswith('vpga'):
    steps = 60 * 3165
  return Recipe(net, 64, kernel, norm, 64, steps, sgd(rate))


def claims(cell):
  # recipes/modern.gin, a quarter of the width.
  steps = 5400 if cell in ('vae', 'rae') else 2000
  return Recipe('conv_mnist', 16, 5, False, 64, steps,
                adam(1e-3, .9, .99, .99), schedule=True)


def ten_minutes(cell):
  # Steps: 600 core-seconds over a step's time, as the file says.
  steps = {'ae': 14500, 'rae': 14700, 'vae': 14400, 'wae_mmd': 15100,
           'aae': 13800, 'vpga': 5700, 'fp_vae': 14500, 'prior_aae': 13400,
           'no_prior_matching': 4000, 'soft_intro_vae': 3300}[cell]
  optimizers = {}
  if cell == 'no_prior_matching':
    latents = adam(1e-3, 0., .9, .999)
    optimizers = {'image_critic': adam(1e-3, .5, .99, .999),
                  'latent_critic': latents, 'prior': latents}
  return Recipe('conv_mnist', 32, 5, False, 64, steps,
                adam(1e-3, .9, .99, .999), optimizers, schedule=True)


# === Regularised autoencoders: the released configurations ===


def rae(dataset, cell):
  rate = {'vae': 1e-4, 'cv_vae': 1e-4, 'wae_mmd': 1e-3}.get(
      cell, 1e-3 if dataset == 'celeba' else 5e-4)
  # Whole batches of 100 of 50,000, 40,000 and 162,770 images.
  an_epoch = {'mnist': 500, 'cifar10': 400, 'celeba': 1627}[dataset]
  epochs = {'mnist': 100, 'cifar10': 100, 'celeba': 70}[dataset]
  batch, filters = 100, 128
  if dataset == 'cifar10' and cell in ('cv_vae', 'wae_mmd'):
    epochs = 70
  if dataset == 'celeba' and cell == 'vae':
    batch, an_epoch = 1000, 162
  if dataset == 'celeba' and cell == 'cv_vae':
    filters = 64
  return Recipe('rae', filters, 5 if dataset == 'celeba' else 4, True, batch,
                epochs * an_epoch, adam(rate))


# === Learned priors: the paper's nets, its supplement's settings ours ===


def opponents(cell):
  """Less momentum for a discriminator of latents and its opponents."""
  parts = ['critic'] + (['encoder'] if 'aae' in cell else []) + (
      ['prior'] if 'prior_aae' in cell else [])
  return dict.fromkeys(parts, adam(1e-3, .5))


def figure_3(cell, filters=64, steps=200000):
  return Recipe('conv_mnist', filters, 4, True, 64, steps, adam(1e-3),
                opponents(cell))


def pg_gan(filters, steps, batch, average):
  optimizers = {'decoder': adam(1e-3, 0., .99, average),
                'image_critic': adam(1e-3, 0., .99)}
  return Recipe('pg_gan', filters, None, True, batch, steps, {}, optimizers)


def celeba_128(cell):
  if cell == 'pg_gan':
    return pg_gan(128, 200000, 64, .999)
  return Recipe('resnet_128', 64, None, True, 64, 200000, adam(1e-3))


# === Generation without prior matching: Mimicry's nets, Adam(0, .9) for the
# latent GAN, else beta_1 = .5 ===


def no_prior_matching(net, filters, kernel, steps, rate=2e-4):
  latents = adam(rate, 0., .9)
  return Recipe(net, filters, kernel, True, 64, steps, adam(rate, .5),
                {'latent_critic': latents, 'prior': latents})


def npm_small(cell):
  if cell == 'pg_gan':
    return pg_gan(8, 5000, 32, .995)
  found = no_prior_matching('conv_mnist', 16, 4, 5000, 1e-3)
  if cell == 'sn_gan':
    return found._replace(optimizer=adam(1e-3, 0., .9))
  if cell == 'untrained':
    return found._replace(steps=1)
  if cell == 'alae':
    return found._replace(optimizer=adam(3e-4, .5), optimizers={},
                          batch_norm=None)  # Of the decoder alone.
  return found


def swiss_roll(cell):
  modern = adam(3e-3, .9, .99, .995)
  optimizers = {
      'no_prior_matching': {
          'image_critic': adam(3e-3, .5, .99, .995),
          'latent_critic': adam(1e-3, 0., .9, .995),
          'prior': adam(5e-4, 0., .9, .995)},
      'aae': {'critic': adam(3e-3, .5, .99, .995)}}.get(cell, {})
  modern = {'alae': adam(1e-3, .5, .99, .995),
            'age': adam(3e-3, .5, .99, .995)}.get(cell, modern)
  return Recipe('mlp', (128, 128, 128), None, None, 512, 5000, modern,
                optimizers, True)


def recipe_of(name, cell):
  """Returns the `Recipe` of a cell of a sweep, by names as in `CELLS`."""
  paper, _, sweep = name.rpartition('/')
  dataset = sweep.split('_')[-1]
  if name == 'quick':
    return Recipe('conv_digits', 32, 3, False, 64, 500,
                  adam(1e-3, .9, .99, .99), schedule=True)
  if sweep == 'claims_mnist_small':
    return claims(cell)
  if sweep == 'ten_minutes':
    return ten_minutes(cell)
  if sweep == 'regularisers':
    return Recipe('conv_mnist', 32, 5, False, 64,
                  5700 if cell == 'vpga' else 14400,
                  adam(1e-3, .9, .99, .999), schedule=True)
  if sweep == 'errors_mnist':  # Five epochs.
    return Recipe('conv_mnist', 32, 5, False, 128, 2340,
                  adam(1e-3, .9, .999, .995), schedule=True)
  if sweep == 'latents_cifar10':  # Four epochs.
    return Recipe('dcgan', 48, 5, False, 128, 1550,
                  adam(1e-3, .9, .999, .995), schedule=True)
  if paper in ('pga_icml2020', 'pga_workshop2019'):
    return pga(dataset, cell)
  if paper == 'rae_iclr2020':
    found = rae(dataset if 'table1' in sweep and 'small' not in sweep
                else 'mnist', 'vae' if 'fig' in sweep else cell)
    small = {'fig1_k_samples': {'filters': 32},
             'fig2_kl_weight': {'filters': 32},
             'table1_mnist_small': {'filters': 8, 'steps': 1000,
                                    'optimizer': adam(1e-3)}}
    return found._replace(**small.get(sweep, {}))
  if name == 'no_prior_matching/table1_celeba':
    return no_prior_matching('sngan', 64, 3, 25 * 2543)
  return _OTHERS[sweep](cell)


_OTHERS = {
    **dict.fromkeys(['fig3_mnist', 'fig3_fashion_mnist', 'fig3_cifar10'],
                    figure_3),
    **dict.fromkeys(['fig3_mnist_small', 'fig3_fashion_mnist_small'],
                    lambda cell: figure_3(cell, 16, 2000)),
    'search_gmmn_mnist': lambda cell: figure_3(cell, 16, 6000)._replace(
        batch=250),
    'table1_celeba_small': lambda cell: Recipe(
        'dcgan', 16, 5, True, 64, 2000, adam(1e-3)),
    'table2_pairs': lambda cell: Recipe(
        None, 8, None, None, 32, 2000, adam(1e-3, .9, .99), schedule=True),
    'fig6_mnist': lambda cell: no_prior_matching(
        'conv_mnist', 64, 4, 25 * 937),
    'mnist_small': npm_small,
    'search_mnist': lambda cell: no_prior_matching(
        'conv_mnist', 16, 4, 1500, 1e-3),
    'sphere_mnist': lambda cell: no_prior_matching(
        'conv_mnist', 16, 4, 2000, 1e-3),
    'search_celeba': lambda cell: no_prior_matching('sngan', 64, 3, 5 * 2543),
    'search_cifar10': lambda cell: no_prior_matching('sngan', 128, 3, 5 * 781),
    'table1_celeba': celeba_128,
    'table2_cifar10': lambda cell: no_prior_matching(
        'sngan', 128, 3, 25 * 781),
    'swiss_roll': swiss_roll, 'swiss_roll_same_nets': swiss_roll,
}


# === Protocols ===

# Features, samples, split, number of references, rounding, batch norm.
_PUBLISHED = {
    # 5,000 against the training images, by the batch's statistics, truncated.
    'pga_icml2020': (('pool_3',), 5000, 'train', None, 'truncate', 'train'),
    # 10,000 against the first 10,000 of test.
    'rae_iclr2020': (('pool_3',), 10000, 'test', 10000, 'truncate',
                     'inference'),
    # 50,000 against all of training.
    'no_prior_matching_2021': (('pool_3',), 50000, 'train', None, 'nearest',
                               'inference'),
    # StyleGAN's 200,000 latents.
    'stylegan_separability': ((), 200000, 'test', None, 'nearest',
                              'inference'),
}
_OURS = {
    'quick': (('classifier_or_random',), None, 'all', 10000, 'nearest',
              'inference'),
    'fid768_test': (('768',), 5000, 'test', 10000, 'nearest', 'inference'),
    'rae_quick': (('classifier',), None, 'test', 10000, 'truncate',
                  'inference'),
    'no_prior_matching_fid768': (('768', 'classifier'), 1000, 'test', 10000,
                                 'nearest', 'inference'),
    'learned_priors_separability': ((), 20000, 'test', None, 'nearest',
                                    'inference'),
    'learned_priors_pairs': (('classifier',), None, 'test', 10000, 'nearest',
                             'inference'),
    'vectors': ((), 5000, 'test', None, 'nearest', 'inference'),
}
PROTOCOLS = _PUBLISHED | _OURS | {
    'pga_icml2020 of all': (('pool_3',), 5000, 'all', None, 'truncate',
                            'train')}


def protocols_of(name):
  """Returns the names of the protocols of a sweep's evaluations, in order."""
  paper, _, sweep = name.rpartition('/')
  mixed = {'quick': ['quick'], 'search_digits': ['quick'],
           'ten_minutes': ['fid768_test'] * 3,
           'regularisers': ['fid768_test'] * 2,
           'errors_mnist': ['fid768_test'],
           'latents_cifar10': ['fid768_test'] * 2,
           'claims_mnist_small': ['fid768_test'] * 2,
           'components': ['rae_iclr2020'] * 7,
           'search_gmmn_mnist': ['rae_quick'], 'search_mnist': ['rae_quick'],
           'sphere_mnist': ['quick'], 'table2_pairs': ['learned_priors_pairs'],
           'table1_celeba_small': ['learned_priors_separability']}
  if sweep in mixed:
    return mixed[sweep]
  if 'swiss_roll' in sweep:
    return ['vectors']
  if paper == 'no_prior_matching':
    is_small = 'search' in sweep or 'small' in sweep
    return ['no_prior_matching_fid768' if is_small
            else 'no_prior_matching_2021']
  if paper in ('pga_workshop2019', 'pga_icml2020'):
    # Of CelebA the authors train on all images, and compare with them.
    return ['pga_icml2020 of all' if 'celeba' in sweep else 'pga_icml2020']
  # That of the FID of the paper on learned priors is not known: the RAE's.
  fid = ['rae_quick' if 'small' in sweep else 'rae_iclr2020']
  return (['stylegan_separability'] + fid
          if name == 'learned_priors/table1_celeba' else fid)
