"""Parts: other ones than two, their optimizers and gradient norms."""
import collections
import functools

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import toy

from pgak import models
from pgak import networks


class FiveParts(toy.Toy):
  """Two more nets and a single weight, each with terms of its own."""

  updates = {'reconstruction': ('encoder', 'decoder'),
             'critic_l2': ('critic',),
             'mapped': ('mapping', 'scale'),
             'mapped_critic': ('mapping',)}

  critic = mapping = scale = None

  def __init__(self):
    super().__init__()
    self.critic = toy.net(3, 1, 'critic')
    self.mapping = toy.net(3, 3, 'mapping')
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
  batch, model, by_hand = toy.vectors(), toy.compiled(FiveParts()), FiveParts()
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
    toy.descend(by_hand, mean(*names), part)
    moved[part] = tiny_models.values(by_hand.parts[part])
    for v, value in zip(by_hand.parts[part].trainable_variables, start[part]):
      v.assign(value)
  for part, values in toy.values(model).items():
    np.testing.assert_allclose(values, moved[part], 1e-6, 1e-6, part)


def test_each_part_has_its_own_optimizer():
  model = toy.Toy()
  rates = {'encoder': 0.5, 'decoder': 0.125}
  model.compile({p: keras.optimizers.SGD(r) for p, r in rates.items()})
  reference = toy.compiled(toy.Toy(), 1.)
  changes, _ = toy.changes(model, toy.vectors())
  expected, _ = toy.changes(reference, toy.vectors())
  for part, rate in rates.items():
    np.testing.assert_allclose(changes[part], rate * expected[part], 1e-4, 1e-6)


def test_optimizers_must_name_the_parts():
  with pytest.raises(ValueError, match='decoder.*encoder.*critic'):
    toy.Toy().compile({'encoder': keras.optimizers.SGD(),
                   'critic': keras.optimizers.SGD()})


@pytest.mark.parametrize('clip_norm', [0.01, 0.05, 100.])
def test_clip_norm_is_each_parts_global_norm(clip_norm):
  free, _ = toy.changes(toy.compiled(toy.Toy(), 1.), toy.vectors())
  clipped, _ = toy.changes(
      toy.compiled(toy.Toy(), 1., clip_norm=clip_norm), toy.vectors())
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
  toy.compiled(model)
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
