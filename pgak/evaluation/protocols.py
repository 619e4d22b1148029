"""Protocols: every choice that makes a score, under one name.

Two scores compare only if all of these match. Each function here returns a
`Protocol`; its arguments are attributes of it.

#### References

[1]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black, Bernhard
     Schoelkopf. From Variational to Deterministic Autoencoders. ICLR, 2020.
[2]: Tero Karras, Samuli Laine, Timo Aila. A Style-Based Generator Architecture
     for Generative Adversarial Networks. CVPR, 2019.
[3]: Cong Geng, Jia Wang, Li Chen, Zhiyong Gao. Generative Model without Prior
     Distribution Matching. 2021.
"""
import dataclasses
from typing import Literal

import gin

from pgak import errors
from pgak import settings

__all__ = ['IMAGES', 'NAMES', 'OWN_OR_GAUSSIAN', 'OWN_OR_MIXTURE', 'Protocol',
           'Spec', 'fid768_test', 'learned_priors_pairs',
           'learned_priors_separability', 'memorisation', 'names',
           'no_prior_matching_2021', 'no_prior_matching_fid768', 'pga_icml2020',
           'quick', 'rae_fid768', 'rae_iclr2020', 'rae_quick', 'register',
           'resolve', 'stylegan_separability', 'vectors']

_PROTOCOLS = {}  # Name -> function without arguments that makes a `Protocol`.

# 'data' are real images; only a model of pairs makes 'translations'.
IMAGES = ('samples', 'reconstructions', 'interpolations', 'data',
          'translations')

# Where training pulls the latents to the model's own prior, that one; else a
# Gaussian that is fitted to them: the column N of [1, table 1].
OWN_OR_GAUSSIAN = 'own_or_gaussian'
# The same with a mixture of Gaussians, as `pgak_sample` draws where no density
# is named: the shipped protocols that are of no paper.
OWN_OR_MIXTURE = 'own_or_gmm'

_SAMPLES = ('samples',)
_RAE_IMAGES = ('reconstructions', 'samples', 'interpolations')
_RAE_PRIORS = (OWN_OR_GAUSSIAN, 'gmm')
_RAE_METRICS = ('frechet', 'prd', 'reconstruction')

Rounding = Literal['nearest', 'truncate']
BatchNorm = Literal['inference', 'train']
Names = tuple[str, ...]
Some = settings.Several[str]
Priors = settings.Several[object]  # Names or classes of them.

# Configurations name the shipped ones by the module that they first had.
_MODULE = 'pgak.metrics.protocols'


def register(function=None, **options):
  """Makes a function that returns a `Protocol` known by its name.

  `--protocol=NAME` finds it then, and gin binds its arguments. One of your own
  is in a file that `--import` names:

  ```python
  @protocols.register
  def mine(num_samples: int = 1000):
    return protocols.Protocol('mine', ('classifier',), num_samples, 'test')
  ```

  Args:
    function: function that can be called without arguments.
    **options: as for `settings.register`.

  Returns:
    The function, with its arguments checked.
  """
  if function is None:
    return lambda f: register(f, **options)
  registered = settings.register(function, **options)
  _PROTOCOLS[function.__name__] = registered
  return registered


def names():
  """Returns the names of all protocols, in order."""
  return sorted(_PROTOCOLS)


