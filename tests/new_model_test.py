"""Runs all that docs/new_model.md shows, as its reader would."""
import pathlib
import re
import shlex
import sys

import gin
import pytest

from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import sample
from pgak.bin import train

PAGE = pathlib.Path(__file__).absolute().parent.parent / 'docs/new_model.md'
MAINS = {'pgak_train': train.main, 'pgak_evaluate': evaluate.main,
         'pgak_sample': sample.main, 'pgak_export': export.main}
# What makes a command of the page quick.
QUICK = {
    'pgak_train': ['train.steps = 3', 'base_filters = 4', 'train.xla = False'],
    'pgak_evaluate': ['quick.num_samples = 70', 'classifier.steps = 20'],
}


def blocks(language):
  """Returns the page's code in a language, block by block."""
  text = PAGE.read_text(encoding='utf-8')
  return re.findall(rf'^```{language}\n(.*?)^```$', text, re.M | re.S)


def commands():
  """Returns the commands of the page, as lists of words, in order."""
  lines = '\n'.join(blocks('sh')).replace('\\\n', ' ').splitlines()
  return [shlex.split(line) for line in lines if line]


@pytest.fixture(name='here')
def _here(tmp_path, monkeypatch):
  """A folder with the page's files, where one works."""
  model, _ = blocks('python')
  configuration, = blocks('gin')
  (tmp_path / 'my_model.py').write_text(model, encoding='utf-8')
  (tmp_path / 'my_model.gin').write_text(configuration, encoding='utf-8')
  monkeypatch.chdir(tmp_path)
  monkeypatch.syspath_prepend(str(tmp_path))
  yield tmp_path
  sys.modules.pop('my_model', None)


@pytest.mark.slow
def test_the_page(here, capsys):
  for command in commands():
    name, *flags = command
    flags += [f'--gin_param={b}' for b in QUICK.get(name, [])]
    flags += ['--noverify'] if name == 'pgak_export' else []
    MAINS[name]([name, *flags])
    gin.clear_config()
  out = capsys.readouterr().out
  assert 'latent_nll' in out and 'reconstruction_mse' in out
  assert (here / 'samples.png').stat().st_size > 100
  assert (here / 'runs/mine/export/1/saved_model.pb').exists()
  names = {}
  exec(blocks('python')[1], names)
  assert names['images'].shape == names['restored'].shape == (16, 8, 8, 1)
  assert names['latents'].shape == (16, 8)
  assert type(names['model']).__name__ == 'DenoisingAE'
  assert names['model'].sigma == 0.3
  # The other run's encoder learned from the other term alone.
  from pgak.runs import checkpoints
  both = checkpoints.load(here / 'runs/both', imports=['my_model'])
  assert both.table.rows == {'reconstruction': ('decoder',),
                             'latent_nll': ('encoder',)}


def test_the_page_tells_of_what_is_there():
  text = PAGE.read_text(encoding='utf-8')
  root = PAGE.parent.parent
  for path in re.findall(r'`((?:pgak|models)/[\w/]+\.(?:py|gin))`', text):
    assert (root / path).exists() or (root / 'gin' / path).exists(), path
  assert all(len(line) <= 80 for line in text.splitlines())
