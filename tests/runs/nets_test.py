"""The nets that a model's class names and no binding."""
import gin
import pytest

from pgak import errors
from pgak import models
from pgak import registry
from pgak import settings
from pgak.runs import configuration
from pgak.runs import gin_internals
from pgak.runs import gin_text
from pgak.runs import nets

registry.register()
FILES = ['quickstart.gin']


@settings.register(module='nets_test')
class Inherits(models.VAE):
  """It names nothing: its nets are those of the VAE."""


@settings.register(module='nets_test')
class Replaces(models.AAE):
  """Another critic, and a net that its parents have not."""

  nets = {'critic': '@mine/latent_critic()', 'judge': '@image_critic/encoder()'}

  def __init__(self, judge, encoder, decoder, critic, other=None):
    super().__init__(encoder, decoder, critic)


@settings.register(module='nets_test')
class Misspelt(models.AE):
  """It names what there is not."""

  nets = {'decoder': '@decodr()'}


@settings.register(module='nets_test')
class NoText(models.AE):
  """It names no gin text."""

  nets = {'decoder': 5}


@pytest.fixture(autouse=True)
def _no_gin():
  yield
  gin.clear_config()


def bound(model, bindings=(), files=FILES):
  """Returns what a configuration binds to a model, as text."""
  configuration.parse(files, [f'train.model = @{model}', *bindings])
  found = gin_text.bindings_of(gin.config_str())
  return {name: value for name, value in found.items()
          if name.rpartition('.')[0].endswith(model)}


def test_a_class_inherits_the_nets_of_its_parents():
  assert bound('Inherits') == {
      'Inherits.encoder': '@gaussian/encoder()',
      'Inherits.decoder': '@decoder()'}


def test_a_class_replaces_and_adds_nets_and_leaves_defaults():
  assert bound('Replaces') == {
      'Replaces.judge': '@image_critic/encoder()',
      'Replaces.encoder': '@encoder()',
      'Replaces.decoder': '@decoder()',
      'Replaces.critic': '@mine/latent_critic()'}


def test_a_bound_net_wins_and_its_settings_are_read():
  found = bound('Inherits', ['Inherits.encoder = @mine/encoder()',
                             'mine/encoder.log_variance = True',
                             'decoder.value_range = (0., 1.)'])
  assert found == {'Inherits.encoder': '@mine/encoder()',
                   'Inherits.decoder': '@decoder()'}


def test_a_net_bound_in_the_scope_of_the_reference_wins():
  found = bound('a/b/Inherits', ['a/Inherits.decoder = @mine/decoder()'])
  assert found == {}
  assert configuration.setting('Inherits.encoder') is not None
  with pytest.raises(ValueError):
    gin.query_parameter('Inherits.decoder')


def test_a_model_behind_a_macro_has_its_nets():
  configuration.parse(FILES, ['chosen = @Inherits', 'train.model = %chosen'])
  assert configuration.setting('Inherits.encoder') is not None


def test_nets_are_made_in_the_order_of_the_arguments():
  bound('VAE', ['VAE.kl = 0.5', 'VAE.decoder = @mine/decoder()'])
  order = [parameter for scope, name, parameter, _ in
           gin_internals.bound_values() if name.endswith('.VAE') and not scope]
  assert order == ['encoder', 'decoder', 'kl']


@pytest.mark.parametrize('model, word', [
    ('Misspelt', 'did you mean decoder?'), ('NoText', 'of the type int')])
def test_what_is_no_net_is_named_in_a_sentence(model, word):
  with pytest.raises(errors.UserError, match=f'class {model} names') as e:
    bound(model)
  assert word in str(e.value)


def test_a_parent_s_net_that_a_class_does_not_take_is_left_out():
  assert 'critic' in nets.named(models.AAE)
  assert 'critic' not in nets.named(models.AE)
