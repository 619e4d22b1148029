"""What of a model without an encoder the contract does not hold."""
import contextlib
import io

import numpy as np
import pytest
import tiny_commands
import tiny_runs

from pgak.bin import report
from pgak.bin import train

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


def test_the_report_shows_it(run_dir, tmp_path, capsys):
  result = tiny_commands.call(report, capsys, str(run_dir),
                              f'--output={tmp_path / "report.html"}')
  assert result.status == 0, result.err
  text = ''.join(p.read_text() for p in tmp_path.glob('*.html'))
  assert 'Left out, because they have no encoder: SN-GAN.' in text
  assert 'Interpolations between samples of the prior' in text
