"""Densities that are fitted to a run's latents and kept in the run."""
import logging
import types

import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from pgak import errors
from pgak import priors
from pgak.priors import ex_post
from pgak.priors import fitted


class Images:
  """A split in memory; it counts how often it is read."""

  def __init__(self, pixels):
    self.pixels = pixels
    self.reads = 0

  def __len__(self):
    return len(self.pixels)

  def read(self, indices):
    self.reads += 1
    return self.pixels[indices]


class Dataset:

  def __init__(self, number=40):
    pixels = np.random.default_rng(0).integers(
        0, 256, (number, *tiny_models.IMAGE_SHAPE), np.uint8)
    self.splits = {'most': Images(pixels)}

  def split(self, name):
    return self.splits[name]


def never():
  raise AssertionError('The data set is not needed.')


@pytest.fixture(name='run')
def _run(tmp_path):
  return types.SimpleNamespace(path=tmp_path, config={
      'data': {'fingerprint': 'f00d', 'split': 'most'}})


@pytest.fixture(name='model', scope='module')
def _model():
  return tiny_models.make('AE')


def attach(model, run, prior='gaussian', dataset=None, step=7, **settings):
  dataset = Dataset() if dataset is None else dataset
  return ex_post.attach(model, prior, run, step, dataset, **settings).prior


def files(run):
  return sorted(p.name for p in (run.path / 'densities').iterdir())


def test_own_is_left(model, run):
  before = model.prior
  assert attach(model, run, 'own', never) is before


def test_round_trips_are_for_any_prior_and_made_once(run):
  model = tiny_models.make('AE')
  own = model.prior
  for _ in range(2):
    moved = attach(model, run, 'own', never, round_trips=2)
    assert moved.prior is own and moved.trips == 2
  moved = attach(model, run, round_trips=1)
  assert moved.label == 'gaussian_round_trips_1'
  # The fit is the same density's.
  assert attach(model, run, dataset=never).label == 'gaussian'
  gan = tiny_models.make('SNGAN')
  with pytest.raises(errors.UserError, match='has no encoder'):
    attach(gan, run, 'own', never, round_trips=1)


def test_what_is_not_fitted_needs_no_data(model, run):
  assert attach(model, run, 'standard_normal', never).latent_dim == 3
  assert not (run.path / 'densities').exists()


def test_it_is_fitted_to_the_latents_of_the_runs_split(model, run):
  dataset = Dataset()
  prior = attach(model, run, dataset=dataset)
  latents = model.encode(dataset.split('most').pixels).numpy()
  np.testing.assert_allclose(prior.state()['mean'], latents.mean(0), rtol=1e-5)
  assert dataset.split('most').reads == 1
  assert model.prior is prior
  name, = files(run)
  assert name.startswith('gaussian-step7-') and name.endswith('.npz')


def test_it_is_read_where_it_is_kept(model, run):
  first = attach(model, run)
  for way in ('gaussian', priors.Gaussian, priors.Gaussian(3), 'Gaussian'):
    again = attach(model, run, way, never)
    np.testing.assert_array_equal(again.sample(4, 1), first.sample(4, 1))


def test_it_is_read_at_another_step_of_the_same_encoder(run):
  model = tiny_models.make('AE')
  first = attach(model, run, step=7)
  model.decoder.set_weights([w + 1. for w in model.decoder.get_weights()])
  again = attach(model, run, step=9, dataset=never)
  np.testing.assert_array_equal(again.sample(3), first.sample(3))
  assert len(list((run.path / 'densities').glob('*-step9-*'))) == 1
  model.encoder.set_weights([w + 1. for w in model.encoder.get_weights()])
  with pytest.raises(AssertionError, match='not needed'):
    attach(model, run, step=11, dataset=never)


def test_an_instance_that_is_fitted_is_taken_as_it_is(model, run):
  prior = priors.Gaussian(3).fit(np.eye(3))
  assert attach(model, run, prior, never) is prior


def test_another_setting_is_another_density(model, run):
  attach(model, run)
  gin.parse_config('Gaussian.regularisation = 0.5')
  attach(model, run)
  gin.clear_config()
  attach(model, run, max_latents=10)
  attach(model, run, step=8)
  run.config['data']['fingerprint'] = 'beef'
  attach(model, run)
  assert len(files(run)) == 5
  other = tiny_models.make('AE', seed=1)
  attach(other, run)
  assert len(files(run)) == 6


def test_gin_gives_the_source_and_the_number(run):
  model = tiny_models.make('VAE')
  gin.parse_config("density.source = 'samples'\ndensity.max_latents = 12")
  dataset = Dataset()
  prior = ex_post.attach(model, 'kde', run, 7, dataset).prior
  assert prior.state()['latents'].shape == (12, 3)
  assert prior.label == 'kde_0.425_of_samples_of_12_latents'


