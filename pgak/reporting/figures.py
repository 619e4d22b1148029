"""The sections of a report that show scores as curves, and latents."""
import re

from pgak.generation import latent_figures
from pgak.pictures import charts
from pgak.reporting import aggregates
from pgak.reporting import curves
from pgak.reporting import latents
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib
from pgak.reporting import settings

__all__ = ['distances', 'latent_scatters', 'over_settings', 'precision_recall']

_PROTOCOL = runs_lib.CHOICES.index('protocol')


# === Curves ===


def distances(cells):
  """Returns the section of distances over steps and components, or None."""
  pictures = []
  for choices in aggregates.choices_of(cells):
    named = dict(zip(runs_lib.CHOICES, choices))
    for column in aggregates.columns_of(cells, choices):
      lines = aggregates.is_distance(column.metric) and _distance_lines(
          cells, choices, column)
      if lines:
        title = ', '.join(c for c in column if c != 'none')
        pictures.append(pages.Figure(
            pages.file_name('distance', str(len(pictures)), *column,
                       named['dataset']),
            charts.line_chart(lines, 'step', column.metric),
            f'{title} over training steps',
            f'{title}; {named["protocol"]} on {named["dataset"]}, '
            f'{named["num_samples"]} images, {named["rounding"]} rounding, '
            f'batch norm {named["batch_norm"]}'))
  components = _components(cells)
  if not pictures and not components:
    return None
  return pages.Section('Distances over steps and components', [
      pages.FigureGroup(title, found) for title, found in (
          ('Runs that were measured at several steps; less is better',
           pictures),
          ('Samples by the components of the mixture; less is better',
           components)) if found])


def over_settings(cells):
  """Returns the section of scores over what a sweep varies, or None."""
  blocks = [
      pages.FigureGroup(f'Over {setting}, which alone differs in a line; less '
                        'is better', pictures)
      for setting, pictures in settings.charts_over_settings(cells).items()]
  return pages.Section('Scores over a setting', blocks) if blocks else None


def _components(cells):
  """Returns charts of distances over the number of a mixture's components."""
  pictures = []
  for choices in aggregates.choices_of(cells):
    sizes = {}
    for column in aggregates.columns_of(cells, choices):
      size = re.fullmatch(r'gmm_(\d+)', column.prior)
      if size and aggregates.is_distance(column.metric):
        sizes.setdefault(column[:2], {})[int(size.group(1))] = column
    for (metric, images), columns in sizes.items():
      if len(columns) > 2:
        pictures.append(pages.Figure(
            pages.file_name('components', str(len(pictures)), metric),
            charts.line_chart([
                line for cell in cells
                for line in _component_line(cell, choices, columns)],
                              'components', metric),
            f'{metric} of {images} over the number of components',
            f'{metric}, {images}; {choices[_PROTOCOL]}'))
  return pictures


def _component_line(cell, choices, columns):
  found = {size: aggregates.values(cell, choices, column)
           for size, column in sorted(columns.items())}
  points = {size: aggregates.mean_error(numbers.values())[0]
            for size, numbers in found.items() if numbers}
  return [charts.Line(list(points), list(points.values()), cell.label,
                      cell.number, marked=True)] if points else []


def _distance_lines(cells, choices, column):
  lines = []
  for cell in cells:
    found = [aggregates.by_step(run, choices, column) for run in cell.runs]
    found = [steps for steps in found if len(steps) > 1]
    lines += [charts.Line(list(steps), list(steps.values()),
                          None if i else cell.label, cell.number, marked=True)
              for i, steps in enumerate(found)]
  return lines


# === Pictures ===


