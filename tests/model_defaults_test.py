"""A model's default stands once, in Python: its gin file binds what differs."""
import inspect
import re

import checkout
import pytest

from pgak import registry
from pgak.runs import gin_internals
from pgak.runs import gin_text
from pgak.runs import nets

registry.register()
GIN = checkout.ROOT / 'gin'
# Bound though a default is another: for which the default is right.
DIFFERENT = {
    # The default is the authors' for 64 latents; it shrinks with their number.
    'AGE.latent_reconstruction',
}
# Nets that a file binds although its class names the same: models/fp_ae.gin,
# before which it may stand, binds another.
UNDOING = {'FPVAE.encoder'}


def bindings(path):
  return gin_text.bindings_of(path.read_text(encoding='utf-8'))


def models():
  for path in sorted((GIN / 'models').glob('*.gin')):
    found = re.search(r'^train\.model = @(\w+)', path.read_text(), re.M)
    if found:
      yield pytest.param(path, found[1], id=path.stem)


@pytest.fixture(name='undone', scope='module')
def _undone():
  """What files that are no paper's bind, so that a model's file undoes it."""
  return {name for folder in ('', 'settings', 'recipes', 'networks')
          for path in (GIN / folder).glob('*.gin') for name in bindings(path)}


@pytest.mark.parametrize('path, model', models())
def test_what_a_model_s_file_binds_differs_or_undoes(path, model, undone):
  (wrapped, *_), = gin_internals.configurables(model)
  parameters = inspect.signature(wrapped).parameters
  for name, text in bindings(path).items():
    owner, _, parameter = name.rpartition('.')
    if owner != model or text.startswith(('@', '%')):
      continue
    value, default = eval(text, {}), parameters[parameter].default
    if name in undone:
      assert value == default, f'{name} contradicts its default {default!r}'
    else:
      assert name in DIFFERENT and value != default, f'{name} = {text}'


@pytest.mark.parametrize('path, model', models())
def test_a_model_s_file_binds_no_net_that_its_class_names(path, model):
  (wrapped, *_), = gin_internals.configurables(model)
  found = bindings(path)
  for argument, text in nets.named(wrapped).items():
    name = f'{model}.{argument}'
    assert name in UNDOING or found.get(name) != text, name
