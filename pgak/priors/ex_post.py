"""Latent densities that are fitted to a trained model's latents, and kept.

A density that was fitted is saved in the run, in
`densities/<label>-step<step>-<digest>.npz`, and read from there when the same
one is asked for again: same settings, weights, latents and data. A fit of
minutes keeps its state in `densities/unfinished-<digest>.npz` until it is done.
"""
import glob
import hashlib
import json
import sys
from typing import Literal

import numpy as np
import tensorflow as tf

from pgak import batches
from pgak import capabilities
from pgak import errors
from pgak import files
from pgak import priors
from pgak import settings
from pgak.priors import round_trips as round_trips_lib

__all__ = ['USUAL', 'attach', 'attach_usual', 'check', 'encode',
           'fitted_prior', 'log_likelihoods', 'positions']

# What a density is fitted to: the encoder's means, or samples of its posterior.
SOURCES = ('means', 'samples')
# What a model that is not trained towards its prior draws from.
USUAL = 'gmm'


@settings.configurable(
    name='density', module='pgak.densities',
    # The names in users' gin files, which a move of this module must not
    # change.
    denylist=['model', 'prior', 'run', 'step', 'dataset'])
def attach(model, prior, run, step, dataset, source: Literal[SOURCES] = 'means',
           max_latents: settings.Count | None = None,
           round_trips: settings.Whole = 0):
  """Gives a loaded model another latent density.

  One that can be fitted is read from the run, or fitted to the latents of the
  split that the run was trained on and saved there. Batch norm keeps the
  statistics of the checkpoint: the decoder does not depend on the density, so
  that reconstructions are the same with every density.

  Args:
    model: `GenerativeAutoencoder` at that step.
    prior: as for `priors.resolve`.
    run: `RunDirectory`.
    step: int.
    dataset: `data.Dataset`, or a function that makes it, which is called only
      where a density is to be fitted.
    source: 'means' of the encoder, or 'samples' from its posterior, which a
      deterministic one has not.
    max_latents: fit to the latents of that many images, chosen at random; None
      for all.
    round_trips: int, how often samples, also those from the model's own prior,
      pass through the decoder and the encoder before they are decoded; see
      `priors.RoundTrips`. Those of `Resampled`, a control, make none.

  Returns:
    The model.

  Raises:
    errors.UserError: if the density cannot be fitted to the latents, or if its
      draws can make no round trips.
  """
  choice = priors.resolve(prior)
  if not choice.is_own:
    model.prior = fitted_prior(model, choice, run, step, dataset, source,
                               max_latents)
  makes_none = (isinstance(model.prior, round_trips_lib.RoundTrips) or
                getattr(model.prior, 'is_control', False))
  if round_trips and not makes_none:
    model.prior = round_trips_lib.RoundTrips(model.prior, model, round_trips)
  return model


def fitted_prior(model, choice, run, step, dataset, source='means',
                 max_latents=None):
  """Returns the prior that was chosen, read from the run or fitted.

  Args:
    model: as for `attach`, which keeps its prior.
    choice: a function of the model to a prior, such as a `priors.Choice`.
    run: as for `attach`, and so are the others.
    step: as there.
    dataset: as there.
    source: as there.
    max_latents: as there.
  """
  if 'condition' in model.kind.can:
    raise errors.UserError(
        f'{model.name} draws latents given conditions, which no other density '
        'of latents can: leave out --prior.')
  prior = choice(model)
  if _is_to_be_fitted(prior):
    model.require(f'the density {capabilities.name_of(prior)}, fitted to '
                  'latents,', 'encode')
    prior.source = source
    prior.max_fitted = max_latents
    path = _path(model, prior, run, step, max_latents)
    if not _read(prior, path):
      unfinished = {}
      if not any(_read(prior, other) for other in _of_other_steps(path)):
        # Only here: a density that is kept needs no data, and earlier versions
        # kept some of deterministic encoders' "samples".
        _require(model, source)
        dataset = dataset() if callable(dataset) else dataset
        images = dataset.split(run.config['data']['split'])
        unfinished = _unfinished(prior, path)
        # Not all, of which a prior that takes fewer would choose others than
        # those that are measured.
        most = min(filter(None, [max_latents, _most(prior)]), default=None)
        latents = encode(model, images, source, most)
        if unfinished:
          _say_begin(prior, path, len(latents))
        prior.fit(latents, **unfinished,
                  **_conditions(prior, images, most))
      files.keep_npz(path, prior.state())
      # Only now, so that a kill in between loses nothing.
      for left in unfinished.values():
        left.unlink(missing_ok=True)
  return prior


