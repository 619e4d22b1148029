"""A new run that begins with the weights of another one."""
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_runs
from tiny_runs import refused

from pgak import errors
from pgak.runs import checkpoints
from pgak.runs import run_directory
from pgak.runs import weights
from pgak.training import warm_start

AVERAGED = ('train.optimizer = @adam', 'adam.ema_decay = 0.5',
            'train.optimizers = {"decoder": @sgd}', 'sgd.ema_decay = 0.5')


@pytest.fixture(name='source', scope='module')
def _source(tmp_path_factory):
  """A run of 4 steps that averages its weights."""
  path = tmp_path_factory.mktemp('runs') / 'source'
  tiny_runs.train(path, 'train.steps = 4', 'train.checkpoint_every = 2',
                  *AVERAGED, files=['models/vae.gin'])
  return path


def _averages(path, part):
  run = run_directory.RunDirectory(path)
  return {name: stored.read()
          for name, stored in weights.read(run, 4)[part].items()}


def test_what_fits_is_taken_by_part_and_the_rest_is_named(
    source, tmp_path, capsys):
  # Another model without a head for variances, more latents, another batch.
  trained = tiny_runs.train(
      tmp_path / 'run', 'train.steps = 1', 'sgd.learning_rate = 1e-30',
      'latent_dim = 4', 'train.batch_size = 8',
      f'train.warm_start = "{source}:latest"')
  out = capsys.readouterr().out
  assert f'Warm start: averaged weights of {source} at step 4' in out
  assert '  encoder: 6 of 8 variables; not latents/kernel (' in out
  assert '(6, 4) here, (6, 3) there' in out
  assert '  decoder: 7 of 8 variables; not dense/kernel ((4, ' in out
  there = _averages(source, 'encoder')
  taken = dict(zip(weights.names([v.path for v in trained.encoder.weights]),
                   trained.encoder.weights))
  for name in ('conv2d/kernel', 'conv2d_1/bias', 'dense/kernel'):
    np.testing.assert_allclose(taken[name].numpy(), there[name], atol=1e-7)
  record = run_directory.RunDirectory(tmp_path / 'run').config['warm_start']
  assert record == {'run': f'{source}:latest', 'step': 4, 'averaged': True,
                    'taken': {'encoder': [6, 8], 'decoder': [7, 8]}}


@pytest.fixture(name='loaded', scope='module')
def _loaded(source):
  return checkpoints.load(source)


def test_the_averages_are_those_that_evaluation_has(source, loaded):
  for part, net in loaded.parts.items():
    found = _averages(source, part)
    for name, variable in zip(
        weights.names([v.path for v in net.weights]), net.weights):
      np.testing.assert_array_equal(variable.numpy(), found[name])
  last = tiny_runs.saved(source, 4)['model/encoder_optimizer/'
      '_trainable_variables/0/.ATTRIBUTES/VARIABLE_VALUE']
  assert not np.array_equal(last, _averages(source, 'encoder')['conv2d/kernel'])


def test_a_resumed_run_goes_on_with_its_own_weights(source, tmp_path, capsys):
  same = ('train.checkpoint_every = 1', f'train.warm_start = "{source}"')
  tiny_runs.train(tmp_path / 'run', 'train.steps = 1', *same)
  kept = run_directory.RunDirectory(tmp_path / 'run').config['warm_start']
  capsys.readouterr()
  tiny_runs.train(tmp_path / 'run', 'train.steps = 2', *same)
  out = capsys.readouterr().out
  assert 'Warm start' not in out and '--warm_start' not in out
  tiny_runs.train(tmp_path / 'run', 'train.steps = 2',
                  'train.warm_start = "elsewhere"')
  assert 'goes on with its own weights: --warm_start=elsewhere' in (
      capsys.readouterr().out)
  run = run_directory.RunDirectory(tmp_path / 'run')
  assert run.config['warm_start'] == kept and run.checkpoints() == [1, 2]


def test_another_batch_size_is_refused_with_the_remedy(source):
  refused(source, 'train.steps = 6', 'train.checkpoint_every = 2', *AVERAGED,
          'train.batch_size = 8', files=['models/vae.gin'],
          match=f'train.batch_size.*new --run_dir with --warm_start={source}')


def test_nothing_that_fits_is_an_error(source):
  with pytest.raises(errors.UserError, match='Nothing in .* fits') as caught:
    warm_start.take(tiny_models.compiled('SNGAN'), f'{source}:2')
  assert 'at step 2' in str(caught.value)
  assert 'leave out --warm_start' in str(caught.value)


@pytest.mark.parametrize('text, match', [
    ('{source}:9', r"no checkpoint '9'.*\[2, 4\]"),
    ('{source}:best', 'no best checkpoint'),
    ('nowhere', 'names no run directory'),
    ('{source}/config.gin:2', 'no whole zip that pgak_pack made')])
def test_a_source_that_is_not_there_is_told(source, text, match):
  with pytest.raises(errors.UserError, match=match):
    warm_start.source(text.format(source=source))


def test_no_code_of_the_source_is_run(source, loaded, tmp_path):
  hostile = tmp_path / 'hostile'
  shutil.copytree(source, hostile)
  (hostile / 'config.gin').write_text('import evil\ntrain.model = @evil\n')
  (hostile / 'config.json').write_text(json.dumps({'imports': ['evil']}))
  record, _ = warm_start.take(loaded, hostile)
  assert record['taken'] == {'encoder': [10, 10], 'decoder': [8, 8]}


def test_a_damaged_checkpoint_is_told(source, loaded, tmp_path):
  shutil.copytree(source, tmp_path / 'cut')
  index = tmp_path / 'cut/checkpoints/step-00000004/checkpoint.index'
  index.write_bytes(index.read_bytes()[:40])
  with pytest.raises(errors.UserError, match='is damaged'):
    warm_start.take(loaded, tmp_path / 'cut')


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize('name', sorted(tiny_models.STOCHASTIC))
def test_the_checkpoint_of_every_model_has_all_its_weights(name, tmp_path):
  made, other = (tiny_models.compiled(name) for _ in range(2))
  prefix = tf.train.Checkpoint(model=made).write(str(tmp_path / 'checkpoint'))

  class Run:
    def checkpoint_prefix(self, step):
      del step
      return prefix

    def packed_weights(self, step):
      del step
      return tmp_path / 'none'

  stored = weights.read(Run(), 0)
  for part, net in other.parts.items():
    found = weights.names([v.path for v in net.weights])
    assert set(found) == set(stored[part]) and len(found) == len(set(found))
    for before, path in zip(made.parts[part].weights, found):
      np.testing.assert_array_equal(stored[part][path].read(), before.numpy())


def test_names_do_not_depend_on_what_was_made_before():
  assert weights.names(['a/dense_7/kernel', 'a/dense_3/kernel', 'head/bias',
                        'conv2d_2/kernel']) == [
      'a/dense_1/kernel', 'a/dense/kernel', 'head/bias', 'conv2d/kernel']
