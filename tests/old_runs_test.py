"""What version 0.4 left on disks: it loads, resumes, is measured and exported.

The files under tests/fixtures were made by that version; see make.py there.
"""
import json
import lzma
import pathlib
import tarfile

import effective_settings
from fixtures import make
import gin
from gin import config as gin_config
import numpy as np
import pytest
import tensorflow as tf
import tiny_commands
import tiny_runs

import pgak
from pgak import errors
from pgak import models
from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import report
from pgak.bin import sweep
from pgak.bin import train
from pgak.runs import run_directory
from pgak.runs import scores
from pgak.serving import client
from pgak.serving import exporting
from pgak.serving import versions

OLD = pathlib.Path(__file__).resolve().parent / 'fixtures' / '0.4'
RUNS = sorted(make.RUNS)
MODEL = 'pgak.training.train.model'
REQUIRED = ('train.dataset', 'train.model', 'train.optimizer', 'train.steps',
            'images.image_shape', 'images.path')
# What has changed on purpose since: (beginning of the file or cell, ending of
# the setting) -> the reason.
CHANGED = {
    ('', '.serving.export.max_count'): 'its name is max_batch',
    ('', '.serving.export.prior'): 'chosen for a model without one',
    ('networks/pg_gan_128.gin', '.base_filters'): 'Karras\'s Table 2',
    ('papers/learned_priors/', '.PerceptualError.relative'): 'plain features',
    ('papers/learned_priors/', '.PerceptualError.perceptual'): 'the same',
    ('papers/learned_priors/fig3_', '.VAE.kl'): 'annealed, section 4.1',
    ('papers/learned_priors/table1_celeba', '.VAE.kl'): 'annealed',
    ('papers/learned_priors/table1_celeba', '.BetaVAE.likelihood_sigma'):
        'a VGG error has no sigma in pixels: beta * kl',
    ('papers/no_prior_matching/table1_celeba', ''): 'MNIST\'s weights before',
    ('papers/no_prior_matching/table2_cifar10', ''): 'MNIST\'s weights before',
    ('papers/no_prior_matching/swiss_roll.sweep age',
     '.AGE.latent_reconstruction'): 'H = 2, not 8',
    ('papers/pga_workshop2019/', '.conv_mnist_encoder.dense_activation'):
        'their MNIST encoder of 2019',
    ('papers/pga_workshop2019/vpga_', ''): 'one weight, as it is printed',
    ('papers/rae_iclr2020/', 'encoder.initial_sigma'):
        'the released head of VAEs',
    ('papers/rae_iclr2020/', '.spectral_norm'):
        'RAE-SN normalises the kernel of the latents, too, on any of six nets',
    ('models/rae_sn.gin', '_norm'): 'on any of six nets',
    ('quick.sweep vpga', ''): 'the quickstart\'s own weights, not MNIST\'s',
}


def unpacked(name, folder):
  """Unpacks a run of 0.4; returns its path."""
  with tarfile.open(OLD / f'{name}.tar.xz') as archive:
    archive.extractall(folder, filter='data')
  return folder / name


@pytest.fixture(name='runs', scope='module')
def _runs(tmp_path_factory):
  """All runs of 0.4, which the tests leave as they are."""
  folder = tmp_path_factory.mktemp('old')
  return {name: unpacked(name, folder) for name in RUNS}


@pytest.mark.parametrize('name', [n for n in RUNS if n != 'pairs'])
def test_a_run_loads_and_answers_as_its_export(runs, name):
  model = pgak.load(runs[name])
  served = client.ServedModel(runs[name] / 'export')
  latents = np.random.default_rng(0).normal(
      size=(5, model.latent_dim)).astype(np.float32)
  images = np.asarray(model.decode(latents))
  if images.dtype == np.uint8:
    # One grey level, where a number lies between two.
    assert np.abs(images - served.decode(latents).astype(int)).max() <= 1
  else:
    np.testing.assert_allclose(images, served.decode(latents), atol=1e-5)
  np.testing.assert_allclose(
      model.encode(images), served.encode(images), atol=1e-5)
  if served.metadata['prior'] == model.prior.name:
    # Seeds draw what they drew.
    np.testing.assert_allclose(model.prior.sample(3, 5),
                               served.sample_latents(3, 5), atol=1e-4)


def test_an_export_of_0_4_states_no_bounds_and_is_asked_within_them(runs):
  served = client.ServedModel(runs['images'] / 'export')
  assert 'bounds' not in served.metadata['signatures']['decode']
  made = served.sample(4, seed=1)
  assert served.reconstruct(made).shape == made.shape
  lines = served.interpolate(made[:2], made[2:], 3)
  assert lines.shape == (2, 3, *served.image_shape)
  for call, sentence in (
      (lambda: served.generate([1]), 'all images of one seed: call `sample`'),
      (lambda: served.interpolate(made, made, 3, spherical=True),
       'straight lines alone')):
    with pytest.raises(errors.UserError, match=sentence):
      call()
  with pytest.raises(errors.UserError, match='signatures of version 0.4'):
    exporting.verify(runs['images'] / 'export')
  # Its graph would make a line of two thousand million points.
  for call in (lambda: served.interpolate(made[:0], made[:0], 2**31 - 1),
               lambda: served.sample(2**31 - 1), lambda: served.sample(-1),
               lambda: served.decode(np.full([1, served.latent_dim], np.nan))):
    with pytest.raises(errors.UserError, match='must be'):
      call()


