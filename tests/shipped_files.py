"""The gin files that ship, and how a test builds and steps what they say."""
import math
import pathlib

import keras
import numpy as np

from pgak import data
from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration

__all__ = ['GIN', 'SYNTHETIC', 'activations', 'build', 'products', 'shipped',
           'step']

registry.register()

GIN = pathlib.Path(__file__).absolute().parent.parent / 'gin'
SYNTHETIC = 'datasets/synthetic.gin'


def shipped(folder='.'):
  """Returns the names of the gin files in a folder of the package."""
  return sorted(p.relative_to(GIN).as_posix()
                for p in (GIN / folder).rglob('*.gin'))


def build(files, *bindings):
  """Parses files and bindings as `train` does and builds the model."""
  configuration.parse(files, bindings)
  return checkpoints.build(**checkpoints.build_settings())


def _values(model):
  return {part: np.concatenate([np.ravel(v.numpy())
                                for v in net.trainable_variables])
          for part, net in model.parts.items()}


def activations(model):
  """How many leaky ReLUs the encoder has."""
  return sum('leaky' in op.name for op in model.encoder.operations)


def products(net):
  """Multiplications of a net for one example, in layers with a kernel."""
  total = 0
  for layer in net.layers:
    if hasattr(layer, 'kernel'):
      transposed = isinstance(layer, keras.layers.Conv2DTranspose)
      grid = (layer.input if transposed else layer.output).shape[1:-1]
      total += math.prod(grid) * math.prod(layer.kernel.shape)
  return total


def step(model, batch_size=4):
  """Takes one train step on the configured data; checks what it did.

  A part that no row names stays as it is.
  """
  images = configuration.setting('train.dataset')().split('train')
  assert images.image_shape == model.image_shape
  batches = data.train_batches(images, batch_size * model.table.slices, seed=0,
                               value_range=model.value_range)
  before = _values(model)
  logs = model.train_step(next(iter(batches)))
  assert set(logs) == {'loss', *model.term_names}
  assert np.all(np.isfinite([float(v) for v in logs.values()]))
  assert model.fault() is None and int(model.step.numpy()) == 1
  rows = model.table.rows.values()
  for part, after in _values(model).items():
    assert np.all(np.isfinite(after))
    if not any(part in row for row in rows):
      continue
    assert np.any(after != before[part]), f'the {part} did not move'
  return logs
