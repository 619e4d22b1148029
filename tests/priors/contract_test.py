"""What every prior that is fitted keeps: the interface and hostile inputs."""
import types

import gin
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak import priors

# Small nets, few epochs: whether they fit well is another test's question.
SMALL = {
    'gmm': dict(num_components=3),
    'bayesian_gmm': dict(num_components=3),
    'gmm_gradient': dict(num_components=3, steps=60),
    'real_nvp': dict(num_couplings=2, hidden_units=(8,), max_epochs=3),
    'two_stage': dict(depth=1, width=8, max_epochs=3),
    'flow_matching': dict(width=8, blocks=1, steps=20, batch_size=32),
}
FITTED = [n for n, prior in priors.NAMES.items() if hasattr(prior, 'fit')]
WITH_DENSITY = [n for n in FITTED if hasattr(priors.NAMES[n], 'log_prob')]


def fitted_anew(names):
  """Those whose fit is traced for long are slow, except the one for all."""
  return [pytest.param(n, marks=pytest.mark.slow) if n == 'flow_matching' else n
          for n in names]


def make(name, latent_dim=3, **settings):
  return priors.NAMES[name](latent_dim, **(SMALL.get(name, {}) | settings))


def latents(number=60, size=3, seed=0):
  generator = np.random.default_rng(seed)
  groups = generator.integers(0, 2, (number, 1))
  return 2. + groups * 3. + generator.normal(size=(number, size))


@pytest.fixture(name='fitted', scope='module')
def _fitted():
  return {name: make(name).fit(latents()) for name in FITTED}


def test_the_names():
  assert list(priors.NAMES) == [
      'standard_normal', 'gaussian', 'gmm', 'bayesian_gmm', 'gmm_gradient',
      'kde', 'real_nvp', 'two_stage', 'flow_matching', 'resampled']
  assert set(FITTED) == set(priors.NAMES) - {'standard_normal'}
  assert set(WITH_DENSITY) == set(FITTED) - {'two_stage', 'resampled'}


def test_labels_tell_the_sizes(fitted):
  assert {n: prior.label for n, prior in fitted.items()} == {
      'gaussian': 'gaussian', 'gmm': 'gmm_3', 'bayesian_gmm': 'bayesian_gmm_3',
      'gmm_gradient': 'gmm_gradient_3', 'kde': 'kde_0.425',
      'real_nvp': 'real_nvp', 'two_stage': 'two_stage',
      'flow_matching': 'flow_matching_noise_0.03', 'resampled': 'resampled'}
  prior = make('gmm', covariance='diagonal')
  prior.source = 'samples'
  assert prior.label == 'gmm_3_diagonal_of_samples'


@pytest.mark.parametrize('name', FITTED)
def test_samples_are_like_the_latents(fitted, name):
  drawn = fitted[name].sample(4000, seed=1).numpy()
  assert drawn.shape == (4000, 3) and drawn.dtype == np.float32
  if name in ('real_nvp', 'two_stage', 'flow_matching'):
    return  # Few steps do not make a fit.
  np.testing.assert_allclose(drawn.mean(0), latents().mean(0), atol=0.15)
  expected = np.cov(latents().T) + (name == 'kde') * 0.425**2 * np.eye(3)
  np.testing.assert_allclose(np.cov(drawn.T), expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize('name', FITTED)
def test_samples_repeat_by_seed_in_a_graph_too(fitted, name):
  prior = fitted[name]
  many = prior.sample(50, 8).numpy()
  np.testing.assert_allclose(prior.sample(50, seed=8), many, rtol=1e-6)
  assert np.abs(prior.sample(50, 9) - many).max() > 0.1
  sample = tf.function(prior.sample, input_signature=[
      tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int64)])
  assert sample.get_concrete_function().output_shapes.as_list() == [None, 3]
  for number in (0, 1, 5):
    np.testing.assert_allclose(sample(number, 8), many[:number], rtol=1e-5,
                               atol=1e-5)


@pytest.mark.parametrize('name', WITH_DENSITY)
def test_a_density_of_each_latent_alone(fitted, name):
  points = tf.constant(latents(20), tf.float32)
  found = fitted[name].log_prob(points)
  assert found.shape == (20,) and found.dtype == tf.float32
  assert np.isfinite(found).all()
  np.testing.assert_allclose(
      fitted[name].log_prob(points[3:4]), found[3:4], rtol=1e-4, atol=1e-4)
  assert fitted[name].log_prob(points[:0]).shape == (0,)


