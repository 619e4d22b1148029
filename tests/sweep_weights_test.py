"""Every cell of every sweep is parsed, built, and has its source's settings."""
import pathlib

import gin
import keras
import pytest
from sweep_recipes import recipe_of
from sweep_sources import CELLS
from sweep_sources import CLASSES
from sweep_sources import DATA

from pgak import registry
from pgak import sweeping
from pgak.runs import checkpoints
from pgak.runs import configuration

registry.register()

GIN = pathlib.Path(__file__).absolute().parent.parent / 'gin'

# A number of the source is written with two digits.
TOLERANCE = 0.02


# === The cells ===


def jobs():
  """Returns `(sweep, job)` for each cell, with its first seed."""
  found = {}
  for path in sorted(GIN.rglob('*.sweep')):
    name = path.relative_to(GIN).as_posix()
    for job in sweeping.read(name).jobs:
      short = name.removeprefix('papers/').removesuffix('.sweep')
      found.setdefault((short, job.cell), job)
  return [(name, job) for (name, _), job in found.items()]


JOBS = jobs()


def build(name, job):
  """Parses a cell as the train command does and builds its model, narrow."""
  small = 'hidden_units = (4,)' if 'swiss' in name else 'base_filters = 2'
  configuration.parse(job.gin_files, job.bindings, roots=registry.train_roots)
  width = 'hidden_units' if 'swiss' in name else 'base_filters'
  shipped = gin.query_parameter(f'%{width}')
  with gin.unlock_config():
    gin.parse_config(small)
  return checkpoints.build(**checkpoints.build_settings()), shipped


def check_recipe(recipe, model, filters):
  """Compares what is bound and built with what is written by hand."""
  setting = configuration.setting
  assert filters == recipe.filters
  for part in ('encoder', 'decoder') if recipe.net else ():
    assert setting(f'{part}.network').__name__ == f'{recipe.net}_{part}'
  assert (setting('train.batch_size'), setting('train.steps')) == (
      recipe.batch, recipe.steps)
  assert (setting('train.learning_rate_schedule') is not None
          ) == recipe.schedule
  if recipe.kernel and 'encoder' in model.parts:
    # RAE-SN has its convolutions inside of layers that normalise them.
    layers = [getattr(layer, 'layer', layer) for layer in model.encoder.layers]
    convolution = next(layer for layer in layers
                       if isinstance(layer, keras.layers.Conv2D))
    assert convolution.kernel_size == (recipe.kernel,) * 2
  if recipe.batch_norm is not None and recipe.net != 'pg_gan':
    assert any(isinstance(layer, keras.layers.BatchNormalization)
               for layer in model.decoder.layers) == recipe.batch_norm
  for part, optimizer in model.optimizers.items():
    expected = recipe.optimizers.get(part, recipe.optimizer)
    found = {n: getattr(optimizer, n, None) for n in expected} | {
        'name': type(optimizer).__name__,
        'learning_rate': float(optimizer.learning_rate)}
    if 'average' in expected:
      found['average'] = (optimizer.ema_momentum if optimizer.use_ema
                          else None)
    assert found == pytest.approx(expected), part


def terms_of(model):
  """Returns the names of all terms, also of those that are switched off."""
  updates = type(model).updates
  phases = [updates] if isinstance(updates, dict) else [
      phase.updates for phase in updates]
  return {term for phase in phases for term in phase}


def often_built(name):
  """Whether a sweep's models are built by the fast tests of other sweeps."""
  return any(word in name for word in (
      'search_', 'same_nets', 'sphere', 'claims', 'ten_minutes',
      'regularisers'))


@pytest.mark.parametrize('name, job', [
    pytest.param(name, job, marks=[pytest.mark.slow, pytest.mark.exhaustive]
                 * often_built(name))
    for name, job in JOBS], ids=lambda v: getattr(v, 'cell', v))
def test_a_cell_is_built_and_has_the_settings_of_its_source(name, job):
  assert not any('synthetic' in f for f in job.gin_files)
  model, filters = build(name, job)
  assert type(model).__name__ == CLASSES.get(job.cell, type(model).__name__)
  if 'no_reconstruction' in job.cell:
    assert model.table.rows['reconstruction'] == ()
  if 'fig1' in name:
    assert model.num_posterior_samples == int(job.cell.removeprefix('k_'))
  check_recipe(recipe_of(name, job.cell), model, filters)
  latents, shape, value_range = DATA[name]
  if '_mnist' in name and 'pga' in name and 'lpga' in job.cell:
    latents = 12  # Fewer than the others'.
  assert model.latent_dim == (latents or int(job.cell.split('_')[-1]))
  assert (model.image_shape, model.value_range) == (shape, value_range)
  expected = CELLS[name][job.cell]
  terms = terms_of(model)
  assert set(expected) <= terms
  assert set(model.term_names) == terms - {
      t for t, w in expected.items() if w == 0.}
  for term in model.term_names:
    weight = expected.get(term, 1.)
    for step, value in (weight if isinstance(weight, dict)
                        else {0: weight, 10**6: weight}).items():
      model.step.assign(step)
      assert float(model.weight(term)) == pytest.approx(
          value, rel=TOLERANCE, abs=1e-12), (term, step)


def test_every_cell_is_weighed_and_no_other():
  found = {}
  for name, job in JOBS:
    found.setdefault(name, set()).add(job.cell)
  assert found == {name: set(cells) for name, cells in CELLS.items()}
  assert len(JOBS) == sum(map(len, CELLS.values()))
