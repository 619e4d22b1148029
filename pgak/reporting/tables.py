"""The report's tables: scores, and the papers' beside ours."""
import re

from pgak.reporting import aggregates
from pgak.reporting import pages
from pgak.reporting import published
from pgak.reporting import runs as runs_lib

__all__ = ['describe', 'overview_tables', 'published_tables', 'score_tables']

_NONE = '–'
_MOST_COLUMNS = 8
_MOST_SIDE_BY_SIDE = 10


def describe(choices):
  """Returns a caption and its detail: what is measured, and how."""
  named = dict(zip(runs_lib.CHOICES, choices))
  return (f'{named["protocol"]} on {named["dataset"]}, features '
          f'{named["features"]}.',
          f'{named["num_samples"]} images; split {named["split"]}; crop '
          f'{named["crop"]}; resize {named["resize"]}; rounding '
          f'{named["rounding"]}; batch norm {named["batch_norm"]}.')


def _column_title(column, with_metric):
  named = [column.images] if column.prior == 'none' else [
      column.images, column.prior]
  return ', '.join([column.metric, *named] if with_metric else named)


def _cell(cell, choices, column, beside, best=None):
  """Returns a cell of a table: a mean with its error, marked if it is the best.

  Its note says if some runs are missing, and of which step it is where scores
  of newer checkpoints stand beside it.

  Args:
    cell: `runs.Cell`.
    choices: those of the scores.
    column: that of the scores, or None for no score.
    beside: the choices of all scores in the table's row.
    best: float or None.
  """
  found = aggregates.values(cell, choices, column)
  if not found:
    return _NONE
  mean, error = aggregates.mean_error(found.values())
  notes = [f'n = {len(found)}'] if len(found) != len(cell.runs) else []
  if steps := aggregates.older_steps(cell, choices, column, beside):
    notes.append(f'step {", ".join(map(str, steps))}')
  return pages.TableCell(aggregates.format_mean(mean, error), ', '.join(notes),
                         mean == best)


def _steps(cell, choices):
  newest = [max(s.step for s in run.scores if s.choices == choices)
            for run in cell.runs
            if any(s.choices == choices for s in run.scores)]
  first, last = min(newest), max(newest)
  return str(first) if first == last else f'{first} to {last}'


def score_tables(cells):
  """Returns tables with a row for each cell, each of one set of choices.

  Args:
    cells: list of `runs.Cell`.

  Returns:
    List of `pages.Table`; a set with many columns has one for each metric.
  """
  found = []
  for choices in aggregates.choices_of(cells):
    columns = [c for c in aggregates.columns_of(cells, choices)
               if not c.metric.endswith('_std')]
    if columns and len(columns) <= _MOST_COLUMNS:
      found.append(_score_table(cells, choices, columns))
      continue
    for metric in dict.fromkeys(c.metric for c in columns):
      found.append(_score_table(
          cells, choices, [c for c in columns if c.metric == metric]))
  return found


def _score_table(cells, choices, columns):
  found = {cell.label: [aggregates.values(cell, choices, c) for c in columns]
           for cell in cells}
  measured = [cell for cell in cells if any(found[cell.label])]
  best = [_best(aggregates.sign(cells, *column[:2]),
                [found[c.label][i] for c in measured])
          for i, column in enumerate(columns)]
  rows = [[cell.label, str(len(cell.runs)), _steps(cell, choices), *(
      _cell(cell, choices, column, [choices], best_mean)
      for column, best_mean in zip(columns, best))] for cell in measured]
  metrics = list(dict.fromkeys(c.metric for c in columns))
  one = len(metrics) == 1
  header = ['model', 'runs', 'steps',
            *(_column_title(c, with_metric=not one) for c in columns)]
  caption, detail = describe(choices)
  notes = _directions(cells, columns, 3)
  if one:
    # All columns are of one metric: its direction stands in the title.
    said = ''.join(dict.fromkeys(notes.values()))
    caption = f'{metrics[0]}: {caption}{f" {said.capitalize()}." * bool(said)}'
    notes = {}
  return pages.Table(caption, header, rows, detail=detail, notes=notes)


def _directions(cells, columns, first):
  """Returns the notes of a header that say which of two values is better.

  Args:
    cells: list of `runs.Cell`.
    columns: what begins with a metric's name and what it is of, one per column.
    first: int, the number of the first of these columns.
  """
  said = (aggregates.better(aggregates.sign(cells, *c[:2])) for c in columns)
  return {first + i: text for i, text in enumerate(said) if text}


