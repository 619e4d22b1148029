"""What 'Generative Model without Prior Distribution Matching' claims.

Its propositions 1 and 2, the distances of points on spheres, and the sphere
that batch norm is said to project latents on.

#### References

[1]: Cong Geng, Jia Wang, Li Chen, Zhiyong Gao. Generative Model without Prior
     Distribution Matching. AAAI, 2021.
[2]: Deli Zhao, Jiapeng Zhu, Bo Zhang. Latent Variables on Spheres for
     Autoencoders in High Dimensions. 2019.
"""
import math

import keras
from keras import layers
import numpy as np
import pytest
from scipy import optimize
from scipy.spatial import distance as scipy_distance
import tensorflow as tf

from pgak import models


def broken_by(change):
  return pytest.mark.xfail(strict=True, reason=change)


# === Proposition 1 ===


def table(generator, *shape):
  """Random distributions over the last axis."""
  return generator.dirichlet(np.ones(shape[-1]), shape[:-1])


def likelihood(p, q, decoder):
  """E log p(x | z) for x ~ p `[X]`, z ~ q(. | x) `[X, Z]`, decoder `[Z, X]`."""
  return np.einsum('x,xz,zx->', p, q, np.log(decoder))


def of_the_prior(prior, size, generator):
  """q(z | x) = p(z): the KL of each x is 0."""
  del generator
  return np.tile(prior, (size, 1))


def of_the_image(prior, size, generator):
  return table(generator, size, len(prior))


POSTERIORS = [
    of_the_prior,
    pytest.param(of_the_image, marks=broken_by('a posterior that sees x')),
]


@pytest.mark.parametrize('posterior', POSTERIORS)
def test_proposition_1_the_likelihood_without_kl(posterior):
  """-H(p) - E_z KL(p || p(. | z)), for any decoder of a finite table."""
  generator = np.random.default_rng(0)
  for _ in range(5):
    p, prior = table(generator, 6), table(generator, 4)
    decoder = table(generator, 4, 6)
    divergence = np.sum(p * np.log(p / decoder), -1)
    assert likelihood(p, posterior(prior, 6, generator), decoder) == (
        pytest.approx(p @ np.log(p) - prior @ divergence, rel=1e-12))


@pytest.mark.parametrize('posterior', POSTERIORS)
def test_proposition_1_the_best_decoder_ignores_the_latent(posterior):
  generator = np.random.default_rng(1)
  p, prior = table(generator, 6), table(generator, 4)
  q = posterior(prior, 6, generator)
  best = likelihood(p, q, np.tile(p, (4, 1)))
  # The decoder that Bayes' rule gives is the best for any posterior.
  joint = p[:, np.newaxis] * q
  bayes = (joint / joint.sum(0)).T
  assert likelihood(p, q, bayes) == pytest.approx(best, rel=1e-12)
  for size in (1e-2, 1e-4):
    # Another one, for one value of the latent alone.
    other = np.tile(p, (4, 1))
    other[2] += size * (table(generator, 6) - p)
    assert likelihood(p, q, other) < best


def collapsed(sees):
  """A VAE whose encoder gives N(0, 1), or with `sees` a mean that varies."""
  images, latents = keras.Input((2,)), keras.Input((1,))
  mean, log_variance = layers.Dense(1), layers.Dense(1)
  model = models.VAE(
      keras.Model(images, [mean(images), log_variance(images)]),
      keras.Model(latents, layers.Dense(2)(latents)),
      kl=0., updates={'reconstruction': ('decoder',)})
  for head, slope in ((mean, sees), (log_variance, 0.)):
    head.set_weights([np.full((2, 1), slope), np.zeros(1)])
  model.compile({p: keras.optimizers.SGD(0.5) for p in model.parts})
  return model


