"""Tests of charts: pixels of the colours that they must show."""
import io

import numpy as np
from PIL import Image
import pytest

from pgak.pictures import charts


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


def test_lines_over_a_cloud():
  points = np.random.default_rng(0).normal(size=(3000, 2))
  plain, lined = (charts.scatter([(points, 'images', None)], 'x', 'y', lines,
                                 'title') for lines in
                  ((), [charts.Line([-2, 2], [0, 0], 'path', 7)]))
  assert shows(lined, '#000000') > shows(plain, '#000000') + 500


def test_an_error_is_a_bar_of_its_length():
  def height(error):
    png = chart(charts.Line([0, 1], [1, 1], None, 0, error=error),
                charts.Line([0, 1], [0, 4], None, 1))
    seen = np.abs(pixels(png) - [0, 0x72, 0xb2]).max(-1) < 12
    return seen.any(1).sum()
  # A flat line is some pixels high; bars of twice the length twice as much.
  assert height(None) < 8
  assert height([1., .2]) == pytest.approx(2. * height([.5, .2]), rel=0.05)
  assert height([np.nan, .5]) == height([.5, .5])


def test_zero_has_a_place_on_an_axis_of_logarithms():
  # log10: -2, -1 and 0; 0 stands one decade left of the smallest.
  places, (positions, labels) = charts.setting_ticks([1., 0., .1, .01])
  assert places == pytest.approx({0.: -3., .01: -2., .1: -1., 1.: 0.})
  assert positions == pytest.approx([-3., -2., -1., 0.])
  assert labels == ['0', '0.01', '0.1', '1']


@pytest.mark.parametrize('values', [[0.], [1, 2, 4], [0., 2., 3.]])
def test_near_values_stand_where_they_are(values):
  places, (positions, _) = charts.setting_ticks(values)
  assert positions == values and list(places) == values


@pytest.mark.parametrize('number, size', [(1, (2.3, 2.8)), (4, (9.2, 2.8)),
                                          (6, (9.2, 5.2))])
def test_small_scatters_stand_in_rows(number, size):
  points = np.random.default_rng(0).normal(size=(300, 2))
  png = charts.scatters([
      ('a name that is much longer than its panel', [
          (points, 'prior', None), (points + 3., 'images', 0)])] * number)
  seen = pixels(png)
  assert seen.shape[1::-1] == tuple(round(160 * s) for s in size)
  # Half transparent on white, as above.
  assert shows(png, '#80B8D8') > 50 * number


def test_panels_have_a_colour_a_class():
  points = np.random.default_rng(0).normal(size=(90, 2))
  classes = np.arange(90) % 3
  png = charts.panels(
      [charts.Panel(points, 'by class', classes), charts.Panel(points, 'plain'),
       charts.Panel(points, 'near', window=[[-1, 1], [-1, 1]])], 'title')
  for shade in ('#1f77b4', '#ff7f0e', '#2ca02c', '#aab0b8'):
    assert shows(png, shade) > 50
  assert not shows(png, '#d62728')


@pytest.mark.parametrize('values', [
    [], [1.], [5., 5., 5.], [np.nan, -np.inf, 1., 2.], [-1e30, 0., 1.]])
def test_any_numbers_have_a_histogram(values):
  png = charts.histogram([(values, 'a', 0), ([0., 1.], 'b', 1)], 'x', 'title')
  assert shows(png, '#000000') > 50


def test_a_histogram_shows_both_sets():
  generator = np.random.default_rng(0)
  png = charts.histogram([(generator.normal(size=200), 'a', 0),
                          (generator.normal(9., size=200), 'b', 1)], 'x')
  # 0.6 of the colour and 0.4 of white, and both are there.
  for shade in ('#66AAD1', '#E69E66'):
    assert shows(png, shade) > 500
