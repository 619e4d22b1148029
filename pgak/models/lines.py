"""Points between latents, on straight lines and on arcs."""
import tensorflow as tf

__all__ = ['at', 'between', 'midpoints']

# Below this sine there is no arc: the latents point the same way, or opposite
# ways, or one of them is 0.
_SMALLEST_SINE = 1e-3


def between(start, end, steps, spherical=False):
  """Returns points on the way from latents to others.

  Args:
    start: float `[B, H]`.
    end: float `[B, H]`.
    steps: int, or an int scalar tensor, of at least 2: points on each line,
      both ends included.
    spherical: whether a line is the arc
      `(sin((1 - t) w) a + sin(t w) b) / sin(w)`, w the angle between a and b,
      in the place of the straight one. Where there is no arc, it is straight.

  Returns:
    float `[B, steps, H]`.
  """
  start, end = tf.convert_to_tensor(start), tf.convert_to_tensor(end)
  share = tf.linspace(tf.zeros([], start.dtype), 1., steps)
  return _points(start, end, share[tf.newaxis, :, tf.newaxis], spherical)


def at(start, end, weight, spherical=False):
  """Returns one point of each line, float `[B, H]`; see `between`.

  Args:
    start: float `[B, H]`; of a straight line, latents of any shape.
    end: the same.
    weight: float `[B]` from 0, the start, to 1, the end.
    spherical: as for `between`.
  """
  start, end = tf.convert_to_tensor(start), tf.convert_to_tensor(end)
  shape = tf.shape(start)
  flat = [tf.reshape(z, [shape[0], start.shape[1:].num_elements()])
          for z in (start, end)]
  share = tf.cast(weight, start.dtype)[:, tf.newaxis, tf.newaxis]
  return tf.reshape(_points(*flat, share, spherical)[:, 0], shape)


def _points(start, end, share, spherical):
  """Returns `[B, steps, H]` for shares `[1, steps, 1]` or `[B, 1, 1]`."""
  weights = [1. - share, share]
  if spherical:
    weights = _of_arc(start, end, weights)
  return tf.add_n([weight * z[:, tf.newaxis]
                   for weight, z in zip(weights, (start, end))])


def midpoints(start, end):
  """Returns the mid-points of the arcs between latents, float `[B, H]`."""
  return between(start, end, 3, spherical=True)[:, 1]


def _of_arc(start, end, straight):
  """Returns the weights `[B, steps, 1]` of both ends of arcs."""
  units = [tf.math.l2_normalize(z, -1) for z in (start, end)]
  # [B, 1, 1]
  cosine = tf.reduce_sum(units[0] * units[1], -1)[:, tf.newaxis, tf.newaxis]
  # Rounding puts the cosine of parallel latents above 1, where acos is NaN.
  angle = tf.acos(tf.clip_by_value(cosine, -1., 1.))
  shortest = tf.minimum(*(tf.norm(u, axis=-1) for u in units))
  has_arc = (tf.sin(angle) > _SMALLEST_SINE) & (
      shortest[:, tf.newaxis, tf.newaxis] > 0.)
  # 1 where it is not used: both branches of `where` are computed.
  divisor = tf.where(has_arc, tf.sin(angle), 1.)
  return [tf.where(has_arc, tf.sin(w * angle) / divisor, w) for w in straight]
