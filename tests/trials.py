"""Commands that are ended and given again, and what they must leave behind.

A trial has a folder with all that its command reads and writes: run, cache and
temporary files.
"""
import csv
import hashlib
import json
import pathlib
import shutil
import sys
import time

import forked
from PIL import Image
import tiny_runs

from pgak import files
from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import sample
from pgak.bin import sweep
from pgak.bin import train
from pgak.runs import run_directory
from pgak.serving import check

__all__ = ['KINDS', 'check_export', 'undisturbed']

STEPS, BEGUN = 60, 20
_TRAIN = tiny_runs.flags(
    'train.checkpoint_every = 4', 'train.keep_checkpoints = 3',
    'train.log_every = 4', 'train.validate_every = 20',
    'train.sample_every = 20', "train.best_by = 'validation_loss'",
    'train.xla = True', 'train.augmenter = @augmenter()',
    'sgd.ema_decay = 0.99', 'sgd.learning_rate = 0.05',
    files=['models/vae.gin'])
_NET = '--gin_param=classifier.steps = 20'
_SWEEP = '''
sweep.gin_files = ['quickstart.gin', 'models/vae.gin']
sweep.cells = {{'a': [], 'b': ['sgd.learning_rate = 0.05']}}
sweep.bindings = {}
sweep.evaluations = [{{'protocol': 'quick', 'num_samples': 70}}]
'''.format([*tiny_runs.SETTINGS, 'train.steps = 20', 'train.xla = True',
            'train.checkpoint_every = 4', 'classifier.steps = 20'])


class Trial:
  """A command in a folder of its own.

  Args:
    place: the folder, empty; all that the command writes is there.
    begun: a folder with what was there before, which is copied; or None.
    seconds: how long the command takes if nothing disturbs it.
    expected: what it then leaves, as `found` gives it.

  Attributes:
    main: the command.
    writes: how many names of files and folders it makes, at least.
  """

  main, writes = None, 1

  def __init__(self, place, begun=None, seconds=0., expected=None):
    self.place = place
    self.seconds, self.expected = seconds, expected
    if begun:
      shutil.copytree(begun, place, dirs_exist_ok=True)
    (place / 'tmp').mkdir(parents=True, exist_ok=True)
    self.environment = {'PGAK_CACHE': str(place / 'cache'),
                        'TMPDIR': str(place / 'tmp')}
    self.run = run_directory.RunDirectory(place / 'run', create=True)
    self.prepare()

  def prepare(self):
    """Makes of what was there before what the command begins with."""

  def flags(self):
    """Returns the command's flags."""
    raise NotImplementedError

  def start(self):
    """Gives the command; returns the `forked.Child`."""
    return forked.start(type(self).main, self.flags(), cwd=self.place,
                        env=self.environment)

  def found(self):
    """Returns the command's result, comparable with `==`."""
    raise NotImplementedError

  def check_done(self):
    """Checks that the result is there, and that of an undisturbed command."""
    assert self.found() == self.expected

  def kept(self):
    """Returns what the command must not change."""
    return _digests(self.run.path, 'checkpoints/**/*', 'config.*')

  def check_kept(self, before):
    """Checks that it did not."""
    assert self.kept() == before

  def wait_for_others(self):
    """Waits until no process is left that the command started."""
    end = time.monotonic() + 60.
    while any(str(self.place) in words for words in _command_lines()):
      assert time.monotonic() < end
      time.sleep(0.05)

  def check_whole(self, strict=True):
    """Checks that whatever is there can be read, and that nothing is left over.

    Args:
      strict: whether left-overs of what was being written are faults.
    """
    for path in self.place.rglob('*'):
      if _is_left_over(path.relative_to(self.place)):
        assert not strict, path
      elif path.is_file():
        _read(path)
    for folder in self.place.rglob('checkpoints'):
      for step in run_directory.RunDirectory(folder.parent).checkpoints():
        tiny_runs.saved(folder.parent, step)


class Train(Trial):
  """Goes on from step 20 to 60."""

  main, writes = train.run, 70

  def flags(self):
    return [f'--run_dir={self.run.path}', *_TRAIN,
            f'--gin_param=train.steps = {STEPS}']

  def found(self):
    assert max(self.run.checkpoints()) == STEPS
    return _bytes(tiny_runs.saved(self.run.path, STEPS)), dict(self.run.best)

  def kept(self):
    return max(self.run.checkpoints()), self.run.best['value']

  def check_kept(self, before):
    step, value = self.kept()
    assert step >= before[0] and value <= before[1]
    assert self.run.best['step'] in self.run.checkpoints()


class Evaluate(Trial):
  """Measures once more, with nets and statistics that are to be made."""

  main, writes = evaluate.run, 8

  def prepare(self):
    for name in ('classifiers', 'statistics'):
      shutil.rmtree(self.place / 'cache' / name, ignore_errors=True)

  def flags(self):
    return [f'--run_dir={self.run.path}', _NET, '--num_samples=70', '--seed=1']

  def found(self):
    rows = [r for r in self.run.scores() if r['seed'] == '1']
    return rows[-self.number():]

  def number(self):
    """How many rows an evaluation appends."""
    return sum(r['seed'] == '0' for r in self.run.scores())

  def kept(self):
    number = self.number()
    assert number
    return super().kept(), self.run.scores()[:number]

  def check_kept(self, before):
    super().check_kept(before)
    # All of an evaluation's rows or none.
    assert len(self.run.scores()) % self.number() == 0


