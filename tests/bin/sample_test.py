"""Tests of the sample command, called in this process."""
import shlex
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tiny_commands
import tiny_models
import tiny_runs

import pgak
from pgak.bin import export
from pgak.bin import sample
from pgak.serving import exporting


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 4', 'train.checkpoint_every = 2')
  return path


@pytest.fixture(name='export_dir', scope='module')
def _export_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('exports')
  exporting.export_model(tiny_models.make('VAE'), path, verified=False)
  return path


def draw(capsys, *flags):
  result = tiny_commands.call(sample, capsys, *flags)
  assert result.status == 0, result.err
  return result.out


def read_png(path):
  return tf.io.decode_png(path.read_bytes()).numpy()


def test_samples_as_an_array_repeat_by_seed(run_dir, tmp_path, capsys):
  flags = [f'--run_dir={run_dir}', '--num_samples=5', '--prior=own']
  arrays = []
  for name, seed in (('a', 1), ('b', 1), ('c', 2)):
    path = tmp_path / 'new' / f'{name}.npz'
    out = draw(capsys, *flags, f'--output={path}', f'--seed={seed}')
    assert str(path) in out
    with np.load(path) as file:
      arrays.append(file['images'])
      assert file['latents'].shape == (5, 3)
  assert arrays[0].shape == (5, 8, 8, 1) and arrays[0].dtype == np.uint8
  np.testing.assert_array_equal(arrays[0], arrays[1])
  assert np.any(arrays[0] != arrays[2])
  np.testing.assert_array_equal(
      arrays[0], pgak.load(run_dir).sample(5, seed=1).numpy())
  assert not list((tmp_path / 'new').glob('.*'))


def test_the_checkpoint_is_chosen(run_dir, tmp_path, capsys):
  images = []
  for step in (2, 4):
    path = tmp_path / f'{step}.npz'
    draw(capsys, f'--run_dir={run_dir}', f'--checkpoint={step}',
         f'--output={path}')
    with np.load(path) as file:
      images.append(file['images'])
  assert np.any(images[0] != images[1])


@pytest.mark.parametrize('kind', ['samples', 'interpolation', 'reconstruction'])
def test_pictures(run_dir, tmp_path, capsys, kind):
  path = tmp_path / f'{kind}.png'
  draw(capsys, f'--run_dir={run_dir}', f'--kind={kind}', f'--output={path}',
       '--num_samples=16')
  picture = read_png(path)
  assert picture.shape[-1] in (1, 3) and picture.std() > 0.


def test_reconstructions_as_an_array(run_dir, tmp_path, capsys):
  path = tmp_path / 'a.npz'
  draw(capsys, f'--run_dir={run_dir}', '--kind=reconstruction',
       f'--output={path}', '--num_samples=6', '--seed=2')
  with np.load(path) as file:
    assert file['originals'].shape == (6, 8, 8, 1)
    np.testing.assert_allclose(
        file['images'].astype(int),
        pgak.load(run_dir).reconstruct(file['originals']).numpy(), atol=1)


@pytest.mark.slow
def test_an_export_is_drawn_from(export_dir, tmp_path, capsys):
  paths = [tmp_path / f'{i}.npz' for i in range(2)]
  for path in paths:
    draw(capsys, f'--export_dir={export_dir}', f'--output={path}',
         '--num_samples=5', '--seed=1')
  with np.load(paths[0]) as one, np.load(paths[1]) as two:
    assert one['images'].shape == (5, *tiny_models.IMAGE_SHAPE)
    np.testing.assert_array_equal(one['images'], two['images'])
  draw(capsys, f'--export_dir={export_dir}/1', '--kind=interpolation',
       f'--output={tmp_path / "lines.png"}', '--num_samples=16')
  assert read_png(tmp_path / 'lines.png').ndim == 3


