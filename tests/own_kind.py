"""A kind of data of one's own, in one file, as a user would write it.

Signals are six samples of 16 bits. A model sees them a hundredth as large.
"""
import hashlib

import numpy as np
import tensorflow as tf

from pgak import settings
from pgak.data import kinds
from pgak.evaluation import examples_by_kind
from pgak.evaluation import protocols
from pgak.evaluation import vectors as vectors_lib

__all__ = ['SignalArray', 'Signals', 'measured', 'signals']

LENGTH = 6
SCALE = 100.


@kinds.register
class Signals(kinds.Kind):
  """Signals, int16 `[B, 6]`."""

  name = made = 'signals'
  dtype = np.int16

  @classmethod
  def fits(cls, shape):
    return tuple(shape) == (LENGTH,)

  def to_model(self, examples, value_range=None, verb='encode'):
    return tf.cast(examples, tf.float32) / SCALE

  def to_users(self, outputs, rounding='nearest'):
    return tf.cast(tf.round(SCALE * outputs), tf.int16)


class SignalArray:
  """One split of signals; see `data.ImageArray`."""

  labels = None
  attributes = None
  attribute_names = ()
  image_shape = (LENGTH,)
  kind = Signals((LENGTH,))

  def __init__(self, split, number):
    drawn = np.random.default_rng([number, len(split)])
    ends = drawn.normal(0., 300., (number, 2))
    shares = np.linspace(0., 1., LENGTH)
    self.name = 'signals'
    self.split = split
    self.preprocessing = {'number': number}
    self._signals = np.rint(ends[:, :1] * shares + ends[:, 1:] * (1. - shares)
                            ).astype(np.int16)
    self.fingerprint = hashlib.sha256(self._signals).hexdigest()[:16]

  def __len__(self):
    return len(self._signals)

  def read(self, indices):
    return self._signals[np.asarray(indices)]


@settings.register
def signals(num_examples: settings.Count = 64):
  """Straight lines between two random ends."""
  return _Dataset(num_examples)


class _Dataset:

  name = 'signals'
  image_shape = (LENGTH,)
  kind = SignalArray.kind
  splits = ('train', 'test')

  def __init__(self, number):
    self._number = number

  def split(self, name):
    return SignalArray('test' if name == 'validation' else name, self._number)


class SignalExamples(vectors_lib.VectorExamples):
  """Signals are measured as vectors are."""

  advice = '--protocol=measured'


@protocols.register
def measured(num_samples: settings.Count | None = None):
  """Distances of samples, and the error of reconstructions."""
  return protocols.Protocol(
      'measured', (), num_samples, 'test', images=('samples', 'data'),
      metrics=('sliced_wasserstein', 'mse'), holds='signals')


examples_by_kind.TABLE.add(Signals, SignalExamples)
