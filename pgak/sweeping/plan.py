"""The plan in a .sweep file: cells x seeds, and how each is measured.

A .sweep file is a gin file that binds `sweep` alone:

```
sweep.gin_files = ['quickstart.gin']
sweep.cells = {
    'vae': ['models/vae.gin'],
    'ae': ['models/ae.gin', 'train.steps = 500'],
}
sweep.evaluations = [{'protocol': 'quick', 'prior': 'gmm'}]
```

In the place of `cells` it may have a `search`; see `search_plan`.
"""
import ast
import dataclasses
import re
import tokenize
from typing import Annotated, Literal

import gin

from pgak import errors
from pgak.runs import gin_text
from pgak import settings
from pgak.runs import configuration
from pgak.runs import gin_errors
from pgak.runs import gin_files
from pgak.sweeping import digests
from pgak.sweeping import search_plan

__all__ = ['Evaluation', 'Job', 'Sweep', 'parse_shard', 'read', 'sweep']

# The flags of the evaluate command that an evaluation may set.
EVALUATE_FLAGS = ('protocol', 'prior', 'checkpoint', 'num_samples', 'seed',
                  'metrics', 'latents', 'features')


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """One call of the evaluate command on each trained run.

  Attributes:
    flags: tuple of strings: --protocol, --prior and so on.
    checkpoint: 'latest', 'best' or a step.
    label: string, a few words for the progress line.
  """
  flags: tuple
  checkpoint: str = 'latest'
  label: str = ''


@dataclasses.dataclass(frozen=True)
class Job:
  """One run: a cell with a seed.

  Attributes:
    cell: string, the name of a folder.
    seed: int.
    gin_files: tuple of strings; the later wins.
    bindings: tuple of strings, which win over all files.
  """
  cell: str
  seed: int
  gin_files: tuple
  bindings: tuple

  @property
  def name(self):
    """The run directory below the sweep's."""
    return f'{self.cell}/seed-{self.seed}'

  @property
  def train_flags(self):
    """The flags of the train command that say what is trained."""
    return (*(f'--gin_file={f}' for f in self.gin_files),
            *(f'--gin_param={b}' for b in self.bindings))

  def digest(self):
    """Returns a string that changes with any setting, or '' if a file is gone.
    """
    return digests.digest(self.gin_files, self.bindings)


@dataclasses.dataclass(frozen=True)
class Sweep:
  """All runs of a sweep, and how they are measured.

  Attributes:
    name: string, the file.
    jobs: tuple of `Job`s, all cells with the first seed before the next seed.
    evaluations: tuple of `Evaluation`s.
    search: what a search varies, in the place of cells; or None.
    pattern: tuple of a search's `Job`s, one per seed, which every trial repeats
      with bindings of its own.
  """
  name: str
  jobs: tuple
  evaluations: tuple
  search: search_plan.Search | None = None
  pattern: tuple = ()

  def shard(self, index, number):
    """Returns the jobs of the `index`-th of `number` parts, from 0."""
    return self.jobs[index::number]


Cells = Annotated[
    dict[object, object], settings.NotEmpty(), settings.Says(
        "{'name': ['FILE.gin', 'a.b = 1', ...], ...}, and not empty")]
Evaluations = Annotated[tuple[dict[str, object], ...], settings.Says(
    "a list of dictionaries, such as [{'protocol': 'quick'}]")]


