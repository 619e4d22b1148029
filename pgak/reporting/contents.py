"""What stands in a report, section by section."""
import shlex

from pgak import version
from pgak.reporting import curves
from pgak.reporting import diagnosed
from pgak.reporting import figures
from pgak.reporting import galleries
from pgak.reporting import gains as gains_lib
from pgak.reporting import manifolds
from pgak.reporting import pages
from pgak.reporting import published
from pgak.reporting import tables
from pgak.reporting import terms
from pgak.reporting import unmeasured

__all__ = ['introduction', 'sections']

# More differences than these say that two runs are strangers.
_MOST_SETTINGS = 8


def introduction(cells, notes):
  """Returns the blocks above the table of contents.

  Args:
    cells: list of `runs.Cell`.
    notes: sentences on arguments that hold no run.
  """
  number = sum(len(cell.runs) for cell in cells)
  names = ', '.join(dict.fromkeys(c.dataset for c in cells))
  text = (f'{number} {"run" if number == 1 else "runs"} of {len(cells)} '
          f'{"configuration" if len(cells) == 1 else "configurations"} on '
          f'{names}, read by pgak {version.__version__}. Runs that differ in '
          'their seed alone are one row: mean ± standard error of the mean.')
  blocks = [pages.Text(text)]
  return blocks + ([pages.Items(notes)] if notes else [])


def sections(cells, with_latents=True, data_dir=None, imports=()):
  """Returns all sections; those that have nothing to show say so.

  Args:
    cells: list of `runs.Cell`.
    with_latents: whether to load models and data for the latents.
    data_dir: folder of TensorFlow Datasets instead of the runs', or None.
    imports: modules that the runs were trained with, which the user trusts.
  """
  events = {run.path: curves.read_events(run)
            for cell in cells for run in cell.runs}
  made = [_scores(cells), _papers(cells), terms.training_curves(cells, events),
          diagnosed.diagnosed(cells, events),
          figures.distances(cells), figures.over_settings(cells),
          galleries.grids(cells), galleries.neighbours(cells),
          figures.precision_recall(cells)]
  if with_latents:
    made.append(manifolds.manifolds(cells, data_dir, imports))
    made.append(figures.latent_scatters(cells, data_dir, imports))
  # Made last, shown first: only then is it known what is damaged.
  made.insert(0, _runs(cells))
  return [section for section in made if section]


# === What was run ===


def _steps(run):
  polished = run.resolve('polish.steps', '0')
  more = '' if polished == '0' else f' and {polished} of polishing'
  return f'{run.last_step} of {run.steps}{more}'


def _runs(cells):
  rows = [[cell.label, cell.dataset, ', '.join(str(r.seed) for r in cell.runs),
           ', '.join(dict.fromkeys(map(_steps, cell.runs))),
           ', '.join(dict.fromkeys(map(_versions, cell.runs)))]
          for cell in cells]
  blocks = [pages.Table(
      'Runs by configuration',
      ['model', 'data set', 'seeds', 'steps', 'versions'], rows, (1, 2, 3, 4)),
            pages.Notes('Run directories', [
                f'{cell.label}, seed {run.seed}: {run.path}'
                for cell in cells for run in cell.runs])]
  blocks += _settings(cells)
  problems = [f'{run.path}: {problem}' for cell in cells for run in cell.runs
              for problem in run.problems]
  if problems:
    blocks += [pages.Text('What is missing or damaged:'),
               pages.Items(problems)]
  blocks.append(pages.Notes('Commands', [
      line for cell in cells for run in cell.runs for line in _commands(run)],
      code=True))
  return pages.Section('What was run', blocks)


def _versions(run):
  found = run.info.get('versions')
  found = found if isinstance(found, dict) else {}
  return ' '.join(f'{n} {found[n]}' for n in ('pgak', 'tensorflow', 'keras')
                  if n in found) or 'unknown'


def _settings(cells):
  """Returns a table of what differs between cells of one model."""
  groups = {}
  for cell in cells:
    if cell.runs[0].bindings:
      groups.setdefault((cell.model, cell.dataset), []).append(cell)
  rows = []
  for members in groups.values():
    settings = [dict(cell.runs[0].key) for cell in members]
    names = [n for n in set().union(*settings)
             if len({s.get(n) for s in settings}) > 1]
    names.sort(key=lambda n: (_importance(n, members[0].model), n))
    rows += [[cell.label, _settings_text(s, names)]
             for cell, s in zip(members, settings) if names]
  if not rows:
    return []
  return [pages.Table('Where configurations of one model differ',
                      ['model', 'settings'], rows, (1,))]


def _importance(name, model):
  """The model's own settings first, then training's, then macros."""
  if '.' not in name:
    return 2
  return {model: 0, 'train': 1}.get(name.split('.')[0], 3)


def _settings_text(settings, names):
  shown = ', '.join(f'{n} = {settings.get(n, "(not set)")}'
                    for n in names[:_MOST_SETTINGS])
  more = len(names) - _MOST_SETTINGS
  return shown + (f', and {more} more' if more > 0 else '')


def _commands(run):
  if run.commands:
    return run.commands
  run_dir = shlex.quote(f'--run_dir={run.path}')
  config = shlex.quote(f'--gin_file={run.path / "config.gin"}')
  return [f'pgak_train {run_dir}{run.import_flags} {config}',
          *unmeasured.measured_commands(run)]


# === Scores ===


def _scores(cells):
  found = tables.overview_tables(cells) + tables.score_tables(cells)
  blocks = [pages.Text(
      'One table holds scores of one protocol alone: numbers of two tables do '
      'not compare. Where a protocol has several kinds of scores, the first '
      'table has them side by side. A run counts with its newest measured '
      'step; n is given where some runs were not measured. The best value of a '
      'column is bold. Spreads within one measurement, named _std, are in '
      'scores.csv alone.'
  )] if found else [pages.Text('No run has scores yet.')]
  gains = gains_lib.gain_tables(cells)
  if gains:
    gains.insert(0, pages.Text(
        'What a mixture, fitted after training, gains over N, run by run; the '
        'last column is the mean gain in units of its standard error.'))
  missing = [unmeasured.block(cells), unmeasured.left_out(cells)]
  return pages.Section('Scores', blocks + found + gains + [
      block for block in missing if block])


def _papers(cells):
  found = tables.published_tables(cells)
  if not found:
    return None
  titles = ', '.join(dict.fromkeys(t.title.split(',')[0]
                                   for t in published.TABLES))
  return pages.Section("The papers' tables beside ours", [pages.Text(
      f'Published values are those of {titles}. Where our protocol is another '
      'one, the cell says "protocol differs", and in what: such numbers show '
      'an order, not a match.'), *found])
