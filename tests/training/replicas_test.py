"""What a replica takes of the noise and gives to the means, without devices."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import noise
from pgak import replicas


class Context:
  """What a replica knows of itself, the second of three."""

  num_replicas_in_sync = 3
  replica_id_in_sync_group = 1

  def all_reduce(self, how, values):
    assert how == tf.distribute.ReduceOp.MEAN
    return [v + 10. for v in values]


@pytest.fixture(name='second')
def _second(monkeypatch):
  monkeypatch.setattr(tf.distribute, 'get_replica_context', Context)


def draw(size):
  return replicas.draw(noise.normal, size, [2], noise.seed(3, 4, 'test'),
                       tf.float32).numpy()


def test_a_replica_takes_its_own_slice_of_what_one_device_draws(monkeypatch):
  whole = draw(12)
  for place in range(3):
    monkeypatch.setattr(Context, 'replica_id_in_sync_group', place)
    monkeypatch.setattr(tf.distribute, 'get_replica_context', Context)
    np.testing.assert_allclose(draw(4), whole[4 * place:4 * place + 4],
                               rtol=1e-6)


@pytest.mark.usefixtures('second')
def test_values_of_several_replicas_are_averaged():
  assert replicas.mean([1., 2.]) == [11., 12.]


def test_the_values_of_one_device_are_its_own():
  assert replicas.mean([1., 2.]) == [1., 2.]
  assert replicas.logs({'loss': 1.}) == {'loss': 1.}
