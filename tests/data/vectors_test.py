"""The Swiss roll: its law, its standardisation, and how it lies unrolled."""
import numpy as np
import pytest
from scipy.sparse import csgraph
from scipy.spatial import distance
from sklearn import neighbors

from pgak import data
from pgak import errors


@pytest.fixture(name='roll', scope='module')
def _roll():
  return data.swiss_roll(num_examples=1500, seed=3)


def test_a_data_set_of_vectors(roll):
  assert (roll.name, roll.image_shape) == ('swiss_roll', (3,))
  assert roll.splits == ('train', 'test', 'all')
  train, test = roll.split('train'), roll.split('test')
  assert len(train) == len(test) == 1500
  assert roll.split('validation').split == 'test'
  assert train.labels is None and train.attributes is None
  read = train.read([5, 0, 5])
  assert read.dtype == np.float32 and read.shape == (3, 3)
  np.testing.assert_array_equal(read[0], read[2])
  everything = roll.split('all').read(np.arange(3000))
  np.testing.assert_array_equal(everything[1500:], test.read(np.arange(1500)))


def test_it_is_standardised_by_what_is_trained_on(roll):
  train, test = (roll.split(s).read(np.arange(1500)) for s in ('train', 'test'))
  np.testing.assert_allclose(train.mean(0), 0., atol=1e-5)
  np.testing.assert_allclose(train.std(0), 1., atol=1e-5)
  # Of a mean and a deviation of their own the held-out points would have 0 and
  # 1; they are draws of the law, 1 / sqrt(1500) = 0.026 from it.
  assert np.all(np.abs(test.mean(0)) > 1e-5)
  assert np.all(np.abs(test.mean(0)) < 0.15)
  assert np.all(np.abs(test.std(0) - 1.) < 0.1)


def test_it_is_a_function_of_the_seed():
  one, again, other = (data.swiss_roll(50, seed).split('train')
                       for seed in (0, 0, 1))
  assert one.fingerprint == again.fingerprint != other.fingerprint
  assert one.fingerprint != data.swiss_roll(50).split('test').fingerprint
  assert len(one.fingerprint) == 16


def test_unrolled_distances_are_shortest_ways(roll):
  """Ways along a graph of near neighbours are a little longer, never shorter.
  """
  array = roll.split('all')
  points, places = array.read(np.arange(len(array))), np.arange(0, 3000, 60)
  graph = neighbors.kneighbors_graph(points, 12, mode='distance')
  ways = csgraph.shortest_path(graph, directed=False, indices=places)[:, places]
  exact = distance.squareform(distance.pdist(array.unrolled[places]))
  pairs = exact > 1.  # Nearer ones are a few zigzag edges.
  ratio = ways[pairs] / exact[pairs]
  assert np.all(np.isfinite(ratio))
  assert 1. < np.median(ratio) < 1.05 and ratio.max() < 1.25
  # A way that jumps between two turns of the roll would be far shorter.
  assert ratio.min() > 0.99
  # Straight through space the roll's ends are near.
  straight = distance.squareform(distance.pdist(points[places]))
  assert np.min(straight[pairs] / exact[pairs]) < 0.3
  assert np.all(straight <= exact + 1e-5)


def test_what_cannot_be_had_is_named(roll):
  with pytest.raises(errors.UserError, match='no split valid;.*train, test'):
    roll.split('valid')
  with pytest.raises(IndexError, match='swiss_roll/test'):
    roll.split('test').read([1500])
  with pytest.raises(errors.UserError, match='num_examples = 1'):
    data.swiss_roll(1)
