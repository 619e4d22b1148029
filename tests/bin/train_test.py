"""Tests of the train command, called in this process."""
import zipfile

import numpy as np
import pytest
import tensorflow as tf
import tiny_commands
import tiny_runs

from pgak.bin import train
from pgak.runs import run_directory


@pytest.fixture(name='photos')
def _photos(tmp_path):
  folder = tmp_path / 'photos'
  folder.mkdir()
  for i in range(20):
    pixels = np.full([9, 9, 1], 12 * i, np.uint8)
    (folder / f'{i}.png').write_bytes(tf.io.encode_png(pixels).numpy())
  return folder


def photo_flags(path, *bindings):
  return tiny_runs.flags(
      f'images.path = {str(path)!r}', 'train.steps = 2',
      'train.batch_size = 4', *bindings,
      files=['models/ae.gin', 'datasets/images.gin'])


def test_train_resume_and_finish(tmp_path, capsys):
  run_dir = f'--run_dir={tmp_path / "run"}'
  first = tiny_commands.call(
      train, capsys, run_dir, *tiny_runs.flags('train.steps = 2'))
  assert first.status == 0 and 'step 2/2' in first.out
  again = tiny_commands.call(
      train, capsys, run_dir, *tiny_runs.flags('train.steps = 2'))
  assert again.status == 0 and 'is finished: 2 of 2 steps' in again.out
  more = tiny_commands.call(
      train, capsys, run_dir, *tiny_runs.flags('train.steps = 4'))
  assert more.status == 0 and 'step 4/4' in more.out
  assert run_directory.RunDirectory(tmp_path / 'run').checkpoints() == [2, 4]
  assert 'latent_dim' in tiny_commands.refused(
      train, capsys, run_dir,
      *tiny_runs.flags('train.steps = 6', 'latent_dim = 5'))


@pytest.mark.parametrize('flags, status, named', [
    (['--gin_fiel=quickstart.gin'], 2, 'gin_fiel'),
    (['extra'], 2, 'extra'),
    ([], 1, '--gin_file=quickstart.gin'),
    (['--gin_file=quickstrat.gin'], 1, 'quickstrat.gin'),
    (['--gin_file=quickstart.gin', '--gin_param=train.stepz = 1'], 1, 'stepz'),
    (['--gin_file=quickstart.gin', '--gin_param=LPGA.kl'], 1, 'LPGA.kl'),
    (['--gin_file=quickstart.gin', '--gin_param=AE.updates = None'], 1, 'AE'),
    (['--gin_file=quickstart.gin', '--import=not_here'], 1, 'not_here'),
    (['--gin_file=quickstart.gin', '--gin_file=datasets/images.gin'], 1,
     'images.path'),
    (['--gin_file=quickstart.gin', '--gin_file=datasets/mnist.gin'], 1,
     '(28, 28, 1)'),
    (['--gin_file=quickstart.gin', '--data_dir=nowhere'], 1, 'data_dir'),
])
def test_a_wrong_command_is_one_sentence(
    tmp_path, capsys, flags, status, named):
  run_dir = tmp_path / 'run'
  assert named in tiny_commands.refused(
      train, capsys, f'--run_dir={run_dir}', *flags, status=status)
  assert not (run_dir / 'config.gin').exists()


def test_a_run_directory_must_be_given(capsys):
  assert '--run_dir' in tiny_commands.refused(
      train, capsys, '--gin_file=quickstart.gin', status=2)


def test_a_file_or_a_foreign_folder_is_no_run_directory(tmp_path, capsys):
  path = tmp_path / 'notes.txt'
  path.write_text('mine')
  for run_dir in (path, tmp_path, path / 'run'):
    assert str(run_dir) in tiny_commands.refused(
        train, capsys, f'--run_dir={run_dir}', *tiny_runs.flags())
  assert path.read_text() == 'mine'
  assert list(tmp_path.iterdir()) == [path]


def test_photographs_in_a_folder_and_in_a_zip(tmp_path, photos, capsys):
  archive = tmp_path / 'photos.zip'
  with zipfile.ZipFile(archive, 'w') as file:
    for path in photos.iterdir():
      file.write(path, path.name)
  for path in (photos, archive):
    result = tiny_commands.call(
        train, capsys, f'--run_dir={tmp_path / "run"}{path.suffix}',
        *photo_flags(path))
    assert result.status == 0, result.err


@pytest.mark.parametrize('damage', ['a picture', 'a zip', 'nothing'])
def test_damaged_photographs_are_named(tmp_path, photos, capsys, damage):
  path = photos
  if damage == 'a picture':
    broken = photos / '7.png'
    broken.write_bytes(broken.read_bytes()[:60])
    named = '7.png'
  elif damage == 'a zip':
    path = tmp_path / 'broken.zip'
    path.write_bytes(b'PK\x03\x04 and no more')
    named = 'broken.zip'
  else:
    path = tmp_path / 'absent'
    named = 'absent'
  line = tiny_commands.refused(
      train, capsys, f'--run_dir={tmp_path / "run"}', *photo_flags(path))
  assert named in line
  assert not (tmp_path / 'run' / 'config.gin').exists()


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 2')
  return run_directory.RunDirectory(path)


@pytest.mark.parametrize('name, text', [
    ('config.gin', 'train.steps = ='), ('config.gin', '\x00'),
    ('config.json', '{"data": '), ('config.json', '{}')])
def test_a_damaged_run_directory_is_named_and_kept(run, capsys, name, text):
  path = run.path / name
  kept = path.read_text()
  path.write_text(text)
  try:
    line = tiny_commands.refused(train, capsys, f'--run_dir={run.path}',
                                 *tiny_runs.flags('train.steps = 3'))
    assert name in line
    assert path.read_text() == text
    assert run.checkpoints() == [2]
  finally:
    path.write_text(kept)