@settings.register
@dataclasses.dataclass(frozen=True)
class Protocol:
  """Every choice that decides a score, except the model and the data set.

  gin makes one, too: `mine/Protocol.features = ('classifier',)`, and
  `evaluate.protocol = @mine/Protocol()`.

  Attributes:
    name: string.
    features: strings, each as `evaluator.feature_net` takes them: a level of
      `inception.LEVELS`, 'classifier', 'random', or the path of a net of one's
      own.
    num_samples: images of each kind; None for as many as there are references.
    split: the data set's split that they are compared with.
    num_references: the first so many images of the split; None for all.
    rounding: 'nearest' or 'truncate', from floats to uint8.
    batch_norm: 'inference', or 'train' for the statistics of each generated
      batch, as the PGA authors sample.
    batch_size: images generated at once: with 'train' it decides the score.
    seed: int, decides the samples.
    images: kinds of images that are measured, out of `IMAGES`.
    priors: densities of the latents that samples are drawn from, each a name
      out of `priors.NAMES`, a class, 'own', or 'own_or_gaussian': the model's
      own where training pulls the latents to it, else a fitted Gaussian; with
      'own_or_gmm' a mixture of Gaussians in its place.
    metrics: what is measured, out of `metric.names()`.
    encoded_split: the split whose first images are encoded, for reconstructions
      and interpolations; None for `split`.
    interpolation_seed: int, decides the pairs of encoded images.
    holds: name of the kind of data that it measures, such as 'images'.
  """
  name: str
  features: Names = ()
  num_samples: settings.Count | None = None
  split: str = 'test'
  num_references: settings.Count | None = None
  rounding: Rounding = 'nearest'
  batch_norm: BatchNorm = 'inference'
  batch_size: settings.Count = 1000
  seed: settings.Seed = 0
  images: Names = ('samples',)
  priors: Priors = ('own',)
  metrics: Names = ('frechet', 'reconstruction_mse')
  encoded_split: str | None = None
  interpolation_seed: settings.Seed = 2  # As in the RAE authors' code.
  holds: str = 'images'

  def __post_init__(self):
    for name in self.images:
      if name not in IMAGES:
        raise errors.UserError(
            f'The protocol {self.name} cannot measure {name!r}: its images '
            f'must be out of {", ".join(IMAGES)}'
            f'{errors.similar(name, IMAGES) or "."}')


@register(module=_MODULE)
def pga_icml2020(num_samples: settings.Count | None = 5000,
                 split: str = 'train', batch_norm: BatchNorm = 'train',
                 batch_size: settings.Count = 1000,
                 rounding: Rounding = 'truncate', seed: settings.Seed = 0):
  """The PGA authors' FID: 5,000 samples against the training images.

  It needs the `pool_3` features. Samples are drawn 1,000 at a time with
  training-mode batch norm and truncated to uint8. On CelebA the authors'
  training images are the split 'all'. `batch_norm = 'inference'` is what an
  exported model does.
  """
  return Protocol('pga_icml2020', ('pool_3',), num_samples, split,
                  rounding=rounding, batch_norm=batch_norm,
                  batch_size=batch_size, seed=seed)


@register(module=_MODULE)
def fid768_test(num_samples: settings.Count | None = 5000, split: str = 'test',
                num_references: settings.Count | None = 10000,
                seed: settings.Seed = 0, *, images: Some = _SAMPLES,
                encoded_split: str | None = None):
  """FID-768: 5,000 samples against the first 10,000 test images.

  The features are the 768 of Inception's mixed_7, so no published FID compares.
  """
  return Protocol('fid768_test', ('768',), num_samples, split, num_references,
                  seed=seed, images=tuple(images), priors=(OWN_OR_MIXTURE,),
                  encoded_split=encoded_split)


@register(module=_MODULE)
def quick(num_samples: settings.Count | None = None, split: str = 'all',
          num_references: settings.Count | None = 10000,
          seed: settings.Seed = 0, *, images: Some = _SAMPLES):
  """A quick look: features of a small classifier of the data set itself.

  Of a data set without labels, those of a net with random weights. By default
  as many samples as there are images in all splits, up to 10,000; those of a
  model that is not trained towards its prior, such as AE and RAE, are of a
  mixture of Gaussians fitted to its latents.
  """
  return Protocol('quick', ('classifier_or_random',), num_samples, split,
                  num_references, seed=seed, images=tuple(images),
                  priors=(OWN_OR_MIXTURE,))


@register(module=_MODULE)
def memorisation(num_samples: settings.Count | None = 5000, split: str = 'test',
                 num_references: settings.Count | None = 10000,
                 features: Names = ('classifier_or_random',),
                 metrics: Some = ('frechet', 'copies', 'authenticity',
                                  'three_sample_test'),
                 priors: Priors = (OWN_OR_MIXTURE,), seed: settings.Seed = 0):
  """Whether samples are copies of training images, which no FID measures.

  In pixels, features and latents, against the test images; and the
  log-likelihood of training and of held-out latents, of a fitted density that
  has one. `--prior=resampled` and a `kde` of a tiny bandwidth are controls.
  """
  return Protocol('memorisation', tuple(features), num_samples, split,
                  num_references, seed=seed, priors=tuple(priors),
                  metrics=tuple(metrics))


