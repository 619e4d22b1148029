"""The report's charts as PNG: one colour a model, the same in all of them."""
import io

import matplotlib
from matplotlib import figure
from matplotlib import ticker
import numpy as np

__all__ = ['Line', 'line_chart', 'scatter']

# Okabe and Ito's, which the colour-blind tell apart too; black for the last.
_COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9',
            '#7F3C8D', '#000000')
_DASHES = ('-', '--', ':', '-.')
_STYLE = {
    'axes.spines.top': False, 'axes.spines.right': False, 'axes.grid': True,
    'grid.color': '#e3e5e8', 'grid.linewidth': 0.8, 'axes.axisbelow': True,
    'font.size': 10, 'axes.titlesize': 11, 'legend.fontsize': 9,
    'legend.frameon': False, 'axes.edgecolor': '#80868f',
    'font.family': 'DejaVu Sans', 'axes.formatter.useoffset': False,
    # A label is a path or a name: no dollar in it begins mathematics.
    'text.parse_math': False,
}


class Line:
  """A line of a chart.

  Args:
    x: numbers.
    y: numbers; what is not finite is left out.
    label: string for the legend, or None to stand in none.
    number: int that decides the colour, `runs.Cell.number`.
    dash: one of Matplotlib's line styles.
    marked: whether each point has a marker.
  """

  def __init__(self, x, y, label, number, dash='-', marked=False):
    self.x, self.y = np.asarray(x, float), np.asarray(y, float)
    self.label = label
    self.number = number
    self.dash = dash
    self.marked = marked


def colour(number):
  """Returns the colour of a cell; after eight they repeat."""
  return _COLOURS[number % len(_COLOURS)]


def marker(number):
  """Returns the marker of a cell, another one where colours repeat."""
  return 'osD^vPX*'[number // len(_COLOURS) % 8]


def line_chart(lines, x_label, y_label, limits=None):
  """Returns a chart of lines as PNG bytes.

  The vertical axis is logarithmic where all is positive and the largest value
  is more than 30 times the smallest.

  Args:
    lines: list of `Line`.
    x_label: string.
    y_label: string.
    limits: `(low, high)` of both axes, or None for what the lines need.
  """
  with matplotlib.rc_context(_STYLE):
    chart, axes = _axes()
    for line in lines:
      finite = np.isfinite(line.x) & np.isfinite(line.y)
      axes.plot(line.x[finite], line.y[finite], color=colour(line.number),
                linestyle=line.dash, label=line.label, linewidth=1.4,
                marker=marker(line.number) if line.marked else None,
                markersize=4)
    values = np.concatenate([l.y[np.isfinite(l.y)] for l in lines] or [[]])
    if limits:
      axes.set(xlim=limits, ylim=limits)
    elif len(values) and values.min() > 0 and (
        values.max() > 30 * values.min()):
      axes.set_yscale('log')
      axes.yaxis.set_major_formatter(lambda value, _: f'{value:g}')
      axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set(xlabel=x_label, ylabel=y_label)
    return _finished(chart, axes)


def scatter(groups, x_label, y_label):
  """Returns a scatter of points as PNG bytes.

  Args:
    groups: list of `(points [N, 2], label, number)`, drawn in that order.
    x_label: string.
    y_label: string.
  """
  with matplotlib.rc_context(_STYLE):
    chart, axes = _axes(height=4.2)
    for points, label, number in groups:
      axes.scatter(*points.T, s=7, alpha=0.5, linewidths=0, label=label,
                   color='#aab0b8' if number is None else colour(number))
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.set_aspect('equal', 'datalim')
    return _finished(chart, axes, markerscale=2.)


def _axes(height=3.3):
  # Not pyplot, which would keep every figure, and look for a screen.
  chart = figure.Figure(figsize=(5.4, height), dpi=160, layout='constrained')
  return chart, chart.add_subplot()


def _finished(chart, axes, **legend):
  handles, labels = axes.get_legend_handles_labels()
  if labels:
    shown = chart.legend(handles, labels, loc='outside lower center',
                         ncols=2 if max(map(len, labels)) > 16 else 4, **legend)
    for handle in shown.legend_handles:
      handle.set_alpha(1.)
  out = io.BytesIO()
  # No date and no version in it: the same report has the same bytes.
  chart.savefig(out, format='png', metadata={'Software': None})
  return out.getvalue()
