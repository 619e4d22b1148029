"""What a train command is composed of: gin files, chosen values, flags."""
import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

import pgak
from pgak import errors
from pgak import registry
from pgak.runs import data_set
from pgak.runs import named_files
from pgak.training import bindings
from pgak.training import chosen
from pgak.training import composition
from pgak.training import resuming

registry.register()


@pytest.fixture(name='photos')
def _photos(tmp_path):
  """Thirty colour pictures, most of them 40 pixels a side, one smaller."""
  folder = tmp_path / 'photos'
  folder.mkdir()
  for i in range(30):
    pixels = np.full([9 if i == 7 else 40, 40, 3], 8 * i, np.uint8)
    pixels[0, 0] = 255 - 8 * i
    (folder / f'{i}.png').write_bytes(tf.io.encode_png(pixels).numpy())
  return folder


def test_all_is_chosen_from_photographs(photos):
  made = composition.compose({'data': str(photos), 'model': 'rae'})
  assert made.files == ['base.gin', 'datasets/images.gin', 'networks/conv.gin',
                        'models/rae.gin', 'recipes/modern.gin']
  found = {setting: value for setting, value, _ in made.settings}
  # 29 of 30 have 32 pixels on both sides, and 95 % are asked for.
  assert found['image_shape'] == '(32, 32, 3)'
  assert found['images.path'] == repr(str(photos))
  assert found['latent_dim'] == '16' and found['train.steps'] == '2000'
  assert int(found['train.batch_size']) < 30
  assert found['train.checkpoint_every'] == '200'
  assert found['adam.ema_decay'] == '0.99'
  origins = {setting: origin for setting, _, origin in made.settings}
  assert origins['images.path'] == '--data'
  assert origins['latent_dim'] == 'chosen'
  # It is gin, whole: parsed alone, it says the same.
  made.parse(roots=registry.train_roots)
  assert gin.query_parameter('train.steps') == 2000
  assert 'Model     rae           --model' in made.summary()


@pytest.mark.parametrize('flags, files', [
    ({'data': 'cifar10'}, ['quickstart.gin', 'datasets/cifar10.gin']),
    ({'model': 'vae', 'recipe': 'pga'},
     ['quickstart.gin', 'models/vae.gin', 'recipes/pga.gin']),
    ({'network': 'networks/mlp.gin'}, ['quickstart.gin', 'networks/mlp.gin'])])
def test_on_top_of_gin_files_nothing_is_chosen(flags, files):
  made = composition.compose(flags, ['quickstart.gin'])
  assert made.files == files


def test_with_a_whole_recipe_nothing_is_chosen():
  made = composition.compose({'recipe': 'best_mnist'})
  assert made.files == ['recipes/best_mnist.gin'] and not made.settings
  made = composition.compose({
      'recipe': 'best_mnist', 'data': 'fashion_mnist', 'model': 'rae',
      'steps': 9})
  assert made.files == ['recipes/best_mnist.gin', 'datasets/fashion_mnist.gin',
                        'models/rae.gin']
  assert made.settings == [('train.steps', '9', '--steps')]
  made.parse(roots=registry.train_roots)
  assert gin.query_parameter('latent_dim/macro.value') == 128
  # Others are put on top of what is chosen for the data, or need data.
  with pytest.raises(errors.UserError, match='begin with --data=photos/'):
    composition.compose({'recipe': 'modern'})


def test_what_a_flag_replaces_is_said():
  made = composition.compose({'model': 'vae'}, ['quickstart.gin'])
  assert made.told == [('Model', 'vae', '--model; quickstart.gin has VPGA')]


def test_the_size_keeps_the_channels():
  made = composition.compose({'size': '48x64'}, ['quickstart.gin'])
  assert made.settings == [('image_shape', '(48, 64, 1)', '--size')]
  with pytest.raises(errors.UserError, match='--size=big must be'):
    composition.compose({'size': 'big'}, ['quickstart.gin'])


def test_without_data_and_files_the_way_in_is_said():
  with pytest.raises(errors.UserError, match='begin with --data=photos/'):
    composition.compose({'model': 'rae'})


@pytest.mark.parametrize('flag, value, meant', [
    ('model', 'RAE', 'did you mean rae'), ('network', 'convv', 'conv'),
    ('recipe', 'nothing', 'pgak_list recipes')])
