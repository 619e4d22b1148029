"""The mechanism: turns, rows, weights, optimizers, noise, faults, state."""
import collections
import functools

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from pgak import losses
from pgak import models
from pgak import networks
from pgak import noise as noise_lib
from pgak import schedules
import tiny_models

RATE = 0.5
BOTH = ('encoder', 'decoder')


def _net(inputs, outputs, name):
  x = keras.Input((inputs,))
  return keras.Model(x, layers.Dense(outputs, 'tanh')(x), name=name)


class Toy(models.GenerativeAutoencoder):
  """An autoencoder of vectors `[B, 3]` with 2 latent dimensions."""

  updates = {'reconstruction': ('encoder', 'decoder'),
             'latent_l2': ('encoder',)}

  def __init__(self, **settings):
    super().__init__(_net(3, 2, 'encoder'), _net(2, 3, 'decoder'), **settings)
    tiny_models.scatter(self)

  def terms(self, batch, noise, training=True):
    latents = self.encoder(batch, training=training)
    return {'reconstruction': losses.reconstruction(
                batch, self.decoder(latents, training=training)),
            'latent_l2': tf.reduce_mean(tf.square(latents), -1)}


def _vectors(number=6, seed=2):
  return tf.random.stateless_uniform([number, 3], [seed, 0], -1., 1.)


def _compiled(model, learning_rate=RATE, **options):
  model.compile(tiny_models.sgd(model, learning_rate), **options)
  return model


def _values(model):
  return {p: tiny_models.values(net) for p, net in model.parts.items()}


def _changes(model, batch):
  before = _values(model)
  logs = model.train_step(batch)
  return {p: v - before[p] for p, v in _values(model).items()}, logs


def _descend(model, loss, *parts):
  """A step of SGD by hand, with one tape of its own."""
  variables = [v for p in parts for v in model.parts[p].trainable_variables]
  with tf.GradientTape() as tape:
    value = loss()
  for v, g in zip(variables, tape.gradient(value, variables)):
    v.assign_sub(RATE * g)


def _assert_same_weights(model, other, rtol=1e-6):
  for part, values in _values(model).items():
    np.testing.assert_allclose(
        values, tiny_models.values(other.parts[part]), rtol, rtol, part)


# === Turns ===


class Turns(Toy):
  """The encoder's l2 in a turn of its own; notes what each turn was given."""

  updates = (models.Phase('first', {'reconstruction': BOTH}),
             models.Phase('second', {'latent_l2': ('encoder',)}))

  @property
  def noise_shapes(self):
    return {'shift': (noise_lib.normal, (3,))}

  def first(self, batch, noise, training=True):
    self.note('first', batch, noise)
    terms = self.terms(batch, noise, training)
    return {'reconstruction': terms['reconstruction']}

  def second(self, batch, noise, training=True):
    self.note('second', batch, noise)
    return {'latent_l2': self.terms(
        batch + noise['shift'], noise, training)['latent_l2']}

  def note(self, phase, batch, noise):
    seen = self.__dict__.setdefault('seen', [])
    seen.append((phase, batch.numpy(), noise['shift'].numpy()))


def test_a_turn_sees_the_weights_that_the_last_one_left():
  batch, model, by_hand = _vectors(), _compiled(Turns()), Turns()
  noise = model.draw_noise(batch)
  model.train_step(batch)
  def reconstruction():
    return tf.reduce_mean(by_hand.terms(batch, noise)['reconstruction'])
  def latent_l2():
    return tf.reduce_mean(
        by_hand.terms(batch + noise['shift'], noise)['latent_l2'])
  _descend(by_hand, reconstruction, 'encoder', 'decoder')
  _descend(by_hand, latent_l2, 'encoder')
  _assert_same_weights(model, by_hand)
  simultaneous = Turns()
  _descend(simultaneous, lambda: 0.
           + tf.reduce_mean(simultaneous.terms(batch, noise)['reconstruction'])
           + tf.reduce_mean(simultaneous.terms(
               batch + noise['shift'], noise)['latent_l2']), 'encoder',
           'decoder')
  gap = _values(model)['encoder'] - _values(simultaneous)['encoder']
  assert np.abs(gap).max() > 1e-3


