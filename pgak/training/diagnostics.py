"""What is known to go wrong in training, each with the number that shows it.

A diagnostic has two functions: one of an `Observed` model, which gives numbers,
and one of these numbers, which gives a warning or ''. It applies where the
model has what it looks at: a posterior with a sigma, a prior that the latents
are to match, a value range, a discriminator.

#### References

[1]: Yuri Burda, Roger Grosse, Ruslan Salakhutdinov. Importance Weighted
     Autoencoders. ICLR, 2016.
[2]: Diederik P. Kingma, Max Welling. Auto-encoding variational Bayes. ICLR,
     2014.
"""
import dataclasses
from collections.abc import Callable

import numpy as np

from pgak.training import discriminators

__all__ = ['DIAGNOSTICS', 'Diagnostic', 'Observed', 'aggregate_posterior',
           'dimensions_off', 'judge', 'kl_of_dimensions',
           'measure', 'share_at_ends', 'variance_of_means']

# Steps between black and white of 8 bits.
_STEPS = 2**8 - 1

# An active unit has a larger variance of its posterior mean over data, [1,
# sec. 5.2].
ACTIVE = 0.01
# Posteriors have collapsed if no larger share of the dimensions is active.
FEW_ACTIVE = 0.1
# How far, in standard deviations of the prior, a dimension's mean may be from
# the prior's; by which factor its standard deviation may be another; and the
# share of dimensions that may be off.
FAR, FACTOR, MANY_OFF = 0.5, 2., 0.1
# A decoder is saturated if so many outputs are at the ends, and so many more
# than of the data.
SATURATED, MORE_THAN_DATA = 0.5, 0.25


@dataclasses.dataclass(frozen=True)
class Observed:
  """What a model makes of a number of validation examples, in inference mode.

  Attributes:
    mean: float `[N, H]`, of the posteriors; None without an encoder.
    sigma: float `[N, H]`, their standard deviations, or None.
    is_standard: whether the model's prior is N(0, I).
    prior: `(mean [H], standard deviation [H])` of the prior that the latents
      are to match, or None.
    prior_mmd: float, maximum mean discrepancy of samples of the posteriors and
      of that prior (`losses.mmd`, its kernel 'imq'), or None.
    outputs: float array, what the decoder makes, or None.
    data: float array, the examples in the same range, or None.
    value_range: `(low, high)` of both, or None.
    judged: `(positive, negative)`, outputs of a discriminator, or None.
    judged_by: the loss that it descends, see `discriminators.numbers`.
  """
  mean: np.ndarray | None = None
  sigma: np.ndarray | None = None
  is_standard: bool = False
  prior: tuple | None = None
  prior_mmd: float | None = None
  outputs: np.ndarray | None = None
  data: np.ndarray | None = None
  value_range: tuple | None = None
  judged: tuple | None = None
  judged_by: Callable | None = None


@dataclasses.dataclass(frozen=True)
class Diagnostic:
  """One thing that may go wrong.

  Attributes:
    name: string.
    measure: function of an `Observed` to `{name: float or float [H]}`, empty
      where it does not apply.
    warning: function of all numbers that were measured to a sentence with the
      number that decided it, or ''.
  """
  name: str
  measure: Callable
  warning: Callable


# === Pure functions ===


def kl_of_dimensions(mean, sigma):
  """KL(q(z[j] | x) || N(0, 1)) in nats, the mean over data, [2, app. B].

  `mean{ (m[i, j]**2 + s[i, j]**2 - 1 - log s[i, j]**2) / 2 : i=1...N }`.

  Args:
    mean: float `[N, H]`.
    sigma: float `[N, H]`, standard deviations above 0.

  Returns:
    float64 `[H]`, none negative.
  """
  mean, sigma = np.asarray(mean, float), np.asarray(sigma, float)
  return 0.5 * np.mean(mean**2 + sigma**2 - 1. - 2. * np.log(sigma), 0)


def variance_of_means(mean):
  """The activity of each dimension, [1, sec. 5.2]: `Var_x(E[z[j] | x])`.

  Args:
    mean: float `[N, H]`, posterior means.

  Returns:
    float64 `[H]`.
  """
  return np.var(np.asarray(mean, float), 0)


def aggregate_posterior(mean, sigma=None):
  """Moments of q(z), the mixture of the posteriors of all examples.

  `E z[j] = mean{ m[i, j] : i=1...N }`,
  `Var z[j] = var{ m[i, j] : i=1...N } + mean{ s[i, j]**2 : i=1...N }`.

  Args:
    mean: float `[N, H]`.
    sigma: float `[N, H]`, or None for posteriors without noise.

  Returns:
    `(mean, standard deviation)`, each float64 `[H]`.
  """
  variance = variance_of_means(mean)
  if sigma is not None:
    variance = variance + np.mean(np.square(np.asarray(sigma, float)), 0)
  return np.mean(np.asarray(mean, float), 0), np.sqrt(variance)


def dimensions_off(mean, sigma, prior_mean, prior_sigma):
  """Which dimensions of the aggregate posterior are unlike the prior's.

  Those whose mean is more than half a standard deviation of the prior away, or
  whose standard deviation is less than half or more than twice the prior's.

  Args:
    mean: float `[H]`.
    sigma: float `[H]`.
    prior_mean: float `[H]`.
    prior_sigma: float `[H]`, above 0.

  Returns:
    bool `[H]`.
  """
  ratio = np.asarray(sigma) / prior_sigma
  return ((np.abs(np.subtract(mean, prior_mean)) > FAR * prior_sigma)
          | (ratio < 1. / FACTOR) | (ratio > FACTOR))