def test_a_run_of_pairs_loads(runs):
  model = pgak.load(runs['pairs'])
  conditions = np.zeros([2, *model.condition_shape], np.uint8)
  assert model.sample(conditions, seed=1).shape == (2, 8, 8, 1)
  loaded = tf.saved_model.load(str(runs['pairs'] / 'export' / '1'))
  served = loaded.signatures['generate'](
      conditions=tf.constant(conditions), seed=tf.constant(1, tf.int64))
  assert served['images'].shape == (2, 8, 8, 1)


@pytest.mark.slow
@pytest.mark.parametrize('name', make.LONGER)
def test_a_run_goes_on_in_its_old_order(tmp_path, capsys, name):
  run = unpacked(name, tmp_path)
  files, bindings, *_ = make.RUNS[name]
  result = tiny_commands.call(
      train, capsys, f'--run_dir={run}', *(f'--gin_file={f}' for f in files),
      *(f'--gin_param={b}' for b in (*make.SMALL, *bindings,
                                     'train.steps = 60')))
  assert result.status == 0, result.err
  found = tiny_runs.saved(run, 60)
  with np.load(OLD / 'ends.npz') as ends:
    expected = {n.removeprefix(f'{name}/').replace('|', '/'): ends[n]
                for n in ends.files if n.startswith(f'{name}/')}
  assert set(expected) == {n for n in found if n.startswith('model/')}
  for key, value in expected.items():
    # Another processor may round otherwise; another order of the data moves
    # the weights by 1e-2 and more.
    np.testing.assert_allclose(found[key], value, rtol=1e-3, atol=1e-4,
                               err_msg=key)


def test_all_names_of_0_4_are_known_to_gin():
  for name in json.loads((OLD / 'names.json').read_text()):
    assert gin_config._REGISTRY.get_match(name), name


def test_the_settings_of_the_files_are_those_of_0_4():
  with lzma.open(OLD / 'settings.json.xz', 'rt') as file:
    old = json.load(file)
  new = effective_settings.of_all_files()
  assert set(old) <= set(new)
  differing = {
      f'{name}: {setting}': (value, new[name].get(setting))
      for name, settings in old.items() for setting, value in settings.items()
      if new[name].get(setting) != value and not changed(name, setting)
      and not of_another_model(setting, new[name])
      # What had no use as it was has no default by now.
      and not (setting.endswith(REQUIRED) and setting not in new[name])}
  assert not differing


def of_another_model(setting, found):
  """Whether it is of a model that the file does not train.

  The nets of such a model are bound no longer.
  """
  owner = setting.split('.')[-2]
  model = found.get(MODEL, '').split('.')[-1]
  return owner in models.__all__ and owner != model


def changed(name, setting):
  """Whether a setting of a file was changed on purpose."""
  return any(name.startswith(file) and setting.endswith(ending)
             for file, ending in CHANGED)


# === The other commands ===


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:A Frechet distance of 64 features')
@pytest.mark.parametrize('name', RUNS)
def test_a_run_is_measured_as_before(tmp_path, capsys, name):
  _, _, protocol, bindings, _ = make.RUNS[name]
  path = unpacked(name, tmp_path)
  run = run_directory.RunDirectory(path)
  before = run.scores()
  result = tiny_commands.call(
      evaluate, capsys, f'--run_dir={path}', f'--protocol={protocol}',
      '--prior=own', *(f'--gin_param={b}' for b in bindings))
  assert result.status == 0, result.err
  after = run.scores()
  assert after[:len(before)] == before
  # A pair's distance names all that it is compared with since 0.14.
  others = ('value', 'split') if name == 'pairs' else ('value',)
  def keyed(rows):
    return {tuple(row[c] for c in scores.COLUMNS[:16] if c not in others):
            float(row['value']) for row in rows}
  old, new = keyed(before), keyed(after[len(before):])
  assert new and set(new) <= set(old)
  for key, value in new.items():
    assert value == pytest.approx(old[key], rel=1e-3), key


@pytest.mark.slow
@pytest.mark.parametrize('name', RUNS)
def test_a_run_is_exported(tmp_path, capsys, name):
  path = unpacked(name, tmp_path)
  result = tiny_commands.call(export, capsys, f'--run_dir={path}',
                              '--noverify')
  assert result.status == 0, result.err
  assert versions.numbers(path / 'export') == [1, 2]


@pytest.mark.slow
def test_runs_and_a_sweep_are_reported(tmp_path, capsys, runs):
  output = unpacked('sweep', tmp_path)
  result = tiny_commands.call(
      sweep, capsys, '--sweep=quick.sweep', f'--output_dir={output}',
      '--dry_run')
  assert result.status == 0, result.err
  for folders in ([output / 'vae' / 'seed-0', output / 'rae' / 'seed-0'],
                  list(runs.values())):
    page = tmp_path / 'page.html'
    result = tiny_commands.call(
        report, capsys, f'--output={page}', *folders)
    assert result.status == 0, result.err


@pytest.fixture(name='_no_gin', autouse=True)
def _clear_gin():
  yield
  gin.clear_config()