@pytest.mark.parametrize('sees', [
    0.,
    pytest.param(2., marks=broken_by('an encoder that sees the image')),
])
def test_a_gaussian_decoder_becomes_the_mean_image(sees, float64):
  """Its squared error is the data's variance."""
  data = np.array([[0.9, -0.2], [0.1, 0.6], [-0.4, 0.5], [0.2, -0.7]])
  model = collapsed(sees)
  # Each image with the same draws, whose mean is 0.
  draws = np.array([-1.5, -0.5, 0.5, 1.5])
  model.draw_noise = lambda batch: {
      'posterior': tf.constant(np.tile(draws, 4)[:, np.newaxis])}
  images = tf.constant(np.repeat(data, 4, 0))
  for _ in range(60):
    logs = model.train_step(images)
    error = float(logs['reconstruction'])
    model.reset_metrics()
  np.testing.assert_allclose(
      model.decoder(draws[:, np.newaxis]), np.tile(data.mean(0), (4, 1)),
      atol=1e-6)
  assert error == pytest.approx(data.var(0).mean(), rel=1e-6)


# === Proposition 2 ===


def channel(slope, offset, spread, points=2001):
  """x ~ U(0, 1), z ~ N(slope x + offset, spread^2), the best decoder E[x | z].

  Returns:
    `(mean KL(q(z | x) || N(0, 1)), mean squared error)`.
  """
  x = (np.arange(points) + 0.5) / points
  mean = slope * x + offset
  z = np.linspace(mean.min() - 6. * spread, mean.max() + 6. * spread, points)
  density = np.exp(-0.5 * ((z[:, np.newaxis] - mean) / spread)**2) / (
      spread * math.sqrt(2. * math.pi))
  marginal = density.mean(1)
  decoded = density @ x / points / marginal
  error = np.mean(x**2) - (z[1] - z[0]) * np.sum(marginal * decoded**2)
  kl = 0.5 * np.mean(mean**2 + spread**2 - 1. - 2. * math.log(spread))
  return kl, error


def bound(error, dims=1, entropy=0.):
  """h(x) - (n / 2) log(2 pi e MSE), MSE per dimension."""
  return entropy - 0.5 * dims * math.log(2. * math.pi * math.e * error)


def without_the_gaussians_entropy(error):
  return -0.5 * math.log(error)


def of_the_error_alone(error):
  return -math.log(error)


@pytest.mark.parametrize('least', [
    bound,
    pytest.param(without_the_gaussians_entropy,
                 marks=broken_by('no 2 pi e')),
    pytest.param(of_the_error_alone, marks=broken_by('no half')),
])
def test_proposition_2_the_kl_that_an_error_costs(least):
  generator = np.random.default_rng(0)
  for _ in range(20):
    slope, spread = generator.uniform(0.5, 6.), generator.uniform(0.02, 1.)
    # Centred latents cost the least.
    offset = -0.5 * slope + generator.normal(0., 0.1)
    kl, error = channel(slope, offset, spread, 401)
    assert kl >= least(error)


@pytest.mark.parametrize('dims', [1, 3])
def test_proposition_2_is_an_equality_for_gaussians(dims):
  """x ~ N(0, I), z = sqrt(1 - s^2) x + s n: E[x | z] has the error s^2."""
  for s in (0.1, 0.5, 0.9):
    kl = 0.5 * dims * (1. - s**2 + s**2 - 1. - 2. * math.log(s))
    entropy = 0.5 * dims * math.log(2. * math.pi * math.e)
    assert kl == pytest.approx(bound(s**2, dims, entropy), rel=1e-9)


def test_proposition_2_the_kl_has_no_bound():
  """At slope sqrt(12), where the latents' variance is 1."""
  slope = math.sqrt(12.)
  kls, errors = zip(*(channel(slope, -0.5 * slope, s)
                      for s in (0.3, 0.1, 0.03)))
  assert errors[0] > errors[1] > errors[2]
  for (kl, error), (more, less) in zip(zip(kls, errors),
                                       zip(kls[1:], errors[1:])):
    assert more - kl == pytest.approx(0.5 * math.log(error / less), abs=0.05)
  # What is left is KL(q(z) || p(z)), of a uniform distribution 0.176.
  assert kls[-1] - bound(errors[-1]) == pytest.approx(0.176, abs=0.04)


