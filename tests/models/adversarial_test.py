"""WAE-GAN's step, and what all models with turns of two opponents keep."""
import numpy as np
import pytest
import tensorflow as tf

import gradient_steps
import numpy_nets
import tiny_models

f, softplus = numpy_nets.f, gradient_steps.softplus
critic, mse = gradient_steps.critic, gradient_steps.mse
NAMES = ('WAEGAN', 'IntroVAE', 'SoftIntroVAE', 'AGE', 'ALAE')


def test_wae_gan(float64):
  """The autoencoder first; the critic then sees the encoder that it left."""
  model, noise, x, weights = gradient_steps.start('WAEGAN', adversarial=0.2)
  model.train_step(tf.constant(x))
  phi, theta, crit = (weights[p] for p in ('encoder', 'decoder', 'critic'))

  def encoder(v):
    return mse(v, theta, x) + 0.2 * np.mean(softplus(-critic(crit, f(v, x))))

  after = f(gradient_steps.moved(encoder, phi), x)
  gradient_steps.check(model, weights, {
      'encoder': encoder,
      'decoder': lambda v: mse(phi, v, x),
      'critic': lambda v: (np.mean(softplus(-critic(v, noise['prior'])))
                           + np.mean(softplus(critic(v, after))))})


def train(name, jit_compile=False, steps=3, **settings):
  """Trains a tiny model; returns it and what its parts were."""
  model = tiny_models.make(name, **settings)
  model.compile(tiny_models.sgd(model, 0.02), seed=3, jit_compile=jit_compile)
  before = {p: [v.numpy() for v in net.trainable_variables]
            for p, net in model.parts.items()}
  batches = np.stack([tiny_models.images(6, i) for i in range(steps)])
  model.fit(tf.data.Dataset.from_tensor_slices(batches), verbose=0,
            shuffle=False)
  return model, before


@pytest.mark.parametrize('name', [
    NAMES[0], *(pytest.param(n, marks=[
        pytest.mark.slow, pytest.mark.exhaustive]) for n in NAMES[1:])])
def test_xla_takes_the_same_steps_and_every_variable_moves(name):
  plain, before = train(name)
  compiled, _ = train(name, jit_compile=True)
  assert plain.fault() is None
  for part, values in before.items():
    for variable, other, old in zip(plain.parts[part].trainable_variables,
                                    compiled.parts[part].trainable_variables,
                                    values):
      assert np.any(variable.numpy() != old), variable.path
      np.testing.assert_allclose(other.numpy(), variable.numpy(), rtol=1e-4,
                                 atol=1e-5, err_msg=variable.path)


@pytest.mark.parametrize('name', NAMES)
def test_batch_norm_validation_and_a_copy(name):
  model, _ = train(name, steps=1, batch_norm=True)
  data = tf.data.Dataset.from_tensors(tiny_models.images(6))
  weights = [v.numpy() for v in model.weights]
  logs = model.evaluate(data, verbose=0, return_dict=True)
  assert set(logs) == {'loss', *model.term_names}
  assert np.all(np.isfinite(list(logs.values())))
  names = {v.path for v, old in zip(model.weights, weights)
           if np.any(v.numpy() != old)}
  assert all('loss' in n or n.split('/')[0] in model.term_names
             for n in names), names
  if name != 'ALAE':  # Whose prior is a function.
    again = type(model).from_config(model.get_config())
    assert again.table.phases == model.table.phases
    assert again.term_weights == model.term_weights


@pytest.mark.parametrize('name, settings, term', [
    ('WAEGAN', dict(adversarial=0.), 'adversarial'),
    ('IntroVAE', dict(kl_fake=0.), 'margin'),
    ('SoftIntroVAE', dict(fake_reconstruction=0.), 'fake_reconstruction'),
    ('AGE', dict(reconstruction=0.), 'reconstruction'),
    ('ALAE', dict(r1=0.), 'r1'),
])
def test_a_term_of_weight_0_is_not_computed(name, settings, term):
  model, _ = train(name, steps=1, **settings)
  assert not model.is_on(term)
  batch = tf.constant(tiny_models.images(6))
  for phase in model.table.phases:
    noise = model.draw_noise(batch)
    assert term not in phase.compute(model, batch, noise, {}, training=True)


@pytest.mark.parametrize('name', NAMES)
def test_the_kind_of_encoder_is_checked(name):
  from pgak import models
  further = tiny_models.FURTHER.get(name, dict)()
  with pytest.raises(ValueError, match=f'{name}.*log_variance'):
    getattr(models, name)(
        tiny_models.encoder(not tiny_models.STOCHASTIC[name]),
        tiny_models.decoder(), **further)
