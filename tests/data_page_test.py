"""Runs all that docs/data.md shows, as its reader would."""
import made_tfds
import numpy as np
import pages
import pytest
import tensorflow as tf

from pgak import data

PAGE = pages.Page('data.md')
QUICK = {'pgak_train': ['train.steps = 2', 'train.batch_size = 4',
                        'train.xla = False', 'train.scorer = None']}


@pytest.fixture(name='here')
def _here(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  monkeypatch.chdir(tmp_path)
  return tmp_path


def _run_python():
  code, = PAGE.blocks('python')
  exec(compile(code, PAGE.path, 'exec'), {})  # pylint: disable=exec-used


def test_the_python_of_the_page(here, capsys):
  _run_python()
  assert capsys.readouterr().out.splitlines()[-1] == 'arrays'
  assert data.from_file(here / 'grey.npz').split('test').labels.max() <= 1


@pytest.mark.slow
def test_the_commands_of_the_page(here):
  _run_python()
  (here / 'photos').mkdir()
  for i in range(12):
    (here / f'photos/{i}.png').write_bytes(tf.io.encode_png(
        np.full([50, 70, 3], i, np.uint8)).numpy())
  made_tfds.write(here / 'tfds', 'mnist', {'train': 8, 'test': 4},
                  shape=(28, 28, 1))
  PAGE.run(QUICK)
  for name in ('photos', 'arrays', 'vectors', 'tfds'):
    assert (here / f'runs/{name}/checkpoints/step-00000002').is_dir()


def test_the_page_names_files_that_there_are():
  assert not PAGE.wrong_names()