# === Distances on spheres ===


def on_sphere(generator, size, dims):
  """Points on the sphere of radius sqrt(H)."""
  points = generator.normal(size=(size, dims))
  return math.sqrt(dims) * points / np.linalg.norm(
      points, axis=-1, keepdims=True)


def on_a_circle(generator, size, dims):
  """Points of that radius of which all but two coordinates are 0."""
  points = np.zeros((size, dims))
  points[:, :2] = on_sphere(generator, size, 2) * math.sqrt(dims / 2.)
  return points


def wasserstein(points, others):
  """The 2-Wasserstein distance in sum form, of n points each."""
  squares = scipy_distance.cdist(points, others, 'sqeuclidean')
  rows, columns = optimize.linear_sum_assignment(squares)
  return math.sqrt(squares[rows, columns].sum())


@pytest.mark.parametrize('draw', [
    on_sphere,
    pytest.param(on_a_circle, marks=broken_by('dependent coordinates')),
])
def test_pairs_on_a_sphere_are_root_two_r_apart(draw):
  """The mean of squares is 2 r^2; in many dimensions distances vary little."""
  r = math.sqrt(512.)
  apart = scipy_distance.pdist(draw(np.random.default_rng(0), 100, 512))
  assert apart.mean() == pytest.approx(math.sqrt(2.) * r, rel=0.01)


@pytest.mark.parametrize('draw', [
    on_sphere,
    pytest.param(on_a_circle, marks=broken_by('dependent coordinates')),
])
def test_two_sets_on_a_sphere_become_equally_far_apart(draw):
  """Divided by sqrt(2 n) r: to 1 as H grows and n does not, [2]."""
  generator, n = np.random.default_rng(0), 64
  found = [wasserstein(draw(generator, n, h), draw(generator, n, h))
           / math.sqrt(2. * n * h) for h in (8, 64, 512, 4096)]
  np.testing.assert_allclose(found, [0.56, 0.86, 0.95, 0.98], atol=0.02)


# === Batch norm's sphere ===


def variation(latents):
  """Coefficient of variation of |z|^2, after batch norm."""
  norms = np.sum(normalised(latents)**2, -1)
  return norms.std() / norms.mean()


def effective_dimensions(latents):
  """H^2 / tr C^2, C the correlations: H if there are none, 1 if all are 1."""
  correlations = np.corrcoef(latents.T)
  return len(correlations)**2 / np.sum(correlations**2)


def normalised(latents):
  return (latents - latents.mean(0)) / latents.std(0)


def independent(generator, dims):
  return generator.normal(size=(4000, dims))


def of_rank_one(generator, dims):
  return generator.normal(size=(4000, 1)) * generator.uniform(0.5, 2., dims)


@pytest.mark.parametrize('draw', [
    independent,
    pytest.param(of_rank_one, marks=broken_by('latents of rank one')),
])
@pytest.mark.parametrize('dims', [8, 64, 512])
def test_batch_norm_projects_on_a_sphere_if_latents_are_independent(
    dims, draw):
  latents = draw(np.random.default_rng(dims), dims)
  assert variation(latents) == pytest.approx(math.sqrt(2. / dims), rel=0.1)
  assert effective_dimensions(latents) == pytest.approx(dims, rel=0.15)


@pytest.mark.parametrize('rank', [1, 4, 64])
def test_gaussian_latents_vary_as_their_effective_dimensions(rank):
  """|z|^2 has the variance 2 tr C^2: rank one leaves sqrt(2), and no sphere."""
  generator = np.random.default_rng(rank)
  latents = generator.normal(size=(8000, rank)) @ generator.normal(
      size=(rank, 64))
  assert variation(latents) == pytest.approx(
      math.sqrt(2. / effective_dimensions(latents)), rel=0.05)
  if rank == 1:
    assert effective_dimensions(latents) == pytest.approx(1., rel=1e-6)