class Density(Trial):
  """Fits a density to the latents, keeps it, and draws from it."""

  main, writes = sample.run, 4

  def outputs(self):
    """Returns the files that it wrote, the newest last."""
    return sorted(self.place.glob('drawn-*.npz'))

  def flags(self):
    return [f'--run_dir={self.run.path}', '--prior=gmm', '--num_samples=5',
            f'--output={self.place}/drawn-{len(self.outputs())}.npz']

  def found(self):
    density, = self.run.path.glob('densities/gmm*.npz')
    return [_bytes(files.load_npz(p)) for p in (density, self.outputs()[-1])]

  def kept(self):
    return super().kept() | _digests(self.run.path, 'densities/gaussian*')


class Export(Trial):
  """Exports a second version."""

  main, writes = export.run, 10

  def flags(self):
    return [f'--run_dir={self.run.path}', '--noverify']

  def found(self):
    newest = max(self.run.export.iterdir(), key=lambda p: int(p.name))
    assert newest.name != '1'
    checked = forked.run(check_export, [newest])
    assert checked.status == 0, checked
    return _bytes(files.load_npz(newest / 'assets.extra' / 'expected.npz'))

  def kept(self):
    return super().kept() | _digests(self.run.export, '1/**/*')

  def check_whole(self, strict=True):
    super().check_whole(strict)
    for version in self.run.export.glob('[0-9]*'):
      assert {p.name for p in version.iterdir()} >= {
          'saved_model.pb', 'variables', 'metadata.json', 'assets.extra'}


class Sweep(Trial):
  """Trains and measures a second cell."""

  main, writes = sweep.run, 40

  def prepare(self):
    (self.place / 'it.sweep').write_text(_SWEEP)

  @property
  def output(self):
    """The sweep's folder."""
    return self.place / 'out'

  def flags(self):
    return ['--sweep=it.sweep', f'--output_dir={self.output}']

  def found(self):
    record = json.loads((self.output / 'b' / 'seed-0.json').read_text())
    rows, = record['evaluations'].values()
    saved = tiny_runs.saved(self.output / 'b' / 'seed-0', 20)
    return record['step'], rows, _bytes(saved)

  def kept(self):
    return _digests(self.output, 'a/**/*')


KINDS = {'train': Train, 'evaluate': Evaluate, 'density': Density,
         'export': Export, 'sweep': Sweep}


def check_export():
  """The program that checks an export, in a fork."""
  check.main(sys.argv)


# === What nobody disturbed ===


def undisturbed(folder):
  """Gives each command once to its end.

  Args:
    folder: an empty folder.

  Returns:
    `{kind: arguments}`, those of a `Trial` after its place.
  """
  begun, measured, swept = (folder / n for n in ('begun', 'measured', 'swept'))
  first = Train(begun)
  _finish(first, train.run, *_TRAIN, f'--gin_param=train.steps = {BEGUN}')
  made = {'train': _undisturbed(Train, folder, begun)}
  earlier = Train(measured, folder / 'Train')
  _finish(earlier, evaluate.run, _NET, '--num_samples=70')
  _finish(earlier, sample.run, '--prior=gaussian', '--output=drawn.png')
  _write_export(earlier.run.export / '1')
  for name in ('evaluate', 'density', 'export'):
    made[name] = _undisturbed(KINDS[name], folder, measured)
  _, seconds, found = _undisturbed(Sweep, folder)
  # The trials begin where the first of the two cells is done.
  shutil.copytree(folder / 'Sweep', swept)
  shutil.rmtree(swept / 'out' / 'b')
  return {**made, 'sweep': (swept, seconds / 2., found)}


def _write_export(folder):
  """Writes what has the names of an export."""
  for name in ('variables/data', 'assets.extra/expected', 'saved_model.pb'):
    files.write_text(folder / name, name)
  files.write_text(folder / 'metadata.json', '{}')


def _finish(trial, main, *flags):
  result = forked.run(main, [f'--run_dir={trial.run.path}', *flags],
                      cwd=trial.place, env=trial.environment)
  assert result.status == 0, result


def _undisturbed(kind, folder, begun=None):
  trial = kind(folder / kind.__name__, begun)
  start = time.monotonic()
  result = trial.start().wait()
  seconds = time.monotonic() - start
  assert result.status == 0, result
  trial.check_whole()
  return begun, seconds, trial.found()


# === What is on the disk ===


def _digests(folder, *patterns):
  """Returns `{path: digest of what it holds}` of the files below a folder."""
  return {str(path.relative_to(folder)):
          hashlib.sha256(path.read_bytes()).hexdigest()
          for pattern in patterns for path in folder.glob(pattern)
          if path.is_file()}


def _bytes(arrays):
  return {name: array.tobytes() for name, array in arrays.items()}


def _is_left_over(path):
  return any(p.startswith('.') and p.endswith(('.part', '.old'))
             for p in path.parts)


def _read(path):
  """Reads a file to its end; it raises an error if it is half."""
  if path.suffix == '.json':
    json.loads(path.read_text())
  elif path.suffix == '.npz':
    assert files.load_npz(path), path
  elif path.suffix == '.png':
    with Image.open(path) as picture:
      picture.load()
  elif path.suffix == '.csv':
    text = path.read_text()
    assert text.endswith('\n')
    for row in csv.reader(text.splitlines()):
      assert len(row) == len(run_directory.SCORE_COLUMNS), row
  elif path.name == 'config.gin':
    keys = json.loads(path.with_suffix('.json').read_text())['config_keys']
    assert files.key(path.read_text()) in keys


def _command_lines():
  """Yields the words of each process that runs, in one string."""
  for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
    try:
      yield path.read_text(errors='replace')
    except OSError:
      continue
