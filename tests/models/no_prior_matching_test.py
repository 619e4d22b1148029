"""Generation without prior matching, and ACAI, against their equations.

As in gradients_test.py: nets and losses stand here a second time, in NumPy, and
a part's gradient is a central difference of the terms that update it.

#### References

[1]: Geng et al. Generative model without prior distribution matching. 2021.
[2]: Berthelot et al. Understanding and improving interpolation in autoencoders
     via an adversarial regularizer. ICLR, 2019.
"""
import numpy as np
import pytest
import tensorflow as tf

import gradient_steps
import numpy_nets
from pgak import models
from pgak.models import batch_norm
import tiny_models

B, D, H = numpy_nets.B, numpy_nets.D, numpy_nets.H
UNITS = gradient_steps.UNITS
g, moved, start = numpy_nets.g, gradient_steps.moved, gradient_steps.start
made, of_latents = gradient_steps.generator, gradient_steps.critic


def codes(phi, x, normalised):
  """[1, eq. 11]."""
  if not normalised:
    return numpy_nets.f(phi, x)
  z = numpy_nets.f(np.append(phi, np.zeros(H)), x)  # These have no offset.
  return (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)


def says(v, x):
  """The image critic: the mean of two numbers."""
  w, b, u, c = numpy_nets.unpack(v, [(D, UNITS), (UNITS,), (UNITS, 2), (2,)])
  return np.mean(np.tanh(x.reshape(-1, D) @ w + b) @ u + c, 1)


def mixed(theta, e, mu):
  """x_mu, [1, below eq. 9]: the other code is that of the image before."""
  pairs = [mu[i] * e[i - 1] + (1. - mu[i]) * e[i] for i in range(len(e))]
  return g(theta, np.stack(pairs))


def image_critic_loss(v, x, theta, e, mu, gamma, lambda_, real_target):
  """[1, eq. 9]."""
  x = x.reshape(-1, D)
  blend = gamma * x + (1. - gamma) * g(theta, e)
  return (real_target * np.mean(says(v, x)**2)
          + np.mean((says(v, blend) - lambda_)**2)
          + np.mean((says(v, mixed(theta, e, mu)) - mu[:, 0] - lambda_)**2))


def autoencoder_loss(v, x, theta, e, mu, omega1, omega2):
  """[1, eq. 10], beside an error that is a mean over pixels."""
  loss = np.mean((g(theta, e) - x.reshape(-1, D))**2)
  if omega1:
    loss += omega1 * np.mean(says(v, mixed(theta, e, mu))**2)
  return loss + omega2 * np.mean(says(v, g(theta, e))**2) if omega2 else loss


def relu(t):
  return np.maximum(t, 0.)


CONSTANTS = dict(lambda_=0.15, gamma=0.3, real_target=0.7)


@pytest.mark.parametrize('normalised, omega1, omega2', [
    (True, 0.4, 0.6), (False, 0.4, 0.6), (True, 0.4, 0.), (True, 0., 0.)])
def test_each_part_in_its_turn(normalised, omega1, omega2, float64):
  """[1, eqs. 9 to 13]; without a critic of images for omegas of 0."""
  critic = omega1 or omega2
  settings = CONSTANTS if critic else {'image_critic': None}
  model, noise, x, weights = start(
      'NoPriorMatching', batch_norm_latents=normalised, omega1=omega1,
      omega2=omega2, **settings)
  model.train_step(tf.constant(x))
  phi, theta, crit, psi = (weights[p] for p in (
      'encoder', 'decoder', 'latent_critic', 'prior'))
  d, objectives = weights.get('image_critic'), {}
  if critic:
    objectives['image_critic'] = lambda v: image_critic_loss(
        v, x, theta, codes(phi, x, normalised), noise['critic_mix'],
        **CONSTANTS)
    d = moved(objectives['image_critic'], d)

  def autoencoder(phi, theta):
    return autoencoder_loss(d, x, theta, codes(phi, x, normalised),
                            noise.get('mix'), omega1, omega2)

  objectives['encoder'] = lambda v: autoencoder(v, theta)
  objectives['decoder'] = lambda v: autoencoder(phi, v)
  e = codes(moved(objectives['encoder'], phi), x, normalised)

  objectives['latent_critic'] = lambda v: (
      np.mean(relu(1. - of_latents(v, e)))
      + np.mean(relu(1. + of_latents(v, made(psi, noise['critic_base'])))))
  crit = moved(objectives['latent_critic'], crit)
  objectives['prior'] = lambda v: -np.mean(
      of_latents(crit, made(v, noise['base'])))
  gradient_steps.check(model, weights, objectives)


