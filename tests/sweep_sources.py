"""The weights of every cell of every sweep, worked out by hand from its source.

A source that minimises `a sum{ err^2 : D } + b T` gives `b / (a D) * n` on the
mean of T, n the numbers that T sums over (H for a KL term, 1 for what is a
scalar), beside a mean squared error. On [-1, 1] that error is 4 times the one
on [0, 1], and so is the weight of a term that does not measure images.
"""
import math

__all__ = ['CELLS', 'CLASSES', 'DATA']

TANH, SIGMOID = (-1., 1.), (0., 1.)

# What a weight belongs to: H, the image's shape, its range.
PGA_DATA = {'mnist': (32, (28, 28, 1), TANH),
            'cifar10': (128, (32, 32, 3), TANH),
            'celeba': (128, (64, 64, 3), TANH)}
DATA = {
    'quick': (8, (8, 8, 1), TANH),
    'ten_minutes': PGA_DATA['mnist'],
    'regularisers': PGA_DATA['mnist'],
    'errors_mnist': (128, (28, 28, 1), TANH),
    'latents_cifar10': (None, (32, 32, 3), TANH),
    **{f'{name}_{d}': numbers for d, numbers in PGA_DATA.items() for name in (
        'pga_icml2020/table1', 'pga_icml2020/fig3', 'pga_icml2020/fig4',
        'pga_icml2020/search_vae', 'pga_workshop2019/table1')
       if (name, d) != ('pga_icml2020/search_vae', 'mnist')},
    'pga_icml2020/claims_mnist_small': PGA_DATA['mnist'],
    'rae_iclr2020/table1_mnist': (16, (32, 32, 1), SIGMOID),
    'rae_iclr2020/table1_mnist_small': (16, (32, 32, 1), SIGMOID),
    'rae_iclr2020/fig1_k_samples': (16, (32, 32, 1), SIGMOID),
    'rae_iclr2020/fig2_kl_weight': (16, (32, 32, 1), SIGMOID),
    'rae_iclr2020/components': (16, (32, 32, 1), SIGMOID),
    'rae_iclr2020/table1_cifar10': (128, (32, 32, 3), SIGMOID),
    'rae_iclr2020/table1_celeba': (64, (64, 64, 3), SIGMOID),
    'learned_priors/fig3_mnist': (8, (28, 28, 1), TANH),
    'learned_priors/fig3_mnist_small': (8, (28, 28, 1), TANH),
    'learned_priors/fig3_fashion_mnist': (8, (28, 28, 1), TANH),
    'learned_priors/fig3_fashion_mnist_small': (8, (28, 28, 1), TANH),
    'learned_priors/fig3_cifar10': (64, (32, 32, 3), TANH),
    'learned_priors/table1_celeba': (128, (128, 128, 3), TANH),
    'learned_priors/search_gmmn_mnist': (8, (28, 28, 1), TANH),
    'learned_priors/table1_celeba_small': (64, (32, 32, 3), TANH),
    'learned_priors/table2_pairs': (160, (32, 32, 1), TANH),
    'no_prior_matching/fig6_mnist': (256, (28, 28, 1), TANH),
    'no_prior_matching/mnist_small': (256, (28, 28, 1), TANH),
    'no_prior_matching/search_mnist': (256, (28, 28, 1), TANH),
    'no_prior_matching/search_celeba': (128, (64, 64, 3), TANH),
    'no_prior_matching/search_cifar10': (128, (32, 32, 3), TANH),
    'no_prior_matching/sphere_mnist': (None, (28, 28, 1), TANH),
    'no_prior_matching/swiss_roll': (2, (3,), None),
    'no_prior_matching/swiss_roll_same_nets': (2, (3,), None),
    'no_prior_matching/table1_celeba': (128, (64, 64, 3), TANH),
    'no_prior_matching/table2_cifar10': (128, (32, 32, 3), TANH),
}


def after(value, step):
  """A weight that is 0 up to a step."""
  return {0: 0., step: 0., step + 1: value}


