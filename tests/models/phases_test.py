"""Phases: which weights, examples and noise each of them sees."""
import numpy as np
import tensorflow as tf
import toy

from pgak import models
from pgak import noise as noise_lib
from pgak import schedules

BOTH = ('encoder', 'decoder')


class Turns(toy.Toy):
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
  batch, model, by_hand = toy.vectors(), toy.compiled(Turns()), Turns()
  noise = model.draw_noise(batch)
  model.train_step(batch)
  def reconstruction():
    return tf.reduce_mean(by_hand.terms(batch, noise)['reconstruction'])
  def latent_l2():
    return tf.reduce_mean(
        by_hand.terms(batch + noise['shift'], noise)['latent_l2'])
  toy.descend(by_hand, reconstruction, 'encoder', 'decoder')
  toy.descend(by_hand, latent_l2, 'encoder')
  toy.assert_same_weights(model, by_hand)
  simultaneous = Turns()
  toy.descend(simultaneous, lambda: 0.
           + tf.reduce_mean(simultaneous.terms(batch, noise)['reconstruction'])
           + tf.reduce_mean(simultaneous.terms(
               batch + noise['shift'], noise)['latent_l2']), 'encoder',
           'decoder')
  gap = toy.values(model)['encoder'] - toy.values(simultaneous)['encoder']
  assert np.abs(gap).max() > 1e-3


def test_a_slice_hands_on_to_the_same_slice():
  seen = []

  class Handing(toy.Toy):

    def first(self, batch, noise, training=True, handed=None):
      handed['batch'] = batch
      return {'reconstruction': self.terms(batch, noise)['reconstruction']}

    def second(self, batch, noise, training=True, handed=None):
      seen.append((batch.numpy(), handed['batch'].numpy()))
      return {'latent_l2': self.terms(batch, noise)['latent_l2']}

    updates = (
        models.Phase(first, {'reconstruction': BOTH}, 2, hands_on=True),
        models.Phase(second, {'latent_l2': ('encoder',)}, 2, hands_on=True))

  toy.compiled(Handing()).train_step(toy.vectors())
  assert len(seen) == 2 and np.any(seen[0][0] != seen[1][0])
  for batch, handed in seen:
    np.testing.assert_array_equal(batch, handed)


def test_a_repeated_turn_takes_every_nth_example_and_its_noise():
  class Repeated(Turns):
    updates = (models.Phase('second', {'latent_l2': ('encoder',)}, repeats=3),
               models.Phase('first', {'reconstruction': BOTH}))
  batch, model, by_hand = toy.vectors(), toy.compiled(Repeated()), Repeated()
  noise = model.draw_noise(batch)
  model.train_step(batch)
  slices = [0, 1, 2, 0]
  assert [phase for phase, _, _ in model.seen] == ['second'] * 3 + ['first']
  for (_, given, shift), i in zip(model.seen, slices):
    np.testing.assert_array_equal(given, batch[i::3])
    np.testing.assert_array_equal(shift, noise['shift'][i::3])
  for i in range(3):
    toy.descend(by_hand, lambda i=i: tf.reduce_mean(by_hand.terms(
        batch[i::3] + noise['shift'][i::3], noise)['latent_l2']), 'encoder')
  toy.descend(by_hand, lambda: tf.reduce_mean(
      by_hand.terms(batch[0::3], noise)['reconstruction']), 'encoder',
           'decoder')
  toy.assert_same_weights(model, by_hand)


def test_a_step_with_turns_is_one_step():
  model = toy.compiled(Turns())
  for _ in range(3):
    logs = model.train_step(toy.vectors())
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
  compiled = toy.compiled(
      Everything(**settings), clip_norm=0.1, jit_compile=True)
  eager = toy.compiled(Everything(**settings), clip_norm=0.1)
  data = tf.data.Dataset.from_tensors(toy.vectors()).repeat()
  compiled.fit(data, steps_per_epoch=3, verbose=0)
  for _ in range(3):
    eager.train_step(toy.vectors())
  toy.assert_same_weights(compiled, eager, 1e-5)