def test_a_slice_hands_on_to_the_same_slice():
  seen = []

  class Handing(Toy):

    def first(self, batch, noise, training=True, handed=None):
      handed['batch'] = batch
      return {'reconstruction': self.terms(batch, noise)['reconstruction']}

    def second(self, batch, noise, training=True, handed=None):
      seen.append((batch.numpy(), handed['batch'].numpy()))
      return {'latent_l2': self.terms(batch, noise)['latent_l2']}

    updates = (
        models.Phase(first, {'reconstruction': BOTH}, 2, hands_on=True),
        models.Phase(second, {'latent_l2': ('encoder',)}, 2, hands_on=True))

  _compiled(Handing()).train_step(_vectors())
  assert len(seen) == 2 and np.any(seen[0][0] != seen[1][0])
  for batch, handed in seen:
    np.testing.assert_array_equal(batch, handed)


def test_a_repeated_turn_takes_every_nth_example_and_its_noise():
  class Repeated(Turns):
    updates = (models.Phase('second', {'latent_l2': ('encoder',)}, repeats=3),
               models.Phase('first', {'reconstruction': BOTH}))
  batch, model, by_hand = _vectors(), _compiled(Repeated()), Repeated()
  noise = model.draw_noise(batch)
  model.train_step(batch)
  slices = [0, 1, 2, 0]
  assert [phase for phase, _, _ in model.seen] == ['second'] * 3 + ['first']
  for (_, given, shift), i in zip(model.seen, slices):
    np.testing.assert_array_equal(given, batch[i::3])
    np.testing.assert_array_equal(shift, noise['shift'][i::3])
  for i in range(3):
    _descend(by_hand, lambda i=i: tf.reduce_mean(by_hand.terms(
        batch[i::3] + noise['shift'][i::3], noise)['latent_l2']), 'encoder')
  _descend(by_hand, lambda: tf.reduce_mean(
      by_hand.terms(batch[0::3], noise)['reconstruction']), 'encoder',
           'decoder')
  _assert_same_weights(model, by_hand)


def test_a_step_with_turns_is_one_step():
  model = _compiled(Turns())
  for _ in range(3):
    logs = model.train_step(_vectors())
  assert int(model.step) == 3
  assert set(logs) == {'loss', 'reconstruction', 'latent_l2'}


class Everything(Turns):
  """Turns, repeats, noise, a schedule."""

  updates = (models.Phase('second', {'latent_l2': ('encoder',)}, repeats=3),
             models.Phase('first', {'reconstruction': BOTH}))

  def note(self, phase, batch, noise):
    pass


def test_the_compiled_step_is_the_eager_one():
  settings = dict(weights={'latent_l2': schedules.linear(0.1, 1., 0, 4)})
  compiled = _compiled(Everything(**settings), clip_norm=0.1, jit_compile=True)
  eager = _compiled(Everything(**settings), clip_norm=0.1)
  data = tf.data.Dataset.from_tensors(_vectors()).repeat()
  compiled.fit(data, steps_per_epoch=3, verbose=0)
  for _ in range(3):
    eager.train_step(_vectors())
  _assert_same_weights(compiled, eager, 1e-5)


# === Parts ===


class FiveParts(Toy):
  """Two more nets and a single weight, each with terms of its own."""

  updates = {'reconstruction': ('encoder', 'decoder'),
             'critic_l2': ('critic',),
             'mapped': ('mapping', 'scale'),
             'mapped_critic': ('mapping',)}

  critic = mapping = scale = None

  def __init__(self):
    super().__init__()
    self.critic = _net(3, 1, 'critic')
    self.mapping = _net(3, 3, 'mapping')
    self.scale = layers.Dense(3, use_bias=False)
    self.scale.build((None, 3))
    tiny_models.scatter(self)

  @property
  def parts(self):
    added = {'critic': self.critic, 'mapping': self.mapping,
             'scale': self.scale}
    return super().parts | (added if self.scale else {})

  def terms(self, batch, noise, training=True):
    mapped = self.mapping(batch)
    return {'reconstruction': super().terms(batch, noise)['reconstruction'],
            'critic_l2': tf.reduce_mean(tf.square(self.critic(batch)), -1),
            'mapped': tf.reduce_mean(tf.square(self.scale(mapped)), -1),
            'mapped_critic': -self.critic(mapped)[:, 0]}


