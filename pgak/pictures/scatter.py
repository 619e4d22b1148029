"""Pictures of vectors as clouds of points."""
import numpy as np

from pgak.pictures import charts

__all__ = ['NUMBER', 'cloud', 'compared', 'reconstruction', 'samples',
           'window']

# Points that fill a picture without hiding one another.
NUMBER = 2000


def cloud(vectors, title, shades=None, limits=None):
  """Returns vectors as a `charts.Panel`.

  Args:
    vectors: float `[N, D]`; of more than three dimensions the first three are
      shown, of fewer than two the rest is 0.
    title: string.
    shades: `[N]` numbers that decide the colours, or None for grey.
    limits: the part of space that is shown, as `window` gives it, or None for
      all; a chart in perspective does not clip points outside by itself.
  """
  vectors = np.asarray(vectors)[:, :3]
  missing = max(2 - vectors.shape[1], 0)
  vectors = np.pad(vectors, ((0, 0), (0, missing)))
  if limits is not None:
    inside = np.all((vectors >= limits[:, 0]) & (vectors <= limits[:, 1]), 1)
    vectors = vectors[inside]
    shades = None if shades is None else shades[inside]
  return charts.Panel(vectors, title, shades=shades, window=limits)


def window(points):
  """Returns `(low, high)` of each axis `[D, 2]`: all points, and a margin."""
  low, high = points.min(0), points.max(0)
  # Where all points are equal there would be no width.
  margin = 0.1 * (high - low) + 1e-3
  return np.stack([low - margin, high + margin], 1)


def compared(vectors, others, shades=None, titles=()):
  """Returns clouds in one window: data, and what models make of them.

  Args:
    vectors: float `[N, D]`, the data, which decide the window.
    others: list of `(vectors, shades)`.
    shades: those of the data.
    titles: of the data and of each other.

  Returns:
    List of `charts.Panel`.
  """
  first = cloud(vectors, titles[0], shades)
  # The data's: samples far away would shrink all that is of interest.
  first.window = window(first.points)
  return [first, *(cloud(v, title, s, first.window)
                   for (v, s), title in zip(others, titles[1:]))]


def samples(vectors, drawn, shades=None, title=''):
  """Returns data beside samples as PNG bytes."""
  return charts.panels(compared(
      vectors, [(drawn, None)], shades, ('data', 'samples')), title)


def reconstruction(vectors, made, shades=None, title=''):
  """Returns data beside its reconstruction, colour by colour, as PNG bytes."""
  return charts.panels(compared(
      vectors, [(made, shades)], shades, ('data', 'reconstruction')), title)
