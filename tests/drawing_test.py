"""Tests of drawing from a run or an export to a file."""
import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_runs

from pgak import checkpoints
from pgak import configuration
from pgak import data
from pgak import drawing
from pgak import errors
from pgak import run_directory
from pgak import sampling
from pgak import serving


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 2', 'train.checkpoint_every = 1')
  return run_directory.RunDirectory(path)


@pytest.fixture(name='run')
def _run(trained):
  """The run, configured."""
  configuration.parse_run(trained, roots=['sample'])
  return trained


@pytest.fixture(name='export_dir', scope='module')
def _export_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('exports')
  serving.export_model(tiny_models.make('VAE'), path, verified=False)
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
def test_pictures(run, tmp_path, kind):
  path = tmp_path / 'new' / f'{kind}.png'
  drawing.sample(run.path, str(path), kind=kind, num_samples=16)
  picture = tf.io.decode_png(path.read_bytes()).numpy()
  assert picture.ndim == 3 and picture.std() > 0.
  assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_settings_may_come_from_gin(run, tmp_path):
  path = str(tmp_path / 'a.npz')
  gin.parse_config('sample.num_samples = 3\nsample.checkpoint = 1')
  drawing.sample(run.path, path)
  early = checkpoints.load_configured(run, 1)
  np.testing.assert_array_equal(arrays(path)['images'], early.sample(3))


def test_an_export(export_dir, tmp_path):
  path = str(tmp_path / 'a.npz')
  drawing.sample_export(export_dir, path, num_samples=5, seed=2)
  model = tiny_models.make('VAE')
  np.testing.assert_allclose(arrays(path)['images'].astype(int),
                             model.sample(5, 2).numpy(), atol=1)
  path = str(tmp_path / 'b.npz')
  drawing.sample_export(export_dir, path, 'interpolation', 16)
  assert arrays(path)['images'].shape == (16, *tiny_models.IMAGE_SHAPE)
  with pytest.raises(errors.UserError, match='use --run_dir'):
    drawing.sample_export(export_dir, str(tmp_path / 'c.npz'),
                          'reconstruction')


@pytest.mark.parametrize('output, kind, match', [
    ('a.png', 'sketch', "no kind 'sketch'"), ('a.jpg', 'samples', 'a.jpg'),
    ('png', 'samples', 'must end with .png')])
def test_what_cannot_be_drawn_is_told_before_anything_is_loaded(
    tmp_path, monkeypatch, output, kind, match):
  monkeypatch.chdir(tmp_path)
  for draw in (drawing.sample, drawing.sample_export):
    with pytest.raises(errors.UserError, match=match):
      draw(tmp_path / 'absent', output, kind)
  assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept(run, tmp_path):
  path = tmp_path / 'a.png'
  path.write_text('mine')
  with pytest.raises(errors.UserError, match='exists'):
    drawing.sample(run.path, str(path))
  assert path.read_text() == 'mine'