@register(module=_MODULE, denylist=['name'])
def rae_iclr2020(num_samples: settings.Count | None = 10000,
                 split: str = 'test',
                 num_references: settings.Count | None = 10000,
                 features: Names = ('pool_3',), images: Some = _RAE_IMAGES,
                 priors: Priors = _RAE_PRIORS, metrics: Some = _RAE_METRICS,
                 *, encoded_split: str | None = 'validation',
                 rounding: Rounding = 'truncate', seed: settings.Seed = 0,
                 interpolation_seed: settings.Seed = 2,
                 name: str = 'rae_iclr2020'):
  """The protocol of [1]: FID and PRD of four kinds of images.

  10,000 images of each kind, or as many as there are, are compared with the
  first 10,000 test images: reconstructions of validation images; samples from
  N, which is the model's own prior where training pulls the latents to it and a
  fitted Gaussian else; samples from a fitted mixture of Gaussians; mid-points
  of the arcs between the latents of random pairs of validation images. Batch
  norm is in inference mode, and images are truncated to uint8.
  """
  return Protocol(name, tuple(features), num_samples, split, num_references,
                  rounding, seed=seed, images=tuple(images),
                  priors=tuple(priors), metrics=tuple(metrics),
                  encoded_split=encoded_split,
                  interpolation_seed=interpolation_seed)


@register(module=_MODULE)
def rae_fid768(num_samples: settings.Count | None = 10000, split: str = 'test',
               num_references: settings.Count | None = 10000,
               features: Names = ('768',), images: Some = _RAE_IMAGES,
               priors: Priors = _RAE_PRIORS, metrics: Some = _RAE_METRICS,
               *, encoded_split: str | None = 'validation',
               seed: settings.Seed = 0,
               interpolation_seed: settings.Seed = 2):
  """Returns `rae_iclr2020` with Inception's 768 features, which make no FID."""
  return rae_iclr2020(
      num_samples, split, num_references, features, images, priors, metrics,
      encoded_split=encoded_split, seed=seed,
      interpolation_seed=interpolation_seed, name='rae_fid768')


@register(module=_MODULE)
def rae_quick(num_samples: settings.Count | None = None, split: str = 'test',
              num_references: settings.Count | None = 10000,
              features: Names = ('classifier',), images: Some = _RAE_IMAGES,
              priors: Priors = _RAE_PRIORS, metrics: Some = _RAE_METRICS,
              *, encoded_split: str | None = 'validation',
              seed: settings.Seed = 0,
              interpolation_seed: settings.Seed = 2):
  """Returns `rae_iclr2020` with features of the data set's own classifier.

  By default as many images of each kind as there are references.
  """
  return rae_iclr2020(
      num_samples, split, num_references, features, images, priors, metrics,
      encoded_split=encoded_split, seed=seed,
      interpolation_seed=interpolation_seed, name='rae_quick')


@register(module=_MODULE)
def learned_priors_separability(num_samples: settings.Count | None = 20000,
                                seed: settings.Seed = 0,
                                priors: Priors = (OWN_OR_GAUSSIAN,),
                                rounding: Rounding = 'nearest'):
  """Linear separability of latents by attributes of their images, after [2].

  Latents are drawn from the prior, 200,000 in [2], and decoded; classifiers
  that pgak trains predict the attributes of the images.
  """
  return Protocol('learned_priors_separability', (), num_samples, 'test',
                  rounding=rounding, seed=seed, images=(), priors=tuple(priors),
                  metrics=('separability',))


@register(module=_MODULE)
def stylegan_separability(num_samples: settings.Count | None = 200000,
                          seed: settings.Seed = 0):
  """Returns the `Protocol` of StyleGAN's own separability, as [2] has it."""
  return dataclasses.replace(
      learned_priors_separability(num_samples, seed),
      name='stylegan_separability', metrics=('stylegan_separability',))


