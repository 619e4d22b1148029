"""Made weights of published nets, in their files' layouts, and NumPy's layers.

What the tests of those nets hold them against: nothing here is pgak's.
"""
import os
import pathlib

import h5py
import numpy as np
import pytest

__all__ = ['REAL', 'caffe', 'convolve', 'needs_real', 'npz', 'pool', 'relu',
           'torch_vgg', 'torch_squeeze', 'write_h5']

REAL = os.environ.get('PGAK_TEST_DATA') and pathlib.Path(
    os.environ['PGAK_TEST_DATA'], 'perceptual')
needs_real = pytest.mark.skipif(
    not (REAL and REAL.is_dir()), reason='needs the data of PGAK_TEST_DATA')


def relu(x):
  return np.maximum(x, 0.)


def convolve(x, kernel, bias, stride=1, padding=0):
  """Cross-correlation of `[B, h, w, C]` by a kernel `[h, w, in, out]`."""
  x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
  height, width = kernel.shape[:2]
  rows = (x.shape[1] - height) // stride + 1
  columns = (x.shape[2] - width) // stride + 1
  total = np.zeros((len(x), rows, columns, kernel.shape[-1]))
  for i in range(height):
    for j in range(width):
      part = x[:, i:i + stride * rows:stride, j:j + stride * columns:stride]
      total += part[:, :rows, :columns] @ kernel[i, j]
  return total + bias


def pool(x, size, stride, up=False):
  """Maxima; with `up` a window may reach over the end, as PyTorch's may."""
  number = np.ceil if up else np.floor
  rows, columns = (int(number((n - size) / stride)) + 1 for n in x.shape[1:3])
  return np.stack([np.stack([
      x[:, i * stride:i * stride + size, j * stride:j * stride + size].max(
          (1, 2)) for j in range(columns)], 1) for i in range(rows)], 1)


def caffe(rgb):
  """RGB on [0, 1] to BGR on [0, 255] less the mean."""
  return 255. * rgb[..., ::-1] - np.array([103.939, 116.779, 123.68])


def _kernel(draw, out, inputs, size):
  scale = np.sqrt(2. / (inputs * size * size))
  return (scale * draw.normal(size=(out, inputs, size, size))).astype('f4')


def torch_vgg(widths, prefix='', seed=0):
  """A state as PyTorch names VGG's: convolutions numbered two apart."""
  draw, state, inputs = np.random.default_rng(seed), {}, 3
  for i, width in enumerate(widths):
    state[f'{prefix}{2 * i}.weight'] = _kernel(draw, width, inputs, 3)
    state[f'{prefix}{2 * i}.bias'] = draw.normal(size=width).astype('f4')
    inputs = width
  return state


def torch_squeeze(seed=0):
  """A state as torchvision names SqueezeNet 1.1's."""
  draw = np.random.default_rng(seed)
  shapes, inputs = {'features.0': (64, 3, 3)}, 64
  for number, squeezed in zip((3, 4, 6, 7, 9, 10, 11, 12),
                              (16, 16, 32, 32, 48, 48, 64, 64)):
    name = f'features.{number}'
    shapes[f'{name}.squeeze'] = squeezed, inputs, 1
    shapes[f'{name}.expand1x1'] = 4 * squeezed, squeezed, 1
    shapes[f'{name}.expand3x3'] = 4 * squeezed, squeezed, 3
    inputs = 8 * squeezed
  state = {}
  for name, (out, inside, size) in shapes.items():
    state[f'{name}.weight'] = _kernel(draw, out, inside, size)
    state[f'{name}.bias'] = 0.1 * draw.normal(size=out).astype('f4')
  return state


def npz(path, state):
  """Writes a state; returns the path as text."""
  np.savez(path, **state)
  return str(path)


def write_h5(path, layers, suffix='_W_1:0'):
  """Writes `{layer: (kernel [h, w, in, out], bias)}` as old Keras did."""
  with h5py.File(path, 'w') as file:
    file.attrs['layer_names'] = [b'input_1', *(n.encode() for n in layers)]
    file.create_group('input_1').attrs['weight_names'] = []
    for name, (kernel, bias) in layers.items():
      group = file.create_group(name)
      names = [f'{name}{suffix}', f'{name}_b_1:0']
      group.attrs['weight_names'] = [n.encode() for n in names]
      group[names[0]], group[names[1]] = kernel, bias
  return str(path)
