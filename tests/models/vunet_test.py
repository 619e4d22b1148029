import numpy as np
import pytest
import tensorflow as tf
import tiny_pairs

from pgak import errors
from pgak import models
from pgak import networks
from pgak import schedules
from pgak.runs import checkpoints
from pgak.runs import run_directory

MODELS = ('VUNet', 'VUNetFlow')


def drawn(model, batch):
  return model.draw_noise(batch, tf.constant(0, tf.int64))


@pytest.mark.parametrize('name', MODELS)
def test_each_term_reaches_its_parts_and_no_other(name):
  model = tiny_pairs.compiled(name)
  batch = tiny_pairs.batch()
  variables = {part: [v.value for v in net.trainable_variables]
               for part, net in model.parts.items()}
  with tf.GradientTape(persistent=True) as tape:
    terms = {t: tf.reduce_mean(v) for t, v in model.terms(
        batch, drawn(model, batch)).items()}
  assert set(terms) == set(model.updates)
  for term, value in terms.items():
    for part, values in variables.items():
      reached = any(g is not None for g in tape.gradient(value, values))
      assert reached == (part in model.updates[term]), (term, part)


@pytest.mark.parametrize('name', MODELS)
@pytest.mark.parametrize('groups', [1, 4])
def test_a_step_moves_every_variable_of_every_part(name, groups):
  model = tiny_pairs.compiled(name, groups=groups)
  batch = tiny_pairs.batch()
  before = {part: [v.numpy() for v in net.trainable_variables]
            for part, net in model.parts.items()}
  logs = model.train_step(batch)
  assert np.all(np.isfinite([float(v) for v in logs.values()]))
  for part, net in model.parts.items():
    for variable, old in zip(net.trainable_variables, before[part]):
      assert np.any(variable.numpy() != old), (part, variable.path)


def test_the_kl_by_hand():
  """|mu_q - mu_p|^2 / 2 of unit Gaussians, divided by their number."""
  model = tiny_pairs.compiled('VUNet')
  batch = tiny_pairs.batch()
  noise = drawn(model, batch)
  pair = [batch['images'], batch['conditions']]
  mean = model.encoder(pair).numpy().astype(np.float64)
  _, prior_mean = model.decoder(
      [model.encoder(pair) + noise['posterior'], batch['conditions']])
  expected = 0.5 * ((mean - prior_mean.numpy())**2).sum(1) / 80.
  terms = model.terms(batch, noise)
  assert model.latent_dim == 16 + 64
  np.testing.assert_allclose(terms['kl'], expected, rtol=1e-4)


def test_the_reconstruction_by_hand_and_by_another_error():
  model = tiny_pairs.compiled('VUNetFlow')
  batch = tiny_pairs.batch()
  noise = drawn(model, batch)
  latents = model.encoder([batch['images'], batch['conditions']])
  made = model.render(latents + noise['posterior'], batch['conditions'])
  expected = np.abs(made.numpy() - batch['images'].numpy()).mean((1, 2, 3))
  np.testing.assert_allclose(
      model.terms(batch, noise)['reconstruction'], expected, rtol=1e-5)
  model.image_error = lambda images, others: tf.fill([4], 7.)
  np.testing.assert_array_equal(
      model.terms(batch, noise)['reconstruction'], 7.)


@pytest.mark.parametrize('name', MODELS)
def test_what_the_finer_means_see_is_the_sample_that_is_decoded(name):
  model = tiny_pairs.compiled(name, finer_sees_coarser=True)
  batch = tiny_pairs.batch()
  noise = drawn(model, batch)
  mean, latents = model.mean_and_sample(batch, noise['posterior'])
  np.testing.assert_array_equal(latents - mean, latents - model.encoder(
      [batch['images'], batch['conditions'], latents - mean]))
  made = model.render(latents, batch['conditions'])
  np.testing.assert_allclose(
      model.terms(batch, noise)['reconstruction'],
      np.abs(made.numpy() - batch['images'].numpy()).mean((1, 2, 3)), rtol=1e-5)
  # A latent is the same whenever it is asked for: the means given the means.
  still = model.encode_mean(batch)
  np.testing.assert_array_equal(still[:, :16], mean[:, :16])
  assert np.all(still[:, 16:] != mean[:, 16:])
  uint8 = {n: tf.cast(127.5 * (x + 1.), tf.uint8) for n, x in batch.items()}
  assert np.any(model.draw(uint8, 1).numpy() != model.draw(uint8, 2).numpy())
  assert all(np.isfinite(float(v)) for v in model.train_step(batch).values())


@pytest.mark.parametrize('name', MODELS)
def test_a_batch_sets_the_convolutions_and_nothing_else(name):
  model = tiny_pairs.compiled(name, data_start=True)
  batch = tiny_pairs.batch(16)
  before = {v.path: v.numpy() for v in model.variables}
  model.start_from(batch)
  changed = {v.path for v in model.variables
             if np.any(v.numpy() != before[v.path])}
  convolutions = [layer for net in (model.encoder, model.decoder)
                  for layer in net.layers
                  if isinstance(layer, networks.WeightNormConv2D)]
  assert changed == {v.path for c in convolutions for v in (c.g, c.bias)}
  # The means are the last outputs of the encoder: deviation 1 over the batch.
  means = np.reshape(model.encode_mean(batch), [16, 80])
  for scale in (means[:, :16], means[:, 16:]):
    assert (scale.mean(), scale.std()) == pytest.approx((0., 1.), abs=1e-3)


