"""Faces of one's own after training: latents, figures, a run to give away."""
import csv
import os
import zipfile

import numpy as np
import pytest
import tiny_commands
import tiny_runs

import pgak
from pgak.bin import encode
from pgak.bin import export
from pgak.bin import pack
from pgak.bin import sample
from pgak.bin import train

REAL = os.environ.get('PGAK_TEST_DATA')


def _call(binary, capsys, *flags):
  result = tiny_commands.call(binary, capsys, *flags)
  assert result.status == 0, result.err
  return result.out


@pytest.fixture(name='faces')
def _faces(tmp_path):
  """Two zips of sixty faces each."""
  if not REAL:
    pytest.skip('PGAK_TEST_DATA is not set')
  original = f'{REAL}/celeba_subset/img_align_celeba_half.zip'
  with zipfile.ZipFile(original) as file:
    names = sorted(file.namelist())
    for i in range(2):
      with zipfile.ZipFile(tmp_path / f'faces{i}.zip', 'w') as part:
        for name in names[60 * i:60 * (i + 1)]:
          part.writestr(name, file.read(name))
  return [tmp_path / f'faces{i}.zip' for i in range(2)]


@pytest.mark.slow
@pytest.mark.exhaustive
def test_from_faces_to_a_run_that_others_open(faces, tmp_path, capsys):
  runs = tmp_path / 'first', tmp_path / 'second'
  small = ('--size=16', '--gin_param=train.xla = False',
           '--gin_param=base_filters = 4', '--model=vae')
  _call(train, capsys, f'--run_dir={runs[0]}', f'--data={faces[0]}',
        '--steps=3', *small)
  out = _call(train, capsys, f'--run_dir={runs[1]}', f'--data={faces[1]}',
              '--steps=2', '--latent_dim=5', f'--warm_start={runs[0]}:3',
              *small)
  assert f'Warm start: averaged weights of {runs[0]} at step 3' in out
  assert 'not latents/kernel' in out
  # The second run is given away; its data are not.
  packed = tmp_path / 'faces.zip'
  _call(pack, capsys, f'--run_dir={runs[1]}', f'--output={packed}')
  with zipfile.ZipFile(packed) as file:
    assert not any(str(tmp_path).encode() in file.read(name)
                   for name in file.namelist())
  faces[1].unlink()
  out = _call(encode, capsys, f'--run_dir={packed}', f'--data={faces[0]}',
              f'--output={tmp_path / "it.csv"}', '--data_dir=nowhere')
  assert f'--data={faces[0]} --kind=reconstruction' in out
  with open(tmp_path / 'it.csv', encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  assert len(rows) == 60 and rows[0]['name'].endswith('.jpg')
  assert {'log_prob', 'latent_4'} < set(rows[0]) and 'latent_5' not in rows[0]
  _call(sample, capsys, f'--run_dir={packed}', f'--data={faces[0]}',
        '--kind=log_density', f'--output={tmp_path / "ranked.csv"}',
        '--data_dir=nowhere')
  with open(tmp_path / 'ranked.csv', encoding='utf-8') as file:
    ranked = [float(row['log_density']) for row in csv.DictReader(file)]
  np.testing.assert_allclose(
      sorted(ranked), sorted(float(row['log_prob']) for row in rows), rtol=1e-4)
  _call(sample, capsys, f'--run_dir={packed}', f'--data={faces[0]}',
        '--kind=reconstruction', f'--output={tmp_path / "faces.png"}')
  _call(export, capsys, f'--run_dir={packed}', f'--output={tmp_path / "e"}',
        '--noverify')
  assert (tmp_path / 'e/1/saved_model.pb').exists()
  assert pgak.load(packed).sample(2).shape == (2, 16, 16, 3)


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'run'
  tiny_runs.train(path, 'train.steps = 1')
  return path


@pytest.mark.parametrize('binary, flags, status, match', [
    (export, ['--run_dir={packed}'], 2, 'give --output'),
    (sample, ['--output=a.npz', '--data=x/', '--run_dir={run}'], 2,
     '--data belongs to --kind=interpolation or reconstruction'),
    (sample, ['--output=a.npz', '--data=x/', '--export_dir=e',
              '--kind=reconstruction'], 2, 'An export is drawn from without'),
    (sample, ['--output=a.npz', '--data=x/y', '--kind=reconstruction',
              '--run_dir={run}'], 1, 'There is nothing at x/y'),
    (encode, ['--output=a.npz', '--data=digits', '--run_dir=nowhere'], 1,
     'is not a run directory'),
    (pack, ['--output=a.zip', '--run_dir={packed}'], 1,
     'is not a run directory')])
def test_what_cannot_be_is_one_sentence(
    run_dir, tmp_path, capsys, binary, flags, status, match):
  packed = tmp_path / 'me.zip'
  pgak.pack(run_dir, packed)
  told = tiny_commands.refused(
      binary, capsys, *(f.format(run=run_dir, packed=packed) for f in flags),
      status=status)
  assert match in told
