"""What is trained, where and with what, in a line."""
import os

import numpy as np
import tensorflow as tf

__all__ = ['describe']


def _count(number):
  """Returns a count as text: 950, 12.3 k, 1.24 M."""
  for size, unit in ((1e6, ' M'), (1e3, ' k')):
    if number >= size:
      return f'{number / size:.3g}{unit}'
  return str(number)


def _device():
  gpus = tf.config.list_physical_devices('GPU')
  if not gpus:
    cores = len(os.sched_getaffinity(0)) if hasattr(
        os, 'sched_getaffinity') else os.cpu_count()
    return f'CPU, {cores} cores'
  names = {tf.config.experimental.get_device_details(gpu).get(
      'device_name', 'GPU') for gpu in gpus}
  return f'{len(gpus)} x {", ".join(sorted(names))}'


def describe(model, precision):
  """Returns the parameters of each part, the precision and the device.

  Args:
    model: a `GenerativeModel`.
    precision: string, such as 'float32'.
  """
  parts = ', '.join(
      f'{name} {_count(sum(int(np.prod(v.shape)) for v in part.variables))}'
      for name, part in model.parts.items())
  return f'Parameters: {parts}; {precision}; {_device()}'
