"""Arguments that are not given are as the run, or the caller, binds them."""
import pytest
import tiny_runs

import pgak
from pgak import errors
from pgak import serving


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory):
  folder = tmp_path_factory.mktemp('runs')
  recipe = folder / 'recipe.gin'
  recipe.write_text('evaluate.prior = "nowhere"\nexport.prior = "nowhere"\n')
  tiny_runs.train(folder / 'run', 'train.steps = 2',
                  files=('models/vae.gin', str(recipe)))
  return folder / 'run'


@pytest.mark.parametrize('binding, match', [
    ('evaluate.protocol = "nothing"', 'nothing'),
    ('evaluate.checkpoint = 77', '77'),
    ('evaluate.features = ("nothing",)', 'nothing')])
def test_of_evaluate(run, binding, match):
  with pytest.raises(errors.UserError, match=match):
    pgak.evaluate(run, prior='own', gin_param=binding)


def test_a_recipe_names_the_density(run):
  for function in (pgak.evaluate, pgak.export):
    with pytest.raises(errors.UserError, match='nowhere'):
      function(run)


def test_of_export(run, tmp_path):
  packed = pgak.pack(run, tmp_path / 'me.zip')
  with pytest.raises(errors.UserError, match='packed run.*give --output'):
    pgak.export(packed)
  with pytest.raises(errors.UserError, match='no checkpoint.*77|77'):
    pgak.export(packed, gin_param=[f'export.output = "{tmp_path}/export"',
                                   'export.checkpoint = 77'])


def test_what_to_replace_only_the_caller_binds(tmp_path, monkeypatch):
  recipe, run = tmp_path / 'recipe.gin', tmp_path / 'run'
  recipe.write_text('export.version = 3\nexport.overwrite = True\n'
                    'export.verified = False\n')
  tiny_runs.train(run, 'train.steps = 2', files=('models/vae.gin', str(recipe)))
  calls = []
  monkeypatch.setattr(
      serving, 'export', lambda path, **given: calls.append(given))
  pgak.export(run)
  pgak.export(run, gin_param='export.version = 7', overwrite=True)
  own = {'output': None, 'version': None, 'overwrite': False, 'verified': True}
  assert calls[0] == own
  del own['version']  # As gin has it by then.
  assert calls[1] == own | {'overwrite': True}


def test_a_binding_that_gin_cannot_read(run):
  for function in (pgak.evaluate, pgak.export):
    with pytest.raises(errors.UserError, match='export.max_batch = .*gin can'):
      function(run, gin_param='export.max_batch = ')


def test_where_to_write_only_the_caller_binds(tmp_path):
  recipe, run = tmp_path / 'recipe.gin', tmp_path / 'run'
  recipe.write_text(f'evaluate.output = "{tmp_path}/bound.csv"\n'
                    f'export.output = "{tmp_path}/bound"\n')
  tiny_runs.train(run, 'train.steps = 2', files=('models/vae.gin', str(recipe)))
  pgak.evaluate(run, metrics='reconstruction_mse')
  assert (run / 'scores.csv').is_file()
  assert not list(tmp_path.glob('bound*'))
  pgak.evaluate(run, metrics='reconstruction_mse',
                gin_param=f'evaluate.output = "{tmp_path}/mine.csv"')
  assert (tmp_path / 'mine.csv').is_file()
