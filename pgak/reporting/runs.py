"""What a report reads of a run; what is damaged is named and left out."""
import ast
import csv
import dataclasses
import math
import pathlib
import re
import shlex
from typing import NamedTuple

from pgak import errors
from pgak import files
from pgak.data import formats
from pgak.data import kinds
from pgak.metrics import metric
from pgak.reporting import finding
from pgak.runs import changes
from pgak.runs import gin_text
from pgak.runs import run_directory

__all__ = ['CHOICES', 'Cell', 'Column', 'FITTED', 'Run', 'Score', 'by_dataset',
           'cells', 'model_name', 'read', 'read_score']

# Their names in the papers.
MODEL_NAMES = {
    'RAEL2': 'RAE-L2', 'RAEGP': 'RAE-GP', 'RAESN': 'RAE-SN', 'CVVAE': 'CV-VAE',
    'WAEMMD': 'WAE', 'BetaVAE': 'beta-VAE', 'FPVAE': 'FP-VAE',
    'NoPriorMatching': 'no prior matching',
    'PGGAN': 'PG-GAN', 'PriorAAE': 'Prior-AAE', 'SNGAN': 'SN-GAN',
    'SoftIntroVAE': 'Soft-IntroVAE',
    'WAEGAN': 'WAE-GAN', 'VUNet': 'VUNet', 'VUNetFlow': 'VUNet, flow',
}
# Two scores that differ in one of these are of two protocols.
CHOICES = ('dataset', 'features', 'num_samples', 'split', 'crop', 'resize',
           'rounding', 'batch_norm', 'protocol')
# Labels of densities that are fitted to a model's latents after training, and
# of a model's own prior whose draws make round trips; the other ones that an
# evaluation draws from are the model's own as it was trained.
FITTED = re.compile('(?P<name>gaussian|gmm_gradient|gmm|bayesian_gmm|kde|'
                    'real_nvp|two_stage|flow_matching|resampled)(_.*)?|'
                    '.*_round_trips_.*')
_ENCODED = ('reconstructions', 'interpolations')
_KINDS = ('samples', 'reconstructions', 'interpolations',
          'prior_interpolations')


class Column(NamedTuple):
  """What is measured of what.

  Attributes:
    metric: string, the value's name.
    images: string; may end in ' of <split>', the split that was encoded.
    prior: string, or 'none'.
  """
  metric: str
  images: str
  prior: str


@dataclasses.dataclass(frozen=True)
class Score:
  """One row of scores.csv.

  Attributes:
    step: int.
    column: a `Column`.
    choices: values of `CHOICES`; the split is that of the reference.
    seed: string, the seed of the measurement.
    value: finite float.
    better: 'lower', 'higher', 'neither', or '' where nothing is known of it.
  """
  step: int
  column: Column
  choices: tuple
  seed: str
  value: float
  better: str = ''


