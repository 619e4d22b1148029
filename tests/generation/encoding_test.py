"""Latents of one's own pictures, as files."""
import csv
import zipfile

import gin
import numpy as np
import pytest
import tiny_runs

import pgak
from pgak import errors
from pgak.generation import drawing
from pgak.generation import encoding
from pgak.pictures import png
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import own_data
from pgak.runs import run_directory


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 2', files=['models/vae.gin'])
  return path


@pytest.fixture(name='photos', scope='module')
def _photos(tmp_path_factory):
  """Seven grey pictures of 8 x 8 in two folders, and a damaged one."""
  path = tmp_path_factory.mktemp('photos')
  for i in range(7):
    (path / 'ab'[i % 2]).mkdir(exist_ok=True)
    image = np.random.default_rng(i).integers(0, 256, [8, 8, 1], np.uint8)
    (path / 'ab'[i % 2] / f'{i}.png').write_bytes(png.encode(image))
  (path / 'a/broken.png').write_bytes(b'\x89PNG\r\n\x1a\nno')
  return path


def _pictures(folder):
  return {str(p.relative_to(folder)): png.decode(p.read_bytes())[..., :1]
          for p in folder.rglob('?.png')}


def test_a_folder_becomes_names_latents_and_log_densities(
    run_dir, photos, tmp_path, caplog):
  pgak.encode(run_dir, photos, tmp_path / 'it.npz')
  assert 'broken.png' in caplog.text
  with np.load(tmp_path / 'it.npz') as found:
    found = dict(found)
  pictures = _pictures(photos)
  assert list(found['names']) == sorted(pictures) and len(pictures) == 7
  assert list(found['label_names']) == ['a', 'b']
  assert found['labels'].tolist() == [0] * 4 + [1] * 3
  model = checkpoints.load(run_dir)
  images = np.stack([pictures[name] for name in found['names']])
  latents = np.asarray(model.encode(images))
  np.testing.assert_allclose(found['latents'], latents, atol=1e-5)
  expected = -0.5 * (latents**2).sum(1) - 1.5 * np.log(2. * np.pi)
  np.testing.assert_allclose(found['log_prob'], expected, rtol=1e-5)


def test_a_table_has_the_same_numbers_and_the_classes_names(
    run_dir, photos, tmp_path):
  pgak.encode(run_dir, photos, tmp_path / 'it.npz')
  pgak.encode(run_dir, photos, tmp_path / 'it.csv')
  with np.load(tmp_path / 'it.npz') as found, open(
      tmp_path / 'it.csv', encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
    assert list(rows[0]) == ['name', 'label', 'log_prob', 'latent_0',
                             'latent_1', 'latent_2']
    assert [row['name'] for row in rows] == found['names'].tolist()
    assert {row['label'] for row in rows} == {'a', 'b'}
    np.testing.assert_allclose([float(row['latent_2']) for row in rows],
                               found['latents'][:, 2])


@pytest.mark.parametrize('names', [(), ('car', 'truck')])
def test_a_secret_label_is_an_empty_cell(tmp_path, names):
  chunk = {'names': ['0', '1'], 'latents': np.zeros([2, 1], np.float32),
           'labels': np.array([-1, 1])}
  encoding.write(tmp_path / 'it.csv', [chunk], names)
  rows = (tmp_path / 'it.csv').read_text().splitlines()[1:]
  assert rows == ['0,,0.0', f'1,{names[1] if names else 1},0.0']


def test_arrays_and_data_sets_are_named_by_place(run_dir, tmp_path):
  images = np.random.default_rng(0).integers(0, 256, [600, 8, 8], np.uint8)
  np.savez(tmp_path / 'some.npz', images=images, labels=np.arange(600) % 3)
  pgak.encode(run_dir, tmp_path / 'some.npz', tmp_path / 'it.npz')
  with np.load(tmp_path / 'it.npz') as found:
    assert found['names'].tolist() == [str(i) for i in range(600)]
    assert found['labels'].tolist() == (np.arange(600) % 3).tolist()
    model = checkpoints.load(run_dir)
    np.testing.assert_allclose(
        found['latents'][[0, 599]],
        model.encode(images[[0, 599], ..., None]), atol=1e-5)
  pgak.encode(run_dir, 'digits', tmp_path / 'digits.npz')
  with np.load(tmp_path / 'digits.npz') as found:
    assert len(found['names']) == 1797


@pytest.mark.parametrize('data, match', [
    ('mnist_32', 'holds images of .*32.*and .* is for images of .*8'),
    ('nothing/there', 'There is nothing at nothing/there'),
    ('datasets/digits.gin', 'is a gin file')])
def test_data_that_do_not_fit_are_told(run_dir, tmp_path, data, match):
  with pytest.raises(errors.UserError, match=match):
    pgak.encode(run_dir, data, tmp_path / 'it.npz')
  assert not list(tmp_path.iterdir())


def test_an_output_that_cannot_be_is_told_at_once(run_dir, tmp_path):
  with pytest.raises(errors.UserError, match='must end with .npz'):
    pgak.encode(run_dir, 'digits', tmp_path / 'it.txt')
  (tmp_path / 'it.csv').write_text('')
  with pytest.raises(errors.UserError, match='give --overwrite'):
    pgak.encode(run_dir, 'digits', tmp_path / 'it.csv')


@pytest.mark.slow
def test_an_unmatched_model_has_no_log_density_unless_one_is_chosen(
    tmp_path, photos, capsys):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 1')
  pgak.encode(tmp_path / 'run', photos, tmp_path / 'it.npz')
  assert 'Without log_prob: ' in capsys.readouterr().out
  with zipfile.ZipFile(tmp_path / 'it.npz') as file:
    assert 'log_prob.npy' not in file.namelist()
  pgak.encode(tmp_path / 'run', photos, tmp_path / 'it.npz', prior='gaussian',
              overwrite=True)
  with np.load(tmp_path / 'it.npz') as found:
    assert np.isfinite(found['log_prob']).all()


@pytest.mark.parametrize('prior', ['gaussian', 'own', None])
def test_round_trips_of_samples_leave_the_log_density(
    run_dir, photos, tmp_path, prior):
  for trips in (0, 1):
    pgak.encode(run_dir, photos, tmp_path / f'{trips}.npz', prior=prior,
                gin_param=f'density.round_trips = {trips}')
  with np.load(tmp_path / '0.npz') as none, np.load(
      tmp_path / '1.npz') as one:
    np.testing.assert_array_equal(one['log_prob'], none['log_prob'])


def test_a_figure_shows_own_pictures(run_dir, photos, tmp_path):
  run = run_directory.RunDirectory(run_dir)
  opened = own_data.split_opener(str(photos), run)
  pictures = _pictures(photos)
  configuration.parse_run(run)
  drawing.sample(run_dir, str(tmp_path / 'it.npz'), 'reconstruction',
                 data=opened)
  gin.clear_config()
  with np.load(tmp_path / 'it.npz') as found:
    assert len(found['originals']) == 7
    assert {image.tobytes() for image in found['originals']} == {
        image.tobytes() for image in pictures.values()}