def check(model, choice, run, step, source='means', max_latents=None):
  """Raises UserError where `fitted_prior` would for its source, but earlier.

  Args:
    model: as for `fitted_prior`, and so are the others; nothing is fitted.
    choice: as there.
    run: as there.
    step: as there.
    source: as there.
    max_latents: as there.
  """
  prior = choice(model)
  if source != 'samples' or not _is_to_be_fitted(prior):
    return
  prior.source = source
  if not _of_other_steps(_path(model, prior, run, step, max_latents)):
    _require(model, source)


def _is_to_be_fitted(prior):
  return 'fit' in capabilities.of_prior(prior) and not prior.is_fitted


def _most(prior):
  """Returns the most latents that a prior takes; None for any number."""
  return getattr(prior, 'max_latents', None)


def _require(model, source):
  """Raises unless the model has latents of that source."""
  if source != 'samples':
    return
  # Of any example: whether there is a deviation does not depend on it.
  example = np.zeros([1, *model.kind.shape], model.kind.dtype)
  if model.posterior(model.to_model(example))[1] is None:
    raise settings.SettingError(
        f'`density.source = {source!r}` is for samples of a posterior, and '
        f"{model.name} encodes without any noise: set it to 'means', or leave "
        '`density.source` out.')


def attach_usual(model, run, step, dataset):
  """Gives a loaded model the density that it draws from where none is named.

  That is its own prior where training makes latents and prior alike, and else
  `USUAL`, fitted to its latents, which is said.

  Args:
    model: as for `attach`.
    run: as there.
    step: as there.
    dataset: as there.

  Returns:
    The model.

  Raises:
    errors.UserError: if that density is not available.
  """
  if not capabilities.is_unmatched(model):
    return attach(model, 'own', run, step, dataset)
  reason = f'{model.name} is not trained towards its prior'
  try:
    attach(model, USUAL, run, step, dataset)
  except settings.SettingError:  # Another density would not help.
    raise
  except errors.UserError as e:
    raise errors.UserError(
        f'{reason}, and a density of its latents is not available '
        f'({errors.reason(e, None).rstrip(".")}): --prior=own takes '
        'N(0, I).') from e
  print(f'{reason}: {model.prior.label}, fitted to its latents, is in its '
        'place; --prior=own takes N(0, I).')
  return model


def _conditions(prior, images, max_latents):
  """Returns what is known of the encoded images and the prior learns."""
  chosen = positions(len(images), max_latents)
  found = {}
  labels = getattr(images, 'labels', None)
  if labels is not None and getattr(prior, 'takes_labels', False):
    found['labels'] = labels[chosen]
  attributes = getattr(images, 'attributes', None)
  if attributes is not None and getattr(prior, 'takes_attributes', False):
    found['attributes'] = dict(zip(
        images.attribute_names, attributes[chosen].T, strict=True))
  return found


# === Latents ===


def encode(model, images, source='means', max_latents=None):
  """Encodes images, once each.

  Args:
    model: `GenerativeAutoencoder`.
    images: `ImageArray`.
    source: 'means', or 'samples' of the posterior, where the model has one.
    max_latents: as many images are chosen at random; None for all.

  Returns:
    float32 `[N, H]`.
  """
  return model.encode_split(
      images, positions(len(images), max_latents), source == 'samples')


def positions(number, max_latents=None):
  """Returns the positions of the images to encode: all, or a random subset.

  Args:
    number: int, how many images there are.
    max_latents: int, the most that are encoded, or None for all.

  Returns:
    Increasing integers `[n]`.
  """
  return batches.positions(number, max_latents)


