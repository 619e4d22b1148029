"""Training curves: the terms of each model over steps, and its scores.

The terms of two models are other functions, and so are the losses of one model
with two settings of its own: they have charts of their own.
"""
import re

from pgak.metrics import metric
from pgak.pictures import charts
from pgak.reporting import aggregates
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib

__all__ = ['training_curves']

# Terms of parts that work against each other: their sum has no direction.
_OPPOSED = re.compile('adversarial|discriminat|target|fake|margin|exp_elbo')


def training_curves(cells, events):
  """Returns the section of all terms over steps, a chart a term and model.

  Args:
    cells: list of `runs.Cell`.
    events: `{path of a run: what curves.read_events gives}`.
  """
  blocks = []
  for dataset, members in runs_lib.by_dataset(cells):
    points = [(cell, stream, name, curve) for cell in members
              for run in cell.runs
              for (stream, name), curve in events[run.path].items()]
    for model in dict.fromkeys(cell.model for cell in members):
      charted = {}
      for point in points:
        cell, stream, name, _ = point
        if cell.model == model and stream in ('train', 'validation'):
          charted.setdefault(_function(cell, name), []).append(point)
      blocks += _group(f'Terms of {runs_lib.model_name(model)} on {dataset}: '
                       'training solid, validation dashed', dataset, charted)
    scored = {}
    for point in points:
      if point[1] == 'scores':
        scored.setdefault(point[2], []).append(point)
    blocks += _group(f'Scores during training on {dataset}', dataset, scored)
  return pages.Section('Training curves', blocks or [
      pages.Text('No run has events.')])


def _function(cell, name):
  """Returns what the curves of one function have in common."""
  # The weights are among the settings: they decide the sum, and no term.
  return name, _own_settings(cell) if name == 'loss' else ()


def _own_settings(cell):
  return tuple((n, v) for n, v in cell.runs[0].key if n.split('/')[-1]
               .startswith(f'{cell.model}.')) if cell.runs[0].bindings else ()


def _group(title, dataset, charted):
  terms = {name for points in charted.values() for _, _, name, _ in points}
  opposed = any(map(_OPPOSED.search, terms))
  made = [_chart(dataset, points, opposed) for points in charted.values()]
  return [pages.FigureGroup(title, made)] if made else []


def _direction(stream, name, opposed):
  """Returns which of two values of a curve is better, in words, or ''."""
  if stream == 'scores':
    better = metric.better_of(name, 'samples')
    return aggregates.better({'lower': -1, 'higher': 1}.get(better, 0))
  if name == 'loss':
    return '' if opposed else 'less is better'
  return 'less is better' if name.startswith('reconstruction') and (
      not _OPPOSED.search(name)) else ''


def _chart(dataset, points, opposed):
  shown = {}
  lines = []
  for cell, stream, _, (steps, values) in points:
    label = None if cell.label in shown else cell.label
    shown[cell.label] = cell
    lines.append(charts.Line(
        steps, values, label, cell.number,
        '--' if stream == 'validation' else '-',
        marked=len(steps) < 2 or stream == 'scores'))
  first, stream, name, _ = points[0]
  said = _direction(stream, name, opposed)
  labels = ', '.join(shown)
  return pages.Figure(
      pages.file_name('curve', dataset, stream, name, str(first.number)),
      charts.line_chart(lines, 'step', name),
      f'{name} over training steps on {dataset}: {labels}',
      f'{name}{f", {said}" * bool(said)}: {labels}')
