"""What the demo page shows of a model, as arrays; `demo_page` is the page.

The model is a run's or an export's. One of a run draws from the density that
the visitor chooses, which is fitted when it is first asked for; an export has
the density that it was made with.
"""
import threading

import numpy as np

from pgak import capabilities
from pgak import errors
from pgak import priors
from pgak.data import decoding
from pgak.pictures import grids
from pgak.priors import ex_post
from pgak.runs import checkpoints
from pgak.runs import data_set
from pgak.runs import own_data
from pgak.runs import run_directory
from pgak.serving import client
from pgak.serving import metadata as metadata_lib

__all__ = ['DIRECTIONS', 'Demonstration', 'of_export', 'of_run']

# Sliders of the page, and how many draws the directions are computed of.
DIRECTIONS = 6
_DRAWS = 1000
_STEPS = 8
# Pixels, at least, of an image alone and of one among others.
_ALONE = 256
_AMONG = 64


class Demonstration:
  """A model, and what a visitor asks it; a request at a time.

  Args:
    model: a model or a `client.ServedModel` of images.
    preparation: how pictures become the model's images; see
      `own_data.preparation_of`.
    densities: names that `density` may be, the first by default.
    draw: `(density, n, seed) -> latents [n, H]`.

  Raises:
    errors.UserError: if the model makes something else, or is given conditions.
  """

  def __init__(self, model, preparation, densities, draw):
    if 'pixels' not in model.kind.can or 'condition' in model.kind.can:
      raise errors.UserError(
          f'The model makes {model.kind.made}, of which there is no demo page: '
          'take pgak_sample.')
    self.densities = tuple(densities)
    self.has_encoder = model.has_encoder
    self.image_shape = tuple(model.image_shape)
    self._model = model
    self._preparation = preparation
    self._draw = draw
    self._axes = {}
    # A model's prior is a part of it, and densities change it.
    self._lock = threading.RLock()

  def samples(self, density, number, seed):
    """Returns a picture of new images, uint8 `[rows, columns, C]`.

    Args:
      density: one of `densities`.
      number: int, of images.
      seed: int; the same gives the same.
    """
    return _picture(self._decode(self._latents(density, int(number),
                                               int(seed))))

  def moved(self, density, offsets):
    """Returns the image at the mean latent, moved along principal directions.

    Args:
      density: one of `densities`, whose draws have the directions: those in
        which they vary most, the largest first.
      offsets: floats, how far to go along each, in standard deviations.

    Returns:
      uint8 `[rows, columns, C]`.
    """
    mean, axes = self._principal(density)
    offsets = np.asarray(offsets, np.float32)[:len(axes)]
    latent = mean + offsets @ axes[:len(offsets)]
    return _picture(self._decode(latent[np.newaxis]), 1, _ALONE)

  def reconstruction(self, path):
    """Returns a picture as the model sees it, and its reconstruction.

    Args:
      path: of a picture file.

    Raises:
      errors.UserError: if it is none, or if the model has no encoder.
    """
    image = self._image(path)
    with self._lock:
      made = np.asarray(self._model.reconstruct(image))
    return _picture(np.concatenate([image, made]), 2, _ALONE)

  def interpolation(self, start, end):
    """Returns the images on the line between two pictures' latents.

    Args:
      start: path of a picture file.
      end: path of another.

    Raises:
      errors.UserError: as `reconstruction` does.
    """
    images = [self._image(path) for path in (start, end)]
    with self._lock:
      (line,) = np.asarray(self._model.interpolate(*images, _STEPS))
    return _picture(line, _STEPS)

  def number_of_directions(self):
    """Returns how many sliders there are."""
    return min(DIRECTIONS, self._model.latent_dim)

  def _image(self, path):
    """Returns a picture file as the model's data were made, `[1, h, w, c]`."""
    if not self.has_encoder:
      raise errors.UserError(
          'The model has no encoder, which pictures of your own need.')
    if not path:
      raise errors.UserError('Choose a picture first.')
    shape, prepared = self.image_shape, self._preparation
    with open(path, 'rb') as file:
      data = file.read()
    try:
      image = decoding.decode(data, shape[-1], prepared['background'])
    except ValueError as e:
      raise errors.UserError(
          f'This picture cannot be read ({errors.reason(e)}): choose a PNG or '
          'JPEG.') from e
    crop = prepared['crop']
    if crop is not None and min(image.shape[:2]) < crop:
      crop = None
    made = decoding.to_shape(image, shape, crop, prepared['antialias'],
                             prepared['resize'])
    return np.asarray(made, np.uint8)[np.newaxis]

  def _latents(self, density, number, seed):
    if density not in self.densities:
      raise errors.UserError(f'There is no density {density}: choose one of '
                             f'{", ".join(self.densities)}.')
    with self._lock:
      return np.asarray(self._draw(density, number, seed))

  def _decode(self, latents):
    with self._lock:
      return np.asarray(self._model.decode(latents))

  def _principal(self, density):
    """Returns the mean `[H]` and directions `[k, H]` of a density's draws."""
    with self._lock:
      if density not in self._axes:
        latents = self._latents(density, _DRAWS, 0)
        latents = latents.reshape(len(latents), -1).astype(np.float64)
        mean = latents.mean(0)
        _, lengths, axes = np.linalg.svd(latents - mean, full_matrices=False)
        # An eigenvector's sign is arbitrary: the same sliders every time.
        axes *= np.sign(axes[np.arange(len(axes)),
                             np.abs(axes).argmax(1)])[:, np.newaxis]
        deviations = lengths[:, np.newaxis] / np.sqrt(len(latents))
        self._axes[density] = (mean.astype(np.float32),
                               (deviations * axes).astype(np.float32))
      return self._axes[density]


def of_run(run_dir, checkpoint='latest', prior=None):
  """Returns a `Demonstration` of a run, whose configuration gin holds.

  Args:
    run_dir: path of the run directory.
    checkpoint: 'latest', 'best' or a step.
    prior: name of the density that comes first; None for the model's own, or,
      for a model that is not trained towards it, a mixture of Gaussians.

  Raises:
    errors.UserError: as `checkpoints.load_configured` does.
  """
  run = run_directory.RunDirectory(run_dir)
  step = run.resolve_checkpoint(checkpoint)
  model = checkpoints.load_configured(run, checkpoint)
  if prior is None:
    prior = 'gmm' if capabilities.is_unmatched(model) else 'own'
  known = {'own': model.prior}

  def draw(density, number, seed):
    if density not in known:
      ex_post.attach(model, density, run, step, data_set.configured)
      known[density] = model.prior
    model.prior = known[density]
    return model.draw_latents(number, seed)

  fitted = priors.NAMES if model.has_encoder else ()
  return Demonstration(
      model, own_data.preparation_of(run.config['data']['preprocessing']),
      dict.fromkeys([prior, 'own', *fitted]), draw)


def of_export(export_dir):
  """Returns a `Demonstration` of an export.

  Raises:
    errors.UserError: as `client.ServedModel` does.
  """
  served = client.ServedModel(export_dir)
  preparation = own_data.preparation_of(
      metadata_lib.preprocessing_of(served.metadata))
  return Demonstration(
      served, preparation, [served.metadata['prior']],
      lambda density, number, seed: served.sample_latents(number, seed))


def _picture(images, columns=None, height=_AMONG):
  return grids.grid(grids.enlarged(images, height), columns)
