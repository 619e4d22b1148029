"""Begins a run, or resumes it from what is on the disk.

A run without a checkpoint is begun anew, as there is nothing to lose. One with
a checkpoint is resumed by the command that began it, or not at all.
"""
import datetime
import platform
import struct

from absl import logging
import keras
import numpy as np
from tensorboard.compat.proto import event_pb2
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak import files
from pgak import version
from pgak.data import kinds
from pgak.runs import changes
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import gin_text

__all__ = ['describe', 'purge_events', 'restore_latest']

# A run binds these, whatever it trains.
_ESSENTIAL = ('train.dataset', 'train.model', 'train.steps')


def describe(run, imports, seed, steps, train_images, is_chief, origin=None,
             composed=None, prepare=lambda: None):
  """Writes what a new run is, or refuses to resume another one.

  Args:
    run: `RunDirectory`.
    imports: modules that the user named.
    seed: int, the run's.
    steps: number of those that train it, without those that polish it.
    train_images: `ImageArray` that is trained on.
    is_chief: whether this process writes.
    origin: what else config.json keeps of a new run, such as where its weights
      are from; a dictionary, or None.
    composed: text of command.gin, or None for none. It is written before
      config.gin, whose steps may be more, but not fewer.
    prepare: function without arguments, called before other settings than the
      run has are written; if it refuses them they leave no trace.

  Returns:
    The version of the order in which the run sees its data.

  Raises:
    errors.UserError: if it was begun with other settings or data, or if its
      configuration is damaged.
  """
  present = configuration.as_text()
  if not run.checkpoints():
    prepare()
    if is_chief:
      if run.has_config:
        print(f'{run.path} was begun before and has no checkpoint: it is begun '
              'anew.')
      if composed:
        run.write_command(composed)
      run.write_config(present, _description(
          imports, seed, int(steps), train_images) | (origin or {}))
    return data.ORDER
  described = run.config
  _check_whole(run, described)
  # After the check of the file: a cut one would compare fewer settings.
  changed = changes.changed_bindings(run.config_gin, present)
  if changed:
    raise errors.UserError(
        f'{run.path} was trained with other settings of {", ".join(changed)}: '
        'on resuming only train.steps and polish.steps may grow, and intervals '
        'and the place of the data change; give the same command as before, or '
        f'a new --run_dir with --warm_start={run.path}, which begins with its '
        'weights.')
  begun = described.get('versions', {}).get('pgak')
  if begun != version.__version__:
    _tell_added(changes.added_bindings(run.config_gin, present))
  before = described.get('steps') or _bound_steps(run.config_gin)
  _check_polished(run, before, steps)
  if described['data']['fingerprint'] != train_images.fingerprint:
    raise errors.UserError(
        f'{run.path} was trained on other images of {train_images.name}: give '
        f'the same data, or a new --run_dir with --warm_start={run.path}, '
        'which begins with its weights.')
  most = int(max(steps, before or 0))
  # A finished run may lie where nothing can be written.
  is_new = (present, most) != (run.config_gin, before)
  if is_new:
    prepare()
  if is_chief and composed:
    run.write_command(composed)
  if is_chief and is_new:
    run.write_config(present, described | {'steps': most})
  # Version 0.4 recorded no order; it had the first.
  return described['data'].get('order', 1)


def _tell_added(added):
  for name, value in added.items():
    logging.warning(
        '%s is new since the version that began this run: from here on it is '
        '%s.', name, value)


def _check_whole(run, described):
  """Refuses a config.gin that was cut or changed since pgak wrote it.

  Names that only one of two configurations has are not compared, so with half a
  file other settings would go unnoticed.
  """
  text, keys = run.config_gin, described.get('config_keys')
  # Version 0.4 wrote no keys.
  whole = (all(f'{name} = ' in text for name in _ESSENTIAL) if keys is None
           else files.key(text) in keys)
  if not whole:
    raise errors.UserError(
        f'{run.config_file} is not as pgak wrote it, so that the run cannot be '
        'resumed: restore it, or train into a new --run_dir.')


def _bound_steps(config_gin):
  """Returns train.steps as a config.gin binds it, or None.

  Until version 0.12 config.json did not say it. An argument in Python is in no
  config.gin, and of a macro the name alone.
  """
  try:
    return float(gin_text.read_bindings(config_gin)['train.steps'])
  except (KeyError, ValueError):
    return None


def _check_polished(run, before, steps):
  """Refuses more steps of training for a run whose polishing has begun.

  Those that polished it would count as steps that trained all parts.
  """
  if before and before < min(steps, run.checkpoints()[-1]):
    raise errors.UserError(
        f'{run.path} is polished since step {int(before)} and cannot be '
        f'trained on: give `train.steps = {int(before)}`, beside which '
        f'`polish.steps` may grow, or a new --run_dir with '
        f'--warm_start={run.path}, which begins with its weights.')


def _description(imports, seed, steps, train_images):
  return {
      'imports': list(imports),
      'created': datetime.datetime.now().isoformat(timespec='seconds'),
      'seed': seed,
      'steps': steps,
      'data': {
          'name': train_images.name,
          'kind': kinds.of(train_images).name,
          'split': train_images.split,
          'examples': len(train_images),
          'fingerprint': train_images.fingerprint,
          'order': data.ORDER,
          'preprocessing': train_images.preprocessing,
      },
      'versions': {
          'pgak': version.__version__,
          'python': platform.python_version(),
          'tensorflow': tf.__version__,
          'keras': keras.__version__,
          'numpy': np.__version__,
      },
      'devices': [d.name for d in tf.config.list_logical_devices()],
  }


def restore_latest(run, model):
  """Restores the newest checkpoint that is whole, if there is one.

  Args:
    run: `RunDirectory`.
    model: compiled `GenerativeAutoencoder`, which gets its state.

  Returns:
    Its step, 0 for none.

  Raises:
    errors.UserError: if there are some and none can be restored.
  """
  first_error = None
  # The newest may be damaged, by a disk or a copy; an older one loses steps,
  # not the run.
  for step in reversed(run.checkpoints()):
    try:
      checkpoints.restore(model, run, step)
    except errors.UserError as e:
      first_error = first_error or e
      continue
    if first_error:
      logging.warning('%s The run goes on from step %d.', first_error, step)
    # The model's own counter, which a renamed folder does not change.
    return int(model.step.numpy())
  if first_error:
    raise first_error
  return 0


def purge_events(folder, step, is_repeated=False):
  """Removes events from TensorBoard's files that will be written again.

  Args:
    folder: the folder of the event files.
    step: int, events of later steps go.
    is_repeated: whether the work of that step is done again. Its means of the
      terms in training stay, which only the process that is gone had.
  """
  for path in sorted(folder.rglob('*.tfevents.*')):
    records = list(_records(path.read_bytes()))
    last = step - (is_repeated and path.parent.name != 'train')
    kept = [whole for whole, content in records
            if event_pb2.Event.FromString(content).step <= last]
    if len(kept) < len(records):
      # Whole records are copied as bytes, so their checksums stay valid.
      with files.replacing(path) as part:
        part.write_bytes(b''.join(kept))


def _records(content):
  """Yields `(record, its content)` of a TFRecord file, without a cut last one.

  A record is a length of 8 bytes and its checksum of 4, the content, and that
  one's checksum of 4.
  """
  start = 0
  while start + 12 <= len(content):
    length, = struct.unpack_from('<Q', content, start)
    end = start + 12 + length + 4
    # A process that was killed may have written half a record.
    if end > len(content):
      return
    yield content[start:end], content[start + 12:end - 4]
    start = end
