"""The content of a run directory: where what is, written and read.

What one module alone writes and reads is there, under the name that it has
here.

```
RUN_DIR/
  config.gin      the operative configuration: evaluate, sample and export need
                  nothing else
  config.json     versions, seed, imports, the data's fingerprint
  command.gin     what the train command composed of its flags and gin files
  checkpoints/    step-00001000/ ...; best.json names the best one;
                  finished.json in one: what was done before an interruption
  stopped.json    the step at which a callback ended the run
  events/         TensorBoard
  diagnostics.json  what the last validation warned of
  samples/        grids by step
  densities/      those that were fitted to the latents
  grids/ prd/ neighbours/   what evaluations drew
  scores.csv      one row per score
  not_measured.json  what evaluations left out, and why
  export/         the versions of an export, by default
```

A file or checkpoint is written beside its place and then renamed, so that it is
there whole or not at all.
"""
import contextlib
import json
import os
import re
import shutil

from pgak import errors
from pgak import files
from pgak.runs import score_files
from pgak.runs import scores as scores_lib

__all__ = ['RunDirectory', 'SCORE_COLUMNS']

SCORE_COLUMNS = scores_lib.COLUMNS

# The names of config.json that are read, with their types. Older versions may
# lack some, so only wrong types are damage at once.
_CONFIG = {'config_keys': list, 'data': dict, 'imports': list, 'seed': int,
           'steps': int, 'versions': dict, 'warm_start': dict}
_DATA = {'examples': int, 'fingerprint': str, 'name': str, 'order': int,
         'preprocessing': dict, 'split': str}


class _Record(dict):
  """The content of a JSON file; a missing name means that it is damaged."""

  def __init__(self, content, path, types=()):
    super().__init__(content)
    self._path = path
    for name, kind in dict(types).items():
      if name in self and not isinstance(self[name], kind):
        what = files.KINDS.get(kind, kind.__name__)
        raise _damaged(path, f'its {name} is not {what}')

  def __missing__(self, name):
    raise _damaged(self._path, f'it has no {name!r}')


def _read_json(path, types=()):
  try:
    return _Record(files.load_json(path), path, types)
  except (OSError, ValueError) as e:
    raise _damaged(path, e) from e


def _damaged(path, reason):
  return errors.UserError(f'{path} is missing or damaged ({reason}): restore '
                          'it, or train into a new run directory.')


