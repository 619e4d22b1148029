"""What a search varies, as a .sweep file says it."""
import pytest

from pgak import errors
from pgak import sweeping
from pgak.sweeping import search_plan

SEARCH = '''
sweep.gin_files = ['quickstart.gin']
sweep.search = {
    'VPGA.kl': ('log', 1e-3, 1e-1),
    'latent_dim': ('int', 4, 16),
    'train.model': ('choice', ['@VPGA', '@VAE']),
}
sweep.objective = 'frechet_x'
sweep.evaluations = [{'protocol': 'quick'}]
'''


def read(folder, text=SEARCH, *bindings, extra=()):
  path = folder / 'a.sweep'
  path.write_text(text)
  return sweeping.read(path, bindings, extra)


def test_a_search_is_read(tmp_path):
  sweep = read(tmp_path, SEARCH, 'sweep.seeds = [3, 4]', 'sweep.trials = 7',
               extra=['base_filters = 2'])
  assert sweep.jobs == () and sweep.search.trials == 7
  assert sweep.search.objective == {'metric': 'frechet_x'}
  assert [j.bindings for j in sweep.pattern] == [
      ('base_filters = 2', f'train.seed = {seed}') for seed in (3, 4)]
  assert sweep.search.bindings(
      {'VPGA.kl': 0.0123456, 'latent_dim': 5, 'train.model': '@VAE'}) == [
          'VPGA.kl = 0.01235', 'latent_dim = 5', 'train.model = @VAE']


def test_rounding_stays_in_the_range():
  low, high = 0.123456, 0.234567
  one = search_plan.Range('a', 'uniform', (low, high))
  assert (one.text(low), one.text(high)) == (
      '0.1235', repr(high)) and float(one.text(high)) <= high
  assert search_plan.Range('a', 'log', (0.12346, 1.)).text(0.12346) == '0.1235'


@pytest.mark.parametrize('given', [
    "'log'", "('log', 1e-3)", "('log', 0, 1)", "('uniform', 1., 1.)",
    "('int', 4.5, 9)", "('int', 9, 4)", "('uniform', 'a', 'b')",
    "('lag', 1, 2)", "('choice', [1])", "('choice', [1, 1])", "('choice', 3)",
    "('uniform', False, True)", '[]'])
def test_a_range_that_is_none_is_named(tmp_path, given):
  text = SEARCH.replace("('log', 1e-3, 1e-1)", given)
  with pytest.raises(errors.UserError, match="'VPGA.kl'.* low below high"):
    read(tmp_path, text)


@pytest.mark.parametrize('old, new, named', [
    ("sweep.objective = 'frechet_x'", '', 'must name a metric'),
    ("'frechet_x'", "{'prior': 'gmm_10'}", 'must name a metric'),
    ("'frechet_x'", "{'metric': 'a', 'density': 'b'}", "key 'density'"),
    ("'frechet_x'", '3', 'sweep.objective = 3'),
    ("[{'protocol': 'quick'}]", '[]', 'needs `sweep.evaluations`'),
    ("'VPGA.kl'", "'train.seed'", 'sweep.seeds'),
    ("'VPGA.kl'", "'VPGA. kl x'", 'gin can read'),
    ("['quickstart.gin']", '[]', 'no gin file'),
    ('sweep.objective', 'sweep.sampler = "grid"\nsweep.objective', 'sampler'),
    ('sweep.objective', 'sweep.trials = 0\nsweep.objective', 'trials'),
    ('sweep.objective', "sweep.cells = {'a': []}\nsweep.objective",
     'either `sweep.cells` or `sweep.search`'),
])
def test_what_is_wrong_is_one_sentence(tmp_path, old, new, named):
  with pytest.raises(errors.UserError, match=named):
    read(tmp_path, SEARCH.replace(old, new, 1))


def test_what_is_searched_is_not_bound_besides(tmp_path):
  with pytest.raises(errors.UserError, match='latent_dim = 8.*varies'):
    read(tmp_path, extra=['latent_dim = 8'])
