"""Every flag of the train command reaches what it sets."""
import flag_tables

from pgak import registry
from pgak.bin import train
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
    'download': (True, 'tfds.download', True)}
DRY = ['dry_run']


def test_flags_of_train(capsys, monkeypatch, tmp_path):
  flag_tables.check_table(train, TRAIN, COMPOSED, DRY)
  (tmp_path / 'own_module.py').write_text('')
  monkeypatch.syspath_prepend(tmp_path)
  monkeypatch.chdir(tmp_path)
  recorder = flag_tables.Recorder(['train.model', 'train.split', '%data_dir'])
  monkeypatch.setattr(loop, 'train', recorder)
  flag_tables.call(train, capsys, '--gin_file=quickstart.gin',
       '--gin_file=datasets/mnist.gin',
       *(f'--{flag}={value}' for flag, value in TRAIN.items()))
  assert recorder.calls == [(('there',), {'imports': ('own_module',)})]
  assert recorder.bound == {
      'train.model': '@RAE', 'train.split': 'all', '%data_dir': 'prepared'}


def test_flags_of_a_composed_command(capsys, monkeypatch, tmp_path):
  recorder = flag_tables.Recorder([name for _, name, _ in COMPOSED.values()])
  monkeypatch.setattr(loop, 'train', recorder)
  # Of the two that belong to other data sets, composition_test.py.
  given = {flag: value for flag, (value, *_) in COMPOSED.items()
           if flag not in ('attributes', 'download')}
  flag_tables.call(train, capsys, f'--run_dir={tmp_path / "run"}',
       '--gin_file=quickstart.gin',
       *(f'--{flag}={value}' for flag, value in given.items()))
  assert recorder.bound == {
      COMPOSED[flag][1]: COMPOSED[flag][2] for flag in given}


def test_a_dry_run_prints_and_writes_nothing(capsys, monkeypatch, tmp_path):
  monkeypatch.setattr(loop, 'train', None)
  out = flag_tables.call(
      train, capsys, f'--run_dir={tmp_path / "run"}', '--dry_run',
      '--gin_file=quickstart.gin', '--steps=7')
  assert "include 'quickstart.gin'" in out and 'train.steps = 7' in out
  assert not list(tmp_path.iterdir())
