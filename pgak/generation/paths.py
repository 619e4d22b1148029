"""Paths between latents: straight lines and arcs, in z_T or through z_0.

#### References

[1]: Tom White. Sampling Generative Networks. arXiv:1609.04468, 2016.

[2]: Empirical Observations Pertaining to Learned Priors for Deep Latent
     Variable Models. 2019. Section 5.2.

[3]: Partha Ghosh, Mehdi S. M. Sajjadi, Antonio Vergari, Michael Black,
     Bernhard Schoelkopf. From Variational to Deterministic Autoencoders.
     ICLR, 2020. Figures 3 to 5.
"""
import numpy as np

from pgak import errors
from pgak.generation import spaces
from pgak.models import lines

__all__ = ['LINES', 'lerp', 'path', 'slerp']

LINES = ('straight', 'spherical')

# Below this sine there is no arc: the latents point the same way, or opposite
# ways, between which no arc is the shortest; or one of them is 0.
_SMALLEST_SINE = 1e-6


def lerp(start, end, steps):
  """Straight lines, `(1 - t) a + t b` for t from 0 to 1.

  Args:
    start: float `[N, H]`.
    end: float `[N, H]`.
    steps: points on a line, both ends included; at least 2.

  Returns:
    float32 `[N, steps, H]`.
  """
  _check(steps)
  start, end = (np.asarray(x, np.float64) for x in (start, end))
  return lines.between(start, end, steps).numpy().astype(np.float32)


def slerp(start, end, steps):
  """Spherical interpolation [1]: along the arc, and from norm to norm.

  With w the angle between a and b,

  ```none
  (sin((1 - t) w) a / |a| + sin(t w) b / |b|) / sin(w) * ((1 - t) |a| + t |b|)
  ```

  which for equal norms is the formula of [1]. That one, with a and b as they
  are, leads far away from both where they are nearly opposite and their norms
  differ, as is common in few dimensions. Where there is no arc, between
  parallel or opposite latents or from 0, it is the straight line.

  Args:
    start: float `[N, H]`.
    end: float `[N, H]`.
    steps: points on an arc, both ends included; at least 2.

  Returns:
    float32 `[N, steps, H]`.
  """
  _check(steps)
  line = lerp(start, end, steps)
  start, end = (np.asarray(x, np.float64)[:, np.newaxis] for x in (start, end))
  shares = np.linspace(0., 1., steps)[:, np.newaxis]  # [steps, 1]
  # [N, 1, 1]
  norms = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (start, end)]
  units = [x / np.where(n > 0., n, 1.) for x, n in zip((start, end), norms)]
  # Rounding can take the cosine of parallel vectors beyond 1.
  angle = np.arccos(np.clip((units[0] * units[1]).sum(-1, keepdims=True),
                            -1., 1.))
  sine = np.sin(angle)
  is_arc = (norms[0] > 0.) & (norms[1] > 0.) & (sine > _SMALLEST_SINE)
  # Unit vectors, [N, steps, H].
  direction = (np.sin((1. - shares) * angle) * units[0]
               + np.sin(shares * angle) * units[1]) / np.where(is_arc, sine, 1.)
  arc = direction * ((1. - shares) * norms[0] + shares * norms[1])
  return np.where(is_arc, arc, line).astype(np.float32)


def path(prior, start, end, steps, space='zT', line=None):
  """The latents on a path from one latent to another, in a space [2].

  In z_T the prior is not used. A spherical line there is one of three variants
  of the code of [3], the arc about the origin by the angle of the normalised
  latents with their own norms, `lines.between`; in z_0 it is `slerp`.

  Args:
    prior: the model's prior.
    start: latents z_T, float `[N, H]`.
    end: latents z_T, float `[N, H]`.
    steps: points on a path, both ends included; at least 2.
    space: 'zT'; 'z0' for a line between f(start) and f(end), mapped back by
      the inverse of the flow f; or another of `spaces.every`.
    line: 'straight' or 'spherical'; None for spherical in 'z0', straight
      elsewhere.

  Returns:
    Latents z_T, float32 `[N, steps, H]`.

  Raises:
    errors.UserError: if the prior has no such space.
  """
  # What the prior lacks is said where it is asked to map.
  known = dict.fromkeys((*spaces.SPACES, *spaces.every(prior)))
  if space not in known:
    raise errors.UserError(f'There is no space {space!r}: choose one of '
                           f'{", ".join(known)}.')
  if line not in (None, *LINES):
    raise errors.UserError(f'There is no line {line!r}: choose one of '
                           f'{", ".join(LINES)}.')
  if space == 'zT':
    between = _arc_about_the_origin if line == 'spherical' else lerp
    return between(start, end, steps)
  # z_0 is N(0, I), whose samples lie near a sphere: straight lines leave it.
  line = line or ('spherical' if space == 'z0' else 'straight')
  between = lerp if line == 'straight' else slerp
  points = between(spaces.latent_to_base(prior, start, space),
                   spaces.latent_to_base(prior, end, space), steps)
  latents = spaces.base_to_latent(
      prior, points.reshape(-1, points.shape[-1]), space)
  return latents.reshape(points.shape)


def _arc_about_the_origin(start, end, steps):
  _check(steps)
  start, end = (np.asarray(x, np.float64) for x in (start, end))
  return lines.between(start, end, steps, spherical=True).numpy().astype(
      np.float32)


def _check(steps):
  if steps < 2:
    raise errors.UserError(f'A path has two ends: give 2 steps or more, not '
                           f'{steps}.')