class RunDirectory:
  """One run's folder.

  Args:
    path: the folder.
    create: whether to make it; otherwise it must hold a run.

  Raises:
    errors.UserError: if it holds no run, or something that is not a run.
  """

  def __init__(self, path, create=False):
    self.path = files.local(path)
    self.config_file = self.path / 'config.gin'
    self.command_file = self.path / 'command.gin'
    self.samples = self.path / 'samples'
    self.events = self.path / 'events'
    self.export = self.path / 'export'
    self.checkpoint_folder = self.path / 'checkpoints'
    if create:
      self._create()
    elif not self.config_file.is_file():
      raise errors.UserError(
          f'{self.path} is not a run directory (it has no config.gin): give '
          'the --run_dir of a train command that has begun.')

  def _create(self):
    if self.path.is_dir():
      # Hidden files are those of editors and file systems; the two others are
      # what a command leaves that was killed before config.gin.
      foreign = [p.name for p in self.path.iterdir()
                 if not p.name.startswith('.')
                 and p.name not in ('config.json', 'command.gin')]
      if foreign and not self.has_config:
        raise errors.UserError(
            f'{self.path} holds {sorted(foreign)[0]} and no config.gin, so it '
            'is not a run directory: choose an empty or a new one.')
    try:
      self.path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
      raise errors.UserError(
          f'Cannot make the run directory {self.path}: {e.strerror}.') from e

  # === Configuration ===

  @property
  def has_config(self):
    return self.config_file.is_file()

  @property
  def config_gin(self):
    """The operative configuration as text."""
    try:
      return self.config_file.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as e:
      raise _damaged(self.config_file, e) from e

  @property
  def config(self):
    """The content of config.json."""
    path = self.path / 'config.json'
    record = _read_json(path, _CONFIG)
    if not all(isinstance(m, str) for m in record.get('imports', ())):
      raise _damaged(path, 'its imports are not a list of strings')
    if 'data' in record:
      record['data'] = _Record(record['data'], path, _DATA)
    return record

  def write_config(self, config_gin, config):
    """Writes both files, config.gin last: with it the run exists.

    config.json holds the keys of config.gin as it will be and as it is, so that
    one of them fits whenever the process is killed.
    """
    # A dictionary for an ordered set.
    keys = {files.key(config_gin): None}
    if self.has_config:
      keys[files.key(self.config_gin)] = None
    config = {**config, 'config_keys': list(keys)}
    files.write_text(self.path / 'config.json',
                json.dumps(config, indent=2, sort_keys=True) + '\n')
    files.write_text(self.config_file, config_gin)

  def write_command(self, text):
    """Writes command.gin, unless it is that already or nothing can be written.
    """
    kept = self.command_file
    if self.is_writable and not (
        kept.is_file() and kept.read_text(encoding='utf-8') == text):
      files.write_text(kept, text)

  @property
  def is_writable(self):
    """Whether files can be written here."""
    return os.access(self.path, os.W_OK)

  @contextlib.contextmanager
  def locked(self):
    """Holds the run against a second train command.

    Raises:
      errors.UserError: if another process holds it.
    """
    # A run on a read-only disk can be neither locked nor changed.
    if not self.is_writable:
      yield
      return
    with files.locked(
        self.path / '.lock', f'{self.path} is in use by another train command: '
        'wait for it, or choose another --run_dir.'):
      yield

  # === Checkpoints ===

  def checkpoints(self):
    """Returns the steps of all complete checkpoints, in ascending order."""
    found = []
    if self.checkpoint_folder.is_dir():
      for folder in self.checkpoint_folder.iterdir():
        # Parts of a checkpoint that is being written have other names.
        match = re.fullmatch(r'step-(\d+)', folder.name)
        if match:
          found.append(int(match.group(1)))
    return sorted(found)

  def checkpoint_prefix(self, step):
    """Returns the TensorFlow checkpoint path of a step."""
    return str(self._step_folder(step) / 'checkpoint')

  def packed_weights(self, step):
    """Returns where the weights of a step are in a run that was packed."""
    return self._step_folder(step) / 'weights.npz'

  def _step_folder(self, step):
    # Eight digits, so that folders sort by step.
    return self.checkpoint_folder / f'step-{step:08d}'

  @contextlib.contextmanager
  def writing_checkpoint(self, step):
    """Yields a path to write to; afterwards the checkpoint is in its place."""
    with files.replacing(self._step_folder(step)) as part:
      part.mkdir()
      # TensorFlow takes a prefix: it makes several files that begin so.
      yield str(part / 'checkpoint')

  def finished_callbacks(self, step):
    """Returns what was done at the step at which a run was interrupted.

    Returns:
      Names of callbacks that need not be called again, or None where nothing
      is left to do.
    """
    path = self._step_folder(step) / 'finished.json'
    return files.load_json(path, list) if path.is_file() else None

  def check_present(self):
    """Raises UserError if the folder was deleted or moved meanwhile."""
    for path in (self.config_file, self.events):
      if not path.exists():
        raise errors.UserError(
            f'{path} is gone: the run was moved or deleted while it was '
            'trained; put it back, and the same command goes on from the last '
            'checkpoint.')

  def prune(self, keep):
    """Deletes all but the newest `keep` checkpoints and the best one.

    A folder is renamed before it is deleted, so that a process that is killed
    meanwhile leaves no incomplete checkpoint under a valid name.
    """
    best = self.best
    for step in self.checkpoints()[:-keep]:
      if not best or step != best['step']:
        folder = self._step_folder(step)
        folder.rename(folder.with_name(f'.{folder.name}.old'))
    # Of earlier commands that were killed, too.
    for old in self.checkpoint_folder.glob('.step-*.old'):
      shutil.rmtree(old)

  @property
  def best(self):
    """`{'step', 'metric', 'value'}` of the best checkpoint so far, or None."""
    path = self.checkpoint_folder / 'best.json'
    return _read_json(path) if path.is_file() else None

  def write_best(self, step, metric, value):
    """Names the best checkpoint."""
    files.write_text(self.checkpoint_folder / 'best.json', json.dumps(
        {'step': step, 'metric': metric, 'value': value}) + '\n')

  def resolve_checkpoint(self, checkpoint='latest'):
    """Returns the step that 'latest', 'best' or a number stands for."""
    steps = self.checkpoints()
    if not steps:
      raise errors.UserError(f'{self.path} has no checkpoint yet: train it '
                             'for at least `train.checkpoint_every` steps.')
    if checkpoint == 'latest':
      return steps[-1]
    if checkpoint == 'best':
      if not self.best:
        raise errors.UserError(
            f'{self.path} has no best checkpoint: it was trained without '
            '`train.best_by`; use --checkpoint=latest or a step.')
      checkpoint = self.best['step']
    # A longer one is no step, and Python refuses to convert 4,300 digits.
    if not re.fullmatch('[0-9]{1,18}', str(checkpoint)) or (
        int(checkpoint) not in steps):
      raise errors.UserError(
          f'{self.path} has no checkpoint {checkpoint!r}: choose latest, best '
          f'or one of {steps}.')
    return int(checkpoint)

  # === Scores ===

  @property
  def scores_file(self):
    return self.path / 'scores.csv'

  def append_scores(self, rows, replace=False):
    """Appends scores to scores.csv, as `score_files.append` does."""
    score_files.append(self.scores_file, rows, replace)

  def scores(self, numbers=True):
    """Returns the rows of scores.csv, as `score_files.read` does."""
    return score_files.read(self.scores_file, numbers)