def share_at_ends(values, value_range):
  """Share of the values that are black or white once rounded to 256 levels.

  Args:
    values: float array.
    value_range: `(low, high)`.

  Returns:
    float in [0, 1].
  """
  low, high = value_range
  half = 0.5 * (high - low) / _STEPS
  values = np.asarray(values, float)
  return float(np.mean((values < low + half) | (values > high - half)))


# === Diagnostics ===


def _posterior(observed):
  if observed.sigma is None or not np.all(np.isfinite(observed.mean)):
    return {}
  variances = variance_of_means(observed.mean)
  found = {'active_units': float(np.sum(variances > ACTIVE)),
           'latent_dimensions': float(len(variances))}
  if observed.is_standard and np.all(observed.sigma > 0.):
    kl = kl_of_dimensions(observed.mean, observed.sigma)
    found |= {'kl_in_nats': float(np.sum(kl)), 'kl_of_dimension': kl}
  return found


def _collapse(numbers):
  active, size = (int(numbers[n])
                  for n in ('active_units', 'latent_dimensions'))
  if active > FEW_ACTIVE * size:
    return ''
  return (f'Posterior collapse: {active} of {size} latent dimensions are '
          'active (the variance of their posterior means over data is above '
          f'{ACTIVE}), so the decoder hardly uses the latents; lower the '
          'weight of the KL term, raise it from 0 over the first steps, or '
          'take a smaller `latent_dim` or decoder.')


def _aggregate(observed):
  if observed.prior is None:
    return {}
  mean, sigma = aggregate_posterior(observed.mean, observed.sigma)
  off = dimensions_off(mean, sigma, *observed.prior)
  found = {'aggregate_mean': mean, 'aggregate_sigma': sigma,
           'prior_mean': observed.prior[0], 'prior_sigma': observed.prior[1],
           'dimensions_off_prior': float(np.sum(off))}
  if observed.prior_mmd is not None:
    found['prior_mmd'] = float(observed.prior_mmd)
  return found


def _is_off(numbers):
  off, size = numbers['dimensions_off_prior'], len(numbers['aggregate_mean'])
  return off > MANY_OFF * size


def _unlike_the_prior(numbers):
  if not _is_off(numbers):
    return ''
  mean, sigma, prior_mean, prior_sigma = (numbers[n] for n in (
      'aggregate_mean', 'aggregate_sigma', 'prior_mean', 'prior_sigma'))
  # How many standard deviations of the prior it moves a draw.
  worst = int(np.argmax(
      (np.abs(mean - prior_mean) + np.abs(sigma - prior_sigma)) / prior_sigma))
  return ('The latents of data are unlike the prior in '
          f'{int(numbers["dimensions_off_prior"])} of {len(mean)} dimensions '
          f'(dimension {worst} has mean {mean[worst]:.2g} and standard '
          f'deviation {sigma[worst]:.2g}, the prior {prior_mean[worst]:.2g} '
          f'and {prior_sigma[worst]:.2g}), so samples of the prior are not '
          'what the decoder was trained on; train longer, raise the weight of '
          'the term that matches them, or sample from a fitted density '
          '(--prior=gmm).')


def _saturation(observed):
  if observed.value_range is None or observed.outputs is None:
    return {}
  return {'saturation': share_at_ends(observed.outputs, observed.value_range),
          'saturation_of_data': share_at_ends(observed.data,
                                              observed.value_range)}


def _saturated(numbers):
  share, of_data = numbers['saturation'], numbers['saturation_of_data']
  if share < SATURATED or share - of_data < MORE_THAN_DATA:
    return ''
  return (f'The decoder is saturated: {share:.0%} of its output values are at '
          f'the ends of their range, and {of_data:.0%} of those of the data; '
          'lower the learning rate, set `train.clip_norm`, or normalise the '
          'layers of the decoder.')


def _discriminator(observed):
  if observed.judged is None:
    return {}
  return discriminators.numbers(observed.judged, observed.judged_by)


def _discriminator_state(numbers):
  # Of latents that match the prior nothing is left to tell apart.
  is_matched = 'aggregate_mean' in numbers and not _is_off(numbers)
  return discriminators.warning(numbers, is_matched)


DIAGNOSTICS = (
    Diagnostic('posterior_collapse', _posterior, _collapse),
    Diagnostic('prior_mismatch', _aggregate, _unlike_the_prior),
    Diagnostic('saturation', _saturation, _saturated),
    Diagnostic('discriminator', _discriminator, _discriminator_state),
)


def measure(observed):
  """Returns the numbers of all diagnostics that apply, by their names.

  Those that are not finite are left out with all of their diagnostic: training
  stops on them anyway.

  Args:
    observed: an `Observed`.

  Returns:
    `{name of a diagnostic: {name of a number: float or float64 [H]}}`.
  """
  found = {}
  for diagnostic in DIAGNOSTICS:
    numbers = diagnostic.measure(observed)
    if numbers and all(np.all(np.isfinite(n)) for n in numbers.values()):
      found[diagnostic.name] = numbers
  return found


def judge(measured):
  """Returns `{name of a diagnostic: its warning}` of those that warn.

  Args:
    measured: what `measure` gives.
  """
  everything = {n: v for numbers in measured.values()
                for n, v in numbers.items()}
  said = {d.name: d.warning(everything) for d in DIAGNOSTICS
          if d.name in measured}
  return {name: text for name, text in said.items() if text}
