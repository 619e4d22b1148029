"""A run of version 0.4 on a folder finds its splits and pixels again."""
import json
import pathlib
import re
import tarfile

import gin
import numpy as np
import pytest

from pgak import data
from pgak import errors
from pgak import registry
from pgak import training
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import run_directory

registry.register()

FIXTURE = pathlib.Path(__file__).parent.parent / 'fixtures/0.4/folder.tar.xz'
# As the command was given in version 0.4.
FILES = ['quickstart.gin', 'models/vae.gin', 'datasets/images.gin']
BINDINGS = [
    'train.batch_size = 8', 'train.log_every = 10', 'train.validate_every = 15',
    'train.sample_every = 30', 'train.checkpoint_every = 15',
    'train.steps_per_execution = 1', 'base_filters = 2', 'latent_dim = 3',
    'conv_digits_encoder.dense_units = 6',
    'conv_digits_decoder.dense_units = 6', 'images.test_fraction = 0.25']


@pytest.fixture(name='folder')
def _folder(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  with tarfile.open(FIXTURE) as archive:
    archive.extractall(tmp_path, filter='data')
  monkeypatch.chdir(tmp_path / 'folder')
  return tmp_path / 'folder'


def resume(folder, *bindings, files=FILES):
  configuration.parse(
      files, [*BINDINGS, "images.path = 'photos'", *bindings], (),
      registry.train_roots)
  try:
    return training.train(folder / 'run')
  finally:
    gin.clear_config()


def everything(dataset, split):
  array = dataset.split(split)
  return array.read(np.arange(len(array)))


@pytest.mark.slow
def test_the_command_of_0_4_resumes_it(folder):
  run = run_directory.RunDirectory(folder / 'run')
  before = run.config
  model = resume(folder, 'train.steps = 32')
  assert int(model.step.numpy()) == 32
  assert run.config['data'] == before['data']
  # What was kept stands in the configuration from now on, and is kept again.
  assert "images.splits = 'names'" in run.config_gin
  resume(folder, 'train.steps = 34')


def test_its_data_set_is_what_0_4_made(folder):
  run = run_directory.RunDirectory(folder / 'run')
  configuration.parse_run(run)
  dataset = data_set.configured()  # As the commands make it.
  with np.load(folder / 'splits.npz') as stored:
    assert sorted(dataset.splits) == sorted(stored)
    for split in stored:
      np.testing.assert_array_equal(everything(dataset, split), stored[split])
  train = dataset.split('train')
  assert train.fingerprint == run.config['data']['fingerprint']
  assert train.labels is None
  assert checkpoints.load(folder / 'run').image_shape == (8, 8, 1)


def test_a_new_run_on_that_folder_heeds_its_folders(folder):
  dataset = data.images('photos', (8, 8, 1), test_fraction=.25)
  test = everything(dataset, 'test')[:, 0, 0, 0]
  assert sorted(test.tolist()) == list(range(0, 48, 4))
  assert len(dataset.split('train')) == 36 + 3  # clear, other and linked.
  assert dataset.split('train').label_names == ('a', 'b', 'c')


def test_what_the_user_asks_for_wins_on_opening_a_run(folder):
  run = run_directory.RunDirectory(folder / 'run')
  configuration.parse_run(run, ["images.splits = 'folders'"])
  assert gin.query_parameter('images.splits') == 'folders'
  assert gin.query_parameter('images.listing') == 'suffixes'


def test_other_pictures_are_still_refused(folder):
  for path in list(folder.glob('photos/train/b/*.png'))[:9]:
    path.unlink()
  with pytest.raises(errors.UserError, match='other images'):
    resume(folder, 'train.steps = 32')


def test_a_run_of_0_4_on_celeb_a_keeps_its_kernel(tmp_path):
  # The paper's file names another kernel by now.
  run = run_directory.RunDirectory(tmp_path, create=True)
  run.write_config('train.dataset = @celeb_a\nceleb_a.crop = 108\n', {})
  configuration.parse(['papers/pga_icml2020/lpga_celeba.gin'], (), (),
                      registry.train_roots)
  assert tfds_kernel() == 'bicubic_tf1'
  configuration.keep_old_values(run)
  assert tfds_kernel() == 'bicubic'
  # A configuration that names it is a later version's.
  gin.clear_config()
  run.write_config("celeb_a.crop = 108\nceleb_a.resize = 'bicubic_tf1'\n", {})
  configuration.parse_run(run)
  assert tfds_kernel() == 'bicubic_tf1'


def tfds_kernel():
  configurable = gin.get_configurable('celeb_a')
  return configurable()._recipe.choices['resize']


def test_the_fixture_names_no_machine():
  with tarfile.open(FIXTURE) as archive:
    for name in ('folder/run/config.gin', 'folder/run/config.json'):
      text = archive.extractfile(name).read().decode()
      assert not re.search('/(tmp|home|root|work|Users)/', text)
    config = json.load(archive.extractfile('folder/run/config.json'))
  assert config['versions']['pgak'] == '0.4.0'
