"""Distances between latents of data, of samples and of the prior.

#### References

[1]: Zijun Zhang, Ruixiang Zhang, Zongpeng Li, Yoshua Bengio, Liam Paull.
     Perceptual Generative Autoencoders. ICML, 2020.
"""
import numpy as np

from pgak import noise
from pgak.metrics import frechet
from pgak.metrics import metric

__all__ = ['latent_match']


def _latents_of_data(model, images, batch_size):
  for start in range(0, len(images), batch_size):
    yield model.encode(images[start:start + batch_size]).numpy()


def _latents_of_samples(model, number, seed, batch_size):
  for start in range(0, number, batch_size):
    # The position is part of the seed: each batch has other noise.
    drawn = noise.normal(
        [min(batch_size, number - start), model.latent_dim],
        noise.seed(seed, start, 'latent_match'))
    generated = model.render(drawn)
    yield model.encode_mean(generated, training=False).numpy()


def latent_match(model, images, seed=0, batch_size=500):
  """Frechet distances between three distributions of latents.

  Theorem 1 of [1] needs the encoder F to map both the data x and the decoded
  G(z), z ~ N(0, I), to N(0, I). They are: N(0, I) itself ('prior'), of
  which mean and covariance are known; F(x) ('data'); F(G(z)) ('generated').
  A stochastic encoder counts by its mean. All three distances are 0 where
  the first two moments are equal.

  For a model of another prior, such as AGE's sphere or one that is learned,
  they would say nothing: the metric leaves it out.

  Args:
    model: a `GenerativeAutoencoder` whose prior is N(0, I).
    images: uint8 `[N, h, w, C]`; as many samples are drawn.
    seed: int, decides the samples.
    batch_size: images in one pass.

  Returns:
    Dictionary of floats `latent_match_prior_data`,
    `latent_match_prior_generated` and `latent_match_data_generated`.

  Raises:
    UserError: if latents are not finite, or with fewer than two images.
  """
  data = frechet.moments(_latents_of_data(model, images, batch_size))
  generated = frechet.moments(
      _latents_of_samples(model, len(images), seed, batch_size))
  size = model.latent_dim  # H
  # The moments of the prior are known: a sample of it would only add noise. Its
  # scatter is (n - 1) I, so that its covariance is I.
  prior = frechet.Moments(size, data.count, np.zeros(size),
                          (data.count - 1) * np.eye(size))
  return {
      'latent_match_prior_data': frechet.distance(prior, data),
      'latent_match_prior_generated': frechet.distance(prior, generated),
      'latent_match_data_generated': frechet.distance(data, generated)}


@metric.register('latent_match', scope='model', of=('images', 'vectors'),
                 needs=('encode', 'standard_normal'),
                 better={'latent_match_*': 'lower'})
def _compute(context):
  images = context.encoded.read(np.arange(context.num_encoded))
  found = latent_match(context.model, images, context.seed)
  for name, value in found.items():
    yield metric.Value(name, value, features='latents',
                       prior='standard_normal')
