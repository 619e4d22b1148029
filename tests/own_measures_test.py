"""Runs all that docs/own_measures.md shows, as its reader would."""
import importlib

import numpy as np
import pages
import pytest
from scipy import stats

from pgak.reporting import runs as runs_lib
from pgak.runs import run_directory

PAGE = pages.Page('own_measures.md')
FILE = 'laplace.py'  # The page's density.
QUICK = {
    'pgak_train': ['train.steps = 3', 'base_filters = 4', 'train.xla = False'],
    'pgak_evaluate': ['classifier.steps = 20'],
}


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory):
  """A folder with the page's files; what they register stays known."""
  path = tmp_path_factory.mktemp('page')
  PAGE.save(path)
  net, = (b for b in PAGE.blocks('python') if 'mynet.keras' in b)
  exec(net.replace('mynet.keras', str(path / 'mynet.keras')), {})
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(path))
    yield path


@pytest.fixture(name='here')
def _here(folder, monkeypatch):
  monkeypatch.chdir(folder)
  return folder


def _only(rows, **chosen):
  found, = (r for r in rows if all(r[k] == v for k, v in chosen.items()))
  return found


@pytest.mark.slow
def test_the_page(here, capsys):
  PAGE.run(QUICK)
  rows = run_directory.RunDirectory(here / 'runs/own').scores()
  assert 'ink_difference' in capsys.readouterr().out
  for protocol, prior, number in (
      ('quick', 'standard_normal', '1000'),
      ('two_hundred', 'standard_normal', '200'),
      ('two_hundred', 'gmm_10', '200'), ('few', 'standard_normal', '50')):
    ink = _only(rows, metric='ink', protocol=protocol, prior=prior)
    assert ink['num_samples'] == number and ink['better'] == 'neither'
    assert 0. < float(ink['error']) < float(ink['value']) < 1.
    assert _only(rows, metric='ink_difference', protocol=protocol,
                 prior=prior)['better'] == 'lower'
  assert _only(rows, metric='frechet_digits_classifier', protocol='quick',
               prior='laplace')
  assert any(row['features'].startswith('mynet-') for row in rows)
  assert (here / 'laplace.png').stat().st_size > 100
  # The report knows which is better without the user's file.
  read = [runs_lib.read_score(row) for row in rows]
  assert {s.better for s in read if s.column.metric == 'ink_difference'} == {
      'lower'}


def test_the_pages_density_is_scipys(here):
  module = importlib.import_module(FILE.removesuffix('.py'))
  latents = np.random.default_rng(0).laplace([1., -2.], [0.5, 3.], (4000, 2))
  prior = module.Laplace(2).fit(latents)
  state = prior.state()
  expected = stats.laplace.logpdf(
      latents, state['median'], state['scale']).sum(1)
  np.testing.assert_allclose(
      prior.log_prob(latents.astype(np.float32)), expected, rtol=1e-4)
  drawn = prior.sample(20000, seed=3).numpy()
  for dim in range(2):
    assert stats.kstest(drawn[:, dim], 'laplace', args=(
        state['median'][dim], state['scale'][dim])).pvalue > 1e-3


def test_the_page_names_what_is_there():
  assert not PAGE.wrong_names()
  assert all(len(line) <= 80 for line in PAGE.text.splitlines())