@dataclasses.dataclass
class Run:
  """All that is known of a run directory.

  Attributes:
    path: `pathlib.Path`, as it was given or found.
    bindings: `{name: value as text}` of what training read; empty if damaged.
    info: content of config.json; empty if damaged.
    last_step: step of the newest checkpoint, 0 without one.
    scores: list of `Score`.
    pictures: `{kind: (step, PNG bytes)}`, the newest.
    extra_pictures: `{name: PNG bytes}` of neighbours.
    grids: `{prior: PNG bytes}` of samples that an evaluation drew.
    grid_steps: `{prior: int}`, the step at which it drew them.
    curve_files: `{name: path}` of the precision and recall curves.
    commands: those of the sweep that it belongs to, else an empty list.
    problems: sentences.
  """
  path: pathlib.Path
  bindings: dict = dataclasses.field(default_factory=dict)
  info: dict = dataclasses.field(default_factory=dict)
  last_step: int = 0
  scores: list = dataclasses.field(default_factory=list)
  pictures: dict = dataclasses.field(default_factory=dict)
  extra_pictures: dict = dataclasses.field(default_factory=dict)
  grids: dict = dataclasses.field(default_factory=dict)
  grid_steps: dict = dataclasses.field(default_factory=dict)
  curve_files: dict = dataclasses.field(default_factory=dict)
  commands: list = dataclasses.field(default_factory=list)
  problems: list = dataclasses.field(default_factory=list)

  @property
  def model(self):
    """The model's class, such as 'RAEL2', or 'unknown'."""
    named = self.bindings.get('train.model', '@unknown')
    return re.split(r'[/.]', named.strip('@()'))[-1]

  @property
  def dataset(self):
    return str(self._recorded('data').get('name', 'unknown'))

  @property
  def seed(self):
    return self.resolve('train.seed', '?')

  @property
  def steps(self):
    return self.resolve('train.steps', '?')

  @property
  def holds(self):
    """Name of the kind of data of its data set, such as 'vectors'."""
    recorded = self._recorded('data').get('kind')
    if isinstance(recorded, str):
      return recorded
    # Version 0.4 did not say: the shape does.
    shape = self.resolve('decoder.image_shape')
    try:
      return kinds.of_shape(ast.literal_eval(shape)).name
    except (SyntaxError, TypeError, ValueError):
      return kinds.Images.name

  @property
  def import_flags(self):
    """The flags of a command that import what it was trained with."""
    names = self.info.get('imports')
    return ''.join(' ' + shlex.quote(f'--import={name}')
                   for name in (names if isinstance(names, list) else ()))

  def resolve(self, name, default=None):
    """Returns a binding's value as text, a macro's in its place."""
    value = self.bindings.get(name, default)
    if value and str(value).startswith('%'):
      value = self.bindings.get(value[1:], default)
    return value

  @property
  def key(self):
    """What all runs that differ in their seed alone have in common."""
    if not self.bindings:
      return (str(self.path),)
    seed = self.bindings.get('train.seed', '')
    free = {'train.seed', seed.lstrip('%'), 'data_dir', 'train.scorer'}
    return tuple(sorted(self._beginnings() + [
        (n, v) for n, v in self.bindings.items()
        if n not in free and not changes.FREE_ON_RESUME.search(n)]))

  def _beginnings(self):
    """Returns what bindings leave open: the data, and the first weights."""
    data = self._recorded('data')
    # Each seed may begin with the weights of its own.
    taken = re.sub(r'seed[-_]?\d+', 'seed-*',
                   str(self._recorded('warm_start').get('run', '')))
    return [(name, str(value)) for name, value in (
        ('data.fingerprint', data.get('fingerprint') or data.get('name')),
        ('train.warm_start', taken)) if value]

  def _recorded(self, name):
    """Returns what config.json holds under a name, or {}."""
    found = self.info.get(name)
    return found if isinstance(found, dict) else {}


@dataclasses.dataclass
class Cell:
  """Runs of one configuration with several seeds: one row of a table.

  Attributes:
    label: string that no other cell of the report has.
    runs: list of `Run`.
    number: int, the position in the report, which decides the colour.
  """
  label: str
  runs: list
  number: int

  @property
  def model(self):
    return self.runs[0].model

  @property
  def dataset(self):
    return self.runs[0].dataset


def model_name(model):
  """Returns a model's name in its paper, such as 'RAE-L2' for 'RAEL2'."""
  return MODEL_NAMES.get(model, model)


def cells(runs):
  """Groups runs into `Cell`s, in the order of their first runs."""
  groups = {}
  for run in runs:
    groups.setdefault(run.key, []).append(run)
  groups = list(groups.values())
  labels = [model_name(g[0].model) for g in groups]
  folders = _short_names([g[0].path for g in groups])
  return [
      Cell(label if labels.count(label) == 1 else f'{label} ({folder})',
           sorted(group, key=lambda r: (len(str(r.seed)), str(r.seed))), i)
      for i, (label, folder, group) in enumerate(zip(labels, folders, groups))]


def by_dataset(group):
  """Returns `(data set, its cells)` of each data set of some cells."""
  found = {}
  for cell in group:
    found.setdefault(cell.dataset, []).append(cell)
  return found.items()


def _short_names(paths):
  """Returns the shortest ends of paths that are distinct; no seed's folder."""
  parts = []
  for path in paths:
    names = path.resolve().parts
    is_seed = re.fullmatch(r'seed[-_]?\d+', names[-1])
    parts.append(names[:-1] if is_seed else names)
  for length in range(1, max(map(len, parts)) + 1):
    short = ['/'.join(p[-length:]) for p in parts]
    if len(set(short)) == len(short):
      return short
  return [str(p) for p in paths]