def annealed(value, steps):
  """A weight that grows on a line from 0."""
  return {0: 0., steps // 2: value / 2., steps: value, 2 * steps: value}


# === The sources ===


def pga(dataset, warm_up=3000):
  """The authors' commands: alpha, beta, gamma, and what the variants add.

  In means per element, as the paper's section 4; all but VPGA's are 0 for 3,000
  steps. The VAE's is 2 s^2 H / D with an s of ours (the paper's is not told).
  """
  alpha, beta = {'mnist': (6e-2, 0.), 'cifar10': (3e-2, 0.),
                 'celeba': (3e-2, 1e-2)}[dataset]
  gamma = {'mnist': 1.5e-2, 'cifar10': 1.5e-2, 'celeba': 1e-2}[dataset]
  latent = {'latent_reconstruction': alpha, 'data_latent_reconstruction': beta}
  vpga = {'mnist': (1e-2, 2e-2), 'cifar10': (5e-3, 3e-2),
          'celeba': (1e-2, 2e-3)}[dataset]
  # gamma, gamma' and eta of LVPGA.
  lvpga = {'mnist': (0., 2e-2, 2e-2), 'cifar10': (2e-2, 1.5e-2, 5e-2),
           'celeba': (1e-2, 1e-2, 5e-3)}[dataset]
  sigma, latents, numbers = {
      'mnist': (.38, 32, 784), 'cifar10': (.15, 128, 3072),
      'celeba': (.125, 128, 12288)}[dataset]

  def warm(weights):
    return {t: after(w, warm_up) if w else 0. for t, w in weights.items()}

  return {
      'vae': {'kl': 2. * sigma**2 * latents / numbers},
      'lpga': warm(latent | {'nll_encoder': gamma, 'nll_decoder': gamma}),
      'vpga': latent | dict(zip(('variational_reconstruction', 'kl'), vpga)),
      'lvpga': warm(latent | dict(zip(
          ('nll_encoder', 'variational_nll', 'kl'), lvpga))),
  }


def figure_4(dataset):
  """LPGA and VPGA, each without one of its three kinds of losses."""
  cells = pga(dataset)
  latent = dict.fromkeys(
      ['latent_reconstruction', 'data_latent_reconstruction'], 0.)
  likelihood = dict.fromkeys(['nll_encoder', 'nll_decoder'], 0.)
  vae_loss = dict.fromkeys(['variational_reconstruction', 'kl'], 0.)
  return {
      'lpga': cells['lpga'],
      'lpga_no_latent_reconstruction': cells['lpga'] | latent,
      # No warm-up: it is of the reconstruction alone.
      'lpga_no_reconstruction': {
          t: w if isinstance(w, float) else w[3001]
          for t, w in cells['lpga'].items()},
      'lpga_no_likelihood': cells['lpga'] | likelihood,
      'vpga_no_reconstruction': cells['vpga'],
      'vpga_no_vae_loss': cells['vpga'] | vae_loss}


def searched(dataset, sigmas):
  latents, shape, _ = PGA_DATA[dataset]
  return {f's_{s:g}': {'kl': 2. * s**2 * latents / math.prod(shape)}
          for s in sigmas}


def workshop(dataset):
  """The later paper's numbers, eta as one weight over both sums of L_vae.

  In means per element half of a squared error belongs to a whole KL.
  """
  cells = pga(dataset)
  eta = cells['vpga']['kl']
  return {'vae': cells['vae'], 'lpga': cells['lpga'], 'vpga': cells['vpga'] | {
      'variational_reconstruction': eta / 2.}}


def rae(dataset):
  """The released configurations, on [0, 1].

  w of VAE and CV-VAE stands on sums over pixels of means over channels, as
  w KL and w |mu|^2 / 2; WAE on CelebA on 0.05 times a sum.
  """
  column = ('mnist', 'cifar10', 'celeba').index(dataset)
  per_pixel = (16 / 1024, 128 / 1024, 64 / 4096)[column]  # H / (h w)
  def pick(*values):
    return values[column]
  return {
      'vae': {'kl': pick(.312, .024, .09024) * per_pixel},
      'cv_vae': {'latent_l2': pick(.039, 9e-4, .01) * per_pixel / 2.},
      'wae_mmd': {'mmd': pick(.03, .006, 100. / (.05 * 12288))},
      'rae_gp': {'latent_l2': pick(1e-4, 9e-4, 1e-4),
                 'gradient_penalty': pick(5e-8, 0., 1e-7)},
      'rae_l2': {'latent_l2': pick(1e-4, 1e-3, 1e-4),
                 'decoder_l2': pick(1e-7, 1e-6, 1e-7)},
      'rae_sn': {'latent_l2': pick(9e-3, .03, 2.4e-3)},
      'rae': {'latent_l2': pick(5e-4, .01, 1e-4)},
      'ae': {},
  }


def figure_3(steps):
  """Learned priors: beta times a gamma of 1e-2, annealed; the paper has none.

  Beside a mean squared error on [-1, 1] that is 2 s^2 H / D with s = 0.70 for
  8 latents of 784 numbers, and with s = 0.49 for 64 of 3,072.
  """
  cells = {'vae': {'kl': annealed(1e-2, steps)}, 'aae': {'adversarial': 1e-2}}
  for name in ('0', '0.01', '0.1', '1'):
    beta = float(name)
    cells[f'fp_vae_beta_{name}'] = {
        'kl_flow': annealed(beta * 1e-2, steps) if beta else 0.}
    cells[f'prior_aae_beta_{name}'] = {'adversarial_encoder': beta * 1e-2}
  return cells


def learned_priors_table_1(kl, steps):
  """One kl; beta = 4 times it; no KL term for FP-AE, whose beta is 0."""
  return {'vae': {'kl': annealed(kl, steps)},
          'beta_vae': {'kl': annealed(4. * kl, steps)},
          'fp_ae': {'kl_flow': 0.}}


def method(omega1=0.5, omega2=0.05):
  return {'interpolation': omega1, 'realism': omega2, 'real_target': 1.}


# Without the image critic.
NO_CRITIC = dict.fromkeys(['interpolation', 'realism', 'real_target',
                           'reconstruction_target', 'mix_target'], 0.)


def intro(real, fake):
  return {'kl_real': real, 'margin': fake, 'kl_fake': fake}


def age(latents, of_source=64):
  """1,000 on a mean over latents of 2 - cos is 500 on that of squares.

  The code's has 64 latents on CelebA and 128 on CIFAR-10; a mean shrinks with
  their number. Images are in [-1, 1], errors absolute.
  """
  return {'kl_fake_encoder': -1., 'reconstruction': 10.,
          'latent_reconstruction': 500. * latents / of_source}


def no_prior_matching(mse, wae, numbers, latents_of_age):
  """Tables 1 and 2, on [-1, 1] with 128 latents.

  VAE: 2 s^2 H / D, the variance s^2 of the likelihood the paper's own error.
  AAE: WAE-GAN's lambda = 1 beside 0.05 times the sum. IntroVAE's code weighs
  sums by 1 on [0, 1].
  """
  return {
      'vae': {'kl': 2. * mse * 128 / numbers},
      'aae': {'adversarial': 1. / (.05 * numbers)},
      'wae': {'mmd': wae},
      'intro_vae': intro(4. * 128 / numbers, 4. * 128 / numbers),
      'age': age(128, latents_of_age),
      'no_prior_matching': method(),
  }


SEARCH = {
    'start': (.05, .05), 'lambda_0.02': (.05, .05), 'lambda_0.5': (.05, .05),
    'gamma_0': (.05, .05), 'gamma_0.5': (.05, .05),
    'omega1_0.005': (.005, .05), 'omega1_0.5': (.5, .05),
    'omega2_0': (.05, 0.), 'omega2_0.5': (.05, .5),
    'gamma_0.5_omega1_0.5': (.5, .05), 'gamma_0.5_omega2_0.5': (.05, .5),
    'gamma_0.5_both_0.5': (.5, .5)}

SEARCH_AGAIN = {'no_regularizer': NO_CRITIC, **{
    cell: method() for cell in ('start', 'lambda_0.02', 'lambda_0.5', 'gamma_0',
                                'gamma_0.2', 'residual_latents')},
    'omega1_0.05': method(.05), 'omega1_0.005': method(.005),
    'omega2_0.005': method(.5, .005), 'omega2_0.5': method(.5, .5)}
PG_GAN = {'gradient_penalty': 10., 'drift': 1e-3}
SWISS_ROLL = {
    'no_prior_matching': method(1e-4, 1e-4), 'vae': {'kl': 3e-2},
    'aae': {'adversarial': 1e-1}, 'alae': {'r1': 10. / 2.},
    'wae_mmd': {'mmd': 3e-2}, 'intro_vae': intro(1e-2, 1e-2), 'age': age(2)}

CELLS = {
    # Guesses: s = 0.2 of [-1, 1], 2 s^2 8 / 64; the RAE's and the quickstart's.
    'quick': {'vae': {'kl': 1e-2}, 'rae': {'latent_l2': 1e-4},
              'vpga': {'latent_reconstruction': 3e-2, 'kl': 4e-2,
                       'data_latent_reconstruction': 0.,
                       'variational_reconstruction': 2e-2}},
    'errors_mnist': dict.fromkeys((
        'squared', 'absolute', 'huber', 'squared_and_ssim',
        'squared_and_patches'), {}),
    'latents_cifar10': dict.fromkeys((
        'latents_64', 'latents_256', 'latents_512'), {}),
    # Those of gin/models, and of the papers' VAE, VPGA and WAE.
    'ten_minutes': {
        'ae': {}, 'rae': {'latent_l2': 1e-4}, 'vae': pga('mnist')['vae'],
        'wae_mmd': {'mmd': 4. * 3e-2}, 'aae': {'adversarial': 1e-2},
        'vpga': pga('mnist')['vpga'] | {'latent_reconstruction': 3e-2},
        'fp_vae': {'kl_flow': annealed(1e-2, 1000)},
        'prior_aae': {'adversarial_encoder': 0.},
        'no_prior_matching': method(),
        'soft_intro_vae': {'kl_real': 1e-2, 'kl_fake': 1e-2,
                           'fake_reconstruction': 1e-8}},
    'regularisers': {
        **dict.fromkeys(('none', 'noise', 'batch_norm'), {}),
        'l2': {'latent_l2': 1e-4}, 'small_kl': {'kl': 1.2e-3},
        'vpga': pga('mnist')['vpga'] | {'latent_reconstruction': 3e-2}},
    **{f'pga_icml2020/table1_{d}': pga(d)
       for d in ('mnist', 'cifar10', 'celeba')},
    **{f'pga_icml2020/fig3_{d}': {m: pga(d)[m] for m in ('lpga', 'vpga')}
       for d in PGA_DATA},
    **{f'pga_icml2020/fig4_{d}': figure_4(d) for d in PGA_DATA},
    'pga_icml2020/claims_mnist_small': pga('mnist', 200) | {
        'rae': {'latent_l2': 1e-4}},  # That of gin/models.
    'pga_icml2020/search_vae_cifar10': searched(
        'cifar10', (.05, .1, .15, .2, .3, .4)),
    'pga_icml2020/search_vae_celeba': searched(
        'celeba', (.05, .1, .125, .2, .3, .4)),
    **{f'pga_workshop2019/table1_{d}': workshop(d)
       for d in ('mnist', 'cifar10', 'celeba')},
    **{f'rae_iclr2020/table1_{d}': rae(d)
       for d in ('mnist', 'cifar10', 'celeba')},
    # The penalty of eq. 17 instead of the released one: our weight.
    'rae_iclr2020/table1_mnist_small': rae('mnist') | {
        'rae_gp': {'latent_l2': 1e-4, 'gradient_penalty': 1e-2}},
    'rae_iclr2020/fig1_k_samples': {
        f'k_{k}': rae('mnist')['vae'] for k in (1, 2, 4, 8, 16)},
    'rae_iclr2020/fig2_kl_weight': {
        f'kl_x{x}': {'kl': float(x) * .312 * 16 / 1024}
        for x in ('0.01', '0.03', '0.1', '0.3', '1', '3', '10', '30')},
    'rae_iclr2020/components': {
        name: rae('mnist')[name] for name in ('rae_l2', 'vae')},
    'learned_priors/fig3_mnist': figure_3(50000),
    'learned_priors/fig3_fashion_mnist': figure_3(50000),
    'learned_priors/fig3_cifar10': figure_3(50000),
    'learned_priors/fig3_mnist_small': figure_3(500),
    'learned_priors/fig3_fashion_mnist_small': figure_3(500),
    # A plain error of VGG19's features on 0 to 255: 10^4 times gamma, a guess.
    'learned_priors/table1_celeba': learned_priors_table_1(1e2, 50000) | {
        'pg_gan': PG_GAN},
    'learned_priors/search_gmmn_mnist': {'relative': {}} | {
        f'sigma_{s}': {} for s in ('0.25', '1', '4', '16', '64')},
    # Pixels, s = 0.2: 2 * 0.04 * 64 / 3072.
    'learned_priors/table1_celeba_small': learned_priors_table_1(
        2. * .2**2 * 64 / 3072, 500),
    # From 1e-6 of it at half of 2,000 steps to all of it at three quarters.
    'learned_priors/table2_pairs': {
        'vunet': {'kl': {0: 3e-8, 1000: 3e-8, 1250: 1.5e-2, 1500: 3e-2,
                         2000: 3e-2}},
        'vunet_flow': {}},
    'no_prior_matching/fig6_mnist': {
        'without_batch_norm': NO_CRITIC, 'batch_norm': NO_CRITIC,
        'batch_norm_regularizer': method()},
    # WAE's on CelebA is its own authors', on [-1, 1]; on CIFAR-10 the RAE
    # authors' 6e-3, on [0, 1].
    'no_prior_matching/table1_celeba': no_prior_matching(
        .0383, 100. / (.05 * 12288), 12288, 64),
    'no_prior_matching/table2_cifar10': no_prior_matching(
        .0626, 4. * .006, 3072, 128),
    'no_prior_matching/mnist_small': {
        'alae': {'r1': 10. / 2.}, 'sn_gan': {}, 'age': age(256),
        'pg_gan': PG_GAN, 'wae_gan': {'adversarial': 1. / (.05 * 784)},
        'acai': {'interpolation': .5},
        # Guesses: those of gin/models.
        'vae': {'kl': 1e-2}, 'untrained': {'kl': 1e-2},
        'aae': {'adversarial': 1e-2}, 'wae_mmd': {'mmd': 3e-2},
        'intro_vae': intro(1e-2, 1e-2),
        'soft_intro_vae': {'kl_real': 1e-2, 'kl_fake': 1e-2,
                           'fake_reconstruction': 1e-8},
        'no_prior_matching': method(), 'batch_norm': NO_CRITIC,
        'without_batch_norm': NO_CRITIC},
    'no_prior_matching/search_celeba': SEARCH_AGAIN,
    'no_prior_matching/search_cifar10': SEARCH_AGAIN,
    'no_prior_matching/search_mnist': {
        'no_regularizer': NO_CRITIC,
        **{cell: method(*omegas) for cell, omegas in SEARCH.items()}},
    # Searched, but for AGE's; the last three are not in the README.
    'no_prior_matching/sphere_mnist': {
        f'latents_{h}': NO_CRITIC for h in (8, 32, 128, 512)},
    'no_prior_matching/swiss_roll': SWISS_ROLL,
    'no_prior_matching/swiss_roll_same_nets': SWISS_ROLL,
}
CLASSES = {'vae': 'VAE', 'cv_vae': 'CVVAE', 'wae_mmd': 'WAEMMD',
           'rae_gp': 'RAEGP', 'rae_l2': 'RAEL2', 'rae_sn': 'RAESN',
           'rae': 'RAE', 'ae': 'AE', 'lpga': 'LPGA', 'vpga': 'VPGA',
           'lvpga': 'LVPGA', 'beta_vae': 'BetaVAE', 'aae': 'AAE',
           'wae': 'WAEMMD', 'intro_vae': 'IntroVAE', 'age': 'AGE'}
