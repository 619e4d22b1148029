"""The commands as functions, as a notebook has them."""
import json
import pathlib

import gin
import numpy as np
import pytest

import pgak
from pgak import errors
from pgak import reporting
from pgak.training import composition

TINY = ['base_filters = 4', 'train.xla = False', 'classifier.steps = 20']


@pytest.mark.slow
def test_from_training_to_samples_and_an_export(tmp_path, capsys):
  run = tmp_path / 'run'
  trained = pgak.train(run, data='digits', network='conv_digits', model='rae',
                       steps=3, gin_param=TINY[:2])
  assert type(trained).__name__ == 'RAE' and not gin.config_str()
  assert 'Model     rae           --model' in capsys.readouterr().out
  # The same again is finished; with more steps it goes on.
  pgak.train(run)
  assert 'is finished: 3 of 3 steps' in capsys.readouterr().out
  scores = pgak.evaluate(run, 'quick', prior=['own', 'gmm'],
                         gin_param=[*TINY[2:], 'quick.num_samples = 80'])
  assert {s.prior for s in scores if s.metric.startswith('frechet')} == {
      'standard_normal', 'gmm_10'}
  model = pgak.load(run, prior='gmm')
  assert model.prior.name == 'gmm' and model.sample(2).shape == (2, 8, 8, 1)
  version = pgak.export(run, tmp_path / 'export', verified=False)
  assert (version / 'saved_model.pb').exists() and not gin.config_str()
  # A RAE is not trained towards its prior.
  described = json.loads((version / 'metadata.json').read_text())
  assert described['density']['label'] == 'gmm_10'


def test_one_string_does_in_the_place_of_a_list(tmp_path):
  with pytest.raises(errors.UserError, match='absent.gin'):
    pgak.train(tmp_path, gin_file='absent.gin')
  with pytest.raises(errors.UserError, match='absent_module'):
    pgak.compare('digits', 'digits', imports='absent_module')
  with pytest.raises(errors.UserError, match="no features 'absent'"):
    pgak.compare('digits', 'digits', number=9, features='absent')
  with pytest.raises(errors.UserError, match='absent_run'):
    reporting.write_report(tmp_path / 'it.html', 'absent_run')


def test_a_path_does_in_the_place_of_a_string(tmp_path):
  with pytest.raises(errors.UserError, match='no net at absent.keras'):
    pgak.compare('digits', 'digits', number=9,
                 features=pathlib.Path('absent.keras'))


def test_a_keyword_that_is_no_flag_is_told(tmp_path):
  with pytest.raises(TypeError, match="no flag 'stepz'"):
    pgak.train(tmp_path, stepz=3)


@pytest.mark.parametrize('flags, match', [
    ({'steps': 0}, 'steps = 0` must be a whole number of at least 1'),
    ({'latent_dim': 0}, 'latent_dim = 0` must be a whole number'),
    ({'seed': -1}, 'seed = -1` must be a whole number of at least 0'),
    ({'size': (8, 8)}, 'must be a string in quotes, a whole number'),
    ({'model': 3}, 'model = 3` must be a name or a path'),
    ({'steps': 3, 'gin_param': 'train.steps = 4'}, '--steps and --gin_param='),
    # A path is as its text, and None is no flag.
    ({'data': pathlib.Path('absent'), 'model': None}, 'nothing at absent'),
    ({'data': 'digits', 'recipe': pathlib.Path('absent.gin')}, 'absent.gin')])
def test_flags_are_checked_as_those_of_the_command(tmp_path, flags, match):
  with pytest.raises(errors.UserError, match=match):
    pgak.train(tmp_path / 'run', **{'data': 'digits'} | flags)
  assert not (tmp_path / 'run').exists()


def test_what_flags_give_is_plain_text(tmp_path, monkeypatch):
  given = []
  monkeypatch.setattr(composition, 'composed', lambda run_dir, flags, *_: (
      given.append(flags) or composition.Composition(flags)))
  monkeypatch.setattr(composition.Composition, 'parse', lambda *_: None)
  monkeypatch.setattr(composition, 'train', lambda *_: None)
  pgak.train(tmp_path, **dict.fromkeys(composition.FLAGS) | {
      'data': 'mnist', 'steps': np.int64(3), 'data_dir': pathlib.Path('sets'),
      'warm_start': pathlib.Path('run')})
  assert [repr(flags) for flags in given] == [repr({
      'data': 'mnist', 'steps': 3, 'warm_start': 'run', 'data_dir': 'sets'})]
