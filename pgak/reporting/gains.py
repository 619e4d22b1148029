"""What a mixture that is fitted after training gains over N."""
from pgak.reporting import aggregates
from pgak.reporting import pages
from pgak.reporting import tables

__all__ = ['gain_tables']

# Trained without a pull towards N(0, I), so a density fitted later must gain.
_DETERMINISTIC = ('AE', 'RAE', 'RAEGP', 'RAEL2', 'RAESN')
_NONE = '–'


def gain_tables(cells):
  """Returns a table of what a mixture gains over N for each set of choices.

  N is the standard normal for a model that is trained towards it, and a full
  Gaussian for the others. The difference is taken run by run, so that what two
  scores of one run have in common cancels; both are of one checkpoint.
  """
  found = []
  for choices in aggregates.choices_of(cells):
    columns = aggregates.columns_of(cells, choices)
    rows = [row for cell in cells for column in columns
            if column.prior.startswith('gmm') and column.images == 'samples'
            and aggregates.is_distance(column.metric)
            for row in _gain_row(cell, choices, column)]
    if rows:
      rows.sort(key=lambda r: -r[0])
      caption, detail = tables.describe(choices)
      found.append(pages.Table(
          'Distance from N less that from the mixture; more is better: '
          f'{caption}',
          ['model', 'distance', 'N is', 'mixture', 'from N', 'from mixture',
           'gain', 'in standard errors'],
          [row[1] for row in rows], (1, 2, 3), detail))
  return found


def _gain_row(cell, choices, column):
  metric, images, mixture = column
  is_fitted = (cell.model in _DETERMINISTIC or cell.model == 'CVVAE')
  for n in ('gaussian',) if is_fitted else ('standard_normal', 'gaussian'):
    both = _pairs(cell, choices, (metric, images, n), column)
    if both:
      gain, error = aggregates.mean_error(
          [base - mixed for base, mixed in both])
      ratio = 'one run' if error is None else (
          f'{gain / error:.1f}' if error else _NONE)
      texts = [aggregates.format_mean(*aggregates.mean_error(numbers))
               for numbers in zip(*both)]
      yield gain, [cell.label, metric, n, mixture, *texts,
                   aggregates.format_mean(gain, error), ratio]
      return


def _pairs(cell, choices, n, mixture):
  """Returns both values of each run, at its newest step that has both."""
  found = []
  for run in cell.runs:
    base, mixed = (aggregates.by_step(run, choices, c) for c in (n, mixture))
    if steps := base.keys() & mixed.keys():
      found.append((base[max(steps)], mixed[max(steps)]))
  return found
