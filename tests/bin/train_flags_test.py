"""Every flag of the train command reaches what it sets."""
import shlex
import types

import flag_tables
import pytest
import tensorflow as tf

from pgak import registry
from pgak.bin import train
from pgak.data import kinds
from pgak.training import loop

registry.register()

TRAIN = {'run_dir': 'there', 'gin_file': 'models/rae.gin',
         'gin_param': 'train.split = "all"', 'data_dir': 'prepared',
         'import': 'own_module'}
# Flag -> its value, the setting that it is, and what gin has there.
COMPOSED = {
    'data': ('cifar10', 'train.dataset', '@cifar10'),
    'model': ('vae', 'train.model', '@VAE'),
    'network': ('conv_32', 'encoder.network', '@dcgan_encoder'),
    'recipe': ('pga', 'train.optimizer', '@sgd'),
    'size': ('32', '%image_shape', '(32, 32, 3)'),
    'latent_dim': (5, '%latent_dim', 5), 'steps': (7, 'train.steps', 7),
    'seed': (3, 'train.seed', 3),
    'warm_start': ('runs/a:best', 'train.warm_start', 'runs/a:best'),
    'attributes': ('a.csv', 'images.attributes', 'a.csv'),
    'download': (True, 'cifar10.download', True)}
DRY = ['dry_run']
# As much of a trained model as the next command is chosen by.
TRAINED = types.SimpleNamespace(
    kind=kinds.Images((8, 8, 1)),
    distribute_strategy=tf.distribute.get_strategy())


def test_flags_of_train(capsys, monkeypatch, tmp_path):
  flag_tables.check_table(train, TRAIN, COMPOSED, DRY)
  (tmp_path / 'own_module.py').write_text('')
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.chdir(tmp_path)
  recorder = flag_tables.Recorder(
      ['train.model', 'train.split', '%data_dir'], TRAINED)
  monkeypatch.setattr(loop, 'train', recorder)
  flag_tables.call(train, capsys, '--gin_file=quickstart.gin',
       '--gin_file=datasets/mnist.gin',
       *(f'--{flag}={value}' for flag, value in TRAIN.items()))
  (where, named), = recorder.calls
  assert where == ('there',) and named['imports'] == ('own_module',)
  assert "include 'datasets/mnist.gin'" in named['composed']
  assert recorder.bound == {
      'train.model': '@RAE', 'train.split': 'all', '%data_dir': 'prepared'}


def test_flags_of_a_composed_command(capsys, monkeypatch, tmp_path):
  recorder = flag_tables.Recorder(
      [name for _, name, _ in COMPOSED.values()], TRAINED)
  monkeypatch.setattr(loop, 'train', recorder)
  # Of the one that belongs to other data sets, composition_test.py.
  given = {flag: value for flag, (value, *_) in COMPOSED.items()
           if flag != 'attributes'}
  flag_tables.call(train, capsys, f'--run_dir={tmp_path / "run"}',
       '--gin_file=quickstart.gin',
       *(f'--{flag}={value}' for flag, value in given.items()))
  assert recorder.bound == {
      COMPOSED[flag][1]: COMPOSED[flag][2] for flag in given}


@pytest.mark.parametrize('malformed', ['', '{"cluster"'])
def test_the_next_command_is_one_for_a_shell(
    capsys, monkeypatch, tmp_path, malformed):
  # Without `multi_worker` nothing else reads it.
  monkeypatch.setenv('TF_CONFIG', malformed)
  (tmp_path / 'own_module.py').write_text('')
  (tmp_path / 'mine.gin').write_text('evaluate.protocol = "rae"')
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.setattr(loop, 'train', flag_tables.Recorder([], TRAINED))
  out = flag_tables.call(
      train, capsys, f'--run_dir={tmp_path / "my run"}', '--import=own_module',
      '--gin_file=quickstart.gin', f'--gin_file={tmp_path / "mine.gin"}')
  command, *flags = shlex.split(out.splitlines()[-1].removeprefix('Next: '))
  assert command == 'pgak_evaluate'
  assert flags == [f'--run_dir={tmp_path / "my run"}', '--protocol=rae',
                   '--import=own_module']


def test_a_dry_run_prints_and_writes_nothing(capsys, monkeypatch, tmp_path):
  monkeypatch.setattr(loop, 'train', None)
  out = flag_tables.call(
      train, capsys, f'--run_dir={tmp_path / "run"}', '--dry_run',
      '--gin_file=quickstart.gin', '--steps=7')
  assert "include 'quickstart.gin'" in out and 'train.steps = 7' in out
  assert not list(tmp_path.iterdir())
