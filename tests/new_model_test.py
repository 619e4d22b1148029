"""Runs all that docs/new_model.md shows, as its reader would."""
import sys

import pages
import pytest

PAGE = pages.Page('new_model.md')
# What makes a command of the page quick.
QUICK = {
    'pgak_train': ['train.steps = 3', 'base_filters = 4', 'train.xla = False'],
    'pgak_evaluate': ['quick.num_samples = 70', 'classifier.steps = 20'],
}


@pytest.fixture(name='here')
def _here(tmp_path, monkeypatch):
  """A folder with the page's files, where one works."""
  PAGE.save(tmp_path)
  monkeypatch.chdir(tmp_path)
  monkeypatch.syspath_prepend(str(tmp_path))
  yield tmp_path
  sys.modules.pop('my_model', None)


@pytest.mark.slow
def test_the_page(here, capsys):
  PAGE.run(QUICK)
  out = capsys.readouterr().out
  assert 'latent_nll' in out and 'reconstruction_mse' in out
  assert (here / 'samples.png').stat().st_size > 100
  assert (here / 'runs/denoising/export/1/saved_model.pb').exists()
  names = {}
  exec(PAGE.blocks('python')[1], names)
  assert names['images'].shape == names['restored'].shape == (16, 8, 8, 1)
  assert names['latents'].shape == (16, 8)
  assert type(names['model']).__name__ == 'DenoisingAE'
  assert names['model'].sigma == 0.3
  # As a file would hold it.
  assert names['model'].get_config()['latent_nll'] == 1e-2
  # The other run's encoder learned from the other term alone.
  from pgak.runs import checkpoints
  both = checkpoints.load(here / 'runs/both', imports=['my_model'])
  assert both.table.rows == {'reconstruction': ('decoder',),
                             'latent_nll': ('encoder',)}


def test_the_page_names_what_is_there():
  assert not PAGE.wrong_names()
  assert all(len(line) <= 80 for line in PAGE.text.splitlines())
