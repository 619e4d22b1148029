"""VPGA as it is printed: one weight of eq. 12, and no cut of its gradient."""
import math

import numpy as np
import pytest
import tensorflow as tf

from pgak import models
from pgak import schedules
import tiny_models


def images():
  return tf.constant(tiny_models.images())


def changes_of(model):
  """What a train step changes of each part."""
  before = {p: tiny_models.values(net) for p, net in model.parts.items()}
  model.train_step(images())
  return {p: tiny_models.values(net) - before[p]
          for p, net in model.parts.items()}


@pytest.mark.parametrize('dataset, eta, factor, of_the_code', [
    # (weight of L_vr, weight of the KL) of the authors' commands.
    ('MNIST', 2e-2, 1., (1e-2, 2e-2)),
    ('CIFAR-10', 3e-2, math.sqrt(3.), (5e-3, 3e-2)),
    ('CelebA', 2e-3, math.sqrt(0.1), (1e-2, 2e-3))])
def test_the_two_weights_of_the_code_are_one_eta(
    dataset, eta, factor, of_the_code, float64):
  """Eq. 13, with another sigma for each data set."""
  del dataset
  one = tiny_models.compiled('VPGA', eta=eta, sigma_factor=factor)
  two = tiny_models.compiled(
      'VPGA', variational_reconstruction=of_the_code[0], kl=of_the_code[1])
  for changes, others in zip(
      changes_of(one).values(), changes_of(two).values()):
    np.testing.assert_allclose(changes, others, rtol=1e-5, atol=1e-9)
  again = models.VPGA.from_config(one.get_config())
  assert (again.eta, again.kl, again.variational_reconstruction) == (
      eta, 2e-2, 1e-2)
  assert again.term_weights['kl'] == eta


def test_an_eta_may_follow_the_step():
  model = tiny_models.make('VPGA', eta=schedules.linear(0., 1., 0, 10))
  model.step.assign(5)
  assert [float(model.weight(t)) for t in (
      'variational_reconstruction', 'kl')] == [0.25, 0.5]
  with pytest.raises(ValueError, match='`VPGA.eta = .*nowhere below 0'):
    tiny_models.make('VPGA', eta=schedules.linear(-1., 1., 0, 10))


@pytest.mark.parametrize('direct_gradient', [True, False])
def test_without_the_cut_l_vr_shrinks_the_latents(direct_gradient, float64):
  """The trivial optimum of section 3.3, which a fixed sigma has."""
  model = tiny_models.compiled(
      'VPGA', variational_reconstruction=1., kl=0., latent_reconstruction=0.,
      likelihood_sigma=0.5, direct_gradient=direct_gradient,
      updates={'reconstruction': ('decoder',)})
  sizes = []
  for _ in range(8):
    sizes.append(float(tf.reduce_mean(model.encode_mean(images())**2)))
    model.train_step(images())
  assert (sizes[-1] < 0.85 * sizes[0]) == direct_gradient
