"""Tests of charts: pixels of the colours that they must show."""
import io

import numpy as np
from PIL import Image
import pytest

from pgak.reporting import charts


def pixels(png):
  return np.asarray(Image.open(io.BytesIO(png)).convert('RGB')).astype(int)


def shows(png, colour):
  """Returns how many pixels have a colour such as '#0072B2'."""
  wanted = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
  return int((np.abs(pixels(png) - wanted).max(-1) < 12).sum())


def chart(*lines, **settings):
  return charts.line_chart(list(lines), 'step', 'loss', **settings)


def test_a_cell_has_one_colour():
  png = chart(charts.Line([0, 1], [1, 2], 'a', 0),
              charts.Line([0, 1], [2, 1], 'b', 1))
  assert shows(png, charts.colour(0)) > 100
  assert shows(png, charts.colour(1)) > 100
  assert not shows(png, charts.colour(2))
  assert charts.colour(0) == charts.colour(8)
  assert charts.marker(0) != charts.marker(8)


def test_the_same_chart_has_the_same_bytes():
  line = charts.Line([0, 1], [1, 2], 'a', 0)
  assert chart(line) == chart(line)


@pytest.mark.parametrize('values', [
    [], [1.], [np.nan, np.inf, 2.], [0., -1e30], [1e-30, 1e30], [5., 5.]])
def test_any_numbers_can_be_drawn(values):
  png = chart(charts.Line(range(len(values)), values, '$a_{b$ \\frac', 0,
                          marked=True))
  assert pixels(png).shape[0] > 300


def test_a_chart_of_nothing():
  assert pixels(chart()).std() > 0


def test_a_scatter_shows_both_groups():
  points = np.random.default_rng(0).normal(size=(200, 2))
  png = charts.scatter([(points, 'prior', None), (points + 9., 'images', 1)],
                       'x', 'y')
  assert pixels(png).std() > 0
  # Half transparent on white: (255 + c) / 2 for each channel of #D55E00.
  assert shows(png, '#EAAE7F') > 100
