"""Latent flow matching: fit, draws, labels and log-densities."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import errors
from pgak import interruption
from pgak import noise
from pgak import priors
from pgak.priors import net_fitting
from pgak.priors import unfinished

SMALL = dict(width=32, blocks=2, batch_size=128, learning_rate=5e-3)


def ring(number=1200, seed=0):
  """A noisy circle far from 0, `[N, 2]`."""
  generator = np.random.default_rng(seed)
  angles = generator.uniform(0., 2. * np.pi, number)
  circle = np.stack([np.cos(angles), np.sin(angles)], 1)
  return (circle + 0.1 * generator.normal(size=(number, 2))) * 100. + 30.


def corners(number=800, seed=0):
  """Two clusters, labelled 3 and 8."""
  generator = np.random.default_rng(seed)
  which = generator.integers(0, 2, number)
  points = generator.normal(size=(number, 2)) + 6. * which[:, np.newaxis]
  return points, np.where(which, 8, 3)


@pytest.fixture(name='on_ring', scope='module')
def _on_ring():
  return priors.FlowMatching(2, steps=600, **SMALL).fit(ring())


def faces(number=3000, seed=0):
  """Four normal clusters, 6 to the right and 4 up by two attributes."""
  generator = np.random.default_rng(seed)
  right, up = generator.random((2, number)) < [[0.5], [0.3]]
  points = generator.normal(size=(number, 2)) + np.stack(
      [6. * right, 4. * up], 1)
  return points, {'Right': right, 'Up': up, 'Seen': right | True}


@pytest.fixture(name='labelled', scope='module')
def _labelled():
  return priors.FlowMatching(2, steps=300, **SMALL).fit(*corners())


@pytest.mark.slow
def test_draws_lie_on_the_ring(on_ring):
  drawn = (on_ring.sample(2000, 1).numpy() - 30.) / 100.
  radius = np.linalg.norm(drawn, axis=1)
  # A normal of the same moments has 39 % of its mass within 0.7.
  assert np.mean(radius < 0.7) < 0.1
  assert abs(np.median(radius) - 1.) < 0.1


def test_samples_near_latents():
  # A net that has learned nothing is the flow from N(0, I) to N(0, I), which
  # divides by the standard deviation of x_t.
  latents = ring(200)
  prior = priors.FlowMatching(2, steps=1, **(SMALL | {'learning_rate': 1e-9}))
  prior.fit(latents)
  mean, scale = latents.mean(0), latents.std(0)
  standard = (latents - mean) / scale
  base = noise.normal([200, 2], noise.seed(5, 0, 'near')).numpy()
  # A sample of the same seed has noise of its own.
  assert np.abs(prior.near(latents, 5, 0., 64) - prior.sample(200, 5)).min() > 0
  for time in (0., 0.8):
    expected = mean + scale * ((1. - time) * base + time * standard) / np.sqrt(
        (1. - time)**2 + time**2)
    np.testing.assert_allclose(prior.near(latents, 5, time, 64), expected,
                               rtol=1e-3, atol=0.1)
  # By four steps, and so little noise, the latents themselves.
  np.testing.assert_allclose(prior.near(latents, 5, 0.999), latents, atol=1.)


def test_nothing_is_near_latents_before_the_fit():
  with pytest.raises(errors.UserError, match='is not fitted'):
    priors.FlowMatching(2).near(ring(3))


def test_a_fit_ends_at_a_signal_that_was_only_noted(monkeypatch):
  # As within a train command, between two of whose steps it may be.
  interruption.postpone()
  monkeypatch.setattr(interruption._State, 'received', 15)
  try:
    with pytest.raises(interruption.Interrupted):
      priors.FlowMatching(2, steps=2, **SMALL).fit(ring(200))
  finally:
    interruption.allow()


@pytest.mark.slow
def test_samples_near_latents_lie_on_the_ring(on_ring):
  latents = ring(500, 1)
  far, close = (np.linalg.norm(on_ring.near(latents, 1, time) - latents, axis=1)
                for time in (0.5, 0.9))
  assert np.mean(close) < 0.3 * np.mean(far)
  radius = np.linalg.norm((on_ring.near(latents, 1, 0.5) - 30.) / 100., axis=1)
  assert np.mean(radius < 0.7) < 0.1


@pytest.mark.slow
def test_the_density_knows_the_ring(on_ring):
  held_out = tf.constant(ring(400, seed=1))
  gaussian = priors.Gaussian(2).fit(ring())
  flow, simple = (np.mean(p.log_prob(held_out)) for p in (on_ring, gaussian))
  # -log(2 pi 100) - log(0.1 * 100 sqrt(2 pi e)) = -10.2 of the ring itself.
  assert simple + 0.5 < flow < -10.1


@pytest.mark.slow
def test_the_density_has_mass_one(on_ring):
  axis = np.linspace(-250., 310., 121, dtype=np.float32)
  grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
  total = np.exp(np.float64(on_ring.log_prob(tf.constant(grid)))).sum()
  assert total * (axis[1] - axis[0])**2 == pytest.approx(1., abs=5e-3)


@pytest.mark.slow
def test_latents_come_back_from_the_base(on_ring):
  points = ring(200).astype('f')
  base = on_ring.latent_to_base(points)
  back = on_ring.base_to_latent(base)
  np.testing.assert_allclose(back, points, atol=0.02 * 70.)
  assert on_ring.solver_error < 0.05
  assert np.abs(base.numpy().std(0) - 1.).max() < 0.2


@pytest.mark.slow
def test_more_steps_change_the_density_little(on_ring):
  points = tf.constant(ring(300, seed=1))
  finer = priors.FlowMatching(2, density_steps=128, **SMALL).load_state(
      on_ring.state())
  found, expected = (np.mean(p.log_prob(points)) for p in (on_ring, finer))
  assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.slow
def test_classes_are_drawn_apart(labelled):
  assert 'condition' in labelled.can
  given = [3] * 500 + [8] * 500
  drawn = labelled.sample(None, 1, given=given).numpy().mean(1)
  assert np.mean((drawn > 3.) == (np.array(given) == 8)) > 0.95
  both = labelled.sample(1000, 1).numpy().mean(1)
  assert 0.35 < np.mean(both > 3.) < 0.65
  # A graph and a part of the batch give the same.
  graph = tf.function(labelled.sample)(2, 1, tf.constant([3, 3], tf.int32))
  np.testing.assert_allclose(graph, labelled.sample(2, 1, [3, 3]), atol=1e-4)
  points = tf.constant(corners(200, 1)[0], tf.float32)
  right = labelled.log_prob(points, corners(200, 1)[1])
  wrong = labelled.log_prob(points, 11 - corners(200, 1)[1])
  assert np.mean(right - wrong) > 2.


@pytest.mark.slow
def test_an_optimal_coupling_needs_fewer_steps():
  # Two clusters on a line, which halve N(0, I) along the first dimension.
  generator = np.random.default_rng(0)
  points = generator.normal(size=(800, 2)) * [0.3, 1.]
  points[:, 0] += 2. * generator.integers(0, 2, 800) - 1.
  independent, optimal = (
      priors.FlowMatching(2, steps=200, sampling_steps=1, coupling=coupling,
                          **SMALL).fit(points).solver_error
      for coupling in ('independent', 'optimal'))
  # Straight paths are followed in one step.
  assert optimal < 0.5 * independent and optimal < 0.3


@pytest.mark.slow
def test_an_interrupted_fit_has_the_same_end(tmp_path, monkeypatch):
  def made(**kept):
    prior = priors.FlowMatching(2, steps=40, **SMALL).fit(*corners(), **kept)
    return {**prior.state(), 'fit': prior.fit_result}

  def stop(course):
    keep(course)
    if course.step == 20:
      raise KeyboardInterrupt

  path, keep = tmp_path / 'a.npz', unfinished.Course.keep
  monkeypatch.setattr(unfinished, '_BETWEEN', 0.)
  with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
    patch.setattr(unfinished.Course, 'keep', stop)
    made(unfinished=path)
  np.testing.assert_equal(made(unfinished=path), made())


@pytest.mark.slow
def test_labels_that_cannot_be(labelled):
  with pytest.raises(errors.UserError, match='no label 4: .* latents, 3, 8.'):
    labelled.sample(None, given=[3, 4])
  with pytest.raises(errors.UserError, match='3 draws .* and 2 labels'):
    labelled.sample(3, given=[3, 8])
  guided = priors.FlowMatching(2, guidance=2., **SMALL).load_state(
      labelled.state())
  assert 'log_density' not in guided.can and 'condition' in guided.can
  with pytest.raises(errors.UserError, match='guidance = 2 draws'):
    guided.log_prob(tf.zeros([1, 2]))
  plain, further = (p.sample(None, 1, [8] * 400).numpy().mean(0)
                    for p in (labelled, guided))
  assert further.mean() > plain.mean() + 0.05
  np.testing.assert_array_equal(guided.sample(5), labelled.sample(5))


@pytest.mark.slow
def test_any_subset_of_attributes_is_drawn():
  points, attributes = faces()
  prior = priors.FlowMatching(2, steps=300, **SMALL).fit(
      points, attributes=attributes)
  # All have the third, which is therefore not learned.
  assert prior.attributes == ('Right', 'Up') and 'condition' in prior.can
  for given, mean in (({'Right': 1}, (6., 1.2)), ({'Right': 0}, (0., 1.2)),
                      ({'Up': 0}, (3., 0.)), ({'Right': 1, 'Up': 1}, (6., 4.)),
                      ({'Right': 1, 'Up': 0}, (6., 0.)), (None, (3., 1.2))):
    found = prior.sample(1500, 1, given).numpy()
    np.testing.assert_allclose(found.mean(0), mean, atol=0.35)
  # The density given both is that of one cluster, a normal distribution.
  corner = stats.norm.logpdf(points - [6., 4.]).sum(1)
  both = attributes['Right'] & attributes['Up']
  log_prob = prior.log_prob(tf.constant(points[both], tf.float32),
                            {'Right': 1, 'Up': True})
  assert np.mean(log_prob) == pytest.approx(np.mean(corner[both]), abs=0.4)
  # As the export gives them, in a graph; and of a file.
  again = priors.FlowMatching(2, **SMALL).load_state(prior.state())
  graph = tf.function(again.sample)(None, 1, tf.constant([[1, 0], [1, 0]]))
  np.testing.assert_allclose(graph, prior.sample(2, 1, {'Right': 1}), atol=1e-4)


def unfitted(size, **settings):
  """One whose fit keeps the first weights: those of a normal distribution."""
  return priors.FlowMatching(
      size, **dict(width=4, blocks=1, steps=1, learning_rate=1e-9) | settings)


def test_it_begins_as_a_normal_distribution():
  latents = np.random.default_rng(0).normal(size=(50, 12)) * np.geomspace(
      1., 100., 12) + 5.
  prior = unfitted(12, probes=5).fit(latents.reshape(50, 3, 4))
  expected = stats.norm(latents.mean(0), latents.std(0))
  found, error = prior.log_prob_with_error(tf.constant(latents))
  np.testing.assert_allclose(found, expected.logpdf(latents).sum(1), atol=2e-2)
  # Each probe sees a diagonal matrix exactly.
  np.testing.assert_allclose(error, 0., atol=1e-4)
  drawn = prior.sample(4000).numpy()
  np.testing.assert_allclose(drawn.std(0), latents.std(0), rtol=0.05)
  assert prior.log_prob(tf.constant(latents.reshape(50, 3, 4))).shape == (50,)
  one = unfitted(12).load_state(prior.state())
  assert np.isnan(one.log_prob_with_error(tf.zeros([2, 12]))[1]).all()


def test_labels_name_noise_steps_and_guidance():
  assert unfitted(2).label == 'flow_matching_noise_0.03'
  prior = unfitted(2, noise=0.05, sampling_steps=8)
  assert prior.label == 'flow_matching_noise_0.05_heun_8'
  assert prior.fit_label == 'flow_matching_noise_0.05'
  prior.source = 'samples'
  assert prior.label == 'flow_matching_heun_8_of_samples'
  assert prior.fit_label == 'flow_matching_of_samples'
  other = unfitted(2, noise=0.05, guidance=3., probes=4, density_steps=99)
  assert other.label == 'flow_matching_noise_0.05_guidance_3'
  assert other.fit_label == 'flow_matching_noise_0.05'
  assert other.fit_settings == prior.fit_settings != other.settings


def test_a_later_setting_leaves_older_fits_what_they_are():
  assert 'coupling' not in unfitted(2).fit_settings
  assert unfitted(2, coupling='optimal').fit_settings['coupling'] == 'optimal'


def test_what_the_fit_says(capsys):
  unfitted(2).fit(ring(40))
  said = capsys.readouterr().err
  assert 'flow_matching: 1 steps, held-out loss ' in said
  assert "32 steps of Heun's method are " in said


@pytest.mark.parametrize('labels', [[1] * 39, [0.5] * 40, [[1]] * 40])
def test_labels_that_do_not_fit(labels):
  with pytest.raises(errors.UserError, match='40 latents need as many labels'):
    unfitted(2).fit(ring(40), labels)
  with pytest.raises(errors.UserError, match='fitted without labels'):
    unfitted(2, conditional=False).fit(ring(40), labels).sample(1, 0, [1])


@pytest.mark.parametrize('coupling', ['independent', 'optimal'])
def test_a_long_fit_is_the_same_where_xla_compiles_it(monkeypatch, coupling):
  def fit():
    return unfitted(
        2, coupling=coupling, steps=30, learning_rate=1e-2).fit(
            np.random.default_rng(0).normal(size=(60, 2))).state()

  found = fit()
  monkeypatch.setattr(net_fitting, '_COMPILED_FROM', 30)
  for name, value in fit().items():
    np.testing.assert_allclose(value, found[name], atol=1e-4, err_msg=name)
