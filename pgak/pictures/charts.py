"""Charts as PNG bytes, of one style: lines, clouds of points, histograms."""
import io
import textwrap

import matplotlib
from matplotlib import figure
from matplotlib import ticker
import numpy as np

__all__ = ['Line', 'Panel', 'colour', 'histogram', 'line_chart', 'marker',
           'panels', 'scatter', 'scatters', 'setting_ticks']

# Okabe and Ito's, distinct also for the colour-blind; black for the last.
_COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9',
            '#7F3C8D', '#000000')
_GREY = '#aab0b8'
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
    error: half the length of a bar at each point, numbers, or None for none.
  """

  def __init__(self, x, y, label, number, dash='-', marked=False, error=None):
    self.x, self.y = np.asarray(x, float), np.asarray(y, float)
    self.error = None if error is None else np.asarray(error, float)
    self.label = label
    self.number = number
    self.dash = dash
    self.marked = marked


class Panel:
  """One of several clouds of points that stand side by side.

  Args:
    points: `[N, 2]`, or `[N, 3]` to look at in perspective.
    title: string.
    classes: `[N]` integers, one colour each, or None for grey.
    window: the part that is shown, `(low, high)` of either axis, `[2, 2]`,
      or None for what its points need; with three dimensions `[3, 2]`.
    shades: `[N]` numbers, coloured by their size, instead of classes.
  """

  def __init__(self, points, title, classes=None, window=None, shades=None):
    self.points = np.asarray(points, float)
    self.title = title
    self.classes = None if classes is None else np.asarray(classes)
    self.window = window
    self.shades = None if shades is None else np.asarray(shades, float)


def colour(number):
  """Returns the colour of a cell; after eight they repeat."""
  return _COLOURS[number % len(_COLOURS)]


def marker(number):
  """Returns the marker of a cell, another one where colours repeat."""
  return 'osD^vPX*'[number // len(_COLOURS) % 8]


def line_chart(lines, x_label, y_label, limits=None, ticks=None):
  """Returns a chart of lines as PNG bytes.

  The vertical axis is logarithmic where all is positive and the largest value
  is more than 30 times the smallest.

  Args:
    lines: list of `Line`.
    x_label: string.
    y_label: string.
    limits: `(low, high)` of both axes, or None for what the lines need.
    ticks: `(positions, labels)` of the horizontal axis, or None for its own.
  """
  with matplotlib.rc_context(_STYLE):
    chart, axes = _axes()
    for line in lines:
      _draw(axes, line)
    # `or [[]]`: without lines there is nothing to join.
    values = np.concatenate(
        [line.y[np.isfinite(line.y)] for line in lines] or [[]])
    if limits:
      axes.set(xlim=limits, ylim=limits)
    elif len(values) and values.min() > 0 and (
        values.max() > 30 * values.min()):
      axes.set_yscale('log')
      # Plain numbers: 10^-1 is harder to read than 0.1.
      axes.yaxis.set_major_formatter(lambda value, _: f'{value:g}')
      axes.yaxis.set_minor_formatter(ticker.NullFormatter())
    if ticks:
      axes.set_xticks(*ticks)
    axes.set(xlabel=x_label, ylabel=y_label)
    return _finished(chart, axes)


def _draw(axes, line):
  finite = np.isfinite(line.x) & np.isfinite(line.y)
  x, y = line.x[finite], line.y[finite]
  axes.plot(x, y, color=colour(line.number), linestyle=line.dash,
            label=line.label, linewidth=1.4, markersize=4,
            marker=marker(line.number) if line.marked else None)
  if line.error is not None:
    axes.errorbar(x, y, np.nan_to_num(line.error[finite]), fmt='none',
                  ecolor=colour(line.number), capsize=3)


def setting_ticks(values):
  """Places a setting's values on a logarithmic axis, 0 at its left end.

  Args:
    values: distinct numbers, none negative.

  Returns:
    `({value: position}, (positions, labels))`, the second for `line_chart`;
    without logarithms where the largest is less than 10 times the smallest.
  """
  values = sorted(values)
  positive = [v for v in values if v > 0.]
  if not positive or positive[-1] < 10. * positive[0]:
    places = {v: float(v) for v in values}
  else:
    # 0 stands a factor of 10 below the smallest: a logarithmic axis has no 0.
    zero = np.log10(positive[0]) - 1.
    places = {v: float(np.log10(v) if v else zero) for v in values}
  return places, (list(places.values()), [f'{v:g}' for v in places])


def scatter(groups, x_label, y_label, lines=(), title=None):
  """Returns a scatter of points as PNG bytes.

  Args:
    groups: list of `(points [N, 2], label, number)`, drawn in that order; the
      number None is grey.
    x_label: string.
    y_label: string.
    lines: list of `Line`, drawn over the points.
    title: string, or None.
  """
  with matplotlib.rc_context(_STYLE):
    chart, axes = _axes(height=4.2)
    _draw_clouds(axes, groups, 1.)
    for line in lines:
      _draw(axes, line)
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    return _finished(chart, axes, markerscale=2.)


def scatters(shown, columns=4):
  """Returns small scatters of one kind in rows as PNG bytes.

  Args:
    shown: list of `(title, groups)`, the groups as for `scatter`; their labels
      are the same in all, and stand under them once.
    columns: int, the most in a row.
  """
  columns = min(columns, len(shown))
  rows = -(-len(shown) // columns)
  with matplotlib.rc_context(_STYLE | {'font.size': 8, 'axes.titlesize': 9}):
    chart = figure.Figure(figsize=(2.3 * columns, 2.4 * rows + 0.4), dpi=160,
                          layout='constrained')
    places = [chart.add_subplot(rows, columns, i + 1)
              for i in range(len(shown))]
    for axes, (title, groups) in zip(places, shown):
      _draw_clouds(axes, groups, 0.5)
      axes.set_title('\n'.join(textwrap.wrap(title, 24)))
      axes.locator_params(nbins=4)
    return _finished(chart, places[0], markerscale=3.)


def _draw_clouds(axes, groups, scale):
  for points, label, number in groups:
    # Many points are small and faint, so that their density shows.
    size, alpha = (7, 0.5) if len(points) <= 2000 else (2, 0.3)
    axes.scatter(*points.T, s=scale * size, alpha=alpha, linewidths=0,
                 label=label,
                 color=_GREY if number is None else colour(number))
  # Distances of latents are compared: both axes need one scale.
  axes.set_aspect('equal', 'datalim')


def panels(shown, title):
  """Returns clouds of points side by side as PNG bytes.

  Args:
    shown: list of `Panel`.
    title: string above all of them.
  """
  with matplotlib.rc_context(_STYLE):
    chart = figure.Figure(figsize=(3.4 * len(shown), 4.2), dpi=160,
                          layout='constrained')
    chart.suptitle(title, fontsize=11)
    places = [chart.add_subplot(
        1, len(shown), i + 1, projection=_projection(panel))
              for i, panel in enumerate(shown)]
    classes = np.unique(np.concatenate(
        [p.classes for p in shown if p.classes is not None] or [[]]))
    for axes, panel in zip(places, shown):
      _draw_panel(axes, panel, classes)
    # The legend of one panel does for all: classes have the same colours.
    coloured = next((a for a, p in zip(places, shown)
                     if p.classes is not None), places[0])
    return _finished(chart, coloured, ncols=10, markerscale=4.)


def _projection(panel):
  if panel.points.shape[1] == 2:
    return None
  # Matplotlib knows the projection once this is imported.
  return '3d'


def _draw_panel(axes, panel, classes):
  size = 2. if len(panel.points) > 2000 else 5.
  for points, label, paint in _groups(panel, classes):
    axes.scatter(*points.T, s=size, linewidths=0, label=label, **paint)
  if panel.window is not None:
    axes.set(**dict(zip(('xlim', 'ylim', 'zlim'), panel.window)))
  axes.set_title(panel.title)
  if panel.points.shape[1] == 2:
    axes.set_box_aspect(1)
    return
  # From the front and a little above, with the third dimension upwards.
  axes.view_init(elev=12., azim=-75.)
  axes.set_box_aspect((1., 1., 1.))
  axes.tick_params(labelsize=7)


def _groups(panel, classes):
  """Returns `(points, label, how they are painted)` for each colour."""
  if panel.shades is not None:
    return [(panel.points, None, {'c': panel.shades, 'cmap': 'turbo'})]
  if panel.classes is None:
    return [(panel.points, None, {'color': _GREY})]
  return [(panel.points[panel.classes == c], f'{c:g}',
           {'color': _class_colour(i, len(classes))})
          for i, c in enumerate(classes)]


def _class_colour(index, number):
  # `tab10` has ten distinct colours, beyond that a continuous map.
  if number <= 10:
    return matplotlib.colormaps['tab10'](index)
  return matplotlib.colormaps['turbo']((index + 0.5) / number)


def histogram(groups, x_label, title=None):
  """Returns overlaid histograms as PNG bytes, each of area 1.

  Args:
    groups: list of `(values [N], label, number)`; values that are not finite
      are left out, and the lowest percent of all stands at the left end.
    x_label: string.
    title: string, or None.
  """
  groups = [(np.asarray(v, float), *rest) for v, *rest in groups]
  groups = [(v[np.isfinite(v)], *rest) for v, *rest in groups
            if np.isfinite(v).any()]
  everything = np.concatenate([v for v, *_ in groups] or [[0.]])
  # A few very low log-likelihoods would press all else into one bar.
  low, high = np.percentile(everything, [1., 100.])
  with matplotlib.rc_context(_STYLE):
    chart, axes = _axes()
    for values, label, number in groups:
      axes.hist(np.clip(values, low, high), 50, range=(low, high),
                density=True, alpha=0.6, label=label, color=colour(number))
    axes.set(xlabel=x_label, ylabel='density', title=title)
    return _finished(chart, axes)


def _axes(height=3.3):
  # Not pyplot, which would keep every figure, and look for a screen.
  chart = figure.Figure(figsize=(5.4, height), dpi=160, layout='constrained')
  return chart, chart.add_subplot()


def _finished(chart, axes, **legend):
  handles, labels = axes.get_legend_handles_labels()
  if labels:
    longest = max(map(len, labels))
    legend.setdefault(
        'ncols', 1 if longest > 28 else 2 if longest > 16 else 4)
    # A long legend would leave the curves no room.
    rows = -(-len(labels) // legend['ncols'])
    chart.set_figheight(chart.get_figheight() + 0.2 * max(rows - 4, 0))
    shown = chart.legend(handles, labels, loc='outside lower center', **legend)
    # Points are faint in the chart, and would be so in the legend.
    for handle in shown.legend_handles:
      handle.set_alpha(1.)
  out = io.BytesIO()
  # No date and no version in it: the same report has the same bytes.
  chart.savefig(out, format='png', metadata={'Software': None})
  return out.getvalue()
