"""Tests of drawing from a run or an export to a file."""
import csv

import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_runs

from pgak import data
from pgak import errors
from pgak import priors
from pgak.generation import drawing
from pgak.generation import sampling
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import run_directory
from pgak.runs import second_data_set
from pgak.serving import exporting
from pgak.serving import pictures


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 2', 'train.checkpoint_every = 1')
  return run_directory.RunDirectory(path)


@pytest.fixture(name='run')
def _run(trained):
  """The run, configured to draw from the model's own prior."""
  configuration.parse_run(trained, ["sample.prior = 'own'"], roots=['sample'])
  return trained


@pytest.fixture(name='export_dir', scope='module')
def _export_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('exports')
  exporting.export_model(tiny_models.make('VAE'), path, verified=False)
  return path


def arrays(path):
  with np.load(path) as file:
    return {name: file[name] for name in file.files}


def test_samples_and_their_latents(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  drawing.sample(run.path, path, num_samples=6, seed=4)
  found = arrays(path)
  model = checkpoints.load_configured(run)
  np.testing.assert_array_equal(
      found['images'], np.concatenate(list(sampling.generate(model, 6, 4))))
  np.testing.assert_array_equal(
      found['latents'], model.prior.sample(6, 4).numpy())


@pytest.mark.slow
def test_samples_of_a_class(run, tmp_path):
  gin.parse_config('FlowMatching.width = 8\nFlowMatching.steps = 30')
  made = {}
  for label in (None, 3):
    path = str(tmp_path / f'{label}.npz')
    drawing.sample(run.path, path, num_samples=6, prior='flow_matching',
                   label=label)
    made[label] = arrays(path)
  prior = checkpoints.load_configured(run, prior='flow_matching').prior
  np.testing.assert_allclose(made[3]['latents'], prior.sample(6, 0, [3] * 6),
                             atol=1e-5)
  assert np.abs(made[3]['latents'] - made[None]['latents']).max() > 1e-6
  for options, message in (
      (dict(prior='gaussian'), 'which --label needs: .* --prior=flow_matching'),
      (dict(kind='latents'), '--label goes with --kind=samples')):
    with pytest.raises(errors.UserError, match=message):
      drawing.sample(run.path, str(tmp_path / 'no.npz'), label=3, **options)


def test_an_ae_is_drawn_from_a_density_of_its_latents(
    trained, tmp_path, capsys, monkeypatch):
  bindings = ['GaussianMixture.num_components = 2']
  configuration.parse_run(trained, bindings, [
      'sample', *priors.prior_roots(drawing.usual_priors('samples')[0])])
  path = str(tmp_path / 'a.npz')
  drawing.sample(trained.path, path, num_samples=6, seed=4)
  assert ('ae is not trained towards its prior: gmm_2, fitted to its latents, '
          'is in its place; --prior=own' in capsys.readouterr().out)
  model = checkpoints.load_configured(trained, prior='gmm')
  np.testing.assert_array_equal(
      arrays(path)['latents'], model.prior.sample(6, 4).numpy())
  # Lines between images draw nothing.
  drawing.sample(trained.path, str(tmp_path / 'b.npz'), kind='interpolation')
  assert 'gmm' not in capsys.readouterr().out
  # What was fitted before needs no data.
  def missing():
    raise errors.UserError('There are no digits.')
  monkeypatch.setattr(data_set, 'configured', missing)
  drawing.sample(trained.path, str(tmp_path / 'c.npz'))
  with pytest.raises(errors.UserError,
                     match=r'\(There are no digits\): --prior=own takes N\(0'):
    drawing.sample(trained.path, str(tmp_path / 'd.npz'), checkpoint=1)


def test_the_seed_chooses_validation_images(run, tmp_path):
  test = data.digits().split('test')
  everything = test.read(np.arange(len(test)))
  chosen = []
  for name, seed in (('a', 1), ('b', 1), ('c', 2)):
    path = str(tmp_path / f'{name}.npz')
    drawing.sample(run.path, path, kind='reconstruction', num_samples=5,
                   seed=seed)
    chosen.append(arrays(path)['originals'])
  np.testing.assert_array_equal(chosen[0], chosen[1])
  assert np.any(chosen[0] != chosen[2])
  for image in chosen[0]:
    assert np.any(np.all(everything == image, axis=(1, 2, 3)))


def test_more_reconstructions_than_images(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  drawing.sample(run.path, path, kind='reconstruction', num_samples=300)
  assert arrays(path)['images'].shape == (300, 8, 8, 1)


def test_lines_are_of_eight(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  drawing.sample(run.path, path, kind='interpolation', num_samples=20)
  assert arrays(path)['images'].shape == (24, 8, 8, 1)


@pytest.mark.parametrize('kind', drawing.KINDS)
def test_what_attaches_a_prior_reads_its_settings(trained, kind):
  configuration.parse_run(trained, ['density.round_trips = 0'], [
      root for name in drawing.usual_priors(kind)
      for root in priors.prior_roots(name)])


@pytest.mark.parametrize('kind', drawing.KINDS)
def test_pictures(run, tmp_path, kind):
  path = tmp_path / 'new' / f'{kind}.png'
  drawing.sample(run.path, str(path), kind=kind, num_samples=16,
                 attribute='label=3', against=data.digits)
  picture = tf.io.decode_png(path.read_bytes()).numpy()
  assert picture.ndim == 3 and picture.std() > 0.
  assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_data_that_are_not_shown_are_refused(run, tmp_path, monkeypatch):
  path = str(tmp_path / 'a.png')
  def test(model):
    del model
    return data.digits().split('test')
  with pytest.raises(errors.UserError, match='kind=samples of ae shows no im'):
    drawing.sample(run.path, path, data=test)
  monkeypatch.setattr(checkpoints, 'load_configured',
                      lambda *_: tiny_models.make('SNGAN'))
  with pytest.raises(errors.UserError, match='kind=interpolation of .* shows'):
    drawing.sample(run.path, path, 'interpolation', data=test)


def test_settings_may_come_from_gin(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  gin.parse_config('sample.num_samples = 3\nsample.checkpoint = 1')
  drawing.sample(run.path, path)
  early = checkpoints.load_configured(run, 1)
  np.testing.assert_array_equal(arrays(path)['images'], early.sample(3))


@pytest.mark.slow
def test_an_export(export_dir, tmp_path):
  path = str(tmp_path / 'a.npz')
  pictures.sample_export(export_dir, path, num_samples=5, seed=2)
  model = tiny_models.make('VAE')
  drawn = arrays(path)['images'].astype(int)
  # The others have seeds of their own, where the model's share one.
  np.testing.assert_allclose(drawn[0], model.sample(1, 2)[0], atol=1)
  assert len(np.unique(drawn.reshape(5, -1), axis=0)) == 5
  path = str(tmp_path / 'b.npz')
  pictures.sample_export(export_dir, path, 'interpolation', 16)
  assert arrays(path)['images'].shape == (16, *tiny_models.IMAGE_SHAPE)
  with pytest.raises(errors.UserError, match='use --run_dir'):
    pictures.sample_export(export_dir, str(tmp_path / 'c.npz'),
                          'reconstruction')


def test_an_interpolation_goes_in_a_space(run, tmp_path):
  found = {}
  for space in (None, 'zT', 'z0', 'both'):
    path = str(tmp_path / f'{space}.npz')
    drawing.sample(run.path, path, kind='interpolation', num_samples=16,
                   seed=3, space=space)
    found[space] = arrays(path)
  for name in ('images', 'latents', 'originals'):
    np.testing.assert_array_equal(found[None][name], found['zT'][name])
  np.testing.assert_array_equal(found['zT']['originals'],
                                found['z0']['originals'])
  rows = found['both']['latents'].reshape(2, 2, 8, 3)
  for i, space in enumerate(('z0', 'zT')):
    np.testing.assert_array_equal(rows[:, i],
                                  found[space]['latents'].reshape(2, 8, 3))
  assert np.abs(rows[:, 0] - rows[:, 1]).max() > 1e-3


def test_an_attribute_is_added_to_images_without_it(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  drawing.sample(run.path, path, kind='attribute', num_samples=24, seed=1,
                 attribute='label=3', strength=.5)
  found = arrays(path)
  train, test = (data.digits().split(s) for s in ('train', 'test'))
  model = checkpoints.load_configured(run)
  encoded = model.encode(train.read(np.arange(len(train)))).numpy()
  vector = (encoded[train.labels == 3].mean(0)
            - encoded[train.labels != 3].mean(0))
  np.testing.assert_allclose(found['vector'], vector, atol=1e-4)
  others = test.read(np.flatnonzero(test.labels != 3))
  for image in found['originals']:
    assert np.any(np.all(others == image, axis=(1, 2, 3)))
  # N(0, I) is its own z_0: two rows of 8 for each of 3 images.
  latents = found['latents'].reshape(3, 2, 8, 3)
  for row in (0, 1):
    np.testing.assert_allclose(latents[:, row, -1] - latents[:, row, 0],
                               np.tile(.5 * vector, (3, 1)), atol=1e-4)


def test_every_image_has_its_log_density(run, tmp_path, capsys):
  paths = [str(tmp_path / f'a{end}') for end in ('.csv', '.npz')]
  for path in paths:
    drawing.sample(run.path, path, kind='log_density', num_samples=16)
  test = data.digits().split('test')
  model = checkpoints.load_configured(run)
  expected = model.prior.log_prob(model.encode(test.read(
      np.arange(len(test))))).numpy()
  np.testing.assert_allclose(arrays(paths[1])['log_density'], expected,
                             rtol=1e-4)
  with open(paths[0], encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  np.testing.assert_allclose([float(r['log_density']) for r in rows], expected,
                             rtol=1e-4)
  assert [int(r['label']) for r in rows] == list(test.labels)
  assert f'{len(test)} images' in capsys.readouterr().out


def test_a_set_is_not_separated_from_itself(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  drawing.sample(run.path, path, kind='ood', against=data.digits)
  assert arrays(path)['auroc'] == 0.5


def test_the_other_set_is_bound_in_a_scope_of_its_own(trained, tmp_path):
  file = tmp_path / 'others.gin'
  file.write_text("include 'datasets/synthetic.gin'\n"
                  'synthetic.seed = 5\ndata_dir = "elsewhere"\n')
  bindings = second_data_set.bindings(trained, str(file))
  assert bindings[0] == 'sample.against = @against/synthetic'
  bindings.append("sample.prior = 'own'")
  assert 'against/synthetic.seed = 5' in bindings
  configuration.parse_run(trained, bindings, roots=['sample'])
  assert configuration.setting('train.dataset')().name == 'digits'
  path = str(tmp_path / 'a.npz')
  drawing.sample(trained.path, path, kind='ood', num_samples=20)
  found = arrays(path)
  assert found['set'][0] == 'digits' and 'synthetic' in found['set'][-1]
  assert len(found['set']) == 40
  test = data.digits().split('test')
  model = checkpoints.load_configured(trained)
  np.testing.assert_allclose(
      found['log_density'][:20], model.prior.log_prob(
          model.encode(test.read(found['index'][:20]))), rtol=1e-4)


def test_a_macro_of_the_second_set_has_the_value_of_its_file(tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(
      'image_shape = (8, 8, 1)\nfolder = "/a"\ninner = "/a"\nside = 4\n'
      'train.dataset = @images\nimages.image_shape = %image_shape\n'
      'images.path = %folder\nimages.crop = %side\n', {})
  file = tmp_path / 'others.gin'
  file.write_text('image_shape = (9, 9, 1)\nfolder = %inner\ninner = "/b"\n'
                  'images.attributes = "%side"\n')
  assert second_data_set.bindings(run, str(file))[1:] == [
      "against/images.attributes = '%side'", 'against/images.crop = %side',
      'against/images.image_shape = %image_shape',
      "against/images.path = '/b'"]


def test_a_macro_that_the_run_has_not_is_the_files(tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('train.dataset = @images\nimages.path = "/a"\n', {})
  file = tmp_path / 'others.gin'
  file.write_text('image_shape = (9, 9, 1)\nimages.path = "/b"\n'
                  'images.image_shape = %image_shape\n')
  assert second_data_set.bindings(run, str(file))[1:] == [
      'against/images.image_shape = (9, 9, 1)', "against/images.path = '/b'"]


def test_a_file_that_names_no_other_set_is_refused(trained, tmp_path):
  (tmp_path / 'empty.gin').write_text('')
  with pytest.raises(errors.UserError, match='empty.gin changes nothing'):
    second_data_set.bindings(trained, str(tmp_path / 'empty.gin'))


@pytest.mark.parametrize('settings, match', [
    (dict(kind='attribute'), '--attribute'), (dict(kind='ood'), '--against'),
    (dict(kind='attribute', attribute='Hat'), "no attribute 'Hat'"),
    (dict(kind='interpolation', space='z9'), "space = 'z9'` must be 'zT'"),
    (dict(kind='ood', against=lambda: data.synthetic((9, 9, 1))), 'shape')])
def test_what_is_asked_for_must_be_there(run, tmp_path, settings, match):
  with pytest.raises(errors.UserError, match=match):
    drawing.sample(run.path, str(tmp_path / 'a.png'), **settings)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('output, kind, match', [
    ('a.csv', 'samples', 'must end with .png'),
    ('a.png', 'sketch', "'sketch'.*samples"), ('a.jpg', 'samples', 'a.jpg'),
    ('png', 'samples', 'must end with .png')])
def test_what_cannot_be_drawn_is_an_error_before_anything_is_loaded(
    tmp_path, monkeypatch, output, kind, match):
  monkeypatch.chdir(tmp_path)
  for draw in (drawing.sample, pictures.sample_export):
    with pytest.raises(errors.UserError, match=match):
      draw(tmp_path / 'absent', output, kind)
  assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept(run, tmp_path):
  path = tmp_path / 'a.png'
  path.write_text('mine')
  with pytest.raises(errors.UserError, match='exists'):
    drawing.sample(run.path, str(path))
  assert path.read_text() == 'mine'