@pytest.mark.parametrize('flags, status, named', [
    (['--output=a.png', '--kind=sketch'], 2, 'kind'),
    (['--output=a.png', '--num_samples=0'], 2, 'num_samples'),
    (['--output=a.png', '--space=z0'], 2, '--kind=interpolation'),
    (['--output=a.png', '--line=spherical'], 2, '--kind=interpolation'),
    (['--output=a.png', '--kind=interpolation', '--split=tset'], 1, 'tset'),
    (['--output=a.png', '--attribute=label=3'], 2, '--kind=attribute'),
    (['--output=a.png', '--kind=attribute'], 1, '--attribute'),
    (['--output=a.png', '--kind=attribute', '--attribute=label=77'], 1,
     'label=9'),
    (['--output=a.png', '--kind=ood'], 1, '--against'),
    (['--output=a.png', '--kind=ood', '--against=digitz'], 1, 'digits'),
    (['--output=a.png', '--kind=ood', '--against=none.gin'], 1, 'none.gin'),
    (['--output=a.png', '--kind=ood', '--against=synthetic',
      '--gin_param=synthetic.sede = 1'], 1, 'sede'),
    (['--output=a.png', '--kind=interpolation', '--space=both',
      '--prior=gaussian'], 1, 'gaussian has no z_0'),
    (['--output=a.csv'], 1, 'a.csv'),
    (['--output=a.png', '--export_dir=b'], 2, 'either --run_dir or --export'),
    ([], 2, '--output'),
    (['--output=a.jpg'], 1, 'a.jpg'),
    (['--output=a.png', '--checkpoint=3'], 1, '[2, 4]'),
    (['--output=a.png', '--checkpoint=best'], 1, 'train.best_by'),
    (['--output=a.png', '--prior=Gauss'], 1, "no prior 'Gauss'"),
    (['--output=a.png', '--prior=gmm',
      '--gin_param=KernelDensity.bandwidth = 1.'], 1, 'never read'),
    (['--output=a.png', '--prior=gmm',
      '--gin_param=GaussianMixture.components = 1'], 1, 'components'),
    (['--output=a.png', '--prior=gmm',
      '--gin_param=GaussianMixture.num_components = 9999'], 1, 'too few'),
    (['--output=a.png', '--prior=kde',
      '--gin_param=density.source = "both"'], 1, 'density.source'),
    (['--output=a.png', '--gin_param=sample.kin = 1'], 1, 'kin'),
])
def test_a_wrong_flag_is_one_sentence(
    run_dir, tmp_path, monkeypatch, capsys, flags, status, named):
  monkeypatch.chdir(tmp_path)
  assert named in tiny_commands.refused(
      sample, capsys, f'--run_dir={run_dir}', *flags, status=status)
  assert not list(tmp_path.iterdir())


def test_a_density_is_fitted_and_kept(run_dir, tmp_path, capsys):
  mixture = ['--prior=gmm', '--gin_param=GaussianMixture.num_components = 3']
  latents = []
  for flags in (mixture, mixture, []):
    path = tmp_path / f'{len(latents)}.npz'
    draw(capsys, f'--run_dir={run_dir}', *flags, f'--output={path}',
         '--num_samples=5')
    with np.load(path) as arrays:
      latents.append(arrays['latents'])
  np.testing.assert_array_equal(latents[0], latents[1])
  assert np.abs(latents[0] - latents[2]).max() > 0.1
  kept, = (run_dir / 'densities').glob('gmm_3-step4-*.npz')
  with np.load(kept) as state:
    assert state['means'].shape == (3, 3)


def test_flags_of_the_latents(run_dir, tmp_path, capsys):
  outs = [
      draw(capsys, f'--run_dir={run_dir}', f'--output={tmp_path / name}',
           '--num_samples=16', *flags)
      for name, flags in (
          ('a.png', ['--kind=interpolation', '--space=both']),
          ('b.png', ['--kind=attribute', '--attribute=label=3',
                     '--gin_param=sample.strength = 2.']),
          ('c.png', ['--kind=ood', '--against=synthetic']),
          ('d.csv', ['--kind=ood', '--against=synthetic']))]
  assert 'z_0' in outs[0] and 'with the attribute' in outs[1]
  assert 'AUROC' in outs[2] and '32 rows' in outs[3]
  for name in ('a.png', 'b.png', 'c.png'):
    assert read_png(tmp_path / name).std() > 0


def test_arcs_between_images_of_a_split_with_a_density_that_has_no_z_0(
    run_dir, tmp_path, capsys):
  found = {}
  for flags in (['--split=train'], ['--split=train', '--line=spherical'], []):
    path = tmp_path / f'{len(found)}.npz'
    out = draw(capsys, f'--run_dir={run_dir}', f'--output={path}',
               '--kind=interpolation', '--num_samples=16', '--prior=gaussian',
               *flags)
    # The density is that of the prior; it has no part in the path.
    assert 'Mean log-density of the paths: z_T' in out
    with np.load(path) as arrays:
      found[len(found)] = dict(arrays)
  straight, arcs, validation = (f['latents'].reshape(2, 8, -1)
                                for f in found.values())
  np.testing.assert_allclose(arcs[:, [0, -1]], straight[:, [0, -1]], atol=1e-5)
  assert np.abs(arcs - straight).max() > 1e-3
  assert np.abs(validation - straight).max() > 1e-3