@settings.configurable
def sweep(cells: Cells | None = None, evaluations: Evaluations = (),
          seeds: settings.Several[settings.Seed] = (0,),
          gin_files: tuple[str, ...] = (), bindings: tuple[str, ...] = (), *,
          search: search_plan.Space | None = None,
          objective: search_plan.Objective | None = None,
          trials: settings.Count = 20,
          sampler: Literal['tpe', 'random'] = 'tpe',
          search_seed: settings.Seed = 0, pruned_by: str | None = None):
  """Makes the jobs and evaluations of a sweep; see docs/sweeps.md.

  Args:
    cells: `{name: list of strings}`; a string that ends in .gin is a gin file,
      any other a binding. Or None, with a `search`.
    evaluations: list of dictionaries with the keys `EVALUATE_FLAGS`, of which
      'protocol' must be there, and 'bindings', a list of strings.
    seeds: integers from 0; each cell is trained once with each.
    gin_files: gin files of all cells, before the cells' own.
    bindings: bindings of all cells, before the cells' own.
    search: `{binding: range}` in the place of cells; a range is ('uniform',
      low, high), 'log' for its logarithm, 'int' and 'log_int' for whole
      numbers, or ('choice', list of values).
    objective: of a search, the metric that is to be the best, as scores.csv
      names it; or `{column of scores.csv: value}`, with 'metric'.
    trials: how many trials a search has in all.
    sampler: 'tpe', a tree-structured Parzen estimator, or 'random'.
    search_seed: decides the trials, together with their results.
    pruned_by: a metric of `train.scorer`; a trial ends early where its best
      score on the way is worse than the median of earlier trials at that step.

  Returns:
    A `Sweep` without a name; of a search its `jobs` are empty.

  Raises:
    errors.UserError: names the cell or evaluation that is wrong.
  """
  if (cells is None) == (search is None):
    raise errors.UserError('A .sweep file must have either `sweep.cells` or '
                           '`sweep.search`.')
  _check_seeds(seeds)
  common = [*gin_files, *bindings]
  measured = tuple(_evaluation(e) for e in evaluations)
  if search is not None:
    plan = search_plan.Search(
        search_plan.ranges_of(search), search_plan.objective_of(objective),
        trials, sampler, search_seed, pruned_by)
    _check_search(plan, measured)
    pattern = tuple(_job('trial', seed, common, ()) for seed in seeds)
    return Sweep('', (), measured, plan, pattern)
  _check_names(cells)
  # Seeds outside, so that a sweep that is stopped early has all cells with the
  # first seed.
  jobs = [_job(name, seed, common, own)
          for seed in seeds for name, own in cells.items()]
  return Sweep('', tuple(jobs), measured)


def read(path, bindings=(), extra=(), protocols=None):
  """Reads a .sweep file.

  Args:
    path: the file, found as gin files are.
    bindings: bindings of `sweep` itself, such as 'sweep.seeds = [0, 1]'.
    extra: bindings that are added to every cell.
    protocols: names that evaluations may have, so that a wrong one is an error
      before hours of training; None to leave that to the evaluate command.

  Returns:
    A `Sweep`.

  Raises:
    errors.UserError: names what is wrong and where.
  """
  try:
    _check_text(path)
    configuration.parse([path], bindings, roots=['sweep'])
    # Again: an included file may bind other names.
    _check_names_bound(path, gin.config_str())
    made = sweep()
    if protocols is not None:
      _check_protocols(made.evaluations, protocols)
  finally:
    gin.clear_config()
  for binding in extra:
    _check_binding('--gin_param', binding)
    _check_not_searched(made, binding)
  jobs, pattern = (
      # Last, so that no other binding wins over the seed of the job's folder.
      tuple(dataclasses.replace(j, bindings=(
          *j.bindings, *extra, f'train.seed = {j.seed}')) for j in some)
      for some in (made.jobs, made.pattern))
  return dataclasses.replace(made, name=str(path), jobs=jobs, pattern=pattern)


def parse_shard(text):
  """Parses 'I/N' to `(I, N)`; parts are counted from 0.

  Raises:
    errors.UserError: if it is not a part of a whole.
  """
  match = re.fullmatch(r'(\d+)/(\d+)', text)
  if not match or int(match.group(1)) >= int(match.group(2)):
    raise errors.UserError(
        f'The flag --shard={text} must be I/N, the I-th of N parts, with I '
        'from 0 to N - 1')
  return int(match.group(1)), int(match.group(2))


# === Cells ===


def _check_names(cells):
  seen = {}
  for name in cells:
    if not isinstance(name, str) or not re.fullmatch(r'\w[\w.+=,-]*', name):
      raise errors.UserError(
          f'The cell {name!r} cannot name a folder: use letters, digits and '
          'any of _ . + = , - after the first.')
    # As on macOS and Windows.
    if name.lower() in seen:
      raise errors.UserError(
          f'The cells {seen[name.lower()]!r} and {name!r} would share a folder '
          'where upper and lower case are one: rename one of them.')
    seen[name.lower()] = name


def _check_seeds(seeds):
  if len(set(seeds)) < len(seeds):
    raise errors.UserError(
        '`sweep.seeds` must be a list of different whole numbers, such as '
        f'[0, 1, 2], not {seeds!r}.')


def _strings(where, strings):
  if not isinstance(strings, (list, tuple)) or not all(
      isinstance(s, str) for s in strings):
    raise errors.UserError(
        f"{where} must be a list of gin files and bindings, such as "
        f"['models/vae.gin', 'VAE.kl = 1e-2'], not {strings!r}.")
  return strings


