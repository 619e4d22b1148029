"""An export that computes in 16 bits."""
import keras
from keras import layers
import numpy as np
import pytest

from pgak import errors
from pgak import models
from pgak.serving import precision

SHAPE = (4, 4, 1)


def model(scale=1.):
  keras.utils.set_random_seed(0)
  images = keras.Input(SHAPE)
  latents = layers.Dense(2)(layers.Dense(8)(layers.Flatten()(images)))
  drawn = keras.Input((2,))
  made = layers.Dense(16)(drawn)
  # In float16 infinity, from 65,520 on; and NaN, less itself.
  made = layers.Rescaling(scale)(made)
  made = layers.Subtract()([made, layers.Rescaling(1. - 1e-3)(made)])
  made = layers.Activation('tanh')(layers.Reshape(SHAPE)(made))
  return models.AE(keras.Model(images, latents), keras.Model(drawn, made))


def test_float32_is_left_as_it_is():
  with precision.computed_in(model(), 'float32') as said:
    assert said == {'precision': 'float32'}


@pytest.mark.parametrize('name, most', [('bfloat16', 4), ('float16', 1)])
def test_the_difference_is_measured(name, most):
  made = model()
  latents = np.random.default_rng(0).normal(size=(64, 2)).astype('f')
  full = made.decoder(latents).numpy()
  with precision.computed_in(made, name) as said:
    lower = made.decoder(latents).numpy()
  assert said['precision'] == name
  assert 0 < np.abs(full - lower).max() < 0.03
  assert 0 <= said['precision_difference']['images'] <= most
  assert 0. < said['precision_difference']['latents'] < 0.02
  np.testing.assert_array_equal(made.decoder(latents), full)


def test_numbers_that_are_too_large_are_refused():
  made = model(scale=1e7)
  with precision.computed_in(made, 'bfloat16'):
    pass
  with pytest.raises(errors.UserError, match='In float16 .*NaN or infinity'):
    with precision.computed_in(made, 'float16'):
      pass
