"""Vectors, their reconstructions and samples, as in figs. 4 and 5 of [1].

#### References

[1]: Cong Geng, Jia Wang, Li Chen, Zhiyong Gao. Generative Model without Prior
     Distribution Matching. 2021.
"""
import numpy as np

from pgak import batches
from pgak import data
from pgak.pictures import charts
from pgak.pictures import scatter
from pgak.reporting import latents
from pgak.reporting import pages

__all__ = ['manifolds']


def manifolds(cells, data_dir=None, imports=()):
  """Returns the section of runs on vectors, a row each, or None without any.

  Args:
    cells: list of `runs.Cell`, of each of which the first run is loaded.
    data_dir: folder of TensorFlow Datasets instead of the runs', or None.
    imports: modules that the runs were trained with, which the user trusts.
  """
  pictures, failed = [], []
  for cell in cells:
    if cell.runs[0].holds != 'vectors':
      continue
    try:
      pictures.append(_picture(cell, cell.runs[0], data_dir, imports))
    # As for the latents: whatever a run raises, the rest is written.
    except Exception as e:
      failed.append(f'{cell.runs[0].path}: {" ".join(str(e).split())[:300]}')
  blocks = [pages.FigureGroup(
      'Validation points, coloured by their place along the manifold, their '
      'reconstructions, samples, and the latents of both', pictures, rows=True)
            ] if pictures else []
  if failed:
    blocks += [pages.Text('Not shown, because a model or its data could not be '
                          'loaded:'), pages.Items(failed)]
  return pages.Section('Manifolds', blocks) if blocks else None


def _picture(cell, run, data_dir, imports):
  with latents.loaded(run.path, data_dir, imports) as (model, array):
    png = charts.panels(_row(model, array), cell.label)
    note = latents.note_of(model)
  return pages.Figure(
      pages.file_name('manifold', str(cell.number), cell.label), png,
      f'Points, reconstructions and samples of {cell.label}, and their latents',
      f'{cell.label}, seed {run.seed}{note}')


def _row(model, array):
  """Returns the panels of a model; without an encoder, data and samples."""
  places = batches.positions(len(array), scatter.NUMBER)
  points, shades = array.read(places), data.vector_shades(array, places)
  made = [(np.asarray(model.sample(len(points))), None)]
  if model.lacks('encode'):
    return scatter.compared(points, made, shades, ('data', 'samples'))
  codes = np.asarray(model.encode(points))
  made.insert(0, (np.asarray(model.decode(codes)), shades))
  drawn = np.asarray(model.prior.sample(len(points)))
  return scatter.compared(
      points, made, shades, ('data', 'reconstructions', 'samples')
  ) + _of_latents(codes, drawn, shades)


def _of_latents(codes, drawn, shades):
  codes, drawn, _ = latents.in_two_dimensions(codes, drawn)
  window = scatter.window(np.concatenate([codes, drawn]))
  return [charts.Panel(codes, 'latents of data', window=window, shades=shades),
          charts.Panel(drawn, 'samples of the prior', window=window)]
