"""A run as a zip to give away, and zips from anyone."""
import io
import json
import shutil
import stat
import zipfile

import numpy as np
import pytest
import tiny_runs

import pgak
from pgak import errors
from pgak import reporting
from pgak.priors import ex_post
from pgak.runs import checkpoints
from pgak.runs import gin_text
from pgak.runs import packs
from pgak.runs import plain_paths
from pgak.runs import run_directory
from pgak.runs import score_files
from pgak.training import warm_start


@pytest.fixture(name='run_dir', scope='module')
def _run_dir(tmp_path_factory):
  """A run with averages and a fitted density."""
  root = tmp_path_factory.mktemp('runs')
  path = root / 'run'
  tiny_runs.train(
      path, 'train.steps = 2', 'train.checkpoint_every = 1',
      'sgd.ema_decay = 0.5')
  checkpoints.load(path, prior='gaussian')
  return path


@pytest.fixture(name='packed', scope='module')
def _packed(run_dir):
  return pgak.pack(run_dir, run_dir.parent / 'me.zip')


def test_a_packed_run_is_the_run(run_dir, packed, monkeypatch):
  model = checkpoints.load(run_dir, prior='gaussian')
  monkeypatch.setattr(ex_post, 'encode', None)  # The density is in the zip.
  found = pgak.load(packed, prior='gaussian')
  for part, net in model.parts.items():
    for variable, other in zip(net.variables, found.parts[part].variables):
      np.testing.assert_array_equal(variable.numpy(), other.numpy())
  assert int(found.step.numpy()) == 2
  np.testing.assert_array_equal(model.sample(3, seed=1),
                                found.sample(3, seed=1))


def test_a_packed_run_is_measured_into_a_file_of_ones_own(packed, tmp_path):
  flags = {'metrics': ['reconstruction_mse'], 'prior': 'own',
           'gin_param': ['quick.num_samples = 20']}
  before = packed.read_bytes()
  found = pgak.load(packed).evaluate('quick', **flags)
  kept = tmp_path / 'me.csv'
  for number in (1, 2):
    again = pgak.evaluate(packed, 'quick', output=kept, **flags)
    assert [dict(score) for score in again] == [dict(score) for score in found]
    rows = score_files.read(kept)
    assert len(rows) == number * len(found) > 0
    assert float(rows[-1]['value']) == found[-1]['value']
  assert packed.read_bytes() == before
  with pytest.raises(errors.UserError, match='must end with .csv'):
    pgak.evaluate(packed, 'quick', output=tmp_path / 'me.txt', **flags)
  with pytest.raises(errors.UserError, match='unzip .*me.zip -d me'):
    reporting.write_report(tmp_path / 'page.html', [packed])


def test_what_is_no_checkpoint_is_measured_by_no_protocol(packed):
  model = pgak.load(packed)
  model.step.assign_add(1)
  with pytest.raises(errors.UserError, match='measures a checkpoint'):
    model.evaluate('quick')


def test_a_packed_run_says_nothing_of_the_machine(run_dir, tmp_path):
  copy = tmp_path / 'copy'
  shutil.copytree(run_dir, copy)
  config = json.loads((copy / 'config.json').read_text())
  config['warm_start'] = {'run': f'{tmp_path}/earlier', 'step': 1}
  (copy / 'config.json').write_text(json.dumps(config))
  with open(copy / 'config.gin', 'a', encoding='utf-8') as file:
    file.write(f'images.path = "{tmp_path}/my photos"\n'
               "data_dir = '~/tensorflow_datasets'\n")
  packed = pgak.pack(copy, tmp_path / 'me.zip')
  with zipfile.ZipFile(packed) as file:
    content = {name: file.read(name) for name in file.namelist()}
  assert sorted(content) == [
      'MODEL_CARD.md', 'checkpoints/step-00000002/weights.npz', 'config.gin',
      'config.json', next(n for n in content if n.startswith('densities/'))]
  for name, data in content.items():
    for told in (str(tmp_path), str(run_dir.parent), '~/'):
      assert told.encode() not in data, (name, told)
  assert b"images.path = 'my photos'" in content['config.gin']
  config = json.loads(content['config.json'])
  assert config['warm_start'] == {'run': 'earlier', 'step': 1}
  assert 'devices' not in config
  card = content['MODEL_CARD.md'].decode()
  assert '# AE of digits' in card and 'step 2 of 2, averaged weights' in card
  with np.load(io.BytesIO(
      content['checkpoints/step-00000002/weights.npz'])) as arrays:
    assert not [n for n in arrays.files if 'momentum' in n or 'average' in n]


def test_another_checkpoint_can_be_packed_and_warm_started_from(
    run_dir, tmp_path):
  pgak.pack(run_dir, tmp_path / 'one.zip', checkpoint=1)
  with zipfile.ZipFile(tmp_path / 'one.zip') as file:
    assert 'checkpoints/step-00000001/weights.npz' in file.namelist()
    assert not any(n.startswith('densities/') for n in file.namelist())
  model = checkpoints.load(run_dir)
  record, _ = warm_start.take(model, tmp_path / 'one.zip')
  assert record['taken'] == {'encoder': [8, 8], 'decoder': [8, 8]}


