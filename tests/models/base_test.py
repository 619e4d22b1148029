"""The base class: batches, noise, faults, state, and what a model offers."""
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import toy

from pgak import models
from pgak import noise as noise_lib


# === Batches ===


class Conditional(toy.Toy):
  """Takes images with a condition, in any structure with these two."""

  def terms(self, batch, noise, training=True):
    images, condition = tf.nest.flatten(batch)
    return super().terms(images + condition, noise, training)


@pytest.mark.parametrize('structure', [
    lambda x, c: (x, c), lambda x, c: {'a': x, 'b': c},
    lambda x, c: {'a': x, 'b': {'c': c}}])
def test_a_batch_may_be_a_structure(structure):
  x, c = toy.vectors(), toy.vectors(seed=8)
  expected, _ = toy.changes(toy.compiled(toy.Toy()), x + c)
  model = toy.compiled(Conditional())
  before = toy.values(model)
  model.fit(tf.data.Dataset.from_tensors(structure(x, c)), verbose=0)
  for part, values in toy.values(model).items():
    np.testing.assert_allclose(values - before[part], expected[part], 1e-4,
                               1e-6)


def test_a_structure_is_sliced_for_repeats():
  class Once(Conditional):
    updates = {'latent_l2': ('encoder',), 'reconstruction': ('decoder',)}
  class Twice(Conditional):
    updates = (models.Phase('terms', Once.updates, repeats=2),)
  x, c = toy.vectors(), toy.vectors(seed=8)
  twice, once = toy.compiled(Twice()), toy.compiled(Once())
  twice.train_step((x, c))
  for i in range(2):
    once.train_step((x[i::2], c[i::2]))
  toy.assert_same_weights(twice, once)


# === Noise ===


class Noisy(toy.Toy):

  @property
  def noise_shapes(self):
    return {'a': (noise_lib.normal, (4,)), 'b': (noise_lib.normal, (4,)),
            'mix': (noise_lib.uniform, ())}


def test_noise_has_its_names_and_shapes():
  draws = toy.compiled(Noisy()).draw_noise(toy.vectors(5))
  assert {n: tuple(v.shape) for n, v in draws.items()} == {
      'a': (5, 4), 'b': (5, 4), 'mix': (5,)}
  assert all(v.dtype == tf.float32 for v in draws.values())


def test_noise_is_a_function_of_seed_step_and_name():
  def draw(seed, step, name):
    model = toy.compiled(Noisy(), seed=seed)
    model.step.assign(step)
    return model.draw_noise(toy.vectors())[name].numpy()
  first = draw(1, 5, 'a')
  np.testing.assert_array_equal(first, draw(1, 5, 'a'))
  for other in ((2, 5, 'a'), (1, 6, 'a'), (1, 5, 'b')):
    assert np.abs(first - draw(*other)).min() > 0.


def test_every_step_draws_anew_and_validation_apart():
  model = toy.compiled(Noisy())
  draws = []
  for _ in range(3):
    draws.append(model.draw_noise(toy.vectors())['a'].numpy())
    model.train_step(toy.vectors())
  draws.append(model.draw_noise(toy.vectors(), 0, 'validation')['a'].numpy())
  assert len({d.tobytes() for d in draws}) == 4


def test_validation_is_repeatable_and_in_inference_mode():
  model = tiny_models.compiled('VAE', batch_norm=True)
  data = tf.data.Dataset.from_tensor_slices(tiny_models.images(8)).batch(4)
  first, second = (model.evaluate(data, return_dict=True, verbose=0)
                   for _ in range(2))
  assert first == second
  assert set(first) == {'loss', 'reconstruction', 'kl'}
  batches = [tf.constant(b) for b in tiny_models.images(8).reshape(2, 4, 3, 2,
                                                                   1)]
  draws = [model.draw_noise(b, i, 'validation')
           for i, b in enumerate(batches)]
  assert np.abs(draws[0]['posterior'] - draws[1]['posterior']).max() > 0.
  expected = np.mean([model.terms(b, n, training=False)['reconstruction']
                      for b, n in zip(batches, draws)])
  assert first['reconstruction'] == pytest.approx(float(expected), rel=1e-5)