def test_a_model_may_have_other_parts_and_more_of_them():
  batch, model, by_hand = _vectors(), _compiled(FiveParts()), FiveParts()
  model.train_step(batch)
  start = {p: [v.numpy() for v in net.trainable_variables]
           for p, net in by_hand.parts.items()}
  def mean(*names):
    return lambda: sum(tf.reduce_mean(by_hand.terms(batch, {})[t])
                       for t in names)
  moved = {}
  for part, names in (('encoder', ['reconstruction']),
                      ('decoder', ['reconstruction']),
                      ('critic', ['critic_l2']),
                      ('mapping', ['mapped', 'mapped_critic']),
                      ('scale', ['mapped'])):
    _descend(by_hand, mean(*names), part)
    moved[part] = tiny_models.values(by_hand.parts[part])
    for v, value in zip(by_hand.parts[part].trainable_variables, start[part]):
      v.assign(value)
  for part, values in _values(model).items():
    np.testing.assert_allclose(values, moved[part], 1e-6, 1e-6, part)


def test_each_part_has_its_own_optimizer():
  model = Toy()
  rates = {'encoder': 0.5, 'decoder': 0.125}
  model.compile({p: keras.optimizers.SGD(r) for p, r in rates.items()})
  reference = _compiled(Toy(), 1.)
  changes, _ = _changes(model, _vectors())
  expected, _ = _changes(reference, _vectors())
  for part, rate in rates.items():
    np.testing.assert_allclose(changes[part], rate * expected[part], 1e-4, 1e-6)


def test_optimizers_must_name_the_parts():
  with pytest.raises(ValueError, match='decoder.*encoder.*critic'):
    Toy().compile({'encoder': keras.optimizers.SGD(),
                   'critic': keras.optimizers.SGD()})


@pytest.mark.parametrize('clip_norm', [0.01, 0.05, 100.])
def test_clip_norm_is_each_parts_global_norm(clip_norm):
  free, _ = _changes(_compiled(Toy(), 1.), _vectors())
  clipped, _ = _changes(_compiled(Toy(), 1., clip_norm=clip_norm), _vectors())
  for part, change in free.items():
    norm = np.linalg.norm(change)
    assert norm > 0.05
    np.testing.assert_allclose(
        clipped[part], change * min(1., clip_norm / norm), 1e-4, 1e-6)


@pytest.mark.parametrize('name', [n for n in tiny_models.STOCHASTIC
                                  if n not in tiny_models.FURTHER])
def test_every_variable_has_one_part_and_moves_in_one_step(name):
  shape, small = (8, 8, 1), dict(base_filters=3, dense_units=8, batch_norm=True)
  model = getattr(models, name)(
      networks.encoder(
          functools.partial(networks.conv_digits_encoder, **small), shape, 3,
          log_variance=tiny_models.STOCHASTIC[name]),
      networks.decoder(
          functools.partial(networks.conv_digits_decoder, **small), shape, 3),
      **({'warm_up_steps': 0} if name in ('LPGA', 'LVPGA') else {}))
  _compiled(model)
  owners = collections.Counter(
      id(v) for net in model.parts.values() for v in net.trainable_variables)
  assert set(owners.values()) == {1}
  assert {id(v) for v in model.trainable_variables} == set(owners)
  before = [(v, v.numpy()) for net in model.parts.values()
            for v in net.variables if 'seed' not in v.name]
  model.train_step(tf.random.stateless_uniform([8, *shape], [0, 4], -1., 1.))
  still = [v.path for v, value in before
           if np.abs(v.numpy() - value).max() < 1e-9]
  assert not still  # The moving averages of batch norm are among them.


# === Rows ===


def test_terms_of_one_row_share_one_gradient(monkeypatch):
  taken = []
  gradient = tf.GradientTape.gradient
  def counting(self, target, sources, *args):
    taken.append(sorted(sources))
    return gradient(self, target, sources, *args)
  monkeypatch.setattr(tf.GradientTape, 'gradient', counting)
  tiny_models.compiled('LPGA', data_latent_reconstruction=0.1).train_step(
      tiny_models.images())
  # Eqs. 2, 3 and 6 cannot reach the decoder: they ride with eq. 1.
  assert sorted(taken) == [['decoder'], ['decoder', 'encoder']]
  taken.clear()
  tiny_models.compiled('VPGA', data_latent_reconstruction=0.1).train_step(
      tiny_models.images())
  assert taken == [['decoder', 'encoder']]


