"""LPGA, VPGA and LVPGA: their settings, in Python, in gin and in a config."""
import gin
import numpy as np
import pytest
import tensorflow as tf
import tiny_models

from pgak import models

PGA = ('LPGA', 'VPGA', 'LVPGA')


@gin.configurable
def pga_test_root(model=gin.REQUIRED):
  """Returns what gin binds to it, as `train` takes its model."""
  return model


@pytest.mark.parametrize('name', PGA)
def test_the_encoder_must_be_of_the_right_kind(name):
  wanted = tiny_models.STOCHASTIC[name]
  with pytest.raises(ValueError, match=f'{name}.*log_variance={wanted}'):
    getattr(models, name)(tiny_models.encoder(not wanted),
                          tiny_models.decoder())


BOUND = {
    'LPGA': dict(epsilon=0.02, perturbation='gaussian', nll_encoder=0.3,
                 nll_decoder=0.4, latent_reconstruction=0.5,
                 data_latent_reconstruction=0.6, warm_up_steps=10),
    'VPGA': dict(variational_reconstruction=0.3, kl=0.4, likelihood_sigma=0.7,
                 latent_reconstruction=0.5, warm_up_steps=0),
    'LVPGA': dict(variational_nll=0.3, kl=0.4, sigma_floor=0.07,
                  nll_encoder=0.2, warm_up_steps=2),
}
ROW = {'LPGA': 'nll_decoder', 'VPGA': 'kl', 'LVPGA': 'latent_reconstruction'}


def _configured(name):
  values = BOUND[name] | {'updates': {ROW[name]: ('encoder', 'decoder')}}
  gin.parse_config(
      [f'pga_test_root.model = @{name}',
       f'{name}.encoder = @encoder()', f'{name}.decoder = @decoder()',
       'encoder.network = @conv_digits_encoder',
       'encoder.image_shape = (8, 8, 1)', 'encoder.latent_dim = 3',
       f'encoder.log_variance = {tiny_models.STOCHASTIC[name]}',
       'conv_digits_encoder.base_filters = 2',
       'conv_digits_encoder.dense_units = 5',
       'decoder.network = @conv_digits_decoder',
       'decoder.image_shape = (8, 8, 1)', 'decoder.latent_dim = 3',
       'conv_digits_decoder.base_filters = 2',
       'conv_digits_decoder.dense_units = 5']
      + [f'{name}.{k} = {v!r}' for k, v in values.items()])
  return pga_test_root()()


@pytest.mark.parametrize('name', PGA)
def test_gin_builds_it_from_a_reference(name):
  model = _configured(name)
  assert isinstance(model, getattr(models, name))
  for setting, value in BOUND[name].items():
    assert getattr(model, setting) == value
  assert model.table.phases[0].updates[ROW[name]] == ('encoder', 'decoder')
  model.compile(tiny_models.sgd(model, 1e-3))
  logs = model.train_step(tf.zeros([2, 8, 8, 1]))
  assert set(logs) == {'loss', *model.term_names}
  model.step.assign(100)
  for term in model.term_names:
    assert float(model.weight(term)) == pytest.approx(
        BOUND[name].get(term, getattr(model, term, 1.)))


@pytest.mark.parametrize('name', PGA)
@pytest.mark.parametrize('through_gin', [False, True])
def test_a_config_builds_the_same_model_again(name, through_gin):
  if through_gin:
    model = _configured(name)
  else:
    model = getattr(models, name)(
        tiny_models.encoder(tiny_models.STOCHASTIC[name]),
        tiny_models.decoder(), updates={ROW[name]: ('encoder', 'decoder')},
        **BOUND[name])
  config = model.get_config()
  gin.clear_config()
  again = getattr(models, name).from_config(config)
  for setting, value in BOUND[name].items():
    assert getattr(again, setting) == value
  assert again.table.phases == model.table.phases
  again.encoder.set_weights(model.encoder.get_weights())
  again.decoder.set_weights(model.decoder.get_weights())
  again.step.assign(50)
  model.step.assign(50)
  for term in model.term_names:
    assert float(again.weight(term)) == float(model.weight(term))
  x = tf.random.stateless_uniform([4, *model.image_shape], [1, 1], -1., 1.)
  noise = model.draw_noise(x)
  for term, value in model.terms(x, noise).items():
    np.testing.assert_allclose(again.terms(x, noise)[term], value, 1e-5, 1e-6)
