"""Random draws: repeatable, the same in XLA, independent, well distributed."""
import numpy as np
import pytest
from scipy import stats
import tensorflow as tf

from pgak import noise

DRAWS = [noise.normal, noise.signs, noise.uniform]


def _draw(draw, shape, run_seed=0, counter=0, name='test', dtype=tf.float32):
  return draw(shape, noise.seed(run_seed, counter, name), dtype)


@pytest.mark.parametrize('draw', DRAWS)
@pytest.mark.parametrize('dtype', [tf.float32, tf.float64])
def test_a_draw_is_the_same_inside_and_outside_xla(draw, dtype):
  # The counter is an argument: constant folding would hide a difference.
  def values(counter):
    return _draw(draw, [33, 7], 3, counter, dtype=dtype)
  counter = tf.constant(12, tf.int64)
  eager = values(counter)
  graph = tf.function(values)(counter)
  xla = tf.function(values, jit_compile=True)(counter)
  assert eager.dtype == dtype
  np.testing.assert_allclose(graph, eager, rtol=1e-6, atol=1e-6)
  np.testing.assert_allclose(xla, eager, rtol=1e-6, atol=1e-6)
  if draw is noise.uniform:
    np.testing.assert_array_equal(xla, eager)


@pytest.mark.parametrize('dtype', [tf.float32, tf.float64])
def test_uniform_draws_are_uniform(dtype):
  values = _draw(noise.uniform, [200000], dtype=dtype).numpy()
  assert values.min() >= 0. and values.max() < 1.
  np.testing.assert_array_equal(values * 2**24, np.round(values * 2**24))
  assert stats.kstest(values, 'uniform').pvalue > 1e-3


@pytest.mark.parametrize('dtype', [tf.float32, tf.float64])
def test_normal_draws_are_normal(dtype):
  values = _draw(noise.normal, [200000], dtype=dtype).numpy().astype('float64')
  assert np.all(np.isfinite(values))
  # Standard errors of the first four moments over 200,000 draws: 0.0022,
  # 0.0032, 0.0055 (skewness), 0.011 (excess kurtosis); four of each.
  assert abs(values.mean()) < 0.009
  assert abs(values.var() - 1.) < 0.013
  assert abs(stats.skew(values)) < 0.022
  assert abs(stats.kurtosis(values)) < 0.044
  assert stats.kstest(values, 'norm').pvalue > 1e-3


@pytest.mark.parametrize('dtype', [tf.float32, tf.float64])
def test_the_ends_of_the_uniform_draws_have_finite_logarithms(
    monkeypatch, dtype):
  # sqrt(-2 log(1 - 0)) = 0; sqrt(-2 log(2^-24)) = sqrt(33.27) = 5.768.
  for value, radius in ((0., 0.), (1. - 2.**-24, 5.768108)):
    monkeypatch.setattr(noise, 'uniform', lambda shape, seed, dtype=dtype, v=(
        value): tf.fill(shape, tf.constant(v, dtype)))
    found = np.abs(noise.normal([3], noise.seed(0, 0, 'test'), dtype))
    expected = radius * np.cos(2. * np.pi * value)
    np.testing.assert_allclose(found, [expected] * 3, rtol=1e-5)


def test_both_tails_reach_four_standard_deviations():
  values = _draw(noise.normal, [200000]).numpy()
  # 200,000 * 3.2e-5 = 6.3 draws beyond 4 on each side; none beyond 5.77.
  assert 4. < values.max() < 5.78
  assert -5.78 < values.min() < -4.


def test_neighbours_are_independent():
  values = _draw(noise.normal, [100000, 2]).numpy()
  flat = values.reshape(-1)
  for lag in (1, 2, 3, 4, 8):
    assert abs(np.corrcoef(flat[:-lag], flat[lag:])[0, 1]) < 0.01