@pytest.mark.parametrize('name', fitted_anew(WITH_DENSITY))
def test_a_density_integrates_to_one(name):
  settings = dict(max_epochs=10) if name == 'real_nvp' else {}
  prior = make(name, 2, **settings).fit(latents(80, 2))
  # It follows the path of each point, and is smooth.
  number = 101 if name == 'flow_matching' else 401
  axis = np.linspace(-8., 16., number, dtype=np.float32)
  grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
  total = np.exp(np.float64(prior.log_prob(tf.constant(grid)))).sum()
  assert total * (axis[1] - axis[0])**2 == pytest.approx(1., abs=5e-3)


@pytest.mark.parametrize('name', FITTED)
def test_the_state_is_all(fitted, name):
  prior = fitted[name]
  other = make(name).load_state(prior.state())
  np.testing.assert_array_equal(other.sample(5, 2), prior.sample(5, 2))
  if name in WITH_DENSITY:
    points = tf.constant(latents(4), tf.float32)
    np.testing.assert_array_equal(other.log_prob(points),
                                  prior.log_prob(points))
  broken = dict(prior.state())
  broken.popitem()
  with pytest.raises(ValueError, match='has no'):
    make(name).load_state(broken)


@pytest.mark.parametrize('name', fitted_anew(FITTED))
def test_a_fit_repeats_by_its_seed(fitted, name):
  again = make(name).fit(latents())
  for key, array in fitted[name].state().items():
    np.testing.assert_allclose(again.state()[key], array, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('name', fitted_anew(FITTED))
def test_a_fit_does_not_depend_on_the_one_before(fitted, name):
  again = make(name).fit(latents(50, seed=1)).fit(latents())
  for key, array in fitted[name].state().items():
    np.testing.assert_allclose(again.state()[key], array, rtol=1e-4, atol=1e-6)


def test_gin_gives_the_settings():
  gin.parse_config('GaussianMixture.num_components = 7')
  prior = gin.get_configurable(priors.GaussianMixture)(4)
  assert prior.label == 'gmm_7' and prior.settings['num_components'] == 7


def test_classes_by_their_names():
  assert priors.prior_class('gmm') is priors.GaussianMixture
  assert priors.prior_class(priors.Gaussian) is priors.Gaussian
  assert priors.prior_class('own') == 'own'
  assert priors.prior_class('GaussianMixture').name == 'gmm'
  assert priors.prior_roots('own') == ['density']
  assert priors.prior_roots('gmm') == ['density', 'GaussianMixture']
  assert priors.prior_roots('mine.Flow') == ['density', 'Flow']
  with pytest.raises(errors.UserError,
                     match="no prior 'sgd': .*own, standard_normal, gaussian"):
    priors.prior_class('sgd')


def test_what_is_chosen_becomes_a_factory_of_a_model_s_prior():
  model = types.SimpleNamespace(prior=priors.StandardNormal(3), latent_dim=3)
  assert priors.resolve('own').is_own
  assert priors.resolve('own')(model) is model.prior
  gin.parse_config('Gaussian.regularisation = 0.25')
  for given in ('gaussian', 'Gaussian', priors.Gaussian):
    choice = priors.resolve(given)
    made = choice(model)
    assert not choice.is_own and isinstance(made, priors.Gaussian)
    # As gin has it.
    assert made.latent_dim == 3 and made.settings['regularisation'] == 0.25
    assert priors.resolve(choice) is choice
  prior = priors.KernelDensity(3).fit(latents())
  assert priors.resolve(prior)(model) is prior
  with pytest.raises(errors.UserError, match="no prior 'sgd'"):
    priors.resolve('sgd')


# === Hostile inputs ===

# Those that are learned with the model, or not learned at all.
OTHERS = {
    'standard_normal': lambda: priors.StandardNormal(3),
    'uniform_sphere': lambda: priors.UniformSphere(3),
    'flow': lambda: priors.FlowPrior(3, num_couplings=2, hidden_units=(4,)),
    'maf': lambda: priors.FlowPrior(3, flow='maf', num_couplings=2,
                                    hidden_units=(4,)),
    'velocity': lambda: priors.FlowMatchingPrior(3, 4, 1),
    'generator': lambda: priors.LatentGenerator(3, base_dim=2, units=(4,))}


@pytest.fixture(name='any_prior', params=[*FITTED, *OTHERS])
def _any_prior(request, fitted):
  name = request.param
  return fitted[name] if name in fitted else OTHERS[name]()


def test_a_number_of_draws_that_is_none(any_prior):
  for n, sentence in {
      -1: '`n` must be 0 to 100000000, but is -1.$',
      2**40: '`n` must be 0 to 100000000, but is 1099511627776.$',
      1.5: '`n` must be a whole number, not 1.5.$',
      True: '`n` must be a whole number, not True.$',
      None: '`n` must be a whole number, not None.$'}.items():
    with pytest.raises(errors.UserError, match=sentence):
      any_prior.sample(n)
  assert any_prior.sample(0).shape == (0, 3)
  assert any_prior.sample(np.int64(2)).shape == (2, 3)


@pytest.mark.parametrize('name', FITTED)
@pytest.mark.parametrize('broken, message', [
    (np.zeros([0, 3]), 'no latents'),
    (np.zeros([8, 4]), r'\[N, 3\]'),
    (np.where(np.arange(24).reshape(8, 3) == 5, np.nan, 1.), '1 of 8 latents'),
    (np.where(np.arange(24).reshape(8, 3) == 5, np.inf, 1.), '1 of 8 latents'),
])
def test_latents_without_a_density_are_refused(name, broken, message):
  with pytest.raises(errors.UserError, match=message):
    make(name).fit(broken)


@pytest.mark.parametrize('name', fitted_anew(FITTED))
@pytest.mark.parametrize('value', [0., -3e4])
def test_constant_latents_are_sampled(name, value):
  prior = make(name).fit(np.full([12, 3], value))
  width = 0.425 * 6. if name == 'kde' else 1e-5 * max(1., abs(value))
  np.testing.assert_allclose(prior.sample(40).numpy(), value, atol=width)
  if name in WITH_DENSITY:
    assert np.isfinite(prior.log_prob(tf.fill([2, 3], value))).all()


@pytest.mark.parametrize('name', fitted_anew(FITTED))
def test_fewer_latents_than_dimensions(name):
  prior = make(name, 20).fit(latents(5, 20))
  assert np.isfinite(prior.sample(5).numpy()).all()
  if name in WITH_DENSITY:
    assert np.isfinite(prior.log_prob(tf.zeros([2, 20]))).all()


@pytest.mark.parametrize('name', ['gmm', 'bayesian_gmm'])
def test_fewer_latents_than_components(name):
  with pytest.raises(errors.UserError,
                     match='2 latents are too few for 3 .*at most 2'):
    make(name).fit(latents(2))


@pytest.mark.parametrize('name', fitted_anew(FITTED))
def test_one_dimension(name):
  if name == 'real_nvp':
    with pytest.raises(errors.UserError, match='at least 2 latent dimensions'):
      make(name, 1)
    return
  prior = make(name, 1).fit(latents(60, 1))
  assert prior.sample(7).shape == (7, 1)
  assert np.isfinite(prior.sample(7)).all()


@pytest.mark.parametrize('name', fitted_anew(FITTED))
def test_one_latent(name):
  prior = make(name, **({'num_components': 1} if 'gmm' in name else {}))
  prior.fit([[1., 2., 3.]])
  np.testing.assert_allclose(prior.sample(9).numpy().mean(0), [1., 2., 3.],
                             atol=0.6)


@pytest.mark.parametrize('name', FITTED)
def test_before_the_fit_there_is_nothing_to_sample(name):
  with pytest.raises(errors.UserError, match='is not fitted'):
    make(name).sample(3)


@pytest.mark.parametrize('name, settings', [
    ('gmm', dict(num_components=0)), ('gmm', dict(covariance='tied')),
    ('bayesian_gmm', dict(weights='uniform')),
    ('kde', dict(bandwidth=0.)), ('kde', dict(bandwidth='silverman')),
    ('real_nvp', dict(learning_rate=-1.)),
    ('two_stage', dict(width=2.5)),
    ('flow_matching', dict(times='normal')),
    ('flow_matching', dict(density_steps=63)),
    ('flow_matching', dict(unlabelled=0.))])
def test_settings_out_of_range(name, settings):
  (setting, _), = settings.items()
  with pytest.raises(errors.UserError, match=f'`.*{setting} = .*` must be'):
    make(name, **settings)
