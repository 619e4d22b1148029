"""Latents of images against samples of the model's prior, in two dimensions."""
import gin
import numpy as np

from pgak import checkpoints
from pgak import configuration
from pgak import run_directory

__all__ = ['in_two_dimensions', 'latents_and_samples']


def latents_and_samples(path, number=1000, data_dir=None):
  """Encodes validation images of a run and draws as many latents.

  It replaces gin's present configuration by the run's and then clears it.

  Args:
    path: path of the run directory.
    number: int, the most images.
    data_dir: folder of TensorFlow Datasets instead of the run's, or None.

  Returns:
    Pair of float arrays `[n, latent_dim]`, of the images and of the prior.

  Raises:
    errors.UserError: if the data set or a checkpoint cannot be had.
  """
  run = run_directory.RunDirectory(path)
  # A binding that nothing reads would be refused.
  bindings = ([f'data_dir = {data_dir!r}']
              if data_dir and '%data_dir' in run.config_gin else [])
  try:
    configuration.parse_run(run, bindings)
    dataset = configuration.setting('train.dataset')()
    array = dataset.split(configuration.setting('train.validation_split'))
    model = checkpoints.load_configured(run)
    number = min(number, len(array))
    encoded = np.concatenate([
        np.asarray(model.encode(array.read(np.arange(i, min(i + 500, number)))))
        for i in range(0, number, 500)])
    return encoded, np.asarray(model.prior.sample(number, 0))
  finally:
    gin.clear_config()


def in_two_dimensions(encoded, drawn):
  """Projects both on the two directions in which the latents vary most.

  Args:
    encoded: float array `[n, latent_dim]`, whose principal components are used;
      two dimensions or fewer are shown as they are.
    drawn: float array `[m, latent_dim]`.

  Returns:
    `(encoded [n, 2], drawn [m, 2], share)`: the share of the variance of the
    latents that is shown, in [0, 1].

  Raises:
    ValueError: if a latent is not finite, or there is none.
  """
  encoded, drawn = (np.asarray(x, np.float64) for x in (encoded, drawn))
  if not (encoded.size and np.isfinite(encoded).all()
          and np.isfinite(drawn).all()):
    raise ValueError('There are no latents, or some are not finite.')
  if encoded.shape[1] < 3:
    missing = ((0, 0), (0, 2 - encoded.shape[1]))
    return np.pad(encoded, missing), np.pad(drawn, missing), 1.
  mean = encoded.mean(0)
  variances, axes = np.linalg.eigh(np.cov(encoded.T, bias=True))
  axes = axes[:, :-3:-1]
  # An eigenvector's sign is arbitrary: the same picture every time.
  axes = axes * np.sign(axes[np.abs(axes).argmax(0), [0, 1]])
  total = variances.sum()
  share = float(variances[-2:].sum() / total) if total else 1.
  return (encoded - mean) @ axes, (drawn - mean) @ axes, share
