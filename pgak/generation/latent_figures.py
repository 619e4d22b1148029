"""Figures of a model's latents, and the arrays behind them.

#### References

[1]: Empirical Observations Pertaining to Learned Priors for Deep Latent
     Variable Models. 2019.
"""
import numpy as np

from pgak import capabilities
from pgak import errors
from pgak.generation import attribute_vectors
from pgak.generation import drawn
from pgak.generation import likelihoods
from pgak.generation import paths
from pgak.generation import projections
from pgak.generation import sampling
from pgak.generation import spaces
from pgak.pictures import charts
from pgak.priors import round_trips

__all__ = ['attribute', 'interpolation', 'latent_panels', 'latents',
           'log_densities', 'out_of_distribution', 'path_plot', 'spaces_of']


def spaces_of(space, prior):
  """Returns the spaces that are shown, in the order of their rows.

  Args:
    space: 'zT', 'z0', 'both' of them, 'all' for those between couplings, too,
      or None for those of both that the prior has.
    prior: the model's prior.

  Raises:
    errors.UserError: if there is no such space.
  """
  if space is None:
    space = 'both' if spaces.has_base(prior) else 'zT'
  if space == 'all':
    return spaces.every(prior)
  if space not in (*spaces.SPACES, 'both'):
    raise errors.UserError(f'There is no space {space!r}: choose zT, z0, both '
                           'or all.')
  return ('z0', 'zT') if space == 'both' else (space,)


# === Paths ===


def interpolation(model, originals, shown=('zT',), steps=8, line=None):
  """Paths between the latents of images, one per row ([1], figs. 4 and 8).

  Args:
    model: `GenerativeAutoencoder`.
    originals: uint8 `[2 N, h, w, C]`: N starts, then N ends.
    shown: spaces, each a row of every pair.
    steps: images on a path.
    line: 'straight', 'spherical' or None, as for `paths.path`.

  Returns:
    A `drawn.Drawn`: on the left and right of each row, the originals.
  """
  start, end = np.split(np.asarray(originals), 2)
  latents, images = _decoded_paths(
      model, *(np.asarray(model.encode(x)) for x in (start, end)), shown, steps,
      line)
  # For each pair a row per space, in the order of `shown`.
  rows = [np.concatenate([a[None], row, b[None]])
          for a, b, rows in zip(start, end, images) for row in rows]
  return drawn.Drawn(
      {'images': _flat(images, 3), 'originals': originals,
       'latents': _flat(latents, 1)},
      np.concatenate(rows), steps + 2,
      text=_path_densities(model.prior, latents, shown))


def attribute(model, train_latents, mask, originals, strength=1., shown=('zT',),
              steps=8):
  """An attribute added gradually to images that lack it ([1], fig. 7).

  A row goes from an image's latents z to z + strength * v, with v the
  attribute's vector in z_T: in z_T straight, in z_0 along the arc.

  Args:
    model: `GenerativeAutoencoder`.
    train_latents: those of the training images, float `[M, H]`.
    mask: which of them have the attribute, boolean `[M]`.
    originals: images without it, uint8 `[N, h, w, C]`.
    strength: how much of the vector is added at the end of a row.
    shown: spaces, each a row of every image.
    steps: images on a row.

  Returns:
    A `drawn.Drawn`: on the left of each row, the original.
  """
  vector = attribute_vectors.attribute_vector(train_latents, mask)
  start = np.asarray(model.encode(originals))
  latents, images = _decoded_paths(model, start, start + strength * vector,
                                   shown, steps)
  rows = [np.concatenate([a[None], row])
          for a, rows in zip(originals, images) for row in rows]
  return drawn.Drawn(
      {'images': _flat(images, 3), 'originals': originals,
       'latents': _flat(latents, 1), 'vector': vector},
      np.concatenate(rows), steps + 1,
      text=f'The vector is of {np.sum(mask)} images with the attribute and '
           f'{np.sum(~mask)} without, {_deviations(vector, train_latents)}.')


def _decoded_paths(model, start, end, shown, steps, line=None):
  """Returns latents `[N, spaces, steps, H]` and their images, uint8."""
  latents = np.stack([
      paths.path(model.prior, start, end, steps, space, line)
      for space in shown], 1)
  flat = _flat(latents, 1)  # [N spaces steps, H]
  images = np.concatenate(list(
      sampling.generate(model, len(flat), latents=flat)))
  return latents, images.reshape(*latents.shape[:-1], *images.shape[1:])