def precision_recall(cells):
  """Returns the section of curves of precision over recall, or None."""
  names = {}
  for cell in cells:
    for run in cell.runs:
      for name, curve in curves.read_precision_recall(run).items():
        names.setdefault((cell.dataset, name), []).append((cell, curve))
  if not names:
    return None
  pictures = []
  for (dataset, name), members in names.items():
    shown = set()
    lines = []
    for cell, (recall, precision) in members:
      lines.append(charts.Line(
          recall, precision, None if cell.label in shown else cell.label,
          cell.number))
      shown.add(cell.label)
    pictures.append(pages.Figure(
        pages.file_name('prd', str(len(pictures)), dataset, name),
        charts.line_chart(lines, 'recall', 'precision', (0., 1.05)),
        f'Precision over recall, {name} on {dataset}: '
        f'{", ".join(sorted(shown))}', f'{name} on {dataset}'))
  return pages.Section('Precision and recall', [pages.FigureGroup(
      'Precision over recall for distributions; up and right is better',
      pictures)])


def latent_scatters(cells, data_dir, imports=()):
  """Returns the section of latents of images beside samples of the prior.

  Args:
    cells: list of `runs.Cell`, of each of which the first run is loaded.
    data_dir: folder of TensorFlow Datasets instead of the runs', or None.
    imports: modules that the runs were trained with, which the user trusts.
  """
  pictures, panels, of_class, without, failed = [], [], {}, {}, []
  for cell in cells:
    run = cell.runs[0]
    try:
      found = latents.latents_and_samples(run.path, data_dir=data_dir,
                                          imports=imports)
      pictures.append(_latent_picture(cell, run, found))
      if found.encoded.shape[1] == 2:
        panels.append(_latent_panels(cell, run, found))
      if found.of_class is not None:
        of_class.setdefault(cell.dataset, []).append(
            (cell.label, _class_clouds(found)))
    except latents.LeftOut as e:
      without.setdefault(str(e), []).append(cell.label)
    # A run may need a user's own code, data that are elsewhere, or be damaged:
    # whatever it raises, the rest of the report is written.
    except Exception as e:
      failed.append(f'{run.path}: {" ".join(str(e).split())[:300]}')
  blocks = [pages.FigureGroup(caption, made) for caption, made in (
      ('Validation images of one class as latents, and samples of the prior',
       [_class_picture(*group) for group in of_class.items()]),
      ('Validation images as latents, and samples of the prior', pictures),
      ('Two latents, with and without classes', panels)) if made]
  blocks += [pages.Text(f'Left out, because {reason}: {", ".join(labels)}.')
             for reason, labels in without.items()]
  if failed:
    blocks += [pages.Text('Not shown, because a model or its data could not be '
                          'loaded:'), pages.Items(failed)]
  return pages.Section('Latents and prior', blocks)


def _class_clouds(found):
  encoded, drawn, _ = latents.in_two_dimensions(found.of_class, found.drawn)
  return [(drawn, 'samples of the prior', None),
          (encoded, 'images of class 0', 0)]


def _class_picture(dataset, shown):
  return pages.Figure(
      pages.file_name('class', dataset), charts.scatters(shown),
      f'Latents of {dataset} images of class 0 and samples of the prior: '
      + ', '.join(label for label, _ in shown),
      f'{dataset}, the first runs: the latents of up to 1,000 validation '
      'images of class 0, in the two directions in which they vary most, and '
      'samples of the prior in the same plane')


def _latent_picture(cell, run, found):
  encoded, drawn, plane = latents.in_two_dimensions(found.encoded, found.drawn)
  png = charts.scatter([(drawn, 'prior', None),
                        (encoded, 'images', cell.number)], *plane.axes)
  shown = (f'; {plane.share:.0%} of the variance of the latents'
           if plane.is_projection else '')
  return pages.Figure(
      pages.file_name('latents', str(cell.number), cell.label), png,
      f'Latents of images and samples of the prior of {cell.label}',
      f'{cell.label}, seed {run.seed}{shown}{found.note}')


def _latent_panels(cell, run, found):
  png = latent_figures.latent_panels(
      found.encoded, found.drawn, found.base, found.labels)
  return pages.Figure(
      pages.file_name('panels', str(cell.number), cell.label), png,
      f'Latents of images, by class and plain, and samples of the prior of '
      f'{cell.label}', f'{cell.label}, seed {run.seed}{found.note}')