def _phases(name):
  updates = getattr(models, name).updates
  return ((models.Phase('terms', updates),) if isinstance(updates, dict)
          else updates)


SHIPPED = [(name, phase, term) for name in tiny_models.STOCHASTIC
           for phase in _phases(name) for term in phase.updates]
SETTINGS = {
    **{name: {} for name in tiny_models.STOCHASTIC},
    'LPGA': dict(data_latent_reconstruction=0.1),
    'LVPGA': dict(data_latent_reconstruction=0.1, nll_encoder=0.1),
    'VPGA': dict(data_latent_reconstruction=0.1),
}


@pytest.mark.parametrize('name, phase, term', SHIPPED, ids=[
    f'{name}-{term}' for name, _, term in SHIPPED])
def test_a_term_reaches_its_row_and_not_what_is_declared_unreachable(
    name, phase, term):
  model = tiny_models.compiled(name, **SETTINGS[name])
  batch = tf.constant(tiny_models.images())
  of_model = next(p for p in model.table.phases if term in p.updates)
  with tf.GradientTape() as tape:
    terms = of_model.compute(model, batch, model.draw_noise(batch), {}, True)
    value = tf.reduce_mean(terms[term])
  gradients = tape.gradient(value, {
      p: [v.value for v in net.trainable_variables]
      for p, net in model.parts.items()})
  for part in phase.updates[term]:
    assert any(g is not None and np.abs(g).max() > 0. for g in gradients[part])
  for part in model.unreachable.get(term, ()):
    assert part not in phase.updates[term]
    assert all(g is None for g in gradients[part])


@pytest.mark.parametrize('name', tiny_models.STOCHASTIC)
def test_merged_rows_change_nothing(name):
  batch = tiny_models.images()
  merged = tiny_models.compiled(name, **SETTINGS[name])
  apart = tiny_models.compiled(name, **SETTINGS[name])
  apart.table.unreachable = {}
  for phase in apart.table.phases:
    rows = phase.updates
    assert len(apart.table.grouped(rows)) == len(set(rows.values()))
  merged.train_step(batch)
  apart.train_step(batch)
  _assert_same_weights(merged, apart)


def test_a_row_that_is_replaced_changes_only_the_parts_it_gains():
  batch = tiny_models.images()
  settings = SETTINGS['LPGA']
  usual, _ = _changes(tiny_models.compiled('LPGA', **settings), batch)
  for term, gains in (('latent_reconstruction', 'decoder'),
                      ('data_latent_reconstruction', 'decoder'),
                      ('nll_decoder', 'encoder')):
    model = tiny_models.compiled(
        'LPGA', updates={term: ('encoder', 'decoder')}, **settings)
    changes, _ = _changes(model, batch)
    for part in model.parts:
      gap = np.abs(changes[part] - usual[part]).max()
      assert gap > 1e-4 if part == gains else gap < 1e-6, (term, part)


def test_a_term_in_no_part_is_computed_and_moves_nothing():
  model = _compiled(Toy(updates={'latent_l2': ()}))
  reference = _compiled(Toy(weights={'latent_l2': 0.}))
  logs = model.train_step(_vectors())
  reference.train_step(_vectors())
  assert 'latent_l2' in logs
  _assert_same_weights(model, reference)


@pytest.mark.parametrize('setting', ['updates', 'weights'])
def test_an_unknown_term_is_an_error(setting):
  value = {'lattent_l2': ('encoder',) if setting == 'updates' else 1.}
  with pytest.raises(ValueError, match='lattent_l2.*latent_l2, reconstruction'):
    Toy(**{setting: value})


def test_a_table_that_cannot_be_followed_is_an_error():
  model = _compiled(Toy(updates={'latent_l2': ('decoder',),
                                 'reconstruction': ('encoder',)}))
  with pytest.raises(ValueError, match='decoder'):
    model.train_step(_vectors())
  class Forgetful(Toy):
    def terms(self, batch, noise, training=True):
      return {'latent_l2': super().terms(batch, noise)['latent_l2']}
  with pytest.raises(ValueError, match='reconstruction'):
    _compiled(Forgetful()).train_step(_vectors())


# === Weights ===