def _best(sign, candidates):
  means = [aggregates.mean_error(c.values())[0] for c in candidates if c]
  if len(means) < 2 or not sign:
    return None
  return max(means) if sign > 0 else min(means)


# === All that a protocol says of a model ===


def overview_tables(cells):
  """Returns a table for each protocol whose scores are of several choices.

  Distances, errors and the topology of latents have features and numbers of
  images of their own, so that each has a table of its own; here they stand side
  by side, each in its column, and a row is a cell and what it samples from. A
  protocol with too many columns has none.

  Args:
    cells: list of `runs.Cell`.
  """
  groups = {}
  for choices in aggregates.choices_of(cells):
    named = dict(zip(runs_lib.CHOICES, choices))
    groups.setdefault((named['protocol'], named['dataset']), []).append(choices)
  tables = []
  for (protocol, dataset), members in groups.items():
    columns = list(dict.fromkeys(
        (choices, column[:2]) for choices in members
        for column in aggregates.columns_of(cells, choices)
        if aggregates.sign(cells, *column[:2])))
    if len(members) > 1 and 1 < len(columns) <= _MOST_SIDE_BY_SIDE:
      tables.append(_overview(
          f'{protocol} on {dataset}, side by side.', cells, columns))
  return tables


def _overview(caption, cells, columns):
  choices = [c for c, _ in columns]
  found = [(cell, prior, [_of_prior(cell, c, prior) for c in columns])
           for cell in cells for prior in _sampled(cell, columns)]
  found = [row for row in found if any(row[2])]
  best = [_best(aggregates.sign(cells, *column), [
      aggregates.values(cell, of, named[i]) for cell, _, named in found])
          for i, (of, column) in enumerate(columns)]
  rows = [[cell.label, str(len(cell.runs)), _breakable(prior), *(
      _cell(cell, *of, choices, b) for *of, b in zip(choices, named, best))]
          for cell, prior, named in found]
  header = ['model', 'runs', 'samples of', *_overview_titles(columns)]
  return pages.Table(caption, header, rows, (2,), _overview_detail(columns),
                     _directions(cells, [c for _, c in columns], 3))


def _sampled(cell, columns):
  """Returns the priors that a cell's samples are of."""
  everything = dict.fromkeys(choices for choices, _ in columns)
  found = dict.fromkeys(
      column.prior for choices in everything
      for column in aggregates.columns_of([cell], choices)
      if column.prior != 'none' and (choices, column[:2]) in columns)
  return list(found) or [_NONE]


def _of_prior(cell, column, prior):
  """Returns a column of that prior, or of what has none, or None."""
  choices, names = column
  wanted = [(*names, p) for p in (prior, 'none')]
  return next((w for w in wanted if aggregates.values(cell, choices, w)), None)


def _overview_titles(columns):
  """Returns the shortest titles that tell the columns apart."""
  titles = []
  for choices, (metric, images) in columns:
    named = dict(zip(runs_lib.CHOICES, choices))
    same = [other for _, other in columns if other[0] == metric]
    title = metric if len(same) == 1 else f'{metric}, {images}'
    if same.count((metric, images)) > 1:
      title += f', {named["num_samples"]} images, {named["split"]}'
    titles.append(_breakable(title))
  return titles


def _breakable(name):
  """Returns a name that can be broken into lines; tables below have it whole.
  """
  return name.replace('_', ' ')


def _overview_detail(columns):
  lines = {}
  for choices, (metric, _) in columns:
    named = dict(zip(runs_lib.CHOICES, choices))
    lines.setdefault(
        f'{named["features"]}, {named["num_samples"]} images, split '
        f'{named["split"]}', {})[metric] = None
  return '; '.join(f'{", ".join(metrics)}: {line}'
                   for line, metrics in lines.items()) + '.'


# === The papers' tables ===


def published_tables(cells):
  """Returns blocks that show each published table with our scores beside it.

  One table holds our scores of one set of choices; where that is not the
  published protocol, the published number says so and in what.
  """
  blocks = []
  for table in published.TABLES:
    for choices in aggregates.choices_of(cells):
      named = dict(zip(runs_lib.CHOICES, choices))
      if published.is_shown(table, named):
        blocks += _published_table(table, choices, named, cells)
  return blocks


