"""Runs all that docs/keras.md shows, as its reader would."""
import pathlib
import re

import pytest
import tiny_runs

PAGE = pathlib.Path(__file__).absolute().parent.parent / 'docs/keras.md'


def _blocks(language):
  """Returns the page's code in a language, block by block."""
  text = PAGE.read_text(encoding='utf-8')
  return re.findall(rf'^```{language}\n(.*?)^```$', text, re.M | re.S)


@pytest.mark.slow
def test_the_page(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  names = {'__name__': 'the_page'}
  for i, block in enumerate(_blocks('python')):
    exec(compile(block, f'docs/keras.md, block {i}', 'exec'), names)
  assert (tmp_path / 'served' / '1' / 'saved_model.pb').exists()
  assert (tmp_path / 'decoder' / 'saved_model.pb').exists()
  assert set(names['history'].history) >= {'loss', 'kl', 'val_reconstruction'}


@pytest.mark.slow
def test_the_configuration(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  binding, = _blocks('gin')
  pathlib.Path('callbacks.gin').write_text(binding, encoding='utf-8')
  tiny_runs.train(tmp_path / 'run', 'train.steps = 4',
                  'train.validate_every = 2',
                  files=('models/ae.gin', 'callbacks.gin'))
  lines = pathlib.Path('log.csv').read_text(encoding='utf-8').splitlines()
  assert len(lines) == 3
