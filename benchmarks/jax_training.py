"""The steps that were packed by `train_by_jax`, taken by JAX.

Neither TensorFlow nor pgak is imported here.
"""
import json
import pathlib
import time

import numpy as np
import stablehlo

__all__ = ['Trained', 'distance']

# Images of each kind that are scored.
_SCORED = 5000
# How often the held-out loss of a fit is measured on the way.
_MEASURES = 20


def _batches(count, size, seed):
  """Yields positions `[size]` without end, each epoch in another order."""
  epoch = 0
  while True:
    order = np.random.default_rng((seed, epoch)).permutation(count)
    # The rest of an epoch is left out: shapes are static.
    for first in range(0, count - size + 1, size):
      yield order[first:first + size]
    epoch += 1


class Trained:
  """What was packed, and the values of its variables as they change.

  Args:
    folder: the path where it was packed.
    log_every: steps between two lines of losses.

  Attributes:
    about: what `train_by_jax` wrote of it, a dictionary.
    result: losses, scores and seconds so far, a dictionary.
  """

  def __init__(self, folder, log_every):
    self.folder = pathlib.Path(folder)
    self.about = json.loads((self.folder / 'about.json').read_text())
    self.values = dict(np.load(self.folder / 'values.npz'))
    self.images = np.load(self.folder / 'images.npz')['images']
    self.result = {'names': self.about['names'], 'logs': [], 'fit': [],
                   'scores': {}}
    self._log_every = log_every
    self._positions = _batches(
        len(self.images), self.about['batch_size'], self.about['seed'])

  def descend(self, name, steps, limit=float('inf'), beside=None):
    """Takes the steps of a program; returns their number."""
    program = stablehlo.Program(self.folder, name, self.values)
    self.result['device'] = program.device_kind
    chunk, step, start = self.about['chunk'], 0, time.perf_counter()
    while step < steps and time.perf_counter() - start < limit:
      # One call takes a chunk of steps, as it was stored.
      rows = np.stack([next(self._positions) for _ in range(chunk)])
      terms, = program(self.images[rows], *(
          [beside(rows, step)] if beside else []))
      step += chunk
      # Waiting for each call would leave the device without work.
      if step % self._log_every < chunk:
        self.result['logs'].append([step, *map(float, np.asarray(terms))])
        seconds = time.perf_counter() - start
        print(f'{name}: {step} steps, {step / seconds:.0f} a second',
              *self.result['logs'][-1][1:], flush=True)
    self.values |= program.state
    self.result[f'{name}_seconds'] = time.perf_counter() - start
    return step

  def averaged(self):
    """Returns the values with averages in the place of weights."""
    return self.values | {weight: self.values[average] for weight, average
                          in self.about['averages'].items()}

  def encode(self):
    """Returns the latents of all images, float32 `[N, H]`."""
    return _called(stablehlo.Program(self.folder, 'encode', self.averaged()),
                   self.images, stablehlo.MANY)

  def polish(self, latents):
    """Trains the decoder from latents with noise."""
    polish, seed = self.about['polish'], self.about['seed']
    sigma = polish['noise'] * latents.std(0)

    def noisy(rows, step):
      normal = np.random.default_rng((seed, step, 1)).standard_normal(
          (*rows.shape, latents.shape[1]), np.float32)
      return latents[rows] + sigma * normal
    self.descend('polish', polish['steps'], beside=noisy)

  def fit(self, latents):
    """Fits a flow to latents; returns its arrays."""
    about, chunk = self.about['fit'], self.about['chunk']
    folder, start = self.folder / 'fit', time.perf_counter()
    values = dict(np.load(folder / 'values.npz'))
    # The averages begin where the weights do.
    values |= {average: values[weight] for average, weight in zip(
        about['averages'], about['trained'], strict=True)}
    # As `fitted.standardiser`, where no dimension is constant.
    latents = latents.astype(np.float64)
    mean, scale = latents.mean(0), latents.std(0)
    points = ((latents - mean) / scale).astype(np.float32)
    program, measure = (stablehlo.Program(folder, name, values)
                        for name in ('fit', 'measure'))
    train, watched = (program.put(points[values[name]])
                      for name in ('train', 'watched'))
    best, kept = np.inf, None
    marks = np.linspace(0, about['steps'], _MEASURES + 1) // chunk * chunk
    for step in range(chunk, about['steps'] + 1, chunk):
      program(train)
      if step in marks:
        measure.assign(values | program.state)
        loss = float(np.asarray(measure(watched)[0]))
        print(f'fit: {step} steps, held-out loss {loss:.4f}', flush=True)
        self.result['fit'].append([step, loss])
        if loss < best:
          best, kept = loss, program.state
    if kept is None:
      raise SystemExit('The held-out loss of the flow was never finite.')
    self.result['fit_seconds'] = time.perf_counter() - start
    # Samples for the scores; pgak draws its own later.
    base = np.random.default_rng(0).standard_normal(
        (_SCORED, len(mean)), np.float32)
    self._samples = mean + scale * _called(
        stablehlo.Program(folder, 'flow', values | kept), base, stablehlo.MANY)
    return {'mean': mean, 'scale': scale} | {
        f'weight_{i}': kept[key] for i, key in enumerate(about['averages'])}

  def score(self, latents, when):
    """Scores decoded latents of images and samples, if that was packed."""
    folder = self.folder / 'features'
    if not folder.exists():
      return
    values = dict(np.load(folder / 'values.npz'))
    features = stablehlo.Program(folder, 'features', values)
    decode = stablehlo.Program(self.folder, 'decode', self.averaged())
    chosen = np.random.default_rng(0).permutation(len(latents))[:_SCORED]
    for name, some in (('decoded', latents[chosen]),
                       ('samples', self._samples)):
      found = _called(features, _called(decode, some.astype(np.float32),
                                        stablehlo.MANY), stablehlo.FEW)
      score = distance(found, values['mean'], values['covariance'])
      print(f'{when}: FID-768 of {name} {score:.4f}', flush=True)
      self.result['scores'][f'{name}, {when}'] = score


def _called(program, array, size):
  """Calls a program on a batch after another; returns all of its outputs."""
  number, found = len(array), []
  for first in range(0, number, size):
    # The last batch is filled up from the beginning.
    rows = np.arange(first, first + size) % number
    found.append(np.asarray(program(array[rows])[0]))
  return np.concatenate(found)[:number]


def distance(features, mean, covariance):
  """Returns the Frechet distance of features from those of other images.

  Args:
    features: float `[N, D]`.
    mean: float `[D]`, of the others.
    covariance: float `[D, D]`, of the others.
  """
  features = features.astype(np.float64)
  own = np.cov(features.T)
  values, vectors = np.linalg.eigh(covariance)
  root = vectors * np.sqrt(np.maximum(values, 0.)) @ vectors.T
  cross = np.linalg.eigvalsh(root @ own @ root)
  return float(np.square(features.mean(0) - mean).sum() + np.trace(own)
               + np.trace(covariance) - 2. * np.sqrt(
                   np.maximum(cross, 0.)).sum())
