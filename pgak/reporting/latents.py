"""Latents of images against samples of the model's prior, in two dimensions."""
import contextlib
from typing import NamedTuple

import gin
import numpy as np

from pgak import batches
from pgak import capabilities
from pgak import errors
from pgak import generation
from pgak.generation import sampling
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import run_directory

__all__ = ['Latents', 'LeftOut', 'in_two_dimensions', 'latents_and_samples',
           'loaded', 'note_of', 'of_first_class']

_MOST_OF_CLASS = 1000


class LeftOut(errors.UserError):
  """There are no such latents of a model; the text says why, of several."""


class Latents(NamedTuple):
  """Latents of a run.

  Attributes:
    encoded: of validation images, float `[n, latent_dim]`.
    drawn: of the prior, float `[n, latent_dim]`; or, of a model that is not
      trained towards it, of a Gaussian fitted to the latents.
    base: `encoded` as the prior's flow maps them, or None without a flow.
    labels: classes of the images, integers `[n]`, or None.
    of_class: of validation images of the first class, 0, float
      `[m, latent_dim]`, or None where there are none.
    note: what a caption adds: '' where the draws are of the model's prior.
  """
  encoded: np.ndarray
  drawn: np.ndarray
  base: np.ndarray | None
  labels: np.ndarray | None
  of_class: np.ndarray | None = None
  note: str = ''


def latents_and_samples(path, number=None, data_dir=None, imports=()):
  """Encodes validation images of a run and draws as many latents.

  It replaces gin's present configuration by the run's and then clears it.

  Args:
    path: path of the run directory.
    number: int, the most images, of all at random; None for 10,000 where there
      are two latents, all of which can be seen, and else for 1,000.
    data_dir: folder of TensorFlow Datasets instead of the run's, or None.
    imports: modules that the run was trained with, which the user trusts.

  Returns:
    `Latents`.

  Raises:
    LeftOut: if the model has none; or
    errors.UserError: if the data set or a checkpoint is not available.
  """
  with loaded(path, data_dir, imports) as (model, array):
    if model.lacks('encode'):
      raise LeftOut('they have no encoder')
    if 'condition' in model.can:
      raise LeftOut('their latents are drawn given conditions')
    # Files may be in the order of their classes.
    places = batches.positions(
        len(array), number or (10000 if model.latent_dim == 2 else 1000))
    encoded = model.encode_split(array, places)
    return Latents(
        encoded, np.asarray(model.prior.sample(len(places), 0)),
        generation.latent_to_base(model.prior, encoded)
        if generation.is_flow(model.prior) else None,
        None if array.labels is None else array.labels[places],
        of_first_class(model, array), note_of(model))


def note_of(model):
  """Returns what a caption says of a loaded model's prior: '' of its own."""
  return ('; samples of a Gaussian fitted to the latents'
          if capabilities.name_of(model.prior) == 'gaussian' else '')


@contextlib.contextmanager
def loaded(path, data_dir=None, imports=()):
  """Yields `(model, validation array)` of a run, in gin's configuration of it.

  A Gaussian fitted to the latents is the prior of a model that is not trained
  towards its own.

  Args:
    path: path of the run directory.
    data_dir: as for `latents_and_samples`.
    imports: as there.
  """
  run = run_directory.RunDirectory(path)
  # A binding that nothing reads would be refused.
  bindings = ([f'data_dir = {data_dir!r}']
              if data_dir and '%data_dir' in run.config_gin else [])
  try:
    configuration.parse_run(run, bindings, imports=imports)
    array = data_set.split('validation')
    model = checkpoints.load_configured(run)
    if capabilities.is_unmatched(model):
      model.prior = sampling.gaussian(model, data_set.split('train'))
    yield model, array
  finally:
    gin.clear_config()


def of_first_class(model, array):
  labels = np.asarray([] if array.labels is None else array.labels)
  # Labels may be other numbers than classes.
  is_class = labels.dtype.kind in 'iu'
  places = np.flatnonzero((labels == 0) & is_class)[:_MOST_OF_CLASS]
  return model.encode_split(array, places) if len(places) else None


def in_two_dimensions(encoded, drawn):
  """Projects both on the two directions in which the latents vary most.

  Args:
    encoded: float array `[n, latent_dim]`, whose principal components are used;
      two dimensions or fewer are shown as they are.
    drawn: float array `[m, latent_dim]`.

  Returns:
    `(encoded [n, 2], drawn [m, 2], plane)`, the last a `generation.Plane`.

  Raises:
    ValueError: if a latent is not finite, or there is none.
  """
  plane = generation.Plane(encoded)
  return plane.project(encoded), plane.project(drawn), plane