def _flat(array, kept):
  return array.reshape(-1, *array.shape[-kept:])


def _deviations(vector, latents):
  length = np.linalg.norm(vector)
  # The root of the total variance: a length, as that of the vector is.
  deviation = np.sqrt(np.var(latents, axis=0).sum())
  return f'{length / deviation:.2f} standard deviations of the latents long'


def _path_densities(prior, latents, shown):
  """Returns a sentence; an empty string where there is no density."""
  found = _densities(prior, latents, shown)
  text = ', '.join(f'{_in_title(space)} {values.mean():.2f}'
                   for space, values in found.items())
  if len(found) == 2:
    higher = np.mean(found['z0'] > found['zT'])
    text += f'; higher in z_0 for {higher:.0%} of {len(latents)}'
  return text and f'Mean log-density of the paths: {text}.'


def _densities(prior, latents, shown):
  """Returns `{space: mean log-density of each path [N]}`, or nothing."""
  if 'log_density' not in capabilities.of_prior(round_trips.before(prior)):
    return {}
  values = likelihoods.log_density(prior, _flat(latents, 1))
  means = values.reshape(latents.shape[:-1]).mean(-1)
  return dict(zip(shown, means.T))


def path_plot(model, cloud, originals, steps=65):
  """Paths between images over the plane of the latents ([1], fig. 5).

  Args:
    model: `GenerativeAutoencoder`.
    cloud: latents of the training images, float `[M, H]`.
    originals: uint8 `[2 N, h, w, C]`: N starts, then N ends.
    steps: points on a path.

  Returns:
    A `drawn.Drawn`: z_T's paths are black, and z_0's red, where there is a z_0.
    The legend has the mean log-density on the way, where the prior has one.
  """
  plane = projections.Plane(cloud)
  # z_T first, so that z_0 is drawn over it.
  shown = spaces_of(None, model.prior)[::-1]
  start, end = np.split(np.asarray(model.encode(originals)), 2)
  latents = np.stack([paths.path(model.prior, start, end, steps, space)
                      for space in shown], 1)
  means = _densities(model.prior, latents, shown)
  lines = [charts.Line(*plane.project(latents[n, i]).T,
                       _path_label(space, means) if n == 0 else None,
                       {'zT': 7, 'z0': 1}[space])
           for n in range(len(start)) for i, space in enumerate(shown)]
  points = plane.project(cloud)
  return drawn.Drawn(
      {'cloud': points, 'originals': originals,
       **{f'path_{space}': latents[:, i] for i, space in enumerate(shown)}},
      chart=charts.scatter(
          [(points, 'training images', None)], *plane.axes, lines,
          _plane_title(plane) or 'The latents'),
      text=_path_densities(model.prior, latents, shown))


def _in_title(space):
  return f'z_{space[1:]}'


def _path_label(space, means):
  density = (f', mean log-density {means[space].mean():.1f}' if means else '')
  return f'path in {_in_title(space)}{density}'


def _plane_title(plane):
  return (f'First two principal components, {plane.share:.0%} of the variance'
          if plane.is_projection else '')


# === Clouds ===


def latents(prior, encoded, labels=None, seed=0):
  """Latents and the prior in two dimensions ([1], fig. 2).

  Args:
    prior: the model's prior.
    encoded: latents of images, float `[N, H]`.
    labels: their classes, integers `[N]`, or None.
    seed: int, decides the samples of the prior.

  Returns:
    A `drawn.Drawn`, the chart of which is that of `latent_panels`.
  """
  draws = np.asarray(prior.sample(len(encoded), seed))
  base = (spaces.latent_to_base(prior, encoded) if spaces.is_flow(prior)
          else None)
  arrays = {'latents': encoded, 'prior': draws}
  arrays.update({} if base is None else {'base': base})
  arrays.update({} if labels is None else {'labels': labels})
  return drawn.Drawn(arrays, chart=latent_panels(encoded, draws, base, labels))


