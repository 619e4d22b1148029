"""Measures the diagnostics of a model at each validation, and warns.

They are of the first validation examples, in inference mode, with the averaged
weights where there are some; they draw from a seed of their own, so that
training is what it would be without them.
"""
import json
import sys

from absl import logging
import numpy as np
import tensorflow as tf
from tqdm import auto as tqdm

from pgak import capabilities
from pgak import files
from pgak import losses
from pgak import noise as noise_lib
from pgak.data import mixed_order
from pgak.training import callbacks
from pgak.training import diagnostics
from pgak.training import progress

__all__ = ['Diagnosis', 'observe']

# Bounds the time and the memory, whatever the size of the validation split.
NUMBER = 500
_BATCH = 100
_PRIOR_DRAWS = 5000
# In which part of a run the numbers are written, and nothing is warned about.
_EARLY = 0.1
_VECTOR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name='pgak'))


def observe(model, array, number=NUMBER):
  """Returns the `diagnostics.Observed` of a model on a part of a split.

  Args:
    model: `GenerativeModel`.
    array: a split, such as `data.ImageArray`.
    number: int, the most examples.
  """
  array = mixed_order.of_split(array)
  read = getattr(array, 'examples', array.read)
  found = {}
  for first in range(0, min(number, len(array)), _BATCH):
    places = np.arange(first, min(first + _BATCH, number, len(array)))
    part = _observe_batch(model, model.to_model(read(places)), first)
    for name, value in part.items():
      found.setdefault(name, []).append(np.asarray(value, np.float32))
  found = {name: np.concatenate(parts) for name, parts in found.items()}
  judged = found.pop('positive', None), found.pop('negative', None)
  return diagnostics.Observed(
      **found, value_range=getattr(model.kind, 'value_range', None),
      is_standard=capabilities.name_of(model.prior) == 'standard_normal',
      judged=None if judged[0] is None else judged,
      judged_by=getattr(model, 'judged_by', losses.discrimination),
      **_of_prior(model, found))


def _observe_batch(model, floats, first):
  """Returns `{name: tensor [b, ...]}` of a batch of floats in the range."""
  conditional = isinstance(floats, dict)
  given = floats['conditions'] if conditional else None
  images = floats['images'] if conditional else floats
  found = {'data': images}
  if 'encode' in model.can:
    mean, sigma = model.posterior(floats)
    latents = found['mean'] = mean
    if sigma is not None:
      found['sigma'] = sigma
  else:
    latents = model.draw_latents(len(images), first, given)
  if getattr(model.kind, 'value_range', None) is not None:
    found['outputs'] = model.render(latents, given)
  # A later stage is what trains the discriminator.
  if hasattr(model, 'judged') and model.stage in (None, len(model.stage_ends)):
    noise = {name: draw([len(images), *shape],
                        noise_lib.seed(0, first, f'diagnostics/{name}'))
             for name, (draw, shape) in model.noise_shapes.items()}
    found['positive'], found['negative'] = model.judged(floats, noise)
  return found


def _of_prior(model, found):
  """Returns the moments of a prior that the latents are to match, and the MMD.
  """
  matches = model.matches_prior or model.learns_prior
  if not matches or 'mean' not in found or 'condition' in model.kind.can:
    return {}
  mean, number = found['mean'], len(found['mean'])
  size = mean.shape[-1]
  if capabilities.name_of(model.prior) == 'standard_normal':
    moments = np.zeros(size), np.ones(size)
  else:
    drawn = np.asarray(model.prior.sample(_PRIOR_DRAWS, 0), float)
    moments = drawn.mean(0), np.maximum(drawn.std(0), 1e-12)
  if number < 2:
    return {'prior': moments}
  latents = mean
  if 'sigma' in found:
    latents = mean + found['sigma'] * noise_lib.normal(
        mean.shape, noise_lib.seed(0, 0, 'diagnostics/posterior')).numpy()
  drawn = tf.cast(model.prior.sample(number, 1), tf.float32)
  return {'prior': moments,
          'prior_mmd': float(losses.mmd(tf.constant(latents), drawn))}


class Diagnosis(callbacks.EveryNSteps):
  """Writes the numbers of all diagnostics, and warns once of what they show.

  They go to TensorBoard, `events/diagnostics`; the warnings that hold also to
  `diagnostics.json` in the run, which a report reads. A warning is given when
  it begins to hold, and again only after it has not held, in a resumed run too.

  Args:
    intervals: `Intervals`; it measures at each validation.
    array: the split that is validated on.
    run: `RunDirectory`.
    stream: where a log's line of numbers goes; standard output by default.
  """

  def __init__(self, intervals, array, run, stream=None):
    super().__init__(intervals.validate_every, intervals.steps)
    self.array = array
    self.path = run.path / 'diagnostics.json'
    self.writer = tf.summary.create_file_writer(str(run.events / 'diagnostics'))
    self.stream = stream or sys.stdout
    try:
      said = files.load_json(self.path)['warnings']
      self.warned = {str(name): str(text) for name, text in said.items()}
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
      self.warned = {}  # Of a new run, or damaged: they are given again.

  def at_step(self, step, logs):
    with self.model.averaged_weights():
      measured = diagnostics.measure(observe(self.model, self.array))
    self._write(step, measured)
    early = step < _EARLY * self.last_step
    said = {} if early else diagnostics.judge(measured)
    for name, text in said.items():
      if name not in self.warned:
        _warn(f'Step {step}: {text}')
    self.warned = said
    files.write_text(self.path, json.dumps(
        {'step': step, 'warnings': said}, indent=1, sort_keys=True) + '\n')

  def _write(self, step, measured):
    scalars = {}
    with self.writer.as_default(step=step):
      for numbers in measured.values():
        for name, value in numbers.items():
          if isinstance(value, float):
            scalars[name] = value
            tf.summary.scalar(name, value)
          else:
            tf.summary.histogram(name, value)
            # TensorBoard shows the histogram; a report reads the numbers.
            tf.summary.write(f'{name}/values', np.asarray(value, np.float32),
                             metadata=_VECTOR)
      self.writer.flush()
    if scalars and not progress.is_interactive(self.stream):
      values = ' '.join(f'{n} {v:.4g}' for n, v in scalars.items())
      print(f'step {step} diagnostics  {values}', file=self.stream, flush=True)


def _warn(text):
  # Else it would stand in the middle of a bar.
  with tqdm.tqdm.external_write_mode():
    logging.warning('%s', text)
