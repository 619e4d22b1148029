"""The section of what training found that may have gone wrong."""
import numpy as np

from pgak import files
from pgak.pictures import charts
from pgak.reporting import aggregates
from pgak.reporting import curves
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib

__all__ = ['diagnosed']

_STREAM = 'diagnostics'
_NONE = '–'
# Name of a column -> how it is read from the newest numbers of a run.
_COLUMNS = {
    'active units': lambda n: _of(n, 'active_units', 'latent_dimensions'),
    'KL, nats': lambda n: _number(n, 'kl_in_nats'),
    'dimensions unlike the prior': lambda n: _number(n, 'dimensions_off_prior'),
    'MMD to the prior': lambda n: _number(n, 'prior_mmd'),
    'outputs at the ends': lambda n: _share(n, 'saturation'),
    'data at the ends': lambda n: _share(n, 'saturation_of_data'),
    'accuracy of the discriminator': lambda n: _number(
        n, 'discriminator_accuracy'),
    'loss of the discriminator': lambda n: _beside(
        n, 'discriminator_loss', 'discriminator_loss_at_chance'),
    'means of the critic apart': lambda n: _number(n, 'critic_means_apart'),
}
_NOTES = {'MMD to the prior': 'less is better',
          'dimensions unlike the prior': 'less is better',
          'accuracy of the discriminator': '0.5 is chance',
          'loss of the discriminator': 'beside that of guessing',
          'means of the critic apart': 'standard deviations; 0 is chance'}
_PROSE = (
    'Of the first 500 validation examples, at the newest validation: a latent '
    'dimension is active if its posterior mean varies by more than 0.01 over '
    'data; it is unlike the prior if its mean is more than half a standard '
    'deviation away, or its standard deviation less than half or more than '
    'twice the prior\'s; an output is at an end if it becomes black or white.')


def diagnosed(cells, events):
  """Returns the section of the runs' diagnostics, or None where none has any.

  Args:
    cells: list of `runs.Cell`.
    events: `{path of a run: what curves.read_events gives}`.
  """
  rows, lines, pictures = [], [], []
  for cell in cells:
    for run in cell.runs:
      numbers = {name: values[-1] for (stream, name), (_, values)
                 in events[run.path].items() if stream == _STREAM}
      if not numbers:
        continue
      rows.append([f'{cell.label}, seed {run.seed}',
                   *(read(numbers) for read in _COLUMNS.values())])
      lines += [f'{cell.label}, seed {run.seed}, {text}'
                for text in _warnings(run)]
      pictures += _of_dimensions(cell, run)
  if not rows:
    return None
  pictures += _over_steps(cells, events)
  blocks = [pages.Text(_PROSE), _table(rows), pages.Text(
      'What training warned of last:' if lines else
      'Training warned of nothing at its last validation.')]
  blocks += [pages.Items(lines)] if lines else []
  blocks += [pages.FigureGroup('By dimension, and over steps', pictures)
             ] if pictures else []
  return pages.Section('Diagnostics of training', blocks)


def _table(rows):
  # A column that no run has is left out.
  kept = [i for i in range(len(rows[0]))
          if any(row[i] != _NONE for row in rows)]
  header = ['run', *_COLUMNS]
  header = [header[i] for i in kept]
  return pages.Table(
      'What the last validation of each run found', header,
      [[row[i] for i in kept] for row in rows],
      notes={i: _NOTES[name] for i, name in enumerate(header)
             if name in _NOTES})


def _number(numbers, name):
  return f'{numbers[name]:.4g}' if name in numbers else _NONE


def _share(numbers, name):
  return f'{numbers[name]:.0%}' if name in numbers else _NONE


def _of(numbers, name, whole):
  return (f'{numbers[name]:.0f} of {numbers[whole]:.0f}'
          if name in numbers and whole in numbers else _NONE)


def _beside(numbers, name, other):
  return (f'{numbers[name]:.4g} ({numbers[other]:.4g})'
          if name in numbers and other in numbers else _NONE)


def _warnings(run):
  try:
    found = files.load_json(run.path / 'diagnostics.json')
    return [f'step {int(found["step"])}: {text}'
            for text in found['warnings'].values()]
  except (AttributeError, KeyError, OSError, TypeError, ValueError) as e:
    if (run.path / 'diagnostics.json').exists():
      run.problems.append(f'diagnostics.json is damaged ({e}).')
    return []


def _of_dimensions(cell, run):
  """Returns charts of a run's newest numbers by dimension."""
  vectors = curves.read_vectors(run)
  if 'kl_of_dimension' not in vectors:
    return []
  step, values = vectors['kl_of_dimension']
  values = np.sort(values)[::-1]
  line = charts.Line(np.arange(1, len(values) + 1), values, None, cell.number,
                     marked=True)
  return [pages.Figure(
      pages.file_name('kl', str(cell.number), str(run.seed), cell.label),
      charts.line_chart([line], 'dimension, by size', 'KL in nats'),
      f'KL divergence of each latent dimension of {cell.label}',
      f'KL of each latent dimension from N(0, 1), the largest first; '
      f'{cell.label}, seed {run.seed}, step {step}')]


def _over_steps(cells, events):
  """Returns charts of what compares across models, over steps."""
  found = []
  for dataset, members in runs_lib.by_dataset(cells):
    for name, sign in (('prior_mmd', -1), ('discriminator_accuracy', 0)):
      lines = [charts.Line(*events[run.path][_STREAM, name], cell.label,
                           cell.number, marked=True)
               for cell in members for run in cell.runs
               if (_STREAM, name) in events[run.path]]
      if lines:
        said = aggregates.better(sign) or '0.5 is chance'
        found.append(pages.Figure(
            pages.file_name('diagnostic', dataset, name),
            charts.line_chart(lines, 'step', name),
            f'{name} over training steps on {dataset}',
            f'{name} on {dataset}, {said}: '
            + ', '.join(dict.fromkeys(line.label for line in lines))))
  return found
