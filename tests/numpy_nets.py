"""tiny_models' nets as NumPy functions of a weight vector, and differences.

What the tests of gradients hold a train step against: nothing here is pgak's.
"""
import numpy as np

__all__ = ['B', 'D', 'H', 'K', 'assert_close', 'changes', 'decoder_jacobian',
           'difference', 'f', 'g', 'half_square', 'heads', 'kl', 'sigma',
           'unpack']

# Numbers an image, latent dimensions, hidden units, images in a batch.
D, H, K, B = 6, 3, 5, 7


def unpack(vector, shapes):
  sizes = [int(np.prod(s)) for s in shapes]
  pieces = np.split(vector, np.cumsum(sizes)[:-1])
  assert sum(sizes) == vector.size
  return [p.reshape(s) for p, s in zip(pieces, shapes)]


def heads(phi, x):
  """mu(x), and log sigma(x)**2 where phi has weights for it."""
  shapes = [(D, K), (K,), (K, H), (H,)]
  if phi.size > D * K + K + K * H + H:
    shapes += [(K, H), (H,)]
  w, b, *rest = unpack(phi, shapes)
  y = np.tanh(x.reshape(-1, D) @ w + b)
  return [y @ rest[i] + rest[i + 1] for i in range(0, len(rest), 2)]


def f(phi, x):
  return heads(phi, x)[0]


def sigma(phi, x):
  return np.exp(0.5 * heads(phi, x)[1])


def g(theta, z):
  w, b, v, c = unpack(theta, [(H, K), (K,), (K, D), (D,)])
  return np.tanh(np.logaddexp(0., z @ w + b) @ v + c)


def decoder_jacobian(theta, z):
  """d g / d z, `[B, D, H]`, by the chain rule."""
  w, b, v, c = unpack(theta, [(H, K), (K,), (K, D), (D,)])
  hidden = z @ w + b
  y = np.tanh(np.logaddexp(0., hidden) @ v + c)
  slope = 1. / (1. + np.exp(-hidden))
  return np.einsum('bd,kd,bk,hk->bdh', 1. - y**2, v, slope, w)


def half_square(a):
  """E[1/2 |a|^2] over the batch."""
  return 0.5 * np.mean(np.sum(a**2, -1))


def kl(mean, s):
  return 0.5 * np.mean(np.sum(mean**2 + s**2 - 1. - np.log(s**2), -1))


def difference(function, point, step=1e-3):
  """The gradient by central differences of fourth order."""
  gradient = np.zeros_like(point)
  for i in range(point.size):
    def at(k):
      moved = point.copy()
      moved[i] += k * step
      return function(moved)
    gradient[i] = (8. * (at(1) - at(-1)) - (at(2) - at(-2))) / (12. * step)
  return gradient


def changes(table, phi0, theta0, step_size):
  """What one step of gradient descent on a table does to each part.

  Args:
    table: `{term: [weight, parts, function of (phi, theta)]}`.
    phi0: the encoder's weights at which the step starts.
    theta0: the decoder's.
    step_size: learning rate.

  Returns:
    `{part: vector}`.
  """
  def objective(part, phi, theta):
    return sum(weight * term(phi, theta)
               for weight, parts, term in table.values() if part in parts)
  gradients = {
      'encoder': difference(lambda v: objective('encoder', v, theta0), phi0),
      'decoder': difference(lambda v: objective('decoder', phi0, v), theta0)}
  return {part: -step_size * v for part, v in gradients.items()}


def assert_close(found, expected, rtol, share):
  """Holds changes against others, to `share` of the largest of each part."""
  for part in ('encoder', 'decoder'):
    largest = np.abs(expected[part]).max()
    assert largest > 1e-3
    np.testing.assert_allclose(found[part], expected[part], rtol,
                               share * largest, err_msg=part)
