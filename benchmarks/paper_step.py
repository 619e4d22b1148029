"""The paper-size LPGA on CelebA 64, as functions that a benchmark times."""
import numpy as np
import tensorflow as tf

from pgak import data
from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration

__all__ = ['BATCH_SIZES', 'FILE', 'Functions', 'bindings', 'images_of']

BATCH_SIZES = (1, 8, 64, 512)
FILE = 'papers/pga_icml2020/lpga_celeba.gin'


def bindings(factor):
  """Returns the bindings of narrower nets, with all terms from the start."""
  return [f'base_filters = {max(1, 64 // factor)}',
          # The warm-up has a reconstruction alone: not the step to time.
          f'latent_dim = {max(2, 128 // factor)}', 'LPGA.warm_up_steps = 0']


def images_of(path, number, image_shape=(64, 64, 3)):
  """Returns photographs, uint8 `[number, h, w, 3]`, or noise without a path."""
  if path is None:
    return np.random.default_rng(0).integers(
        0, 256, (number, *image_shape), np.uint8)
  array = data.images(path, image_shape, test_fraction=0.).split('train')
  return array.read(np.arange(number) % len(array))


class Functions:
  """One model of the paper file, and the functions that are timed.

  Args:
    precision: 'float32' or 'mixed_bfloat16'.
    factor: the nets' filters, 64, are divided by it.
    batch_size: images in a train step.
    chunk: train steps in one call.
    xla: whether XLA compiles.
  """

  def __init__(self, precision='float32', factor=1, batch_size=64, chunk=20,
               xla=True):
    registry.register()
    configuration.parse(
        [FILE], [*bindings(factor), f'train.precision = {precision!r}'],
        roots=registry.train_roots)
    self.batch_size, self.chunk = batch_size, chunk
    self.model = checkpoints.build(
        configuration.setting('train.model'),
        configuration.setting('train.optimizer'), precision=precision,
        jit_compile=xla)
    self.names = ('loss', *self.model.term_names)

  def train(self, images):
    """Takes a step for each batch of `[chunk, B, h, w, c]`; the last's terms.
    """
    terms = tf.zeros([len(self.names)])
    # A loop in the graph: calls from Python would be timed, too.
    for i in tf.range(self.chunk):
      logs = self.model.train_step(images[i])
      terms = tf.stack([logs[name] for name in self.names])
    return terms

  def decode(self, latents):
    """Latents `[B, H]` to uint8 images."""
    return self.model.kind.to_users(self.model.render(latents))

  def latents(self, size):
    """Returns float32 `[size, H]`, the same each time."""
    return np.random.default_rng(1).normal(
        size=(size, self.model.latent_dim)).astype(np.float32)