def test_an_export_goes_straight_and_holds_no_images(
    export_dir, tmp_path, capsys):
  flags = [f'--export_dir={export_dir}', f'--output={tmp_path / "a.png"}']
  assert 'straight in zT' in tiny_commands.refused(
      sample, capsys, *flags, '--kind=interpolation', '--space=z0', status=2)
  assert 'straight in zT' in tiny_commands.refused(
      sample, capsys, *flags, '--kind=interpolation', '--line=spherical',
      status=2)
  assert 'without data' in tiny_commands.refused(
      sample, capsys, *flags, '--kind=interpolation', '--split=test', status=2)
  assert 'use --run_dir' in tiny_commands.refused(
      sample, capsys, *flags, '--kind=latents')


@pytest.mark.parametrize('prior', ['--prior=gmm', '--prior=own'])
def test_an_export_keeps_its_density(export_dir, tmp_path, capsys, prior):
  assert '--prior to export' in tiny_commands.refused(
      sample, capsys, f'--export_dir={export_dir}', prior,
      f'--output={tmp_path / "a.png"}', status=2)


def test_a_split_that_is_not_shown_is_refused(run_dir, tmp_path, capsys):
  flags = [f'--run_dir={run_dir}', f'--output={tmp_path / "a.png"}']
  assert 'leave out --data and --split' in tiny_commands.refused(
      sample, capsys, *flags, '--split=train')
  draw(capsys, *flags, '--split=train', '--kind=reconstruction')


def test_neither_a_run_nor_an_export(capsys):
  assert 'either --run_dir or --export_dir' in tiny_commands.refused(
      sample, capsys, '--output=a.png', status=2)


@pytest.mark.parametrize('flag', ['run_dir', 'export_dir'])
def test_what_is_missing_is_named(tmp_path, capsys, flag):
  for path in (tmp_path / 'absent', tmp_path):
    assert str(path) in tiny_commands.refused(
        sample, capsys, f'--{flag}={path}', f'--output={tmp_path / "a.png"}')
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['metadata.json', 'saved_model.pb',
                                  'variables/variables.index'])
@pytest.mark.parametrize('content', [b'', b'\x00\xff damaged'])
def test_a_damaged_export_is_named(
    export_dir, tmp_path, capsys, name, content):
  copy = tmp_path / 'export'
  shutil.copytree(export_dir, copy)
  (copy / '1' / name).write_bytes(content)
  line = tiny_commands.refused(sample, capsys, f'--export_dir={copy}',
                               f'--output={tmp_path / "a.png"}')
  assert str(copy) in line and 'export the run again' in line


def test_an_existing_output_is_kept(run_dir, export_dir, tmp_path, capsys):
  for name in ('a.png', 'a.npz'):
    path = tmp_path / name
    path.write_text('mine')
    for source in (f'--run_dir={run_dir}', f'--export_dir={export_dir}'):
      line = tiny_commands.refused(sample, capsys, source, f'--output={path}')
      assert f'{path} exists' in line
    assert path.read_text() == 'mine'
  out = draw(capsys, f'--run_dir={run_dir}', f'--output={path}', '--overwrite')
  assert out.endswith(f'Wrote 64 images to {path}.\n'
                      f'Next: pgak_export --run_dir={run_dir} --prior=gmm\n')
  draw(capsys, f'--export_dir={export_dir}', f'--output={path}', '--overwrite',
       '--num_samples=3')
  with np.load(path) as file:
    assert len(file['images']) == 3


def test_the_next_command_exports_the_same_density(run_dir, tmp_path, capsys):
  kept = run_dir / 'densities'
  out = draw(capsys, f'--run_dir={run_dir}', f'--output={tmp_path / "a.png"}',
             '--prior=gmm', '--gin_param=GaussianMixture.num_components = 2',
             '--gin_param=density.round_trips = 1',
             '--gin_param=sample.seed = 3', '--checkpoint=2')
  before = sorted(kept.iterdir())
  command, *flags = shlex.split(out.splitlines()[-1].removeprefix('Next: '))
  assert command == 'pgak_export' and '--checkpoint=2' in flags
  result = tiny_commands.call(export, capsys, *flags)
  assert result.status == 0, result.err
  assert sorted(kept.iterdir()) == before


@pytest.mark.parametrize('name', ['a.png', 'a.npz'])
def test_an_output_that_cannot_be_written_is_named(
    run_dir, tmp_path, capsys, name):
  (tmp_path / 'file').write_text('mine')
  path = tmp_path / 'file' / name
  line = tiny_commands.refused(sample, capsys, f'--run_dir={run_dir}',
                               f'--output={path}')
  assert str(path) in line