@pytest.mark.parametrize('draw', DRAWS)
def test_what_differs_in_seed_counter_or_name_is_independent(draw):
  base = dict(run_seed=1, counter=5, name='prior')
  others = [base | {'run_seed': 2}, base | {'counter': 6},
            base | {'name': 'perturbation'}, base | {'run_seed': 1 << 31},
            base | {'run_seed': -1}, base | {'counter': 1 << 40}]
  first = _draw(draw, [50000], **base).numpy()
  np.testing.assert_array_equal(first, _draw(draw, [50000], **base))
  for other in others:
    second = _draw(draw, [50000], **other).numpy()
    # A correlation's standard error over 50,000 pairs is 0.0045.
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02, other
    assert draw is noise.signs or np.mean(first == second) < 1e-3, other


def test_a_seed_is_the_same_in_every_process():
  # The check value of CRC-32 is that of '123456789': 0xCBF43926.
  np.testing.assert_array_equal(
      noise.seed(2, 7, '123456789'), [(2 << 32) + 0xCBF43926, 7])


def test_seeds_do_not_collide():
  seeds = {tuple(noise.seed(r, c, n).numpy())
           for r in range(20) for c in range(20)
           for n in ('train/prior', 'train/perturbation', 'train/posterior',
                     'validation/prior', 'prior')}
  assert len(seeds) == 20 * 20 * 5


def test_a_seed_takes_ints_tensors_and_variables():
  expected = noise.seed(7, 3, 'a').numpy()
  assert expected.dtype == np.int64 and expected.shape == (2,)
  for run_seed, counter in ((tf.constant(7), tf.constant(3)),
                            (tf.constant(7, tf.int64), tf.Variable(3))):
    np.testing.assert_array_equal(noise.seed(run_seed, counter, 'a'), expected)


@pytest.mark.parametrize('jit_compile', [False, True])
@pytest.mark.parametrize('draw', DRAWS)
def test_a_shape_may_be_dynamic(draw, jit_compile):
  @tf.function(jit_compile=jit_compile, input_signature=[
      tf.TensorSpec([None, 3], tf.float32)])
  def like(batch):
    return _draw(draw, [tf.shape(batch)[0], 5])
  for size in (1, 4):
    np.testing.assert_allclose(like(tf.zeros([size, 3])),
                               _draw(draw, [size, 5]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('draw', DRAWS)
def test_the_first_draws_do_not_depend_on_how_many_there_are(draw):
  few, many = _draw(draw, [3, 5]), _draw(draw, [64, 5])
  np.testing.assert_allclose(few, many[:3], rtol=1e-6, atol=1e-6)


def test_signs_are_fair_coins():
  values = _draw(noise.signs, [100000]).numpy()
  assert set(np.unique(values)) == {-1., 1.}
  assert abs(values.mean()) < 4. / 100000**0.5


def test_all_bits_of_a_seed_count_and_small_ones_draw_as_ever():
  # Version 0.4: [seed * 2^32 + crc32(name), counter]; crc32('test') by hand.
  np.testing.assert_array_equal(
      noise.seed(7, 3, 'test'), [(7 << 32) + 0xd87f7e0c, 3])
  seeds = [1, 1 + (1 << 32), 1 - (1 << 63), -1, (1 << 32) - 1, 1 + (1 << 62)]
  drawn = {_draw(noise.normal, [4], s).numpy().tobytes() for s in seeds}
  assert len(drawn) == len(seeds)


def test_each_row_is_drawn_from_its_own_seed():
  shapes = {'a': (noise.normal, (3,)), 'b': (noise.uniform, ())}
  seeds = np.array([5, 1 << 40, -3, 5])
  rows = tf.function(lambda s: noise.of_seeds(shapes, s), input_signature=[
      tf.TensorSpec([None], tf.int64)])
  found = rows(tf.constant(seeds))
  for i, seed in enumerate(seeds):
    for name, values in noise.of_seed(shapes, 1, seed).items():
      np.testing.assert_allclose(found[name][i], values[0], rtol=1e-6)
  assert rows(tf.constant([], tf.int64))['a'].shape == (0, 3)
  # The first of many draws by one seed is the draw by that seed.
  np.testing.assert_allclose(
      noise.of_seed(shapes, 9, 5)['a'][0], found['a'][0], rtol=1e-6)