def test_the_logged_loss_is_the_weighted_sum():
  model = _compiled(Toy(weights={
      'reconstruction': 0.5, 'latent_l2': schedules.linear(0., 1., 0, 4)}))
  for step in range(3):
    expected = {t: float(tf.reduce_mean(v))
                for t, v in model.terms(_vectors(), {}).items()}
    model.reset_metrics()
    logs = {t: float(v) for t, v in model.train_step(_vectors()).items()}
    loss = logs.pop('loss')
    assert logs == pytest.approx(expected, rel=1e-5)
    assert loss == pytest.approx(
        0.5 * logs['reconstruction'] + step / 4 * logs['latent_l2'], rel=1e-5)


def test_a_scheduled_weight_scales_the_step_without_retracing():
  class Counting(Toy):
    updates = {'reconstruction': ('decoder',), 'latent_l2': ('encoder',)}
    traces = []

    def terms(self, batch, noise, training=True):
      self.traces.append(1)
      return super().terms(batch, noise, training)

  model = _compiled(Counting(weights={
      'latent_l2': schedules.linear(0., 1., 0, 4)}))
  reference = Counting()
  data = tf.data.Dataset.from_tensors(_vectors()).repeat()
  traces = []
  for step in range(6):
    start = _values(model)['encoder']
    for v, w in zip(reference.trainable_variables, model.trainable_variables):
      v.assign(w)
    _descend(reference, lambda: tf.reduce_mean(
        reference.terms(_vectors(), {})['latent_l2']), 'encoder')
    reference.traces.clear()
    model.fit(data, steps_per_epoch=1, verbose=0)
    traces.append(len(model.traces))
    full = _values(reference)['encoder'] - start
    np.testing.assert_allclose(
        _values(model)['encoder'] - start, min(1., step / 4) * full, 1e-4, 1e-6)
  # `reference` shares the list and clears it; a trace would leave a mark.
  assert traces[0] > 0 and traces[1:] == [0] * 5


@pytest.mark.parametrize('name, settings, off', [
    ('LPGA', {}, 'data_latent_reconstruction'),
    ('LPGA', dict(latent_reconstruction=0.), 'latent_reconstruction'),
    ('LPGA', dict(nll_decoder=0, nll_encoder=0.), 'nll_decoder'),
    ('LVPGA', {}, 'nll_encoder'),
    ('VPGA', dict(kl=0.), 'kl'),
    ('VAE', dict(kl=0.), 'kl')])
def test_a_term_of_weight_0_is_absent(name, settings, off):
  model = tiny_models.compiled(name, **settings)
  logs = model.train_step(tiny_models.images())
  assert off not in logs
  assert not model.is_on(off)
  assert 'reconstruction' in logs
  assert all(np.isfinite(v) for v in logs.values())


def test_logs_are_means_over_the_examples_of_an_epoch():
  model = _compiled(Toy(), learning_rate=0.)
  model.train_step(_vectors(6))
  logs = model.train_step(_vectors(2, seed=9))
  both = tf.concat([_vectors(6), _vectors(2, seed=9)], 0)
  for term, values in model.terms(both, {}).items():
    assert float(logs[term]) == pytest.approx(float(tf.reduce_mean(values)))


# === Batches ===


class Conditional(Toy):
  """Takes images with a condition, in any structure with these two."""

  def terms(self, batch, noise, training=True):
    images, condition = tf.nest.flatten(batch)
    return super().terms(images + condition, noise, training)


@pytest.mark.parametrize('structure', [
    lambda x, c: (x, c), lambda x, c: {'a': x, 'b': c},
    lambda x, c: {'a': x, 'b': {'c': c}}])
def test_a_batch_may_be_a_structure(structure):
  x, c = _vectors(), _vectors(seed=8)
  expected, _ = _changes(_compiled(Toy()), x + c)
  model = _compiled(Conditional())
  before = _values(model)
  model.fit(tf.data.Dataset.from_tensors(structure(x, c)), verbose=0)
  for part, values in _values(model).items():
    np.testing.assert_allclose(values - before[part], expected[part], 1e-4,
                               1e-6)


def test_a_structure_is_sliced_for_repeats():
  class Once(Conditional):
    updates = {'latent_l2': ('encoder',), 'reconstruction': ('decoder',)}
  class Twice(Conditional):
    updates = (models.Phase('terms', Once.updates, repeats=2),)
  x, c = _vectors(), _vectors(seed=8)
  twice, once = _compiled(Twice()), _compiled(Once())
  twice.train_step((x, c))
  for i in range(2):
    once.train_step((x[i::2], c[i::2]))
  _assert_same_weights(twice, once)


