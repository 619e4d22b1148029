"""Tests of what two configurations of one run differ in."""
import pytest
import tiny_runs

from pgak.runs import changes
from pgak.runs import run_directory


def changed(old, new):
  return changes.changed_bindings('\n'.join(old), '\n'.join(new))


def test_steps_may_grow_and_not_shrink():
  assert not changed(['train.steps = 90'], ['train.steps = 1000'])
  assert changed(['train.steps = 1000'], ['train.steps = 90']) == [
      'train.steps']
  assert changed(['train.steps = 10'], ['train.steps = %many']) == [
      'train.steps']


def test_a_number_is_the_same_however_it_is_written():
  for more in ('1000', '1e3', '2e3', '2000'):
    assert not changed(['train.steps = 1e3'], [f'train.steps = {more}'])
  assert changed(['train.steps = 1e3'], ['train.steps = 999'])
  assert not changed(['train.batch_size = 1e2'], ['train.batch_size = 100'])
  # One more than a float can tell.
  assert changed(['train.seed = 9007199254740992'],
                 ['train.seed = 9007199254740993'])


@pytest.mark.parametrize('name', [
    'train.log_every', 'train.validate_every', 'train.sample_every',
    'train.checkpoint_every', 'train.score_every', 'train.keep_checkpoints',
    'train.best_by', 'data_dir', 'mnist.data_dir', 'mnist.download',
    'images.path',
    'arrays.path', 'pairs.path', 'images.partition', 'images.attributes'])
def test_what_decides_no_weight_may_change(name):
  assert not changed([f'{name} = 1'], [f'{name} = 2'])


@pytest.mark.parametrize('name', [
    'train.seed', 'train.batch_size', 'latent_dim', 'decoder/sgd.momentum',
    'VPGA.kl', 'train.steps_per_execution', 'celeb_a.crop', 'train.model'])
def test_what_decides_the_weights_may_not_change(name):
  assert changed([f'{name} = 1', 'train.steps = 3'],
                 ['train.steps = 3', f'{name} = 2']) == [name]


def test_a_run_without_polishing_may_be_polished_in_any_way():
  for none in ('0', '0.', '0.0'):
    assert not changed([f'polish.steps = {none}', 'polish.noise = 0.1'],
                       ['polish.steps = 9', 'polish.noise = 0.2'])


def test_what_only_one_of_the_two_reads_is_decided_elsewhere():
  assert changed(['train.model = @VAE', 'VAE.kl = 1.'],
                 ['train.model = @AE']) == ['train.model']
  assert not changed(['train.score_every = None'],
                     ['train.score_every = 10', 'quick.seed = 0'])


def added(old, new):
  return changes.added_bindings('\n'.join(old), '\n'.join(new))


def test_a_setting_that_an_older_version_lacked_is_told():
  old = ['polish.steps = 3', 'x = 1']
  assert added(old, [*old, 'polish.density = @FlowMatching']) == {
      'polish.density': '@FlowMatching'}
  assert added(['encoder/adam.beta_1 = 0.9'],
               ['encoder/adam.weight_decay = 0.1']) == {
                   'encoder/adam.weight_decay': '0.1'}


@pytest.mark.parametrize('old, new', [
    # Its default.
    ('polish.steps = 3', 'polish.density = None'),
    # Of what the older version did not call.
    ('train.steps = 3', 'polish.density = @FlowMatching'),
    ('x = 1', 'y = 2'),
    # As it was.
    ('images.path = 1', 'images.background = None'),
    ('pgak.data.images.path = 1', 'pgak.data.images.background = None'),
    # Decides no weight; is still to come.
    ('train.steps = 3', 'train.score_every = 4'),
    ('polish.steps = 0', 'polish.density = @FlowMatching')])
def test_what_is_as_before_is_not_told(old, new):
  assert not added([old], [old, new])


def test_a_run_of_an_older_version_is_resumed_with_a_warning(tmp_path, caplog):
  def train(steps, *more):
    tiny_runs.train(tmp_path, 'train.steps = 1', f'polish.steps = {steps}',
                    'train.checkpoint_every = 1', 'train.log_every = 1', *more)

  train(1)
  run = run_directory.RunDirectory(tmp_path)
  text = run.config_gin
  assert 'polish.image_error = None\n' in text
  run.write_config(text.replace('polish.image_error = None\n', ''),
                   run.config | {'versions': {'pgak': '0.10.0'}})
  train(2, 'polish.image_error = @HuberError()')
  warning = ('polish.image_error is new since the version that began this run: '
             'from here on it is @HuberError().')
  assert warning in caplog.text
  caplog.clear()
  train(3, 'polish.image_error = @HuberError()')
  assert 'is new since' not in caplog.text
  tiny_runs.refused(tmp_path, 'train.steps = 1', 'polish.steps = 4',
                    'train.checkpoint_every = 1', 'train.log_every = 1',
                    match='other settings of polish.image_error')