def test_acai(float64):
  """[2, eqs. 2 and 3]: both parties start from the same weights."""
  model, noise, x, weights = start('ACAI', omega1=0.4, gamma=0.3)
  model.train_step(tf.constant(x))
  phi, theta, d = (weights[p] for p in ('encoder', 'decoder', 'image_critic'))
  mu = noise['mix']

  def autoencoder(phi, theta):
    return autoencoder_loss(d, x, theta, codes(phi, x, False), mu, 0.4, 0.)

  gradient_steps.check(model, weights, {
      'encoder': lambda v: autoencoder(v, theta),
      'decoder': lambda v: autoencoder(phi, v),
      'image_critic': lambda v: image_critic_loss(
          v, x, theta, codes(phi, x, False), mu, 0.3, 0., 0.)})


@pytest.mark.parametrize('same', [('image_critic',), ('encoder', 'decoder')])
def test_acai_is_a_special_case(same, float64):
  """In turns; but the autoencoder must see a critic that has not moved yet."""
  acai, noise, x, before = start('ACAI')
  method, draws, _, weights = start(
      'NoPriorMatching', lambda_=0., gamma=0.2, omega2=0., real_target=0.)
  assert all(np.array_equal(weights[p], before[p]) for p in before)
  draws |= {n: tf.constant(noise['mix']) for n in ('mix', 'critic_mix')}
  method.draw_noise = lambda batch: draws
  if 'image_critic' not in same:
    method.optimizers['image_critic'].learning_rate = 0.
  for model in (acai, method):
    model.train_step(tf.constant(x))
  for part in same:
    expected = tiny_models.values(acai.parts[part])
    assert np.abs(expected - before[part]).max() > 1e-4
    np.testing.assert_allclose(tiny_models.values(method.parts[part]), expected,
                               rtol=1e-9, atol=1e-12)


# === What moves, and when ===


def fit(model, steps=3, **compile_options):
  model.compile(tiny_models.sgd(model, 0.1), **compile_options)
  batches = np.stack([tiny_models.images(6, i) for i in range(steps)])
  model.fit(tf.data.Dataset.from_tensor_slices(batches), verbose=0,
            shuffle=False)
  return model


@pytest.mark.parametrize('name', ['ACAI', 'NoPriorMatching'])
def test_every_variable_of_every_part_moves(name):
  model = tiny_models.make(name, batch_norm_latents=name != 'ACAI')
  before = [(v, v.numpy()) for net in model.parts.values() for v in net.weights]
  kinds = {'ACAI': 3, 'NoPriorMatching': 5}[name]
  assert len(model.parts) == kinds
  fit(model)
  assert not [v.path for v, value in before if np.all(v.numpy() == value)]


@pytest.mark.slow
@pytest.mark.parametrize('name', ['ACAI', 'NoPriorMatching'])
def test_xla_takes_the_same_steps(name):
  plain, compiled = (
      fit(tiny_models.make(name, batch_norm_latents=name != 'ACAI'),
          jit_compile=jit) for jit in (False, True))
  for part, net in plain.parts.items():
    np.testing.assert_allclose(tiny_models.values(compiled.parts[part]),
                               tiny_models.values(net), rtol=1e-4, atol=1e-5)


