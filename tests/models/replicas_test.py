"""Two replicas take the step of one device.

TensorFlow makes its devices once in a process: the runs are in a process of
their own, this file as a program.
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).absolute().parent.parent.parent
BATCH, STEPS = 8, 3
CASES = {
    # Eq. 7 is a difference of nearly equal numbers: a larger weight than the
    # authors' would make its rounding, not the replicas, decide.
    'lpga': ('LPGA', dict(data_latent_reconstruction=0.2), None),
    'lpga_clipped': ('LPGA', {}, 0.02),
    'vpga': ('VPGA', dict(variational_reconstruction=0.3, kl=0.2), None),
    'vpga_clipped': ('VPGA', {}, 0.02),
    'turns': (None, {}, None),
}


def _turns():
  """A VAE whose encoder has three turns a step on slices of the batch."""
  from pgak import models
  import tiny_models

  both = ('encoder', 'decoder')

  class Turns(models.VAE):
    updates = (models.Phase('kl_terms', {'kl': ('encoder',)}, repeats=2),
               models.Phase('terms', {'reconstruction': both}))
    kl_terms = models.VAE.terms

  model = Turns(tiny_models.encoder(True), tiny_models.decoder(), kl=0.3)
  tiny_models.scatter(model)
  return model


def _train(case):
  """Returns the weights after some steps, the logs and the step."""
  import keras
  import numpy as np
  import tensorflow as tf
  import tiny_models

  name, settings, clip_norm = CASES[case]
  model = tiny_models.make(name, **settings) if name else _turns()
  model.compile({p: keras.optimizers.SGD(0.5, 0.9) for p in model.parts},
                seed=7, clip_norm=clip_norm)
  batches = np.stack([tiny_models.images(BATCH, seed) for seed in range(STEPS)])
  data = tf.data.Dataset.from_tensor_slices(batches)
  history = model.fit(data, verbose=0, shuffle=False).history
  if case == 'vpga':
    validation = model.evaluate(data, verbose=0, return_dict=True)
    history |= {f'val_{term}': [value] for term, value in validation.items()}
  return {'weights': [float(x) for p in sorted(model.parts)
                      for x in tiny_models.values(model.parts[p])],
          'logs': {t: v[0] for t, v in history.items()},
          'step': int(model.step.numpy())}


def main():
  """Prints each case's results on one device and on two replicas, as JSON."""
  sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]
  import tensorflow as tf
  tf.config.set_logical_device_configuration(
      tf.config.list_physical_devices('CPU')[0],
      [tf.config.LogicalDeviceConfiguration()] * 2)
  strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])
  results = {}
  for case in CASES:
    one = _train(case)
    with strategy.scope():
      two = _train(case)
    results[case] = {'one': one, 'two': two}
  results['replicas'] = strategy.num_replicas_in_sync
  print(json.dumps(results))


@pytest.fixture(scope='module')
def results():
  done = subprocess.run([sys.executable, __file__], capture_output=True,
                        check=False, text=True, timeout=600,
                        env=os.environ | {'CUDA_VISIBLE_DEVICES': '-1'})
  assert done.returncode == 0, done.stderr[-3000:]
  return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize('case', CASES)
def test_two_replicas_end_with_the_weights_of_one_device(results, case):
  assert results['replicas'] == 2
  one, two = results[case]['one'], results[case]['two']
  assert one['step'] == two['step'] == STEPS
  assert two['weights'] == pytest.approx(one['weights'], rel=1e-5, abs=1e-5)
  assert two['logs'] == pytest.approx(one['logs'], rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_clipping_takes_place(results):
  for name in ('lpga', 'vpga'):
    gap = [abs(a - b) for a, b in zip(
        results[name]['one']['weights'],
        results[f'{name}_clipped']['one']['weights'])]
    assert max(gap) > 1e-3


if __name__ == '__main__':
  main()