@pytest.mark.parametrize('damage', [b'', b'PK\3\4 no zip', None])
def test_a_damaged_file_is_fitted_anew(model, run, damage):
  expected = attach(model, run).sample(4)
  path = run.path / 'densities' / files(run)[0]
  whole = path.read_bytes()
  path.write_bytes(whole[:len(whole) // 2] if damage is None else damage)
  np.testing.assert_array_equal(attach(model, run).sample(4), expected)
  assert path.read_bytes()[:4] == whole[:4] and len(files(run)) == 1
  np.testing.assert_array_equal(attach(model, run, dataset=never).sample(4),
                                expected)


def test_a_run_that_cannot_be_written_is_no_obstacle(model, run, caplog):
  (run.path / 'densities').write_text('in the way')
  with caplog.at_level(logging.WARNING):
    prior = attach(model, run)
  assert prior.is_fitted and 'cannot be kept' in caplog.text


@pytest.mark.parametrize('settings, message', [
    (dict(source='both'), "density.source = 'both'` must be 'means' or 'sa"),
    (dict(max_latents=0), 'density.max_latents = 0` must be a whole')])
def test_settings_out_of_range(model, run, settings, message):
  with pytest.raises(errors.UserError, match=message):
    attach(model, run, **settings)


def test_latents_that_are_not_numbers_are_named(run):
  model = tiny_models.make('AE')
  model.encoder.trainable_variables[-1].assign([np.nan] * 3)
  with pytest.raises(errors.UserError, match='40 of 40 latents are NaN'):
    attach(model, run, 'gmm')


def test_an_unknown_name(model, run):
  with pytest.raises(errors.UserError, match="There is no prior 'flow'"):
    attach(model, run, 'flow', never)


class Labelled(fitted.FittedPrior):
  """A prior that keeps the labels, and has a setting that is none of the fit's.
  """

  name = 'labelled'
  arrays = ('labels',)
  after_fit = ('steps',)
  takes_labels = takes_attributes = True

  def __init__(self, latent_dim, steps=3, kept=True):
    super().__init__(latent_dim)
    self.steps = steps
    self.kept = kept

  def _size_label(self):
    return f'labelled_{self.steps}'

  @property
  def fit_label(self):
    return self.name

  def fit(self, latents, labels=None, attributes=None):
    self.attributes = attributes
    return self.load_state({'labels': np.arange(2) if labels is None else labels
                            })

  def sample(self, n, seed=0):
    return np.zeros([n, 3])


def test_a_prior_is_given_the_labels_of_what_is_encoded(model, run):
  dataset = Dataset()
  assert attach(model, run, Labelled, dataset).state()['labels'].tolist() == [
      0, 1]
  dataset.split('most').labels = np.arange(40) % 7
  found = attach(model, run, Labelled, dataset, max_latents=5)
  rows = ex_post.positions(40, 5)
  np.testing.assert_array_equal(found.state()['labels'], rows % 7)
  assert found.attributes is None
  split = dataset.split('most')
  split.attributes = np.arange(80).reshape(40, 2) % 3 == 0
  split.attribute_names = ('Smiling', 'Male')
  found = attach(model, run, Labelled, dataset, max_latents=6).attributes
  np.testing.assert_array_equal(
      found['Male'], split.attributes[ex_post.positions(40, 6), 1])


class Mean:
  """A prior of one's own, without what only a shipped one has."""

  is_fitted = False
  settings = {}
  latent_dim = 3
  can = {'fit'}

  def fit(self, latents):
    return self.load_state({'mean': latents.mean(0)})

  def state(self):
    return {'mean': self.mean}

  def load_state(self, arrays):
    self.mean = arrays['mean']
    self.is_fitted = True
    return self

  def sample(self, n, seed=0):
    return np.tile(self.mean, [n, 1])


@pytest.mark.parametrize('which', ['name', 'label'])
def test_a_prior_with_a_name_or_a_label_alone_is_fitted_and_kept(
    model, run, which):
  kind = type('Own', (Mean,), {which: 'own'})
  assert attach(model, run, kind()).is_fitted
  assert files(run)[0].startswith('own-step7-')
  assert attach(model, run, kind(), never).is_fitted
  with pytest.raises(errors.UserError, match='the prior own can make no'):
    attach(model, run, kind(), never, round_trips=1)
  with pytest.raises(errors.UserError, match='which the density own, fitted'):
    attach(tiny_models.make('SNGAN'), run, kind(), never)


def test_what_is_set_after_the_fit_fits_nothing_anew(model, run):
  attach(model, run, Labelled(3))
  again = attach(model, run, Labelled(3, steps=8), never)
  assert again.label == 'labelled_8' and again.is_fitted
  attach(model, run, Labelled(3, kept=False))
  assert len(files(run)) == 2 and files(run)[0].startswith('labelled-step7-')


# === Latents ===


def test_the_posterior_is_sampled():
  model = tiny_models.make('VAE')
  pixels = np.repeat(Dataset(1).split('most').pixels, 3000, 0)
  mean, log_variance = model.encoder(
      tf.constant(pixels[:1] / 127.5 - 1., tf.float32))
  drawn = ex_post.encode(model, Images(pixels), 'samples')
  np.testing.assert_allclose(drawn.mean(0), mean[0], atol=0.2)
  np.testing.assert_allclose(drawn.std(0), np.exp(0.5 * log_variance[0]),
                             rtol=0.05)
  # Every batch has noise of its own.
  assert np.abs(drawn[:500] - drawn[500:1000]).min() > 0.
  means = ex_post.encode(model, Images(pixels[:5]))
  np.testing.assert_allclose(means, np.repeat(mean, 5, 0), rtol=1e-5)


def test_some_images_are_chosen_at_random(model):
  images = Dataset().split('most')
  everything = ex_post.encode(model, images)
  some = ex_post.encode(model, images, max_latents=15)
  rows = [int(np.abs(everything - z).sum(1).argmin()) for z in some]
  assert len(set(rows)) == 15 and max(rows) > 20 and rows == sorted(rows)


def test_the_likelihood_shows_what_memorises(run):
  model = tiny_models.make('AE')
  train, held_out = Dataset(60).split('most'), Images(
      np.random.default_rng(9).integers(
          0, 256, (60, *tiny_models.IMAGE_SHAPE), np.uint8))
  model.prior = priors.KernelDensity(3, 0.01).fit(
      ex_post.encode(model, train))
  seen, unseen = ex_post.log_likelihoods(model, train, held_out)
  assert seen.mean() > unseen.mean() + 10.
  expected = model.prior.log_prob(model.encode(held_out.pixels))
  np.testing.assert_allclose(unseen, expected, rtol=1e-3)
  model.prior = priors.TwoStageVAE(3)
  assert ex_post.log_likelihoods(model, train, held_out) is None


@pytest.mark.parametrize('prior, trips', [
    ('gaussian', True), ('own', True), ('resampled', False)])
def test_round_trips_are_made_but_by_the_control(run, prior, trips):
  model = tiny_models.make('AE')
  made = attach(model, run, prior, round_trips=2)
  assert isinstance(made, priors.RoundTrips) == trips
  assert ('round_trips_2' in made.label) == trips


class _Resuming(priors.Gaussian):
  """One whose first fit is interrupted."""

  can_resume = True
  given = []

  def fit(self, latents, unfinished):
    self.given.append(unfinished)
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.touch()
    if len(self.given) == 1:
      raise KeyboardInterrupt
    return super().fit(latents)


def test_an_unfinished_fit_is_kept_until_it_is_done(model, run):
  with pytest.raises(KeyboardInterrupt):
    attach(model, run, _Resuming(3))
  left, = files(run)
  assert left.startswith('unfinished-') and left.endswith('.npz')
  attach(model, run, _Resuming(3))
  first, second = _Resuming.given
  assert first == second == run.path / 'densities' / left
  name, = files(run)
  # The digest of all that decides the density.
  assert name.startswith('gaussian-') and name.endswith(
      left.removeprefix('unfinished'))


def test_a_fit_of_minutes_says_that_it_begins(model, run, capsys):
  class Slow(priors.Gaussian):
    can_resume = True

    def fit(self, latents, unfinished):
      del unfinished
      return super().fit(latents)

  attach(model, run, Slow(3))
  assert capsys.readouterr().err == (
      'gaussian is being fitted to 40 latents.\n')
  attach(model, run, Slow(3), never)
  assert not capsys.readouterr().err
  kept, = files(run)
  attach(model, run, Slow(3, regularisation=0.5))
  assert f'40 latents. The run keeps {kept}, fitted with other set' in (
      capsys.readouterr().err)


def test_a_wrong_setting_is_not_taken_for_a_density_that_fails(model, run):
  gin.parse_config('density.round_trips = -1')
  with pytest.raises(errors.UserError, match='^`density.round_trips = -1` mu'):
    ex_post.attach_usual(tiny_models.make('AE'), run, 7, Dataset())


def test_the_usual_prior_makes_the_round_trips_that_are_bound(run):
  gin.parse_config('density.round_trips = 2')
  model = ex_post.attach_usual(tiny_models.make('VAE'), run, 7, never)
  assert model.prior.label == 'standard_normal_round_trips_2'
