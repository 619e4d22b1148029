"""The combinations that the contract test runs, and what a cell may say.

A combination is a kind of data with a model: with or without an encoder, with
a prior that has a density, a base, or neither.
"""
import contextlib
import io
import pathlib
import shutil
from typing import NamedTuple

import gin

from pgak import priors
from pgak import registry
from pgak import training
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import run_directory

__all__ = ['COMBINATIONS', 'Combination', 'Run', 'dataset', 'train']

registry.register()

STEPS = 2
# Without XLA, which takes longer to compile a step than such a run.
COMMON = (
    f'train.steps = {STEPS}', 'train.batch_size = 16', 'train.xla = False',
    'train.steps_per_execution = 1', 'train.log_every = 1',
    'train.validate_every = 2', 'train.sample_every = 2',
    'train.checkpoint_every = 1', 'train.score_every = 2',
    'train.scorer = @frechet_scorer', 'train.learning_rate_schedule = None',
    'train.optimizer = @sgd', 'sgd.learning_rate = 0.1')
IMAGES = ('base_filters = 2', 'conv_digits_encoder.dense_units = 6',
          'conv_digits_decoder.dense_units = 6', 'latent_dim = 3',
          'quick.num_samples = 70', 'quick.num_references = 70')
VECTORS = ('hidden_units = (6,)', 'swiss_roll.num_examples = 60',
           "frechet_scorer.protocol = 'vectors'")
PAIRS = ('image_shape = (8, 8, 1)', 'pairs.source = @digits',
         "pairs.condition = 'edges'", 'base_filters = 2', 'num_scales = 2',
         'latent_channels = 1',
         "frechet_scorer.protocol = @learned_priors_pairs",
         'learned_priors_pairs.num_samples = 70',
         'learned_priors_pairs.num_references = 70',
         "learned_priors_pairs.metrics = ('frechet', 'inception_score')")


class Combination(NamedTuple):
  """A kind of data with a model.

  Attributes:
    kind: 'images', 'vectors' or 'pairs'.
    files: gin files.
    bindings: strings.
    protocol: the name of the one that measures such data quickly.
    terms: `{term: its weight in the loss}` at the last step.
    pictures: names of those that training writes.
    signatures: names of those of an export, but for the default.
  """
  kind: str
  files: tuple
  bindings: tuple
  protocol: str
  terms: dict
  pictures: set
  signatures: set


_DECODED = {'generate', 'decode', 'sample_latents'}
_ENCODED = {'encode', 'reconstruct', 'interpolate', 'interpolate_spherical'}
_PICTURES = {'samples', 'reconstructions'}


def _images(model, *bindings, terms, encodes=True, density=('log_prob',)):
  return Combination(
      'images', ('quickstart.gin', f'models/{model}.gin'),
      (*COMMON, *IMAGES, *bindings), 'quick', terms,
      _PICTURES | {'interpolations'} if encodes
      else {'samples', 'prior_interpolations'},
      _DECODED | {'generate_png', *density} | (
          _ENCODED | {'encode_image'} if encodes else set()))


def _vectors(model, *bindings, terms, encodes=True):
  return Combination(
      'vectors', ('papers/no_prior_matching/swiss_roll.gin',
                  f'models/{model}.gin'),
      (*COMMON, *VECTORS, *bindings), 'vectors', terms,
      _PICTURES if encodes else {'samples'},
      _DECODED | {'log_prob'} | (_ENCODED if encodes else set()))


def _pairs(model, *bindings, terms):
  return Combination(
      'pairs', ('base.gin', 'datasets/digits.gin', 'datasets/pairs.gin',
                'networks/vunet_32.gin', 'recipes/modern.gin',
                f'models/{model}.gin'),
      (*COMMON, *PAIRS, *bindings), 'learned_priors_pairs', terms, _PICTURES,
      _DECODED | {'generate_png', 'encode', 'reconstruct'})


