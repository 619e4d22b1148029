"""Protocols: every choice that makes a score, under one name.

Two scores compare only if all of these match.
"""
import dataclasses

import gin

from pgak import errors

__all__ = ['NAMES', 'Protocol', 'fid768_test', 'pga_icml2020', 'quick',
           'resolve']

NAMES = ('fid768_test', 'pga_icml2020', 'quick')


@dataclasses.dataclass(frozen=True)
class Protocol:
  """Every choice that decides a score but the model and the data set.

  Attributes:
    name: string.
    features: strings, each a level of `inception.LEVELS` or 'classifier'.
    num_samples: generated images; None for as many as there are references.
    split: the data set's split that they are compared with.
    num_references: the first so many images of the split; None for all.
    rounding: 'nearest' or 'truncate', from floats to uint8.
    batch_norm: 'inference', or 'train' for the statistics of each generated
      batch, as the PGA authors sample.
    batch_size: images generated at once: with 'train' it decides the score.
    seed: int, decides the samples.
  """
  name: str
  features: tuple
  num_samples: int | None
  split: str
  num_references: int | None = None
  rounding: str = 'nearest'
  batch_norm: str = 'inference'
  batch_size: int = 1000
  seed: int = 0


@gin.register
def pga_icml2020(num_samples=5000, split='train', batch_norm='train',
                 batch_size=1000, rounding='truncate', seed=0):
  """The PGA authors' FID: 5,000 samples against the training images.

  It needs the `pool_3` features. Samples are drawn 1,000 at a time with
  training-mode batch norm and truncated to uint8. On CelebA the authors'
  training images are the split 'all'. `batch_norm = 'inference'` is what an
  exported model does.

  Returns:
    A `Protocol`; the arguments are its attributes.
  """
  return Protocol('pga_icml2020', ('pool_3',), num_samples, split,
                  rounding=rounding, batch_norm=batch_norm,
                  batch_size=batch_size, seed=seed)


@gin.register
def fid768_test(num_samples=5000, split='test', num_references=10000, seed=0):
  """FID-768: 5,000 samples against the first 10,000 test images.

  The features are the 768 of Inception's mixed_7, so no published FID compares.

  Returns:
    A `Protocol`; the arguments are its attributes.
  """
  return Protocol('fid768_test', ('768',), num_samples, split, num_references,
                  seed=seed)


@gin.register
def quick(num_samples=None, split='all', num_references=10000, seed=0):
  """A quick look: features of a small classifier of the data set itself.

  By default as many samples as there are images in all splits, up to 10,000.

  Returns:
    A `Protocol`; the arguments are its attributes.
  """
  return Protocol('quick', ('classifier',), num_samples, split, num_references,
                  seed=seed)


def resolve(protocol):
  """Returns the `Protocol` that is meant.

  Args:
    protocol: a name out of `NAMES`, a function without arguments that makes a
      `Protocol`, or one.

  Raises:
    UserError: if there is none of that name.
  """
  if isinstance(protocol, str):
    if protocol not in NAMES:
      raise errors.UserError(
          f'There is no protocol {protocol!r}; choose one of '
          f'{", ".join(NAMES)}.')
    protocol = gin.get_configurable(protocol)
  return protocol() if callable(protocol) else protocol
