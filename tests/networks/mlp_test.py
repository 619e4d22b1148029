"""Dense nets, and decoders of vectors."""
import keras
import numpy as np
import pytest

from pgak import networks
from pgak.data import kinds


def test_an_encoder_and_a_decoder_of_vectors():
  encoder = networks.encoder(
      lambda x: networks.mlp_encoder(x, (5, 4)), (3,), 2)
  decoder = networks.decoder(
      lambda z, c: networks.mlp_decoder(z, c, (4,)), (3,), 2, None)
  # Weights and biases: 3 5 + 5, 5 4 + 4, 4 2 + 2; and 2 4 + 4, 4 3 + 3.
  assert encoder.count_params() == 20 + 24 + 10
  assert decoder.count_params() == 12 + 15
  points = np.ones([7, 3], np.float32)
  assert decoder(encoder(points)).shape == (7, 3)
  assert kinds.value_range_of(decoder) is None


def test_a_decoder_of_vectors_has_no_bounds():
  decoder = networks.decoder(
      lambda z, c: keras.layers.Dense(c)(z), (3,), 2, None)
  for variable in decoder.trainable_variables:
    variable.assign(np.full(variable.shape, 100.))
  np.testing.assert_allclose(decoder(np.ones([1, 2])), 300.)


def test_images_become_rows():
  encoder = networks.encoder(
      lambda x: networks.mlp_encoder(x, (5,)), (4, 3, 1), 2)
  assert encoder(np.zeros([2, 4, 3, 1])).shape == (2, 2)


@pytest.mark.parametrize('image_shape, value_range, right', [
    ((3,), (-1., 1.), 'None'), ((2, 2, 3), None, r'\(-1., 1.\) or')])
def test_a_range_of_the_other_kind_is_refused(image_shape, value_range, right):
  with pytest.raises(ValueError, match=f'give `value_range={right}'):
    networks.decoder(lambda z, c: z, image_shape, 3, value_range)