# A kind of data that the test itself defines is one more entry here, as soon
# as there is a way to define one: its data set and its model, in a module that
# `imports` names.
COMBINATIONS = {
    'images_vae': _images('vae', terms={'reconstruction': 1., 'kl': 1e-2}),
    'images_rae': _images('rae', terms={
        'reconstruction': 1., 'latent_l2': 1e-4}),
    'images_gan': _images(
        'sn_gan', 'SNGAN.critic_steps = 1', encodes=False,
        terms={'discrimination': 1., 'adversarial': 1.}),
    'images_flow': _images(
        'fp_vae', 'FlowPrior.num_couplings = 2',
        'FlowPrior.hidden_units = (4,)', 'FPVAE.annealing_steps = 1',
        terms={'reconstruction': 1., 'kl_flow': 1e-2, 'prior_nll': 1.},
        density=('log_prob', 'latent_to_base', 'base_to_latent')),
    'images_velocity': _images(
        'fp_vae', 'FPVAE.prior = @FlowMatchingPrior',
        'FlowMatchingPrior.width = 8', 'FPVAE.annealing_steps = 1',
        # Heun's error is then below what the verbs allow.
        'FlowMatchingPrior.sampling_steps = 256',
        'FlowMatchingPrior.density_steps = 256',
        terms={'reconstruction': 1., 'kl_flow': 1e-2, 'prior_nll': 1.},
        density=('log_prob', 'latent_to_base', 'base_to_latent')),
    'images_gmmn': _images(
        'gmmn', 'train.batch_size = 16', 'LatentGenerator.units = (4,)',
        'LatentGenerator.base_dim = 3',
        terms={'reconstruction': 1., 'prior_mmd': 1.}, density=()),
    'vectors_vae': _vectors('vae', terms={'reconstruction': 1., 'kl': 1e-2}),
    'vectors_gan': _vectors(
        'sn_gan', 'SNGAN.critic_steps = 1', encodes=False,
        terms={'discrimination': 1., 'adversarial': 1.}),
    'pairs_vunet': _pairs('vunet', terms={'reconstruction': 1., 'kl': 3e-2}),
    'pairs_flow': _pairs(
        'vunet_flow', 'ConditionalFlow.num_couplings = 2',
        'ConditionalFlow.hidden_units = (4,)',
        'condition_network.filters = (2,)', 'condition_network.features = 4',
        terms={'reconstruction': 1., 'prior_nll': 1.}),
}


class Run(NamedTuple):
  """A trained combination.

  Attributes:
    name: of the combination.
    path: its run directory.
    printed: what training printed.
  """
  name: str
  path: pathlib.Path
  printed: str

  @property
  def combination(self):
    return COMBINATIONS[self.name]

  @property
  def directory(self):
    return run_directory.RunDirectory(self.path)

  def configure(self, *bindings):
    """Gives gin the run's configuration, with bindings on top of it."""
    gin.clear_config()
    configuration.parse_run(self.directory, bindings, roots=[
        'sample', 'evaluate', 'export', *registry.train_roots(),
        *priors.prior_roots('gmm')])

  def model(self, checkpoint='latest', prior='own'):
    """Loads the model; gin has the run's configuration."""
    return checkpoints.load_configured(self.directory, checkpoint, prior)

  def copied(self, folder):
    """Returns the run as training left it, for a cell that adds to it."""
    return self._replace(path=pathlib.Path(
        shutil.copytree(self.path, folder / 'run')))


def train(name, path, *bindings):
  """Trains a combination in a folder, or resumes it there; returns a `Run`."""
  combination = COMBINATIONS[name]
  gin.clear_config()
  configuration.parse(combination.files, (*combination.bindings, *bindings),
                      roots=registry.train_roots)
  try:
    with contextlib.redirect_stdout(io.StringIO()) as out:
      training.train(path)
  finally:
    gin.clear_config()
  return Run(name, pathlib.Path(path), out.getvalue())


def dataset():
  """Makes the data set that gin's configuration names."""
  return configuration.setting('train.dataset')()
