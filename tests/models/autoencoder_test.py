"""The plain autoencoder."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import models
import tiny_models


@pytest.mark.parametrize('log_variance', [False, True])
def test_the_loss_is_the_error_of_the_mean(log_variance):
  model = models.AE(tiny_models.encoder(log_variance), tiny_models.decoder())
  model.compile(tiny_models.sgd(model))
  x = tiny_models.images()
  reconstructed = model.decoder(model.encode_mean(x))
  logs = model.train_step(tf.constant(x))
  assert set(logs) == {'loss', 'reconstruction'}
  assert float(logs['loss']) == pytest.approx(
      float(np.mean((reconstructed - x)**2)), rel=1e-5)


def test_it_learns():
  model = tiny_models.compiled('AE', learning_rate=1.)
  data = tf.data.Dataset.from_tensors(tiny_models.images()).repeat()
  losses = model.fit(data, steps_per_epoch=100, epochs=2,
                     verbose=0).history['loss']
  assert losses[1] < 0.5 * losses[0]


def test_only_one_part_may_learn():
  model = tiny_models.compiled('AE', updates={'reconstruction': ('decoder',)})
  before = {p: tiny_models.values(net) for p, net in model.parts.items()}
  model.train_step(tiny_models.images())
  np.testing.assert_array_equal(tiny_models.values(model.encoder),
                                before['encoder'])
  assert np.abs(tiny_models.values(model.decoder)
                - before['decoder']).max() > 1e-3


def test_it_draws_nothing():
  model = tiny_models.compiled('AE')
  assert model.draw_noise(tiny_models.images()) == {}


def test_a_config_builds_the_same_model_again():
  model = tiny_models.make('AE', updates={'reconstruction': ('decoder',)})
  again = models.AE.from_config(model.get_config())
  assert again.table.phases == model.table.phases
