"""The models with a learned prior: what moves, when, and what comes of it."""
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import noise
from pgak import priors
import tiny_models

NAMES = ('FPVAE', 'AAE', 'PriorAAE', 'GMMN')


def fit(model, steps=3):
  model.compile(tiny_models.sgd(model, 0.1), run_steps=steps)
  images = np.concatenate([tiny_models.images(6, i) for i in range(steps)])
  model.fit(tf.data.Dataset.from_tensor_slices(images).batch(6), verbose=0,
            shuffle=False)
  return model


# Three nets of three layers, or the eight layers of one, each a kernel and a
# bias, but for one without.
FLOWS = {
    'real_nvp': (18, lambda size: priors.FlowPrior(
        size, 'real_nvp', num_couplings=3, hidden_units=(8, 8), seed=0)),
    'maf': (18, lambda size: priors.FlowPrior(
        size, 'maf', num_couplings=3, hidden_units=(8, 8), seed=0)),
    'flow_matching': (11, lambda size: priors.FlowMatchingPrior(
        size, 8, 1, seed=0))}


@pytest.mark.parametrize('kind', FLOWS)
def test_every_variable_of_every_part_of_fp_vae_moves(kind):
  number, prior = FLOWS[kind]
  model = tiny_models.make('FPVAE', prior=prior)
  before = {p: [v.numpy() for v in net.trainable_variables]
            for p, net in model.parts.items()}
  fit(model, steps=20)
  assert len(before['prior']) == number
  for part, values in before.items():
    for variable, old in zip(model.parts[part].trainable_variables, values):
      assert np.any(variable.numpy() != old), variable.path


@pytest.mark.parametrize('name', ['AAE', 'PriorAAE', 'GMMN'])
def test_every_variable_of_every_part_moves(name):
  model = tiny_models.make(name)
  before = {p: [v.numpy() for v in net.trainable_variables]
            for p, net in model.parts.items()}
  fit(model)
  for part, values in before.items():
    for variable, old in zip(model.parts[part].trainable_variables, values):
      assert np.any(variable.numpy() != old), variable.path


# === The annealing ===


@pytest.mark.parametrize('run_steps, step, expected', [
    (None, 0, 0.), (None, 25, 0.5), (None, 50, 1.), (None, 900, 1.),
    (100, 5, 0.2), (100, 25, 1.),     # A quarter of a short run,
    (1000, 25, 0.5), (1000, 50, 1.),  # and no more than asked for of a long.
])
def test_the_kl_term_is_annealed(run_steps, step, expected):
  model = tiny_models.make('FPVAE', beta=0.5, gamma=0.2, annealing_steps=50)
  model.compile(tiny_models.sgd(model), run_steps=run_steps)
  model.step.assign(step)
  assert float(model.weight('kl_flow')) == pytest.approx(0.5 * 0.2 * expected)
  assert float(model.weight('prior_nll')) == 1.


@pytest.mark.parametrize('beta, stochastic, message', [
    (0., True, 'beta 0 needs .* latents alone'),
    (0.5, False, 'beta above 0 needs .* log-variance'),
])
def test_beta_decides_the_kind_of_encoder(beta, stochastic, message):
  from pgak import models
  with pytest.raises(ValueError, match=message):
    models.FPVAE(tiny_models.encoder(stochastic), tiny_models.decoder(),
                 tiny_models.flow, beta=beta)


def test_with_beta_0_only_reconstruction_moves_the_autoencoder():
  """The flow's presence changes nothing of the autoencoder."""
  alone = fit(tiny_models.make('AE'))
  beside = fit(tiny_models.make('FPVAE', beta=0.))
  for part in ('encoder', 'decoder'):
    np.testing.assert_allclose(tiny_models.values(beside.parts[part]),
                               tiny_models.values(alone.parts[part]),
                               rtol=1e-5)


# === The flow as a density ===


# The steps and latents in a step that each needs: one learns from a bound at
# one time a latent.
@pytest.mark.parametrize('kind, steps, size', [
    ('real_nvp', 600, 100), ('flow_matching', 1500, 400)])
def test_a_trained_flow_beats_a_gaussian_on_bent_latents(kind, steps, size):
  """By its held-out likelihood, where the latents' law is known."""
  generator = np.random.default_rng(0)
  normal = generator.normal(size=(6000, 2))
  bent = np.stack([3. * normal[:, 0],
                   0.05 * (normal[:, 0]**2 + 0.3 * normal[:, 1])],
                  1).astype('f')
  train, held_out = bent[:5000], bent[5000:]
  prior = (priors.FlowPrior(2, hidden_units=(32, 32), seed=0)
           if kind == 'real_nvp' else
           priors.FlowMatchingPrior(2, 64, seed=0))
  shapes = getattr(prior, 'training_noise', {})
  adam = keras.optimizers.Adam(
      keras.optimizers.schedules.CosineDecay(3e-3, steps))
  adam.build(prior.trainable_variables)

  @tf.function
  def step(latents, number):
    prior.follow(latents)
    drawn = {name: draw([size, *shape], noise.seed(0, number, name))
             for name, (draw, shape) in shapes.items()}
    with tf.GradientTape() as tape:
      loss = -tf.reduce_mean(prior(latents, drawn) if drawn else prior(latents))
    variables = prior.trainable_variables
    adam.apply(tape.gradient(loss, [v.value for v in variables]), variables)

  for i in range(steps):
    step(tf.constant(train[generator.integers(0, 5000, size)]),
         tf.constant(i, tf.int64))
  difference = (prior.log_prob(tf.constant(held_out)).numpy()
                - priors.Gaussian(2).fit(train).log_prob(held_out).numpy())
  error = difference.std() / np.sqrt(len(difference))
  assert difference.mean() > 10. * error
  # The law's own entropy: that of a Gaussian times the maps' determinants.
  entropy = 1. + np.log(2. * np.pi) + np.log(3. * 0.05 * 0.3)
  assert np.mean(prior.log_prob(tf.constant(held_out))) > -entropy - 0.15


def test_another_density_may_take_the_priors_place():
  model = tiny_models.make('FPVAE')
  model.prior = priors.StandardNormal(model.latent_dim)
  assert model.parts['prior'] is model.flow


# === GMMN's two stages ===


def test_the_stages_of_gmmn_train_one_after_the_other():
  model = tiny_models.make('GMMN', batch_norm=True, autoencoder_steps=3)
  assert model.stage_ends == (3,)
  model.compile(tiny_models.sgd(model, 0.1))
  data = tf.data.Dataset.from_tensors(tiny_models.images(6))
  for stage, (moving, term) in enumerate((
      ({'encoder', 'decoder'}, 'reconstruction'), ({'prior'}, 'prior_mmd'))):
    before = {p: [v.numpy() for v in net.weights]
              for p, net in model.parts.items()}
    model.enter_stage(stage)
    history = model.fit(data, verbose=0).history
    assert set(history) == {'loss', term}
    moved = {p for p, net in model.parts.items()
             if any(np.any(v.numpy() != o)
                    for v, o in zip(net.weights, before[p]))}
    assert moved == moving


def test_all_at_once_without_stages():
  history = fit(tiny_models.make('GMMN')).history.history
  assert set(history) == {'loss', 'reconstruction', 'prior_mmd'}