@register(module=_MODULE)
def learned_priors_pairs(num_samples: settings.Count | None = None,
                         split: str = 'test',
                         num_references: settings.Count | None = 10000,
                         features: Names = ('classifier',),
                         metrics: Some = ('frechet', 'inception_score',
                                           'lpips'),
                         rounding: Rounding = 'nearest',
                         seed: settings.Seed = 0):
  """Diversity and quality of images given conditions, of a data set of pairs.

  Two images for each condition of the split: their LPIPS is the diversity, and
  the inception score of the first ones measures their quality. The paper does
  not say which net its LPIPS has, nor how many pairs. By default as many
  conditions as there are references. Where LPIPS has no weights, leave it out
  of `metrics`: the distance of features is always measured, too.
  """
  return Protocol('learned_priors_pairs', tuple(features), num_samples, split,
                  num_references, rounding, seed=seed,
                  images=('translations',), metrics=tuple(metrics),
                  holds='pairs')


@register(module=_MODULE)
def vectors(num_samples: settings.Count | None = 5000, split: str = 'test',
            seed: settings.Seed = 0, images: Some = ('samples', 'data'),
            metrics: Some = ('sliced_wasserstein', 'coverage', 'mse',
                              'topology')):
  """Samples of vectors, such as the Swiss roll, against as many held-out ones.

  `sliced_wasserstein` and `coverage` of samples, and of points of the split
  `train`, the best values that a model can be expected to reach; `mse` of
  reconstructions of the held-out points; the topology of the first 2,000
  latents, for data of a known manifold with `geodesic_correlation`.
  """
  return Protocol('vectors', (), num_samples, split, seed=seed,
                  images=tuple(images), metrics=tuple(metrics),
                  priors=(OWN_OR_MIXTURE,), holds='vectors')


@register(module=_MODULE, denylist=['name'])
def no_prior_matching_2021(num_samples: settings.Count | None = 50000,
                           split: str = 'train',
                           num_references: settings.Count | None = None,
                           features: Names = ('pool_3',),
                           metrics: Some = ('frechet', 'reconstruction_mse',
                                             'topology'),
                           priors: Priors = (OWN_OR_GAUSSIAN,),
                           encoded_split: str | None = 'test', *,
                           rounding: Rounding = 'nearest',
                           seed: settings.Seed = 0,
                           name: str = 'no_prior_matching_2021'):
  """The protocol of [3]: FID of 50,000 samples against all training images.

  And its other claims: the error of reconstructions, and whether latents keep
  the data's neighbourhoods (`metrics.topology` of the first 2,000 images). The
  paper does not say which images it reconstructs; here they are those of test.
  """
  return Protocol(name, tuple(features), num_samples, split, num_references,
                  rounding, seed=seed, priors=tuple(priors),
                  metrics=tuple(metrics), encoded_split=encoded_split)


@register(module=_MODULE)
def no_prior_matching_fid768(num_samples: settings.Count | None = 1000,
                             split: str = 'test',
                             num_references: settings.Count | None = 10000,
                             features: Names = ('768', 'classifier'),
                             metrics: Some = ('frechet', 'class_shares',
                                               'reconstruction_mse',
                                               'topology'),
                             priors: Priors = (OWN_OR_GAUSSIAN,),
                             seed: settings.Seed = 0):
  """`no_prior_matching_2021` at a small cost, with the shares of classes.

  1,000 samples are compared with the first 10,000 test images by Inception's
  768 features, so no published FID compares, and by a small classifier, which
  measures whether they are of all classes, too. Without class labels take
  `features = ('768',)` and leave `class_shares` out of `metrics`.
  """
  return no_prior_matching_2021(
      num_samples, split, num_references, features, metrics, priors, split,
      seed=seed, name='no_prior_matching_fid768')


NAMES = tuple(names())  # Those that ship, without those of an --import.
Spec = str | settings.Reference | Protocol


def resolve(protocol):
  """Returns the `Protocol` that is meant.

  Args:
    protocol: the name of a registered one, a function without arguments that
      makes a `Protocol`, or one.

  Raises:
    UserError: if there is none of that name, or if it makes none.
  """
  if isinstance(protocol, str):
    if protocol not in _PROTOCOLS:
      raise errors.UserError(
          f'There is no protocol {protocol!r}; choose one of '
          f'{", ".join(names())}{errors.similar(protocol, names()) or "."}')
    protocol = gin.get_configurable(_PROTOCOLS[protocol])
  return (settings.made(protocol, 'evaluate.protocol', Protocol)
          if callable(protocol) else protocol)