def test_names_are_exact(flag, value, meant):
  with pytest.raises(errors.UserError, match=meant):
    named_files.named(flag, value)


def test_a_name_that_is_a_path_here_is_an_error(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  assert named_files.data('mnist') == ('datasets/mnist.gin', {})
  assert named_files.data('tfds:a/b:1.0.0') == (
      'datasets/tfds.gin', {'tfds.name': 'a/b:1.0.0'})
  (tmp_path / 'mnist').mkdir()
  with pytest.raises(errors.UserError, match='write ./mnist'):
    named_files.data('mnist')
  with pytest.raises(errors.UserError, match='nothing at photos/'):
    named_files.data('photos/')
  for value, match in (('', 'is empty'), ('https://x/a.zip', 'download what')):
    with pytest.raises(errors.UserError, match=match):
      named_files.data(value)


def test_a_run_goes_on_with_what_was_chosen():
  text = composition.Composition(
      {'data': 'mnist', 'steps': 40}, ['quickstart.gin'],
      [('train.steps', '40', '--steps')]).text
  same = composition.resume(text, {'steps': 40})
  assert same.text == text
  more = composition.resume(text, {'steps': 60, 'seed': 2})
  more.parse(roots=registry.train_roots)
  assert gin.query_parameter('train.steps') == 60
  assert gin.query_parameter('train.seed') == 2
  # Once more: what was changed is kept, too.
  assert composition.resume(more.text, {'steps': 60}).text == more.text


def test_a_flag_that_was_given_before_wins_over_what_came_in_between():
  made = composition.compose({'steps': 40}, ['quickstart.gin'])
  later = composition.resume(made.text, {})
  later.params.append('train.steps = 60')
  again = composition.resume(later.text, {'steps': 40})
  again.parse(roots=registry.train_roots)
  assert gin.query_parameter('train.steps') == 40
  # A file, too: each command's flags win over all files.
  made = composition.compose({'steps': 40}, ['quickstart.gin'])
  other = composition.resume(made.text, {'steps': 40, 'recipe': 'pga'})
  assert other.text.splitlines()[-1].startswith('train.steps = 40')


def test_a_flag_and_a_binding_of_one_setting_are_told():
  made = composition.compose({'steps': 40}, ['quickstart.gin'])
  for same in (made, composition.resume(made.text, {'steps': 40})):
    told = bindings.twice(same.settings, ['train.seed=1', 'train.steps = 60'])
    assert told.startswith(
        "--steps and --gin_param='train.steps = 60' set the same")
    assert not bindings.twice(same.settings, ['train.seed = 60'])


def test_data_that_were_moved_are_found_by_the_same_flag(photos, monkeypatch):
  flags = {'data': photos.name + '/'}
  monkeypatch.chdir(photos.parent)
  text = composition.compose(flags, ['quickstart.gin']).text
  assert composition.resume(text, flags).text == text
  moved = photos.parent / 'moved'
  moved.mkdir()
  photos.rename(moved / photos.name)
  # Where there is nothing of that name, it is as it was.
  assert composition.resume(text, flags).text == text
  monkeypatch.chdir(moved)
  composition.resume(text, flags).parse(roots=registry.train_roots)
  assert gin.query_parameter('images.path') == str(moved / photos.name)


@pytest.mark.parametrize('shape, expected', [
    ((8, 8, 1), 8), ((32, 32, 3), 16), ((64, 64, 3), 64), ((128, 128, 3), 128),
    ((3,), 2), ((100,), 8)])
def test_latent_dimensions_by_size(shape, expected):
  assert chosen.latent_dim(shape) == expected


@pytest.mark.parametrize('train, steps', [
    (100, 2000), (60000, 18800), (10**6, 20000)])
def test_steps_are_twenty_passes_within_bounds(train, steps):
  data = chosen.Data((8, 8, 1), None, train)
  assert chosen.steps(data, 64) == steps


def test_arrays_are_prepared_once_at_the_size_that_is_asked_for(
    tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  np.save(tmp_path / 'a.npy', np.zeros([40, 12, 12, 3], np.uint8))
  made = composition.compose({'data': str(tmp_path / 'a.npy'), 'size': '8'})
  assert ('image_shape', '(8, 8, 3)', '--size') in made.settings
  prepared, = (tmp_path / 'cache/data').glob('*.images')
  assert prepared.stat().st_size == 40 * 8 * 8 * 3


@pytest.mark.parametrize('flag, value', [
    ('attributes', 'a.csv'), ('download', True)])
def test_a_flag_that_the_data_do_not_read_is_named(
    tmp_path, monkeypatch, flag, value):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  np.save(tmp_path / 'a.npy', np.zeros([40, 8, 8, 3], np.uint8))
  made = composition.compose({'data': str(tmp_path / 'a.npy'), flag: value})
  with pytest.raises(errors.UserError, match=f'^--{flag} is never read'):
    made.parse(roots=registry.train_roots)


@pytest.mark.parametrize('flags, files, setting', [
    ({}, ['quickstart.gin', 'datasets/cifar10.gin'], 'cifar10.download'),
    ({'data': 'mnist'}, ['quickstart.gin'], 'mnist.download'),
    ({'data': 'tfds:a/b'}, ['quickstart.gin'], 'tfds.download'),
    ({'recipe': 'best_fashion_mnist'}, [], 'fashion_mnist.download')])
def test_download_is_of_the_data_set(flags, files, setting):
  made = composition.compose(flags | {'download': True}, files)
  assert (setting, 'True', '--download') in made.settings
  made.parse(roots=registry.train_roots)  # It is read.
  again = composition.resume(made.text, flags | {'download': False})
  assert (setting, 'False', '--download') in again.settings


def test_the_home_of_nobody_is_a_sentence():
  with pytest.raises(errors.UserError, match='home of a user'):
    named_files.data('~nosuchuser/photos')


# === The text of a run ===


@pytest.fixture(name='begun')
def _begun(tmp_path):
  path = tmp_path / 'run'
  pgak.train(path, gin_file=['quickstart.gin', 'models/ae.gin'], steps=1,
             gin_param=tiny_runs.SETTINGS)
  return path


@pytest.mark.parametrize('error', [KeyboardInterrupt, errors.UserError])
def test_settings_that_were_not_checked_leave_no_trace(
    begun, monkeypatch, capsys, error):
  before = tiny_runs.content(begun)
  with monkeypatch.context() as patch:
    patch.setattr(data_set, 'made', _raiser(error))
    with pytest.raises(error):
      pgak.train(begun, latent_dim=32)
  assert tiny_runs.content(begun) == before
  with pytest.raises(errors.UserError, match='other settings of latent_dim'):
    pgak.train(begun, latent_dim=32)
  assert tiny_runs.content(begun) == before
  pgak.train(begun)
  assert 'is finished: 1 of 1 steps' in capsys.readouterr().out


def test_settings_that_the_scorer_refuses_leave_no_trace(begun, capsys):
  before = tiny_runs.content(begun)
  with pytest.raises(errors.UserError, match='quik'):
    pgak.train(begun, steps=2, gin_param=[
        'train.score_every = 2', "frechet_scorer.protocol = 'quik'"])
  assert tiny_runs.content(begun) == before
  pgak.train(begun)
  assert 'is finished: 1 of 1 steps' in capsys.readouterr().out


@pytest.mark.parametrize('error', [KeyboardInterrupt, errors.UserError])
def test_settings_that_were_taken_stay_whatever_comes_after(
    begun, monkeypatch, capsys, error):
  with monkeypatch.context() as patch:
    patch.setattr(resuming, 'restore_latest', _raiser(error))
    with pytest.raises(error):
      pgak.train(begun, steps=2)
  pgak.train(begun)
  assert 'step 2/2' in capsys.readouterr().out


def test_what_was_not_begun_is_not_bound_by_its_first_command(
    tmp_path, monkeypatch):
  monkeypatch.setattr(data_set, 'made', _raiser(KeyboardInterrupt))
  with pytest.raises(KeyboardInterrupt):
    pgak.train(tmp_path, gin_file=['quickstart.gin'], steps=1)
  assert not list(tmp_path.iterdir())


def _raiser(error):
  def raises(*unused, **unused_too):
    raise error('now')
  return raises
