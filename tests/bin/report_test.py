"""Tests of the report command, called in this process."""
import pytest
import tiny_commands
import tiny_reports
import tiny_runs

from pgak.bin import report


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'mine'
  tiny_runs.train(path, 'train.steps = 2', 'train.log_every = 1',
                  'train.sample_every = 2')
  return path


def test_a_report_with_latents(run_dir, tmp_path, capsys):
  output = tmp_path / 'a.html'
  result = tiny_commands.call(
      report, capsys, run_dir, f'--output={output}', '--data_dir=unused')
  assert result.status == 0, result.err
  assert result.out.splitlines() == [f'{run_dir}: It has no scores.',
                                     f'Wrote {output}.',
                                     f'Next: python -m webbrowser {output}']
  names = {p.name for p in (tmp_path / 'a_files').iterdir()}
  assert {'latents_0_ae.png', 'samples_0_gaussian_ae.png',
          'curve_digits_train_loss_0.png'} <= names
  text = (tmp_path / 'a.md').read_text()
  assert 'step 2; drawn from gaussian' in text
  assert 'samples of a Gaussian fitted to the latents' in text
  assert 'No run has scores yet' in text and 'of the variance' in text
  assert f'pgak_train --run_dir={run_dir}' in text
  assert str(run_dir) in output.read_text()


def test_many_runs_without_latents(run_dir, tmp_path, capsys):
  other = tiny_reports.make(tmp_path / 'runs' / 'b', 'VAE', events=False)
  output = tmp_path / 'a.html'
  result = tiny_commands.call(report, capsys, '--nolatents', run_dir,
                              f'--output={output}', other.parent)
  assert result.status == 0, result.err
  text = (tmp_path / 'a.md').read_text()
  assert '2 runs of 2 configurations on digits, mnist' in text
  assert 'Latents and prior' not in text


@pytest.mark.parametrize('flags, status, named', [
    ([], 2, '--output must be given'),
    (['--output=a.html'], 2, 'At least one RUN_DIR must be given'),
    (['--output=a.html', 'absent'], 1, 'absent'),
    (['--output=a.txt', 'absent'], 1, 'a.txt must end with .html'),
    (['--output=a.html', '--latent', 'absent'], 2, 'latent'),
])
def test_a_wrong_flag_is_one_sentence(tmp_path, capsys, monkeypatch, flags,
                                      status, named):
  monkeypatch.chdir(tmp_path)
  assert named in tiny_commands.refused(report, capsys, *flags, status=status)
  assert not list(tmp_path.iterdir())