@pytest.mark.slow
def test_the_prior_s_term_is_its_density_a_latent_number():
  model = tiny_pairs.compiled('VUNetFlow')
  batch = tiny_pairs.batch()
  noise = drawn(model, batch)
  terms = model.terms(batch, noise, training=False)
  latents = model.encoder([batch['images'], batch['conditions']])
  density = model.prior.log_prob(latents + noise['posterior'],
                                 batch['conditions'])
  np.testing.assert_allclose(terms['prior_nll'], -density / 80., rtol=1e-5)
  assert float(model.prior.count.numpy()) == 0.  # Only training counts.
  model.train_step(batch)
  assert float(model.prior.count.numpy()) == 1.


def test_the_weight_of_the_kl_follows_the_run():
  model = tiny_pairs.compiled('VUNet', kl=2., first=1e-6,
                              compile_options={'run_steps': 400})
  found = []
  for step in (0, 200, 250, 300, 400):
    model.step.assign(step)
    found.append(float(model.weight('kl')))
  np.testing.assert_allclose(found, [2e-6, 2e-6, 1.000001, 2., 2.], rtol=1e-6)
  assert float(tiny_pairs.compiled('VUNet', kl=2.).weight('kl')) == 2.


@pytest.mark.parametrize('run_steps, expected', [
    (400, [0., 1., 2., 2.]), (None, [1., 1., 2., 2.])])
def test_the_weight_of_the_kl_may_be_a_schedule(run_steps, expected):
  model = tiny_pairs.compiled(
      'VUNet', kl=schedules.linear(1., 2., 299, 300), first=0.,
      ramp=(0.25, 0.5), compile_options={'run_steps': run_steps})
  found = []
  for step in (100, 299, 300, 400):
    model.step.assign(step)
    found.append(float(model.weight('kl')))
  np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize('ramp', [(0.5, 0.5), (0.75, 0.5)])
def test_a_ramp_that_does_not_rise_is_refused(ramp):
  with pytest.raises(errors.UserError, match=r'`VUNet.ramp = .* must rise'):
    tiny_pairs.make('VUNet', ramp=ramp)


@pytest.mark.parametrize('groups', [1, 4])
def test_the_unet_s_draws_follow_one_another(groups):
  """Each group's mean, given the draws before it, is that of the whole draw."""
  model = tiny_pairs.make('VUNet', groups=groups)
  conditions = tiny_pairs.batch()['conditions']
  normal = tf.constant(np.random.default_rng(2).normal(size=(4, 80)),
                       tf.float32)
  latents = model.latents_of(normal, conditions)
  _, means = model.decoder([latents, conditions])
  np.testing.assert_allclose(latents - means, normal, atol=1e-4)
  sizes = [4] * 4 + [16] * 4 if groups == 4 else [16, 64]
  assert model._group_sizes() == sizes


@pytest.mark.parametrize('name', MODELS)
def test_uint8_in_and_out(name):
  model = tiny_pairs.make(name)
  images, conditions = tiny_pairs.dataset().split('test').read_pairs(
      [0, 1, 2])
  latents = model.encode(images, conditions)
  assert latents.shape == (3, 80)
  decoded = model.decode(latents, conditions).numpy()
  assert decoded.dtype == np.uint8 and decoded.shape == images.shape
  np.testing.assert_array_equal(model.reconstruct(images, conditions), decoded)
  one = model.sample(conditions, seed=1).numpy()
  assert one.shape == images.shape and one.dtype == np.uint8
  np.testing.assert_array_equal(model.sample(conditions, seed=1), one)
  assert np.any(model.sample(conditions, seed=2).numpy() != one)
  assert model.condition_shape == (8, 8, 1) and model.value_range == (-1., 1.)
  drawn_latents = model.prior.sample(tiny_pairs.batch()['conditions'], 0)
  assert drawn_latents.shape == (4, 80)


@pytest.mark.parametrize('name', MODELS)
@pytest.mark.parametrize('call', [
    lambda m: m.encode(np.zeros((2, 8, 8, 1), np.uint8)),
    lambda m: m.decode(np.zeros((2, 80), np.float32)),
    lambda m: m.sample(16), lambda m: m.sample(),
    lambda m: m.prior.sample(16, 0)])
def test_without_conditions_it_says_what_to_do(name, call):
  with pytest.raises(errors.UserError, match='given conditions'):
    call(tiny_pairs.make(name))


def test_a_decoder_of_the_other_model_is_refused():
  options = tiny_pairs.NET
  encoder = networks.vunet_encoder(**options)
  with pytest.raises(ValueError, match='prior_means=True'):
    models.VUNet(encoder, networks.vunet_decoder(prior_means=False, **options))
  with pytest.raises(ValueError, match='prior_means=False'):
    models.VUNetFlow(encoder, networks.vunet_decoder(**options), dict)


def test_a_checkpoint_holds_what_the_layers_count(tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  model = tiny_pairs.compiled('VUNetFlow', dropout=0.25)
  model.train_step(tiny_pairs.batch())
  checkpoints.save(model, run, 1)
  other = tiny_pairs.compiled('VUNetFlow', dropout=0.25, seed=1)
  checkpoints.restore(other, run, 1)
  counts = [v for v in other.non_trainable_variables if v.name == 'count']
  assert len(counts) > 4  # Of the dropouts, and of the running moments.
  assert all(float(v.numpy()) == 1. for v in counts)
  np.testing.assert_array_equal(other.prior.mean, model.prior.mean)
