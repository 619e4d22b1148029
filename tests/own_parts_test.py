"""Runs all that docs/own_parts.md shows, as its reader would."""
import importlib

import numpy as np
import pages
import pytest

from pgak.data import kinds

PAGE = pages.Page('own_parts.md')
DATA = 'my_data'  # The page's data set.
QUICK = {
    'pgak_train': ['train.steps = 3', 'train.batch_size = 4',
                   'train.xla = False', 'train.scorer = None'],
    'pgak_evaluate': ['classifier.steps = 5'],
}


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory):
  """A folder with the page's files; its kind of data is known here alone."""
  path = tmp_path_factory.mktemp('page')
  PAGE.save(path)
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(path))
    patch.setattr(kinds, '_KINDS', list(kinds._KINDS))
    yield path


@pytest.fixture(name='here')
def _here(folder, monkeypatch):
  monkeypatch.chdir(folder)
  return folder


@pytest.mark.slow
def test_the_page(here):
  PAGE.run(QUICK)
  from pgak.runs import checkpoints
  dense = checkpoints.load(here / 'runs/dense', imports=['my_network'])
  assert len(dense.encoder.trainable_variables) == 2 * (1 + 3) + 4
  discs = checkpoints.load(here / 'runs/discs', imports=['my_data'])
  assert discs.sample(2).shape == (2, 16, 16, 1)


def test_its_data_are_what_it_says(here):
  my_data = importlib.import_module(DATA)
  split = my_data.discs(num_examples=40).split('train')
  images = split.read(np.arange(len(split)))
  assert images.shape == (30, 16, 16, 1) and set(np.unique(images)) == {0, 255}
  areas = (images > 0).sum((1, 2, 3))
  assert areas[split.labels == 1].min() > areas[split.labels == 0].max()


def test_its_kind_goes_there_and_back(here):
  exec(PAGE.blocks('python')[-1], {})  # pylint: disable=exec-used