# === Reading one run ===


def read(path):
  """Reads a run directory; never fails on what it holds.

  Args:
    path: `pathlib.Path` of a folder with a config.gin.

  Returns:
    A `Run`.
  """
  run = Run(path)
  here = path.resolve()
  run.commands = finding.planned(here.parents[1]).get(
      f'{here.parent.name}/{here.name}', []) if len(here.parts) > 2 else []
  for step in (_read_config, _read_info, _read_checkpoints, _read_scores,
               _read_pictures):
    try:
      step(run)
    except (OSError, ValueError, csv.Error, errors.UserError) as e:
      run.problems.append(' '.join(str(e).split()))
  return run


def _read_config(run):
  try:
    text = (run.path / 'config.gin').read_text()
    run.bindings = gin_text.read_bindings(text)
  except Exception as e:  # Gin's parser raises what Python's tokenizer does.
    raise ValueError(f'config.gin is damaged ({e}).') from e
  if 'train.model' not in run.bindings:
    run.bindings = {}
    raise ValueError('config.gin is damaged: it binds no train.model.')


def _read_info(run):
  try:
    run.info = files.load_json(run.path / 'config.json')
  except (OSError, ValueError) as e:
    raise ValueError(f'config.json is missing or damaged ({e}).') from e


def _read_checkpoints(run):
  run.last_step = max(
      run_directory.RunDirectory(run.path).checkpoints(), default=0)
  if not run.last_step:
    run.problems.append('It has no checkpoint.')


def _read_scores(run):
  rows = run_directory.RunDirectory(run.path).scores(numbers=False)
  parsed = [read_score(row) for row in rows]
  run.scores = [score for score in parsed if score]
  if parsed.count(None):
    run.problems.append(
        f'{parsed.count(None)} of {len(rows)} rows of scores.csv are damaged '
        'or hold no finite number.')
  if not run.scores:
    run.problems.append('It has no scores.')


def read_score(row):
  try:
    value, step = float(row['value']), int(row['step'])
    # Of '<encoded split> vs <reference>' only the second is the same for all
    # kinds of images of one protocol.
    encoded, _, reference = row['split'].rpartition(' vs ')
    images = row['images']
    if encoded and images in _ENCODED:
      images, row = f'{images} of {encoded}', row | {'split': reference}
    choices = tuple(row[c] for c in CHOICES)
    # Of a score without it, as version 0.4 wrote them, its name must do.
    better = row.get('better') or metric.better_of(row['metric'], images)
    column = Column(row['metric'], images, row['prior'])
  except (AttributeError, KeyError, TypeError, ValueError):
    return None
  if not math.isfinite(value):
    return None
  return Score(step, column, choices, row['seed'], value, better)


def _read_pictures(run):
  for kind in _KINDS:
    steps = {}
    for file in (run.path / 'samples').glob(f'{kind}_*.png'):
      digits = file.stem.rsplit('_', 1)[-1]
      if digits.isdecimal():
        steps[int(digits)] = file
    for step in sorted(steps, reverse=True):
      png = _png(run, steps[step])
      if png:
        run.pictures[kind] = (step, png)
        break
  if not run.pictures:
    run.problems.append('It has no grids of samples.')
  for folder, found in (('neighbours', run.extra_pictures),
                        ('grids', run.grids)):
    for name, file in _newest(run.path / folder, '*.png').items():
      png = _png(run, file)
      if png:
        found[name] = png
      if folder == 'grids':
        run.grid_steps[name] = int(file.stem.split('_')[0].split('-')[1])
  run.curve_files = _newest(run.path / 'prd', '*.npz')


def _newest(folder, pattern):
  """Returns `{name: path}` of files `step-<step>_<name>`, each the newest."""
  # In order of steps, which are written with leading zeros.
  return {re.sub(r'^step-\d+_', '', file.stem): file
          for file in sorted(folder.glob(pattern))
          if re.match(r'step-\d+_', file.stem)}


def _png(run, file):
  content = file.read_bytes()
  # The last chunk of a whole file.
  if content.startswith(formats.PNG) and content.endswith(b'IEND\xaeB`\x82'):
    return content
  run.problems.append(f'{file.relative_to(run.path)} is a damaged picture.')
  return None