def _published_table(table, choices, named, cells):
  rows, pairs = [], {column.title: [] for column in table.columns}
  differing = {}
  for model, numbers in table.rows.items():
    for cell in _measured(table, choices, model, cells) or [None]:
      row = [model if cell is None else _row_title(model, cell)]
      for column, number in zip(table.columns, numbers):
        ours = cell and _ours(cell, choices, model, column)
        found = _differences(table, named, model, cell) if ours else {}
        row += [_cell(cell, choices, ours, [choices]) if ours else _NONE,
                _their_text(number, found)]
        if found:
          differing.setdefault('; '.join(found.values()), []).append(row[0])
        if ours and number is not None:
          values = aggregates.values(cell, choices, ours).values()
          mean = aggregates.mean_error(values)[0]
          pairs[column.title].append((model, mean, _value(number)))
      rows.append(row)
  if not any(pairs.values()):
    return []
  header = ['model'] + [f'{c.title}, {whose}' for c in table.columns
                        for whose in ('ours', 'published')]
  caption, detail = describe(choices)
  signs = [_published_sign(cells, c) for c in table.columns]
  notes = {i: text for i in range(1, len(header))
           if (text := aggregates.better(signs[(i - 1) // 2]))}
  lines = [f'Protocol differs for {", ".join(dict.fromkeys(models))}: {text}.'
           for text, models in differing.items()] + _correlations(pairs)
  return [pages.Table(f'{table.title}. Ours: {caption}', header, rows,
                      detail=detail, notes=notes),
          *([pages.Items(lines)] if lines else [])]


def _published_sign(cells, column):
  """Returns the sign of a published column, whose metric is a pattern."""
  pattern = column.metric.replace('<space>', '.*')
  found = (score.column for cell in cells for run in cell.runs
           for score in run.scores
           if re.fullmatch(pattern, score.column.metric))
  return next((sign for c in found
               if (sign := aggregates.sign(cells, *c[:2]))), 0)


def _measured(table, choices, model, cells):
  """Returns the cells of a published model with a score in the table."""
  name = published.model_of(model)
  return [cell for cell in cells if runs_lib.model_name(cell.model) == name
          and any(_ours(cell, choices, model, c) for c in table.columns)]


def _row_title(model, cell):
  name = runs_lib.model_name(cell.model)
  return model + cell.label[len(name):]


def _ours(cell, choices, model, column):
  """Returns the column of our scores that a published one is of, or None."""
  if model == '2sVAE' and column.role != 'own':
    return None  # Its reconstructions are those of the row VAE.
  _, prior = published.place(model, column)
  for wanted in aggregates.columns_of([cell], choices):
    metric, images, label = wanted
    if (re.fullmatch(column.images, images.split(' of ')[0])
        and re.fullmatch(prior, label)
        and re.fullmatch(published.metric_of(model, column), metric)):
      return wanted
  return None


def _value(number):
  return number[0] if isinstance(number, tuple) else number


def _their_text(number, differing):
  if number is None:
    return _NONE
  # As many decimals as the paper has.
  text = ' ± '.join(
      f'{n:.2f}' if isinstance(n, float) and n == round(n, 2) else f'{n:g}'
      for n in (number if isinstance(number, tuple) else (number,)))
  note = f'protocol differs: {", ".join(differing)}' if differing else ''
  return pages.TableCell(text, note)


def _differences(table, named, model, cell):
  run = cell.runs[0]
  return published.differences(table, named, model, _epochs(run),
                               _number(run.resolve('base_filters')))


def _number(text):
  return int(text) if text and str(text).isdecimal() else None


def _epochs(run):
  examples = (run.info.get('data') or {}).get('examples')
  batch = _number(run.resolve('train.batch_size'))
  if not (isinstance(examples, int) and examples and batch):
    return None
  return run.last_step * batch / examples


def _correlations(pairs):
  lines = []
  for title, members in pairs.items():
    # One of several runs of a model, or each model would not count once.
    first = {}
    for model, ours, theirs in members:
      first.setdefault(model, (ours, theirs))
    if len(first) >= 4:
      rho = aggregates.rank_correlation(*zip(*first.values()))
      shown = 'undefined, all ranks are equal' if rho is None else f'{rho:.2f}'
      lines.append(f'{title}: Spearman rank correlation of ours with the '
                   f'published column over {len(first)} models: {shown}.')
  return lines