def latent_panels(encoded, draws, base=None, labels=None):
  """Returns the panels of [1], fig. 2, as PNG bytes.

  More than two dimensions are shown in the plane of the first two principal
  components of `encoded`, and `base` in that of its own.

  Args:
    encoded: E(x), float `[N, H]`.
    draws: samples of the prior, float `[M, H]`.
    base: f(E(x)), float `[N, H]`, or None where the prior is no flow.
    labels: classes, integers `[N]`, or None.
  """
  plane = projections.Plane(encoded)
  points, others = plane.project(encoded), plane.project(draws)
  window = _window(points, others)
  # One window for both, so that their extents can be compared.
  title = _plane_title(plane) or 'The two latents'
  panels = []
  if base is not None:
    of_base = projections.Plane(base)
    title += f' (z_0: {of_base.share:.0%})' if plane.is_projection else ''
    panels.append(charts.Panel(of_base.project(base), _by_class(
        'z_0 = f(E(x))', labels), labels))
  if labels is not None:
    panels.append(charts.Panel(points, _by_class('z_T = E(x)', labels), labels,
                               window))
  panels += [charts.Panel(points, 'z_T = E(x)', window=window),
             charts.Panel(others, 'samples of the prior', window=window)]
  return charts.panels(panels, title)


def _by_class(text, labels):
  return text if labels is None else f'{text} by class'


def _window(points, others):
  """Returns `[2, 2]`: limits that hold all points, and others but outliers."""
  low, high = np.percentile(others, [0.1, 99.9], axis=0)
  low, high = np.minimum(low, points.min(0)), np.maximum(high, points.max(0))
  # Never 0 wide, even if all points are one.
  margin = 0.05 * (high - low) + 1e-6
  return np.stack([low - margin, high + margin], 1)


# === Rankings ===


def log_densities(prior, encoded, images, number=64, labels=None):
  """Images by the log-density of their latents: the least and the most likely.

  Args:
    prior: the model's prior.
    encoded: latents of the images, float `[N, H]`.
    images: function of positions `[n]` to uint8 images `[n, h, w, C]`.
    number: how many images are shown.
    labels: classes, integers `[N]`, or None.

  Returns:
    A `drawn.Drawn`: the upper half of the rows are the least likely, beginning
    with the least of all; the lower half the most likely, ending with the most.
  """
  # Named, because samples that make round trips are of another label.
  label = capabilities.label_of(round_trips.before(prior))
  values = likelihoods.log_density(prior, encoded)
  known = ~np.isnan(values)
  # A latent that the prior cannot evaluate is none of the likely ones.
  order = np.argsort(np.where(known, values, -np.inf), kind='stable')
  # Whole rows of eight, at least one for each half.
  half = min(8 * max(-(-number // 16), 1), len(order))
  shown = np.concatenate([order[:half], order[-half:]])
  table = {'index': np.arange(len(values)), 'log_density': values}
  table.update({} if labels is None else {'label': labels})
  return drawn.Drawn(
      {'images': images(shown), 'shown': shown, **table}, images(shown), 8,
      table=table,
      text=f'Log-density of the latents of {len(values)} images under '
           f'{label}: {_range_of(values[known])}'
           f'{_unknown(len(values) - known.sum())}.')


def _range_of(values):
  return (f'mean {values.mean():.2f}, from {values.min():.2f} to '
          f'{values.max():.2f} nats' if len(values) else 'none is a number')


def _unknown(number):
  return f'; of {number}, shown first, it is no number' if number else ''


def out_of_distribution(prior, inside, outside, names, positions=None):
  """Two sets of images by the log-density of their latents.

  Args:
    prior: the model's prior.
    inside: latents of images like those of training, float `[N, H]`.
    outside: latents of others, float `[M, H]`.
    names: strings, of the two sets.
    positions: where the images are in the two splits, integers `[N]` and `[M]`,
      or None for the first ones.

  Returns:
    A `drawn.Drawn` with a histogram, and the area under the curve in its text.
  """
  values = [likelihoods.log_density(prior, x) for x in (inside, outside)]
  area = likelihoods.auroc(*values)
  label = capabilities.label_of(round_trips.before(prior))
  positions = positions or [np.arange(len(v)) for v in values]
  table = {
      'set': np.repeat(names, [len(v) for v in values]),
      'index': np.concatenate(positions),
      'log_density': np.concatenate(values)}
  return drawn.Drawn(
      {'auroc': np.float64(area), **table}, table=table,
      chart=charts.histogram(
          [(v, f'{name} ({len(v)})', i)
           for i, (v, name) in enumerate(zip(values, names))],
          f'log-density of the latents under {label}, nats',
          f'AUROC {area:.3f}'),
      text=f'AUROC {area:.4f} of distinguishing {names[1]} from {names[0]} by '
           f'the log-density under {label} of their latents, which is '
           'not the density of the images.')
