"""Pictures and arrays of an export's images."""
import numpy as np

from pgak import errors
from pgak.data import kinds
from pgak.generation import asked
from pgak.generation import drawing
from pgak.generation import drawn
from pgak.models import lines
from pgak.pictures import charts
from pgak.pictures import scatter
from pgak.serving import client

__all__ = ['sample_export']


def sample_export(export_dir, output, kind='samples', num_samples=None, seed=0,
                  overwrite=False, label=None, attributes=None):
  """Draws from an export; the arguments are those of `sample`.

  An export holds no data, so interpolations go between its own samples.
  """
  drawn.check_output(output, kind, drawing.KINDS, overwrite)
  served = client.ServedModel(export_dir)
  if kind not in ('samples', 'interpolation'):
    raise errors.UserError(
        f'An export holds no images of its data set: use --run_dir for '
        f'--kind={kind}.')
  num_samples = num_samples or drawing.usual_number(kind, served)
  draw = _TABLE.of(served.kind)
  given = asked.given(num_samples, label, attributes)
  drawn.write(output, draw(served, kind, num_samples, seed, given))


def _arrays(served, kind, number, seed, given=None):
  if kind != 'samples':
    raise errors.UserError(
        f'The export makes {served.kind.made}, of which there is no --kind='
        f'{kind}: use --kind=samples.')
  return drawn.Drawn({'images': served.sample(number, seed, given)})


def _vectors(served, kind, number, seed, given=None):
  arrays = _arrays(served, kind, number, seed, given).arrays
  return drawn.Drawn(arrays, chart=charts.panels(
      [scatter.cloud(arrays['images'], 'samples')], ''))


def _images(served, kind, number, seed, given=None):
  if kind == 'samples':
    images = served.sample(number, seed, given)
    return drawn.Drawn({'images': images}, images)
  latents = served.sample_latents(2 * -(-number // drawing.STEPS), seed)
  lines = _served_lines(served, *np.split(latents, 2))
  return drawn.Drawn({'images': lines}, lines, drawing.STEPS)


def _pairs(served, *unused):
  del unused
  raise errors.UserError(
      f'The export makes {served.kind.made}, and holds none: give --run_dir, '
      'or call ServedModel.sample with conditions.')


def _served_lines(served, start, end):
  """Lines between samples: between their latents, or where these are from."""
  if not served.has_encoder:
    between = lines.between(start, end, drawing.STEPS).numpy()
    return served.decode(between.reshape(-1, between.shape[-1]))
  between = served.interpolate(
      served.decode(start), served.decode(end), drawing.STEPS)
  return between.reshape(-1, *between.shape[2:])


_TABLE = kinds.Table({kinds.Kind: _arrays, kinds.Images: _images,
                      kinds.Pairs: _pairs, kinds.Vectors: _vectors})
