"""Directions of attributes in the latent space.

#### References

[1]: Empirical Observations Pertaining to Learned Priors for Deep Latent
     Variable Models. 2019. Section 5.2 and fig. 7.
"""
import numpy as np

from pgak import errors

__all__ = ['attribute_vector']


def attribute_vector(latents, mask):
  """Mean latent of images with an attribute, minus that of those without.

  Added to the latents of an image without the attribute, it adds the attribute
  to the image [1].

  Args:
    latents: z_T of the training images, float `[N, H]`.
    mask: which of them have the attribute, boolean `[N]`.

  Returns:
    float32 `[H]`.

  Raises:
    errors.UserError: if all images have it, or none.
  """
  latents, mask = np.asarray(latents, np.float64), np.asarray(mask, bool)
  # A mean of no images would be NaN.
  if mask.all() or not mask.any():
    raise errors.UserError(
        f'{"All" if mask.any() else "None"} of the {len(mask)} images have the '
        'attribute, so it has no direction: choose another --attribute.')
  return (latents[mask].mean(0) - latents[~mask].mean(0)).astype(np.float32)
