"""The sections of a report that show grids of images, each of them once."""
from pgak.pictures import png as png_files
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib

__all__ = ['grids', 'neighbours']

_OWN = "the model's own prior"
_GAUSSIAN = 'a Gaussian fitted to the latents'
_OF = 'samples of '


def grids(cells):
  """Returns the section of the newest grids, side by side by model."""
  blocks = []
  for dataset, members in runs_lib.by_dataset(cells):
    blocks += [pages.FigureGroup(f'Samples of {density}, {dataset}', pictures)
               for density, pictures in _samples(members).items()]
    for kind, title in (
        ('reconstructions', 'Reconstructions: each image, and its '
                            'reconstruction on its right'),
        ('interpolations', 'Interpolations between images, line by line'),
        ('prior_interpolations', 'Interpolations between samples of the prior, '
                                 'where there is no encoder, line by line')):
      pictures = [p for p in (_grid(cell, kind) for cell in members) if p]
      if pictures:
        blocks.append(pages.FigureGroup(f'{title}, {dataset}', pictures))
  return pages.Section('Samples, reconstructions and interpolations', blocks or
                       [pages.Text('No run has grids in samples/.')])


def _samples(cells):
  """Returns `{density: pictures}`; a density of a cell is shown once.

  Both training and evaluations draw samples. Of a density that both drew from
  the picture of the later step is shown.
  """
  found = {}
  for cell in cells:
    for density, (run, step, png) in _by_density(cell).items():
      found.setdefault(density, []).append(pages.Figure(
          pages.file_name('samples', str(cell.number), density, cell.label),
          png, f'samples of {cell.label}, drawn from {density}',
          f'{cell.label}, seed {run.seed}, step {step}; drawn from {density}',
          pixels=run.holds != 'vectors'))
  return found


def _by_density(cell):
  """Returns `{density: (run, step, PNG bytes)}` of a cell's first such run."""
  found = {}
  for run in cell.runs:
    drawn = {name: (run, run.grid_steps.get(name, run.last_step), png)
             for name, png in run.grids.items()}
    if 'samples' in run.pictures:
      step, png = run.pictures['samples']
      density = _density(png, drawn)
      if density not in drawn or drawn[density][1] < step:
        drawn[density] = run, step, png
    found = drawn | found
  return found


def _density(png, evaluated):
  """Returns what a gallery of training was drawn from, as scores name it."""
  text = png_files.description(png)
  named = text.removeprefix(_OF)
  if named == _GAUSSIAN:
    return 'gaussian'
  if text:
    return named
  # Older ones do not name the model's own prior.
  own = [name for name in evaluated if not runs_lib.FITTED.fullmatch(name)]
  return own[0] if own else _OWN


def _grid(cell, kind):
  for run in cell.runs:
    if kind in run.pictures:
      step, png = run.pictures[kind]
      return pages.Figure(
          pages.file_name(kind, str(cell.number), cell.label), png,
          f'{kind} of {cell.label} after {step} steps',
          f'{cell.label}, seed {run.seed}, step {step}; '
          + kind.replace('_', ' '), pixels=run.holds != 'vectors')
  return None


def neighbours(cells):
  """Returns the section of samples beside their nearest images, or None."""
  pictures = [
      pages.Figure(
          pages.file_name('neighbours', str(cell.number), str(i), name), png,
          f'{name}: samples of {cell.label} and their nearest images',
          f'{cell.label}, seed {run.seed}, {name}', pixels=True)
      for cell in cells for i, run in enumerate(cell.runs)
      for name, png in run.extra_pictures.items()]
  return pages.Section('Nearest neighbours', [pages.FigureGroup(
      'Line by line a sample, its nearest training images and its nearest test '
      'images', pictures)]
  ) if pictures else None
