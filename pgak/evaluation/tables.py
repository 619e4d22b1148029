"""Scores as text."""
from pgak.runs import scores

__all__ = ['format_table']

# Three metrics beside a step fit into 94 columns.
_COLUMNS = 3
_WIDTH = 28


def _choices(row):
  """All that must be equal for two scores to stand in one table."""
  return tuple((c, row[c]) for c in scores.CHOICES)


def _number(row):
  error = row.get('error')
  # A score that was read from a file has text, '' where there is no error.
  error = f' ± {float(error):.2g}' if error else ''
  return f'{float(row["value"]):.6g}{error}'


def _block(metrics, members):
  """Lines of a table: one per step, with one column per metric."""
  steps = dict.fromkeys(row['step'] for row in members)
  values = {(row['step'], row['metric']): _number(row) for row in members}
  header = ''.join(f'{m:>{max(_WIDTH, len(m) + 2)}}' for m in metrics)
  lines = [f'{"step":>10}{header}']
  for step in steps:
    cells = ''.join(
        f'{values.get((step, m), ""):>{max(_WIDTH, len(m) + 2)}}'
        for m in metrics)
    lines.append(f'{step:>10}{cells}')
  return lines


def format_table(rows):
  """Returns scores as text, each set of choices once, below its scores.

  Args:
    rows: `scores.Score`s, or dictionaries with the keys `scores.COLUMNS`.
  """
  groups = {}
  for row in rows:
    groups.setdefault(_choices(row), []).append(row)
  lines = []
  for group, members in groups.items():
    metrics = list(dict.fromkeys(row['metric'] for row in members))
    for i in range(0, len(metrics), _COLUMNS):
      lines += _block(metrics[i:i + _COLUMNS], members)
    lines += ['  ' + ', '.join(f'{c} {v}' for c, v in group[i:i + 4])
              for i in range(0, len(group), 4)] + ['']
  return '\n'.join(lines)
