"""One step of ALAE, against the paper's algorithm.

#### References

[1]: Pidhorskyi, Adjeroh, Doretto. Adversarial Latent Autoencoders. CVPR, 2020.
"""
import numpy as np
import pytest
import tensorflow as tf

import gradient_steps
import numpy_nets
import tiny_models

D, H, K = numpy_nets.D, numpy_nets.H, numpy_nets.K
UNITS = gradient_steps.UNITS
f, g = numpy_nets.f, numpy_nets.g
critic, made = gradient_steps.critic, gradient_steps.generator
softplus, moved = gradient_steps.softplus, gradient_steps.moved


def slopes(phi, v, x):
  """d D(E(x)) / dx, `[B, D]`, by the chain rule."""
  w, b, u, c = numpy_nets.unpack(phi, [(D, K), (K,), (K, H), (H,)])
  y = np.tanh(x.reshape(-1, D) @ w + b)
  a, d, last, _ = numpy_nets.unpack(v, [(H, UNITS), (UNITS,), (UNITS, 1), (1,)])
  active = np.where((y @ u + c) @ a + d > 0., 1., 0.2)
  to_latents = (active * last[:, 0]) @ a.T
  return ((to_latents @ u.T) * (1. - y**2)) @ w.T


@pytest.mark.parametrize('all_descend_the_third', [False, True])
def test_alae(all_descend_the_third, float64):
  """[1, alg. 1]; then as released, where F descends the third term, too."""
  parts = ('encoder', 'decoder', 'prior')
  model, noise, x, weights = gradient_steps.start(
      'ALAE', r1=0.4, updates={'latent_reconstruction': parts}
      if all_descend_the_third else None)
  model.train_step(tf.constant(x))
  phi, theta, psi, crit = (weights[p] for p in (*parts, 'critic'))

  # E and D.
  fakes = g(theta, made(psi, noise['critic_base']))

  def first(phi, v):
    penalty = np.mean(np.sum(slopes(phi, v, x)**2, -1))
    return (np.mean(softplus(critic(v, f(phi, fakes))))
            + np.mean(softplus(-critic(v, f(phi, x)))) + 0.2 * penalty)

  phi, crit = (moved(lambda v: first(v, crit), phi),
               moved(lambda v: first(phi, v), crit))

  # F and G.
  def second(theta, psi):
    images = g(theta, made(psi, noise['generator_base']))
    return np.mean(softplus(-critic(crit, f(phi, images))))

  theta, psi = (moved(lambda v: second(v, psi), theta),
                moved(lambda v: second(theta, v), psi))

  # E and G.
  w = made(psi, noise['latent_base'])

  def third(phi, theta, codes):
    return np.mean((f(phi, g(theta, codes)) - w)**2)

  ends = {'encoder': moved(lambda v: third(v, theta, w), phi),
          'decoder': moved(lambda v: third(phi, v, w), theta),
          'prior': psi, 'critic': crit}
  if all_descend_the_third:
    ends['prior'] = moved(
        lambda v: third(phi, theta, made(v, noise['latent_base'])), psi)
  gradient_steps.check_ends(model, weights, ends)


def test_the_slopes_of_this_file():
  rng = np.random.default_rng(0)
  phi, v = rng.normal(size=D * K + K + K * H + H), rng.normal(size=H * 4 + 9)
  x = rng.normal(size=(2, D))
  expected = numpy_nets.difference(
      lambda t: critic(v, f(phi, t.reshape(2, D))).sum(), x.ravel())
  np.testing.assert_allclose(slopes(phi, v, x).ravel(), expected, rtol=1e-6,
                             atol=1e-9)


def test_samples_are_decoded_latents_of_the_mapping():
  model = tiny_models.make('ALAE')
  assert model.prior is model.generator is model.parts['prior']
  np.testing.assert_array_equal(model.sample(4, 1),
                                model.decode(model.prior.sample(4, 1)))
