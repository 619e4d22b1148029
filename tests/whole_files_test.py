"""Whatever is written is there whole or not at all.

Each writer is stopped at the moment before its file gets its name: what was
there before is there still, byte for byte.
"""
import os
import pathlib
import shutil

import numpy as np
import pytest
import tiny_models

from pgak import files
from pgak import priors
from pgak.generation import drawn
from pgak.metrics import fitted_nets
from pgak.reporting import report
from pgak.runs import run_directory

IMAGES = np.zeros([3, 4, 4, 1], np.uint8)


def config(folder):
  files.write_text(folder / 'a', 'new')


def scores(folder):
  (folder / 'config.gin').write_text('')
  run_directory.RunDirectory(folder).append_scores([dict.fromkeys(
      run_directory.SCORE_COLUMNS, 'x')])


def best(folder):
  (folder / 'config.gin').write_text('')
  (folder / 'checkpoints').mkdir(exist_ok=True)
  run_directory.RunDirectory(folder).write_best(3, 'fid', 1.)


def density(folder):
  # One that cannot be kept is told of and used all the same.
  files.keep_npz(folder / 'a.npz', priors.Gaussian(3).fit(np.eye(3)).state())


def feature_net(folder):
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('PGAK_CACHE', str(folder))
    fitted_nets.Kept('a', {}).save(tiny_models.decoder())


def picture(folder):
  drawn.write(str(folder / 'a.png'),
                 drawn.Drawn({'images': IMAGES}, IMAGES, 3))


def arrays(folder):
  drawn.write(str(folder / 'a.npz'),
                 drawn.Drawn({'images': IMAGES}, IMAGES, 3))


def page(folder):
  report._write(folder / 'a.html', {folder / 'a.html': 'new'}, {})


WRITERS = {config: 'a', scores: 'scores.csv', best: 'checkpoints/best.json',
           density: 'a.npz', feature_net: 'classifiers/a_44136fa355b3678a.npz',
           picture: 'a.png', arrays: 'a.npz', page: 'a.html'}


@pytest.mark.parametrize('write', WRITERS, ids=lambda w: w.__name__)
def test_a_file_gets_its_name_when_it_is_whole(tmp_path, monkeypatch, write):
  path = tmp_path / WRITERS[write]
  path.parent.mkdir(exist_ok=True)
  header = ','.join(run_directory.SCORE_COLUMNS) + '\n'
  path.write_text(header)
  written = []

  def stop(source, target):
    source = pathlib.Path(source)
    if source.is_file():
      written.append((source.read_bytes(), pathlib.Path(target)))
      raise KeyboardInterrupt
    shutil.move(source, target)

  monkeypatch.setattr(os, 'replace', stop)
  with pytest.raises(KeyboardInterrupt):
    write(tmp_path)
  (content, target), = written
  assert target == path and content and content != path.read_bytes()
  assert path.read_text() == header
  monkeypatch.undo()
  write(tmp_path)
  assert path.read_text(errors='replace') != header
