"""A model without an encoder, from training to its report: each command.

What needs an encoder is left out, and named.
"""
import contextlib
import io
import json

import numpy as np
import pytest
import tiny_commands
import tiny_runs

import pgak
from pgak import errors
from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import report
from pgak.bin import sample
from pgak.bin import train
from pgak.runs import run_directory
from pgak.serving import client

pytestmark = pytest.mark.slow

FILES = ('models/sn_gan.gin',)
SETTINGS = ('train.steps = 4', 'train.checkpoint_every = 2',
            'train.sample_every = 4', 'SNGAN.critic_steps = 2',
            'batch_norm = True')
QUICK = ('--num_samples=70', '--gin_param=classifier.steps = 20')


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  """A run, its model and what training printed."""
  path = tmp_path_factory.mktemp('runs') / 'gan'
  with contextlib.redirect_stdout(io.StringIO()) as out:
    model = tiny_runs.train(path, *SETTINGS, files=FILES)
  return path, model, out.getvalue()


@pytest.fixture(name='run_dir')
def _run_dir(trained):
  return trained[0]


@pytest.fixture(name='exported', scope='module')
def _exported(trained, tmp_path_factory):
  """An export that a fresh process has checked, and what was printed."""
  path = tmp_path_factory.mktemp('export')
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr('sys.argv', ['export', f'--run_dir={trained[0]}',
                               f'--output={path}'])
    with contextlib.redirect_stdout(io.StringIO()) as out:
      export.run()
  return path, out.getvalue()


@pytest.fixture(name='export_dir')
def _export_dir(exported):
  return exported[0]


def test_training_draws_lines_between_draws_of_the_prior(trained):
  path, _, printed = trained
  names = sorted(p.name for p in (path / 'samples').iterdir())
  assert names == ['prior_interpolations_00000004.png', 'samples_00000004.png']
  assert ('sn_gan has no encoder: reconstructions and interpolations between '
          'images are left out.') in printed


def test_batch_norm_of_the_decoder_is_that_of_the_prior(trained):
  _, model, _ = trained
  norms = [layer for layer in model.decoder.layers
           if hasattr(layer, 'moving_mean')]
  assert norms and all(np.abs(n.moving_mean.numpy()).max() > 0. for n in norms)
  assert not any(hasattr(layer, 'moving_mean')
                 for layer in model.image_critic.layers)


def test_no_checkpoint_is_the_best_by_what_is_not_there(tmp_path, capsys):
  line = tiny_commands.refused(
      train, capsys, f'--run_dir={tmp_path / "run"}', *tiny_runs.flags(
          *SETTINGS, 'train.best_by = "validation_reconstruction"',
          'train.validate_every = 2', files=FILES))
  assert 'a term that sn_gan has not: choose validation_loss' in line


def test_it_resumes_where_it_was(run_dir, tmp_path):
  whole = tiny_runs.saved(run_dir, 4)
  path = tmp_path / 'run'
  tiny_runs.train(path, 'train.steps = 2', *SETTINGS[1:], files=FILES)
  tiny_runs.train(path, *SETTINGS, files=FILES)
  for name, value in tiny_runs.saved(path, 4).items():
    np.testing.assert_allclose(value, whole[name], rtol=1e-5, atol=1e-6,
                               err_msg=name)


def test_the_evaluation_measures_samples_alone(run_dir, capsys):
  result = tiny_commands.call(
      evaluate, capsys, f'--run_dir={run_dir}', '--protocol=rae_quick',
      '--latents', *QUICK)
  assert result.status == 0, result.err
  line, = (x for x in result.out.splitlines() if 'left out' in x)
  for name in ('reconstructions', 'interpolations', 'reconstruction',
               'latent_match', 'gmm'):
    assert name in line.replace(',', ' ').split(), name
  assert line.startswith('sn_gan has no encoder: ')
  rows = run_directory.RunDirectory(run_dir).scores()
  assert {r['images'] for r in rows} == {'samples'}
  assert {r['prior'] for r in rows} == {'standard_normal'}
  assert 'frechet_digits_classifier' in {r['metric'] for r in rows}