def _job(name, seed, common, own):
  where = f'The cell {name!r}'
  strings = [*common, *_strings(where, own)]
  bindings = [s for s in strings if not s.endswith('.gin')]
  for binding in bindings:
    _check_binding(where, binding)
  # All bindings of a command win over all its files, whatever their order here.
  files = [s for s in strings if s.endswith('.gin')]
  for file in files:
    gin_files.require(file)
  if not files:
    raise errors.UserError(f'{where} names no gin file: begin with one, such '
                           "as 'quickstart.gin'.")
  return Job(name, seed, tuple(files), tuple(bindings))


def _check_binding(where, binding):
  try:
    names = gin_text.bindings_of(binding)
  except (SyntaxError, ValueError, tokenize.TokenError) as e:
    raise errors.UserError(
        f'{where} has {binding!r}, which is neither a gin file nor a binding '
        f'that gin can read: {gin_errors.sentence(e)}') from e
  if 'train.seed' in names:
    raise errors.UserError(
        f'{where} binds train.seed: set `sweep.seeds` instead.')


def _check_search(search, evaluations):
  for one in search.ranges:
    _check_binding('`sweep.search`', f'{one.name} = 0')
  if not evaluations:
    raise errors.UserError(
        '`sweep.search` needs `sweep.evaluations`, which measure the '
        'objective.')


def _check_not_searched(made, binding):
  searched = {r.name for r in made.search.ranges} if made.search else ()
  for name in gin_text.bindings_of(binding):
    if name in searched:
      raise errors.UserError(
          f'--gin_param={binding!r} binds what `sweep.search` varies: leave it '
          'out, or take it out of the search.')


# === Evaluations ===


def _evaluation(given):
  if not isinstance(given, dict) or 'protocol' not in given:
    raise errors.UserError(
        "An evaluation must be a dictionary such as {'protocol': 'quick', "
        f"'prior': 'gmm'}}, not {given!r}.")
  unknown = sorted(set(given) - {*EVALUATE_FLAGS, 'bindings'}, key=str)
  if unknown:
    raise errors.UserError(
        f'The evaluation {given!r} has the unknown key {unknown[0]!r}: '
        f'choose from {", ".join(EVALUATE_FLAGS)} and bindings.')
  where = f'The evaluation {given!r}'
  bindings = _strings(where, given.get('bindings', ()))
  for binding in bindings:
    _check_binding(where, binding)
  flags = [_flag(name, given[name])
           for name in EVALUATE_FLAGS if name in given]
  label = [re.sub('^--(no)?(protocol=|prior=)?', r'\1', f) for f in flags]
  return Evaluation((*flags, *(f'--gin_param={b}' for b in bindings)),
                    str(given.get('checkpoint', 'latest')),
                    ' '.join([*label, *bindings]))


def _check_protocols(evaluations, known):
  for evaluation in evaluations:
    # `_evaluation` has made sure that there is exactly one.
    protocol, = [flag.partition('=')[2] for flag in evaluation.flags
                 if flag.startswith('--protocol=')]
    if protocol not in known:
      hint = errors.similar(protocol, known) or (
          f': choose one of {", ".join(known)}.')
      raise errors.UserError(
          f'An evaluation names the protocol {protocol!r}{hint}')


def _flag(name, value):
  if isinstance(value, bool):
    return f'--{name}' if value else f'--no{name}'
  if isinstance(value, (list, tuple)):
    value = ','.join(map(str, value))
  return f'--{name}={value}'


# === Files ===


def _check_text(path):
  """Finds mistakes that gin ignores, or reports less clearly."""
  try:
    text = digests.locate(path).read_text(encoding='utf-8')
    _check_names_bound(path, text)
    _check_repeated(path, text)
  except (OSError, SyntaxError, ValueError, tokenize.TokenError):
    return  # Gin will report what is wrong.


def _check_names_bound(path, text):
  for name in gin_text.bindings_of(text):
    if '.' in name and not re.fullmatch(r'(.*\.)?sweep\.\w+', name):
      raise errors.UserError(
          f'{path} binds {name}, and a .sweep file binds sweep.* alone: put '
          'it into `sweep.bindings` as a string.')


def _check_repeated(path, text):
  """Finds a cell that is named twice; gin would keep the last one."""
  # Gin text without references, macros and imports is Python.
  python = re.sub(r'[%@][\w./]+(\(\))?', 'None', text)
  python = re.sub(r'(?m)^(include|import|from)\b.*', '', python)
  for node in ast.walk(ast.parse(python)):
    names = [k.value for k in getattr(node, 'keys', ())
             if isinstance(k, ast.Constant)]
    for name in names:
      if names.count(name) > 1:
        raise errors.UserError(
            f'{path} names {name!r} twice in one dictionary: rename one.')
