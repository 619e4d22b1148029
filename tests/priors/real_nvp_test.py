"""The coupling flow, alone and fitted."""
import keras
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import priors
from pgak.priors import coupling_flow


def latents(number=1500, seed=0):
  """A bent law, which no Gaussian is, in units far from 1."""
  normal = np.random.default_rng(seed).normal(size=(number, 2))
  bent = np.stack([normal[:, 0], normal[:, 0]**2 + 0.3 * normal[:, 1]], 1)
  return bent * [50., 0.02] + [7., -3.]


def scattered(size, **settings):
  """A flow that is far from the identity."""
  flow = priors.CouplingFlow(size, **settings)
  flow.build()
  generator = np.random.default_rng(0)
  for variable in flow.trainable_variables:
    variable.assign(generator.normal(0., 0.2, variable.shape))
  return flow


@pytest.fixture(name='fitted', scope='module')
def _fitted():
  return priors.RealNVP(2, hidden_units=(32,), max_epochs=25).fit(latents())


@pytest.mark.parametrize('size, couplings', [(2, 3), (5, 4)])
def test_the_flow_inverts(size, couplings):
  bijector = scattered(
      size, num_couplings=couplings, hidden_units=(7,)).bijector()
  base = np.random.default_rng(1).normal(size=(50, size)).astype('f')
  points = bijector.forward(base)
  assert np.abs(points - base).max() > 0.5
  # Without the copy TFP would give what it remembers.
  np.testing.assert_allclose(bijector.inverse(tf.identity(points)), base,
                             atol=1e-4)


def test_a_pair_of_couplings_moves_all_dimensions():
  flow = scattered(5, num_couplings=2, hidden_units=(7,))
  base = np.random.default_rng(1).normal(size=(1, 5)).astype('f')
  points = flow.bijector().forward(base).numpy()
  assert not set(points.ravel()) & set(base.ravel())


def test_the_density_is_the_change_of_variables():
  flow = scattered(3, num_couplings=2, hidden_units=(7,))
  base = tf.constant(np.random.default_rng(1).normal(size=(1, 3)), tf.float32)
  with tf.GradientTape() as tape:
    tape.watch(base)
    points = flow.bijector().forward(base)
  jacobian = tape.jacobian(points, base)[0, :, 0]
  expected = (stats.norm.logpdf(base).sum()
              - np.linalg.slogdet(np.float64(jacobian))[1])
  np.testing.assert_allclose(flow(tf.identity(points)), [expected], rtol=1e-4)


def test_keras_sees_the_nets():
  flow = priors.CouplingFlow(4, num_couplings=3, hidden_units=(6, 5))
  flow.build()
  assert len(flow.trainable_variables) == 3 * 3 * 2
  other = coupling_flow.CouplingFlow.from_config(flow.get_config())
  assert other.hidden_units == (6, 5) and other.orders == flow.orders
  assert isinstance(flow, keras.layers.Layer)


def test_one_dimension_has_no_halves():
  with pytest.raises(ValueError, match='at least 2 latent dim'):
    priors.CouplingFlow(1)


def test_it_finds_the_bend(fitted):
  held_out = latents(500, seed=1)
  gaussian = priors.Gaussian(2).fit(latents())
  flow, simple = (np.mean(p.log_prob(tf.constant(held_out)))
                  for p in (fitted, gaussian))
  assert flow > simple + 0.4
  assert fitted.held_out_log_likelihood == pytest.approx(flow, abs=0.3)
  drawn = fitted.sample(3000, 1).numpy()
  np.testing.assert_allclose(drawn.mean(0), latents().mean(0),
                             atol=0.2 * latents().std(0).max())


def test_latents_come_back_from_the_base(fitted):
  points = latents(200).astype('f')
  base = fitted.latent_to_base(points)
  back = fitted.base_to_latent(tf.identity(base))
  np.testing.assert_array_less(np.abs(back - points) / points.std(0), 1e-4)