# === Faults ===


class Faulty(Conditional):
  """The second number of the batch's structure reaches `latent_l2` alone."""

  def terms(self, batch, noise, training=True):
    images, condition = batch
    terms = toy.Toy.terms(self, images, noise, training)
    terms['latent_l2'] *= condition[:, 0]
    return terms


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_fault_names_the_term_and_its_first_step(bad):
  model = toy.compiled(Faulty())
  good, wrong = tf.ones([6, 1]), tf.constant([[bad]] + [[1.]] * 5)
  for condition in (good, good):
    model.train_step((toy.vectors(), condition))
  assert model.fault() is None
  model.train_step((toy.vectors(), wrong))
  assert model.fault() == (2, ['latent_l2'])
  model.train_step((toy.vectors(), good))  # Its weights are not finite now.
  assert model.fault() == (2, ['latent_l2'])


def test_two_terms_may_fail_in_one_step():
  model = toy.compiled(toy.Toy())
  model.train_step(tf.fill([4, 3], np.nan))
  assert model.fault() == (0, ['reconstruction', 'latent_l2'])


# === Averages and checkpoints ===


def test_averaged_weights_are_there_within_and_gone_after():
  decay = 0.75
  model = toy.Toy()
  model.compile({
      'encoder': keras.optimizers.SGD(
          toy.RATE, use_ema=True, ema_momentum=decay),
      'decoder': keras.optimizers.SGD(toy.RATE)})
  with model.averaged_weights():  # Before the first step: nothing to average.
    np.testing.assert_array_equal(toy.values(model)['encoder'],
                                  toy.values(toy.Toy())['encoder'])
  average = None
  for _ in range(4):
    model.train_step(toy.vectors())
    now = toy.values(model)['encoder']
    average = now if average is None else decay * average + (1 - decay) * now
  last = toy.values(model)
  assert np.abs(average - last['encoder']).max() > 1e-3
  with model.averaged_weights():
    np.testing.assert_allclose(
        toy.values(model)['encoder'], average, 1e-5, 1e-6)
    np.testing.assert_array_equal(toy.values(model)['decoder'], last['decoder'])
  np.testing.assert_array_equal(toy.values(model)['encoder'], last['encoder'])
  with pytest.raises(KeyError):
    with model.averaged_weights():
      raise KeyError
  np.testing.assert_array_equal(toy.values(model)['encoder'], last['encoder'])


def _resumable(seed):
  model = tiny_models.make('VAE', seed=seed)
  model.compile({
      'encoder': keras.optimizers.Adam(0.01),
      'decoder': keras.optimizers.SGD(0.1, 0.9, use_ema=True)}, seed=3,
                jit_compile=True)
  return model


def _fit(model, steps):
  data = tf.data.Dataset.from_tensors(tiny_models.images()).repeat()
  model.fit(data, steps_per_epoch=steps, verbose=0)


def _state(model):
  return ([v.numpy() for v in model.variables]
          + [v.numpy() for p in sorted(model.parts)
             for v in model.optimizers[p].variables])


def test_a_checkpoint_holds_all_and_goes_on_bit_for_bit(tmp_path):
  prefix = str(tmp_path / 'checkpoint')
  whole, resumed = _resumable(0), _resumable(1)
  _fit(whole, 2)
  tf.train.Checkpoint(model=whole).write(prefix)
  status = tf.train.Checkpoint(model=resumed).read(prefix)
  status.assert_existing_objects_matched()
  kept = _state(resumed)
  # Adam's two moments, momentum and average: none of them still at 0.
  slots = {p: sum(np.abs(v.numpy()).max() > 0. for v in o.variables)
           for p, o in resumed.optimizers.items()}
  assert slots['encoder'] == 2 + 2 * len(resumed.encoder.trainable_variables)
  assert slots['decoder'] == 2 + 2 * len(resumed.decoder.trainable_variables)
  assert int(resumed.step) == 2
  for a, b in zip(kept, _state(whole)):
    np.testing.assert_array_equal(a, b)
  for model in (whole, resumed):
    _fit(model, 2)
  for a, b in zip(_state(whole), _state(resumed)):
    np.testing.assert_array_equal(a, b)


