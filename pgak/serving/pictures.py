"""Pictures and arrays of an export's images."""
import numpy as np

from pgak import errors
from pgak.data import kinds
from pgak.generation import drawing
from pgak.generation import drawn
from pgak.generation import sampling
from pgak.pictures import charts
from pgak.pictures import scatter
from pgak.serving import client

__all__ = ['sample_export']


def sample_export(export_dir, output, kind='samples', num_samples=None, seed=0):
  """Draws from an export; the arguments are those of `sample`.

  An export holds no data, so interpolations go between its own samples.
  """
  drawn.check_output(output, kind, drawing.KINDS)
  served = client.ServedModel(export_dir)
  if kind not in ('samples', 'interpolation'):
    raise errors.UserError(
        f'An export holds no images of its data set: use --run_dir for '
        f'--kind={kind}.')
  num_samples = num_samples or drawing.usual_number(kind, served)
  if kinds.are_vectors(served.image_shape):
    drawn.write(output, _served_vectors(served, kind, num_samples, seed))
    return
  if kind == 'samples':
    images = served.sample(num_samples, seed)
    drawn.write(output, drawn.Drawn({'images': images}, images))
    return
  latents = served.sample_latents(2 * -(-num_samples // drawing.STEPS), seed)
  lines = _served_lines(served, *np.split(latents, 2))
  drawn.write(output, drawn.Drawn({'images': lines}, lines, drawing.STEPS))


def _served_vectors(served, kind, number, seed):
  if kind != 'samples':
    raise errors.UserError(
        f'The export makes vectors, of which there is no --kind={kind}: use '
        '--kind=samples.')
  vectors = served.sample(number, seed)
  return drawn.Drawn({'images': vectors}, chart=charts.panels(
      [scatter.cloud(vectors, 'samples')], ''))


def _served_lines(served, start, end):
  """Lines between samples: between their latents, or where these are from."""
  if not served.has_encoder:
    return served.decode(sampling.lines(start, end, drawing.STEPS))
  between = served.interpolate(
      served.decode(start), served.decode(end), drawing.STEPS)
  return between.reshape(-1, *between.shape[2:])