@pytest.mark.parametrize('flag, what', [
    ('--prior=gmm', 'the density gmm, fitted to latents'),
    ('--metrics=reconstruction_mse', 'the metric reconstruction_mse')])
def test_what_is_asked_for_by_name_is_refused(run_dir, capsys, flag, what):
  line = tiny_commands.refused(evaluate, capsys, f'--run_dir={run_dir}', flag,
                               *QUICK)
  assert line.startswith(f'sn_gan has no encoder, which {what}')


def test_it_draws_samples_and_lines(run_dir, export_dir, tmp_path, capsys):
  for source in (f'--run_dir={run_dir}', f'--export_dir={export_dir}'):
    for kind in ('samples', 'interpolation'):
      path = tmp_path / f'{kind}{len(list(tmp_path.iterdir()))}.npz'
      result = tiny_commands.call(sample, capsys, source, f'--kind={kind}',
                                  '--num_samples=16', f'--output={path}')
      assert result.status == 0, result.err
      with np.load(path) as file:
        assert file['images'].shape == (16, 8, 8, 1)
        if kind == 'interpolation':
          drawn = pgak.load(run_dir).sample(4)
          ends = np.concatenate([file['images'][::8], file['images'][7::8]])
          np.testing.assert_allclose(ends.astype(int), drawn, atol=1)


@pytest.mark.parametrize('kind', ['reconstruction', 'latents', 'paths',
                                  'log_density', 'attribute'])
def test_the_kinds_that_need_an_encoder(run_dir, tmp_path, capsys, kind):
  line = tiny_commands.refused(
      sample, capsys, f'--run_dir={run_dir}', f'--kind={kind}',
      f'--output={tmp_path / "x.png"}', *(
          ['--attribute=label=1'] if kind == 'attribute' else []))
  assert line.startswith(f'sn_gan has no encoder, which --kind={kind} needs')


def test_a_density_that_needs_no_latents_is_taken(run_dir, tmp_path, capsys):
  flags = [f'--run_dir={run_dir}', f'--output={tmp_path / "x.npz"}']
  line = tiny_commands.refused(sample, capsys, *flags, '--prior=gmm')
  assert 'which the density gmm, fitted to latents, needs' in line
  result = tiny_commands.call(sample, capsys, *flags, '--prior=standard_normal')
  assert result.status == 0, result.err


def test_the_export_answers_what_is_left(run_dir, export_dir):
  version = client.find_version(export_dir)
  metadata = json.loads((version / 'metadata.json').read_text())
  left_out = ['encode', 'encode_image', 'interpolate', 'reconstruct']
  assert metadata['left_out'] == left_out
  assert set(metadata['signatures']) == {
      'decode', 'generate', 'generate_png', 'log_prob', 'sample_latents',
      'serving_default'}
  served = client.ServedModel(export_dir)
  np.testing.assert_allclose(served.sample(5, seed=1).astype(int),
                             pgak.load(run_dir).sample(5, seed=1), atol=1)
  images = np.zeros([2, 8, 8, 1], np.uint8)
  for function, arguments in ((served.encode, [images]),
                              (served.reconstruct, [images]),
                              (served.interpolate, [images, images, 3])):
    with pytest.raises(errors.UserError, match='a model without an encoder'):
      function(*arguments)


def test_the_export_command_names_what_is_left_out(exported):
  assert ('sn_gan has no encoder: the signatures encode, encode_image, '
          'interpolate, reconstruct are left out.') in exported[1]


def test_the_report_shows_it(run_dir, tmp_path, capsys):
  result = tiny_commands.call(report, capsys, str(run_dir),
                              f'--output={tmp_path / "report.html"}')
  assert result.status == 0, result.err
  text = ''.join(p.read_text() for p in tmp_path.glob('*.html'))
  assert 'Left out, because they have no encoder: SN-GAN.' in text
  assert 'Interpolations between draws of the prior' in text
