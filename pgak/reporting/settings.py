"""Scores over a setting that several runs of a model vary, such as beta."""
import collections
import math
import re

from pgak.pictures import charts
from pgak.reporting import aggregates
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib

__all__ = ['charts_over_settings', 'series']

_LEAST = 3
# The model decides it: an FP-VAE whose beta is 0 has no Gaussian encoder.
_IMPLIED = re.compile(r'(^|[/.])encoder\.log_variance$')


def charts_over_settings(cells):
  """Returns charts of scores over settings, one line a model and density.

  Args:
    cells: list of `runs.Cell`.

  Returns:
    `{setting: list of pages.Figure}`: the distances of samples, the errors of
    reconstructions, then what else is better where it is less.
  """
  found = {}
  for (dataset, setting), lines in series(cells).items():
    members = [cell for _, points in lines for cell in points.values()]
    for choices in aggregates.choices_of(members):
      columns = {}
      for column in aggregates.columns_of(members, choices):
        if aggregates.sign(members, *column[:2]) < 0:
          columns.setdefault(column[:2], []).append(column)
      for (metric, images), same in sorted(columns.items(), key=_rank):
        drawn = [(label, column.prior, values) for label, points in lines
                 for column in same
                 if len(values := _values(points, choices, column)) > 1]
        if drawn:
          found.setdefault(setting, []).append(_picture(
              setting, dataset, choices, metric, images, drawn,
              len(found.get(setting, []))))
  return found


def series(cells):
  """Finds cells of one model that differ in one number of the model's own.

  Args:
    cells: list of `runs.Cell`.

  Returns:
    `{(data set, setting's name): [(label, {value: cell})]}`, each with 3 values
    or more. Settings of two models that have one name, such as `beta`, are one.
  """
  members = {}
  for cell in cells:
    values = _settings(cell)
    for name, value in values.items():
      if name.startswith(f'{cell.model}.') and isinstance(value, float):
        members.setdefault((cell.dataset, cell.model, name), []).append(
            (value, cell, values))
  found = {}
  for (dataset, model, name), of_all in members.items():
    for group in _alike(of_all, name):
      points = dict(sorted(
          ((value, cell) for value, cell, _ in group), key=lambda p: p[0]))
      if len(points) >= _LEAST and len(points) == len(group) and (
          min(points) >= 0.):
        found.setdefault((dataset, name.split('.')[-1]), []).append(
            (runs_lib.model_name(model), points))
  return {key: _distinct(lines) for key, lines in found.items()}


def _alike(members, name):
  """Groups `(value, cell, settings)` by all settings but the named one."""
  groups = []
  for member in members:
    # What only one of two binds comes with another setting, which both bind.
    group = next((g for g in groups if all(
        member[2][n] == other[n] for *_, other in g
        for n in member[2].keys() & other.keys() - {name})), None)
    if group is None:
      groups.append(group := [])
    group.append(member)
  return groups


def _distinct(lines):
  """Adds a cell's label where two lines are of one model."""
  names = [label for label, _ in lines]
  return [(label if names.count(label) == 1 else
           f'{label}, as {next(iter(points.values())).label}', points)
          for label, points in lines]


def _settings(cell):
  """Returns `{name: float or text}`, macros in their places."""
  run = cell.runs[0]
  pairs = [(n, v) for n, v in (run.key if run.bindings else ())
           if '.' in n and not _IMPLIED.search(n)]
  # A scope may come and go with what the setting switches on.
  times = collections.Counter(_unscoped(n) for n, _ in pairs)
  return {n if times[_unscoped(n)] > 1 else _unscoped(n): _value(run, v)
          for n, v in pairs}


def _unscoped(name):
  return name.split('/')[-1]


def _value(run, text):
  text = run.resolve(text[1:], text) if text.startswith('%') else text
  try:
    value = float(text)
  except ValueError:
    return re.sub(r'@(?:[\w.]+/)+', '@', text)
  return value if math.isfinite(value) else text


def _values(points, choices, column):
  """Returns `{value of the setting: scores of the seeds}`."""
  found = {value: aggregates.values(cell, choices, column)
           for value, cell in points.items()}
  return {value: scores for value, scores in found.items() if scores}


def _rank(item):
  (metric, images), _ = item
  return (not (images == 'samples' and aggregates.is_distance(metric)),
          not metric.endswith('_mse'), images, metric)


def _picture(setting, dataset, choices, metric, images, drawn, number):
  places, ticks = charts.setting_ticks(
      set().union(*(values for *_, values in drawn)))
  priors = {}
  for label, prior, _ in drawn:
    priors.setdefault(label, []).append(prior)
  models = list(priors)
  lines = [_line(label if prior == 'none' else f'{label}, {prior}', values,
                 places, models.index(label), priors[label].index(prior))
           for label, prior, values in drawn]
  named = dict(zip(runs_lib.CHOICES, choices))
  title = f'{metric} of {images} over {setting}'
  return pages.Figure(
      pages.file_name('setting', str(number), setting, dataset, metric),
      charts.line_chart(lines, setting, metric, ticks=ticks),
      f'{title}: {", ".join(models)}',
      f'{title}, {dataset}; {named["protocol"]}, {named["num_samples"]} '
      'images; bars are standard errors over seeds')


def _line(label, values, places, number, dash):
  means = [aggregates.mean_error(v.values()) for v in values.values()]
  errors = [error or 0. for _, error in means]
  return charts.Line(
      [places[v] for v in values], [mean for mean, _ in means], label, number,
      ('-', '--', ':', '-.')[dash % 4], marked=True,
      error=errors if any(errors) else None)
