"""One step of AGE, against the paper's game.

#### References

[1]: Ulyanov, Vedaldi, Lempitsky. It Takes (Only) Two. AAAI, 2018.
"""
import numpy as np
import pytest
from scipy import integrate
from scipy import stats
import tensorflow as tf

from pgak import priors
import gradient_steps
import numpy_nets
import tiny_models

D = numpy_nets.D
g, moved = numpy_nets.g, gradient_steps.moved


def e(phi, x):
  """The encoder, on the unit sphere."""
  z = numpy_nets.f(phi, x)
  return z / np.linalg.norm(z, axis=1, keepdims=True)


def divergence(z, released=False):
  """KL of N(m, s^2) from N(0, 1) per dimension; `released` squares twice."""
  s = z.var(0) if released else z.std(0)
  return np.mean(0.5 * (s**2 + z.mean(0)**2) - np.log(s) - 0.5)


@pytest.mark.parametrize('decoder_steps, released', [(1, True), (2, False)])
def test_age(decoder_steps, released, float64):
  """The encoder's turn on a slice of the batch, the generator's on each."""
  model, noise, x, weights = gradient_steps.start(
      'AGE', reconstruction=3., latent_reconstruction=2., released=released,
      decoder_steps=decoder_steps)
  model.train_step(tf.constant(x))
  phi, theta = weights['encoder'], weights['decoder']
  x, p = (v[::decoder_steps] for v in (x, noise['encoder_prior']))

  def encoder(v):
    error = np.mean(np.abs(x.reshape(-1, D) - g(theta, e(v, x))))
    return (divergence(e(v, x), released)
            - divergence(e(v, g(theta, p)), released) + 3. * error)

  after = moved(encoder, phi)
  end = theta
  for i in range(decoder_steps):
    z = noise['decoder_prior'][i::decoder_steps]

    def decoder(v):
      codes = e(after, g(v, z))
      error = np.mean((codes - z)**2)
      return divergence(codes, released) + 2. * error

    end = moved(decoder, end)
  gradient_steps.check_ends(model, weights, {'encoder': after, 'decoder': end})


def test_the_divergence_is_that_of_gaussians():
  """Against the integral of q log(q / p), for moments that are known."""
  latents = np.random.default_rng(0).normal([0.3, -1.], [0.5, 2.], (50, 2))
  expected = []
  for m, s in zip(latents.mean(0), latents.std(0)):
    q, p = stats.norm(m, s), stats.norm()
    expected.append(integrate.quad(
        lambda t: q.pdf(t) * (q.logpdf(t) - p.logpdf(t)), -15., 15.)[0])
  found = tiny_models.make('AGE').divergence(tf.constant(latents, tf.float32))
  assert float(found) == pytest.approx(np.mean(expected), rel=1e-4)


def test_the_divergence_falls_as_latents_spread_over_the_sphere():
  model = tiny_models.make('AGE')
  spread = priors.UniformSphere(3).sample(2000)
  bent = tf.math.l2_normalize(spread + [0.5, 0., 0.], -1)
  one = tf.repeat(spread[:1], 50, 0)
  found = [float(model.divergence(z)) for z in (spread, bent, one)]
  assert found[0] < found[1] < found[2] < np.inf
  # Of variance 1/3 each: (1/3 + log 3 - 1) / 2.
  assert found[0] == pytest.approx(0.5 * (1. / 3. + np.log(3.) - 1.), abs=1e-2)


def test_latents_are_on_the_sphere_and_decoded_from_there():
  model = tiny_models.make('AGE')
  x = np.random.default_rng(0).integers(0, 256, (5, 3, 2, 1), np.uint8)
  latents = model.encode(x).numpy()
  np.testing.assert_allclose(np.linalg.norm(latents, axis=1), 1., rtol=1e-5)
  np.testing.assert_array_equal(model.decode(3. * latents),
                                model.decode(latents))
  assert isinstance(model.prior, priors.UniformSphere)
  np.testing.assert_array_equal(model.sample(4, 1),
                                model.decode(model.prior.sample(4, 1)))


def test_the_error_of_images_is_absolute_until_another_is_put_in():
  model = tiny_models.make('AGE')
  a, b = tf.constant([[[[0.5]], [[-1.]]]]), tf.constant([[[[0.]], [[0.5]]]])
  assert float(model.image_error(a, b)[0]) == pytest.approx(1.)
  assert model.term_weights == {
      'kl_fake_encoder': -1., 'reconstruction': 10.,
      'latent_reconstruction': 500.}
