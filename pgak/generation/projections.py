"""The plane in which latents vary most."""
import numpy as np

__all__ = ['Plane']


class Plane:
  """The first two principal components of latents.

  Two dimensions or fewer are shown as they are.

  Args:
    latents: float `[N, H]`, N at least 1.

  Attributes:
    share: of the variance of the latents that is in the plane, in [0, 1].
    is_projection: whether there are more than two dimensions.
    axes: strings, what the two coordinates are called.

  Raises:
    ValueError: if a latent is not finite, or there is none.
  """

  def __init__(self, latents):
    latents = _checked(latents)
    self.is_projection = latents.shape[1] > 2
    self.share = 1.
    if not self.is_projection:
      self._mean = np.zeros(latents.shape[1])
      self._axes = np.eye(latents.shape[1], 2)
      return
    self._mean = latents.mean(0)
    variances, axes = np.linalg.eigh(np.cov(latents.T, bias=True))
    # eigh sorts eigenvalues in ascending order.
    axes = axes[:, :-3:-1]
    # An eigenvector's sign is arbitrary. Its largest element is made positive,
    # so that the picture is the same every time.
    self._axes = axes * np.sign(axes[np.abs(axes).argmax(0), [0, 1]])
    total = variances.sum()
    self.share = float(variances[-2:].sum() / total) if total else 1.

  @property
  def axes(self):
    return (('first principal component', 'second principal component')
            if self.is_projection else ('first latent', 'second latent'))

  def project(self, latents):
    """Returns coordinates in the plane, `[N, 2]`, of latents `[N, H]`."""
    return (_checked(latents) - self._mean) @ self._axes


def _checked(latents):
  latents = np.asarray(latents, np.float64)
  if not (latents.size and np.isfinite(latents).all()):
    raise ValueError('There are no latents, or some are not finite.')
  return latents