def test_the_stages_train_one_after_the_other():
  model = tiny_models.make('NoPriorMatching', batch_norm=True,
                           batch_norm_latents=True, autoencoder_steps=3)
  assert model.stage_ends == (3,)
  model.compile(tiny_models.sgd(model, 0.1))
  data = tf.data.Dataset.from_tensors(tiny_models.images(6))
  for stage, expected in enumerate(({'encoder', 'decoder', 'image_critic'},
                                    {'latent_critic', 'prior'})):
    before = {p: [v.numpy() for v in net.weights]
              for p, net in model.parts.items()}
    model.enter_stage(stage)
    history = model.fit(data, verbose=0).history
    assert len(history) == 1 + (6, 2)[stage]
    moving = {p for p, net in model.parts.items()
              if any(np.any(v.numpy() != o)
                     for v, o in zip(net.weights, before[p]))}
    assert moving == expected


def test_without_an_image_critic_it_is_an_autoencoder_and_a_latent_gan():
  alone = fit(tiny_models.make('AE'))
  model = fit(tiny_models.make('NoPriorMatching', image_critic=None))
  assert model.term_names == ('reconstruction', 'latent_discrimination',
                              'latent_adversarial')
  assert set(model.noise_shapes) == {'critic_base', 'base'}
  for part in ('encoder', 'decoder'):
    np.testing.assert_allclose(tiny_models.values(model.parts[part]),
                               tiny_models.values(alone.parts[part]), rtol=1e-5)
  data = tf.data.Dataset.from_tensors(tiny_models.images(6))
  assert set(model.evaluate(data, verbose=0, return_dict=True)) == {
      'loss', *model.term_names}


# === Codes and draws ===


class _Images:
  """What `batch_norm.reestimate` reads of images: uint8 ones."""

  def __init__(self, number):
    self.pixels = np.random.default_rng(2).integers(
        0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)

  def __len__(self):
    return len(self.pixels)

  def read(self, indices):
    return self.pixels[indices]


def test_codes_have_mean_0_and_variance_1():
  model = tiny_models.make('NoPriorMatching', batch_norm_latents=True)
  codes_now = model.encoder(tiny_models.images(50), training=True).numpy()
  np.testing.assert_allclose(codes_now.mean(0), 0., atol=1e-5)
  np.testing.assert_allclose(codes_now.var(0), 1., atol=1e-3)
  images = _Images(60)
  raw = model.encode(images.pixels).numpy()
  assert np.abs(raw.var(0) - 1.).max() > 0.1  # One batch has told it little.
  batch_norm.reestimate(model, images, batch_size=20)
  found = model.encode(images.pixels).numpy()
  np.testing.assert_allclose(found.mean(0), 0., atol=1e-5)
  np.testing.assert_allclose(found.var(0), 1., atol=1e-3)
  # In inference mode a code does not depend on the rest of its batch.
  np.testing.assert_allclose(model.encode(images.pixels[:1])[0], found[0],
                             atol=1e-5)


def test_mixing_shares_are_below_a_half():
  model = tiny_models.compiled('NoPriorMatching')
  draws = model.draw_noise(tf.zeros([2000, *tiny_models.IMAGE_SHAPE]))
  for name in ('mix', 'critic_mix'):
    mu = draws[name].numpy()
    assert mu.shape == (2000, 1) and mu.min() >= 0. and mu.max() < 0.5
    assert abs(mu.mean() - 0.25) < 0.02  # Six standard errors: 0.144 / 44.7.
  assert np.any(draws['mix'] != draws['critic_mix'])


def test_samples_are_those_of_the_generator():
  model = tiny_models.make('NoPriorMatching')
  np.testing.assert_array_equal(model.sample(5, 3),
                                model.decode(model.generator.sample(5, 3)))


@pytest.mark.parametrize('name', ['ACAI', 'NoPriorMatching'])
def test_a_stochastic_encoder_is_refused(name):
  further = tiny_models.FURTHER[name]()
  with pytest.raises(ValueError, match=f'{name} needs .* latents alone'):
    getattr(models, name)(tiny_models.encoder(True), tiny_models.decoder(),
                          **further)