def log_likelihoods(model, train, held_out, max_latents=None):
  """Log-likelihood of training and of held-out latents under the prior.

  A density that memorises has a much higher one on the first. Of a prior whose
  samples make round trips it is that of the prior before them.

  Args:
    model: `GenerativeAutoencoder` with its prior.
    train: `ImageArray` that the prior was fitted to, or to a part of which.
    held_out: `ImageArray` that neither model nor prior was fitted to.
    max_latents: as many of each are taken; None for all.

  Returns:
    `(train, held_out)`, each float `[N]`, nats of one latent vector; or None
    for a prior that has no density.
  """
  prior = round_trips_lib.before(model.prior)
  if 'log_density' not in capabilities.of_prior(prior):
    return None
  source = getattr(prior, 'source', 'means')
  fitted = _fitted(model, train, prior, source, max_latents)
  return tuple(prior.log_prob(tf.constant(latents)).numpy() for latents in (
      fitted, encode(model, held_out, source, max_latents)))


def _fitted(model, train, prior, source, number):
  """Returns some of the latents that a prior was fitted to, `[n, H]`."""
  chosen = positions(len(train), getattr(prior, 'max_fitted', None))
  some = positions(len(chosen), number)
  if source != 'samples':
    return model.encode_split(train, chosen[some])
  # The noise of a sample depends on its place among those that are encoded.
  return model.encode_split(train, chosen, True)[some]


# === Files ===


def _path(model, prior, run, step, max_latents):
  """Names the file by a digest of all that decides its content."""
  weights = hashlib.sha256()
  # The encoder's alone: the decoder does not change the latents.
  for variable in model.encoder.variables:
    weights.update(np.ascontiguousarray(variable.numpy()).tobytes())
  kind = f'{type(prior).__module__}.{type(prior).__qualname__}'
  # Settings that only decide sampling need no other file.
  chosen = (prior.fit_settings if hasattr(prior, 'fit_settings')
            else prior.settings)
  content = [
      kind, chosen, prior.source, max_latents, weights.hexdigest(),
      run.config['data']['fingerprint'], run.config['data']['split']]
  there = run.config['data'].get('examples', 0)
  if _most(prior) and min(there, max_latents or there) > _most(prior):
    # Earlier versions kept a fit to others of the latents.
    content.append('random')
  text = json.dumps(content, sort_keys=True, default=repr)
  label = (prior.fit_label if hasattr(prior, 'fit_label')
           else capabilities.label_of(prior))
  digest = hashlib.sha256(text.encode()).hexdigest()[:12]
  return run.path / 'densities' / f'{label}-step{step}-{digest}.npz'


def _unfinished(prior, path):
  """Returns the argument of `fit` that lets it go on after an interruption."""
  if not getattr(prior, 'can_resume', False):
    return {}
  # Not the name of a finished density, which a pack takes along.
  return {'unfinished': path.with_name(
      f'unfinished-{path.stem.split("-")[-1]}.npz')}


def _say_begin(prior, path, number):
  """Says that a fit of minutes begins, and what like it the run keeps."""
  name = capabilities.name_of(prior)
  others = sorted(
      p.name for p in path.parent.glob(f'{glob.escape(name)}*-step*-*'))
  hint = (f' The run keeps {", ".join(others)}, fitted with other settings or '
          'to other weights: the same bindings as then would take it instead.'
          if others else '')
  print(f'{name} is being fitted to {number:,} latents.{hint}',
        file=sys.stderr)


def _of_other_steps(path):
  """Returns the files of the same density at other steps.

  The digest is of all that decides it, and so of the encoder's weights, which
  polishing leaves as they are.
  """
  label, _, digest = path.name.rsplit('-', 2)
  return sorted(path.parent.glob(f'{glob.escape(label)}-step*-{digest}'))


def _read(prior, path):
  """Loads a prior's state; returns whether it was there and whole."""
  arrays = files.load_npz(path)
  try:
    prior.load_state(arrays)
  except (KeyError, TypeError, ValueError):  # Not there, or of another kind.
    return False
  return True