def _again(packed, path, change):
  """Writes a pack anew with its members, `{name: bytes}`, changed."""
  with zipfile.ZipFile(packed) as file:
    members = {name: file.read(name) for name in file.namelist()}
  change(members)
  with zipfile.ZipFile(path, 'w') as file:
    for name, data in members.items():
      file.writestr(name, data)
  return path


@pytest.mark.parametrize('is_old', [False, True])
def test_a_packed_run_opens_with_what_was_not_read(run_dir, tmp_path, is_old):
  copy = tmp_path / 'copy'
  shutil.copytree(run_dir, copy)
  with open(copy / 'config.gin', 'a', encoding='utf-8') as file:
    # As a file for CelebA has it, on other data.
    file.write('images.crop = 140\nceleb_a.crop = 140\n')
  packed = pgak.pack(copy, tmp_path / 'me.zip')
  # Versions up to 0.12.0 kept no line between what was read and the rest.
  if is_old:
    def without_line(members):
      text = members['config.gin']
      assert gin_text.NOT_READ.encode() in text
      members['config.gin'] = text.replace(gin_text.NOT_READ.encode(), b'')
    packed = _again(packed, tmp_path / 'old.zip', without_line)
  assert pgak.load(packed).sample(1).shape == (1, 8, 8, 1)


def _put(name, data=b''):
  return lambda members: members.__setitem__(name, data)


def _link():
  info = zipfile.ZipInfo('scores.csv')
  info.external_attr = (stat.S_IFLNK | 0o777) << 16
  return info


WEIGHTS = 'checkpoints/step-00000002/weights.npz'


@pytest.mark.parametrize('change, match', [
    (_put('../outside.py'), "the member '../outside.py'"),
    (_put('/etc/outside'), "the member '/etc/outside'"),
    (_put('densities/../../x.npz'), 'which no packed run has'),
    (_put('evil.py'), "the member 'evil.py'"),
    (_put(_link(), b'/etc/passwd'), 'is a link'),
    (lambda m: m.pop('config.json'), 'it has no config.json'),
    (lambda m: m.pop(WEIGHTS), 'it has no weights.npz')])
def test_a_foreign_zip_is_refused_in_a_sentence(
    packed, tmp_path, change, match):
  path = _again(packed, tmp_path / 'bad.zip', change)
  with pytest.raises(errors.UserError, match=match) as caught:
    pgak.load(path)
  assert 'have it packed again' in str(caught.value)


def _pickled():
  file = io.BytesIO()
  np.savez(file, **{'encoder/conv2d/kernel': np.array([{}], object)})
  return file.getvalue()


@pytest.mark.parametrize('change, match', [
    (_put(WEIGHTS, b'PK'), 'weights of the packed run are damaged'),
    (_put(WEIGHTS, _pickled()), 'weights of the packed run are damaged'),
    (_put('config.gin', b'import evil\n'), '--import=evil'),
    (_put('config.gin', b"include '/etc/passwd'\n"), 'includes')])
def test_what_is_in_a_zip_runs_no_code(packed, tmp_path, change, match):
  path = _again(packed, tmp_path / 'bad.zip', change)
  with pytest.raises(errors.UserError, match=match):
    pgak.load(path)


def test_a_zip_that_is_cut_or_none_is_told(packed, tmp_path):
  for size in (10, packed.stat().st_size // 2):
    (tmp_path / f'{size}.zip').write_bytes(packed.read_bytes()[:size])
    with pytest.raises(errors.UserError, match='no whole zip'):
      pgak.load(tmp_path / f'{size}.zip')


def test_a_zip_that_claims_too_much_is_refused(packed, monkeypatch, tmp_path):
  monkeypatch.setattr(packs, 'MAX_BYTES', 1000)
  path = _again(packed, tmp_path / 'large.zip', lambda m: None)
  with pytest.raises(errors.UserError, match='unpacks to more than'):
    pgak.load(path)


def test_an_output_that_cannot_be_is_told(run_dir, packed, tmp_path):
  run = run_directory.RunDirectory(run_dir)
  with pytest.raises(errors.UserError, match='give --overwrite'):
    packs.pack(run, packed)
  with pytest.raises(errors.UserError, match='ends with .zip'):
    packs.pack(run, tmp_path / 'me.tar')
  with pytest.raises(errors.UserError, match='packed run.*give --output'):
    pgak.export(packed)


@pytest.mark.parametrize('text, expected', [
    ('/home/me/photos/', 'photos'), ('~/data', 'data'), ('C:\\a\\b', 'b'),
    ('cycle_gan/horse:1.0.0', 'cycle_gan/horse:1.0.0'), ('/', ''),
    ({'path': 'runs/a', 'crop': 5}, {'path': 'a', 'crop': 5})])
def test_paths_are_reduced_to_names(text, expected):
  assert plain_paths.reduced(text) == expected