def test_a_checkpoint_of_another_model_does_not_match(tmp_path):
  prefix = str(tmp_path / 'checkpoint')
  tf.train.Checkpoint(model=toy.compiled(toy.Toy())).write(prefix)
  other = tf.train.Checkpoint(model=tiny_models.compiled('VAE'))
  with pytest.raises((AssertionError, ValueError)):
    other.read(prefix).assert_existing_objects_matched()


# === What a model is ===


@pytest.mark.parametrize('name, stochastic', tiny_models.STOCHASTIC.items())
def test_a_model_knows_its_shapes(name, stochastic):
  model = tiny_models.make(name)
  assert model.is_stochastic == bool(stochastic)
  assert model.has_encoder == ('encoder' in model.parts)
  assert model.has_encoder == (stochastic is not None)
  assert model.latent_dim == tiny_models.LATENT_DIM
  assert model.image_shape == tiny_models.IMAGE_SHAPE
  assert model.value_range == (-1., 1.)
  if not model.has_encoder:
    return
  latents = model.encode_mean(tf.constant(tiny_models.images()))
  assert latents.shape == (7, tiny_models.LATENT_DIM)


def test_uint8_in_and_out():
  model = tiny_models.make('VAE')
  generator = np.random.default_rng(0)
  images = generator.integers(0, 256, (4, *model.image_shape), np.uint8)
  latents = model.encode(images)
  np.testing.assert_allclose(
      latents, model.encoder(images / np.float32(127.5) - 1.)[0], 1e-5, 1e-5)
  decoded = model.decode(latents)
  assert decoded.dtype == tf.uint8 and decoded.shape == images.shape
  expected = (model.decoder(latents).numpy() + 1.) * 127.5
  np.testing.assert_allclose(decoded, expected, atol=0.5001)
  np.testing.assert_array_equal(model.reconstruct(images), decoded)
  np.testing.assert_array_equal(model.sample(5, seed=3),
                                model.decode(model.prior.sample(5, 3)))
  assert np.any(model.sample(5) != model.sample(5, seed=1))


@pytest.mark.parametrize('name', tiny_models.STOCHASTIC)
def test_one_image_decodes_alone_as_in_company(name):
  model = tiny_models.compiled(name, batch_norm=True)
  model.train_step(tiny_models.images())
  z = model.prior.sample(6)
  np.testing.assert_allclose(model.decoder(z, training=False)[0],
                             model.decoder(z[:1], training=False)[0], 1e-5,
                             1e-6)
  np.testing.assert_array_equal(model.decode(z)[0], model.decode(z[:1])[0])
  if not model.has_encoder:
    return
  x = tiny_models.images()
  np.testing.assert_allclose(model.encode_mean(x)[0],
                             model.encode_mean(x[:1])[0], 1e-5, 1e-6)


def test_a_config_builds_the_same_model_again():
  class Plain(models.GenerativeAutoencoder):
    updates = toy.Toy.updates
    terms = toy.Toy.terms
  model = Plain(toy.net(3, 2, 'encoder'), toy.net(2, 3, 'decoder'),
                weights={'latent_l2': 0.25},
                updates={'latent_l2': ('encoder', 'decoder')}, name='plain')
  again = Plain.from_config(model.get_config())
  assert again.table.phases == model.table.phases
  assert again.term_weights == {'latent_l2': 0.25}
  assert again.name == 'plain'
  assert again.decoder.output_shape == (None, 3)
