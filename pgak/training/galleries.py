"""Galleries of a model every N steps of training, by kind of data."""
import numpy as np
import tensorflow as tf

from pgak import capabilities
from pgak import data
from pgak.data import kinds
from pgak.generation import conditional
from pgak.generation import sampling
from pgak.pictures import grids
from pgak.pictures import png
from pgak.pictures import scatter
from pgak.training import callbacks

__all__ = ['Galleries', 'PairGalleries', 'TABLE', 'VectorGalleries', 'of']

_FITTED = 'samples of a Gaussian fitted to the latents'


class Galleries(callbacks.EveryNSteps):
  """Writes grids of samples, reconstructions and interpolations.

  The latents of samples and the images are the same at every step. A model
  without an encoder has samples, and lines between samples of the prior.
  Samples of a model that is not trained towards its prior are drawn from a
  Gaussian that is fitted to its latents at that step. Files of samples name the
  density.

  Args:
    intervals: `Intervals`.
    images: uint8 `[N, h, w, C]`, what is reconstructed and interpolated.
    folder: where the PNG files go.
    events: folder of the TensorBoard events.
    seed: int that decides the samples.
    train_images: the split whose latents the Gaussian is fitted to; None for
      samples of the model's own prior.
  """

  # What a model without an encoder lacks, in words.
  of_encoded = 'reconstructions and interpolations between images'

  def __init__(self, intervals, images, folder, events, seed,
               train_images=None):
    super().__init__(intervals.sample_every, intervals.steps)
    self.images = images
    # Starts and ends: an even number, with repeated images if there is one.
    number = max(min(len(images), 16) // 2 * 2, 2)
    self.ends = np.resize(images, (number, *images.shape[1:]))
    self.folder = folder
    self.writer = tf.summary.create_file_writer(str(events / 'images'))
    self.seed = seed
    self.train_images = train_images
    self._is_told = False

  def on_train_begin(self, logs=None):
    super().on_train_begin()
    if self._is_told:  # Not again at the next of several stages.
      return
    self._is_told = True
    reason = self.model.lacks('encode')
    if reason:
      print(f'{reason}: {self.of_encoded} are left out.')
    if self.is_fitted():
      print(f'{self.model.name} is not trained towards its prior: the '
            f'galleries show {_FITTED}.')

  def is_fitted(self):
    """Whether samples are drawn from a density that is fitted to latents."""
    return (self.train_images is not None
            and capabilities.is_unmatched(self.model))

  def _drawn_from(self):
    """Returns what the file of samples says that they are."""
    prior = self.model.prior
    return _FITTED if self.is_fitted() else (
        f'samples of {capabilities.label_of(prior)}')

  def prior(self):
    """Returns what samples are drawn from at this step."""
    return (sampling.gaussian(self.model, self.train_images)
            if self.is_fitted() else self.model.prior)

  def at_step(self, step, logs):
    # A model that is not finite has no picture; these raise with the reason.
    callbacks.stop_on_fault(self.model)
    callbacks.stop_on_weights(self.model, step)
    with self.model.averaged_weights():
      pictures = self.pictures()
    with self.writer.as_default(step=step):
      for name, picture in pictures.items():
        text = self._drawn_from() if name == 'samples' else ''
        png.write(self.folder / f'{name}_{step:08d}.png', picture, text)
        tf.summary.image(name, png.visible(picture)[None],
                         description=text or None)
      self.writer.flush()

  def pictures(self):
    """Returns `{name: uint8 [H, W, C]}`."""
    samples = {'samples': sampling.sample_picture(
        self.model, 64, self.seed, self.prior())}
    if self.model.lacks('encode'):
      between = sampling.prior_interpolations(self.model, 8, seed=self.seed)
      return samples | {'prior_interpolations': grids.picture(between, 8)}
    return samples | {
        'reconstructions': sampling.reconstruction_picture(
            self.model, self.images[:32]),
        'interpolations': sampling.interpolation_picture(
            self.model, self.ends),
    }

  @classmethod
  def of_split(cls, array, **settings):
    """Makes a gallery of the first images of a split."""
    return cls(images=array.read(_first(array, 32)), **settings)


class PairGalleries(Galleries):
  """Writes rows of a condition, its image and samples, or the reconstruction.

  Args:
    conditions: uint8 `[N, h, w, K]`, those of `images`.
    images: uint8 `[N, h, w, C]`.
    **settings: as for `Galleries`.
  """

  def __init__(self, conditions, images, **settings):
    super().__init__(images=images, **settings)
    self.conditions = conditions

  @classmethod
  def of_split(cls, array, **settings):
    return cls(**array.examples(_first(array, 32)), **settings)

  def pictures(self):
    given = self.images[:16], self.conditions[:16]
    return {
        'samples': conditional.picture(
            conditional.sample_rows(self.model, *given, seed=self.seed)),
        'reconstructions': conditional.picture(
            conditional.reconstruction_rows(self.model, *given)),
    }


class VectorGalleries(Galleries):
  """Writes scatter plots of vectors: samples, and reconstructions.

  Args:
    shades: float `[N]`, decides the colours of the vectors.
    **settings: as for `Galleries`, whose images are vectors, float `[N, D]`.
  """

  of_encoded = 'reconstructions'

  def __init__(self, shades, **settings):
    super().__init__(**settings)
    self.shades = shades

  @classmethod
  def of_split(cls, array, **settings):
    first = _first(array, scatter.NUMBER)
    return cls(data.vector_shades(array, first), images=array.read(first),
               **settings)

  def pictures(self):
    drawn = self.prior().sample(len(self.images), self.seed)  # [N, H]
    found = {'samples': scatter.samples(
        self.images, self.model.decode(drawn), self.shades)}
    if not self.model.lacks('encode'):
      found['reconstructions'] = scatter.reconstruction(
          self.images, self.model.reconstruct(self.images), self.shades)
    return {name: png.decode(file) for name, file in found.items()}


def _first(array, number):
  return np.arange(min(number, len(array)))


# Kind -> class, of which `of_split` makes a callback of a split's examples.
TABLE = kinds.Table({
    kinds.Images: Galleries, kinds.Pairs: PairGalleries,
    kinds.Vectors: VectorGalleries})


def of(kind, array, **settings):
  """Returns the callbacks that show examples of a kind: one, or none.

  Args:
    kind: `kinds.Kind` of the model.
    array: the split that is shown.
    **settings: as for `Galleries`.
  """
  gallery = TABLE.of(kind)
  if gallery is None:
    print(f'There are no galleries of {kind.name}: they are left out.')
    return []
  return [gallery.of_split(array, **settings)]