# === Noise ===


class Noisy(Toy):

  @property
  def noise_shapes(self):
    return {'a': (noise_lib.normal, (4,)), 'b': (noise_lib.normal, (4,)),
            'mix': (noise_lib.uniform, ())}


def test_noise_has_its_names_and_shapes():
  draws = _compiled(Noisy()).draw_noise(_vectors(5))
  assert {n: tuple(v.shape) for n, v in draws.items()} == {
      'a': (5, 4), 'b': (5, 4), 'mix': (5,)}
  assert all(v.dtype == tf.float32 for v in draws.values())


def test_noise_is_a_function_of_seed_step_and_name():
  def draw(seed, step, name):
    model = _compiled(Noisy(), seed=seed)
    model.step.assign(step)
    return model.draw_noise(_vectors())[name].numpy()
  first = draw(1, 5, 'a')
  np.testing.assert_array_equal(first, draw(1, 5, 'a'))
  for other in ((2, 5, 'a'), (1, 6, 'a'), (1, 5, 'b')):
    assert np.abs(first - draw(*other)).min() > 0.


def test_every_step_draws_anew_and_validation_apart():
  model = _compiled(Noisy())
  draws = []
  for _ in range(3):
    draws.append(model.draw_noise(_vectors())['a'].numpy())
    model.train_step(_vectors())
  draws.append(model.draw_noise(_vectors(), 0, 'validation')['a'].numpy())
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
    terms = Toy.terms(self, images, noise, training)
    terms['latent_l2'] *= condition[:, 0]
    return terms


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_a_fault_names_the_term_and_its_first_step(bad):
  model = _compiled(Faulty())
  good, wrong = tf.ones([6, 1]), tf.constant([[bad]] + [[1.]] * 5)
  for condition in (good, good):
    model.train_step((_vectors(), condition))
  assert model.fault() is None
  model.train_step((_vectors(), wrong))
  assert model.fault() == (2, ['latent_l2'])
  model.train_step((_vectors(), good))  # Its weights are not finite now.
  assert model.fault() == (2, ['latent_l2'])


def test_two_terms_may_fail_in_one_step():
  model = _compiled(Toy())
  model.train_step(tf.fill([4, 3], np.nan))
  assert model.fault() == (0, ['reconstruction', 'latent_l2'])


# === Averages and checkpoints ===


def test_averaged_weights_are_there_within_and_gone_after():
  decay = 0.75
  model = Toy()
  model.compile({
      'encoder': keras.optimizers.SGD(RATE, use_ema=True, ema_momentum=decay),
      'decoder': keras.optimizers.SGD(RATE)})
  with model.averaged_weights():  # Before the first step: nothing to average.
    np.testing.assert_array_equal(_values(model)['encoder'],
                                  _values(Toy())['encoder'])
  average = None
  for _ in range(4):
    model.train_step(_vectors())
    now = _values(model)['encoder']
    average = now if average is None else decay * average + (1 - decay) * now
  last = _values(model)
  assert np.abs(average - last['encoder']).max() > 1e-3
  with model.averaged_weights():
    np.testing.assert_allclose(_values(model)['encoder'], average, 1e-5, 1e-6)
    np.testing.assert_array_equal(_values(model)['decoder'], last['decoder'])
  np.testing.assert_array_equal(_values(model)['encoder'], last['encoder'])
  with pytest.raises(KeyError):
    with model.averaged_weights():
      raise KeyError
  np.testing.assert_array_equal(_values(model)['encoder'], last['encoder'])


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
  tf.train.Checkpoint(model=_compiled(Toy())).write(prefix)
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
    updates = Toy.updates
    terms = Toy.terms
  model = Plain(_net(3, 2, 'encoder'), _net(2, 3, 'decoder'),
                weights={'latent_l2': 0.25},
                updates={'latent_l2': ('encoder', 'decoder')}, name='plain')
  again = Plain.from_config(model.get_config())
  assert again.table.phases == model.table.phases
  assert again.term_weights == {'latent_l2': 0.25}
  assert again.name == 'plain'
  assert again.decoder.output_shape == (None, 3)
