"""Labels and attributes of latents, as numbers that a net takes."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import errors
from pgak.priors import conditions

# Of means -0.2, 0 and -0.6, in which only the last two are correlated.
FACES = conditions.Conditions(
    np.array([3, 8]), ('Smiling', 'Male', 'Bald'), np.float32([
        [-0.2, 0., -0.6], [0.96, 0., 0.], [0., 1., 0.4], [0., 0.4, 0.64]]))


def read(learned, given, number):
  return [np.asarray(x).tolist() for x in learned.read(given, number)]


@pytest.mark.parametrize('given, labels, attributes', [
    ([8, 3], [1, 0], [[0, 0, 0]] * 2), (8, [1, 1], [[0, 0, 0]] * 2),
    ([[1, 0, -1], [0, 0, 1]], [2, 2], [[1, 0, -1], [0, 0, 1]]),
    ({'Male': 0}, [2, 2], [[0, -1, 0]] * 2),
    ({'Bald': [True, False], 'Smiling': 1, 'label': 8}, [1, 1],
     [[1, 0, 1], [1, 0, -1]]),
    ([[True, False, True]] * 2, [2, 2], [[1, -1, 1]] * 2),
    ({'label': [3, 8]}, [0, 1], [[0, 0, 0]] * 2),
    ({}, [2, 2], [[0, 0, 0]] * 2)])
def test_what_is_given_in_each_form(given, labels, attributes):
  assert read(FACES, given, 2) == [labels, attributes]
  if 'Smiling' not in str(given):
    # In a graph as well, of any number.
    graph = tf.function(lambda n: FACES.read(given, n))
    assert [labels, attributes] == [
        x.numpy().tolist() for x in graph(tf.constant(2))]


def test_what_a_net_is_given():
  assert FACES.codes(None, 2) == ()
  labels, = conditions.Conditions(np.array([3, 8])).codes([8], 1)
  assert labels.numpy().tolist() == [1]
  labels, evidence = FACES.codes([[0, 1, 0], [0, 0, -1], [0, 0, 0], [1, 1, 1],
                                  [0, 0, 1]], 5)
  assert labels.numpy().tolist() == [2] * 5
  np.testing.assert_allclose(evidence, [
      [0., 1., 0.4, 0., 1., 0.],  # Cov / Var = 0.4 of Bald by Male.
      [0., -0.25, -0.4, 0., 0., 1.],  # 0.4 / 0.64 (-1 + 0.6) of Male.
      [0.] * 6, [1.2, 1., 1.6, 1., 1., 1.],
      [0., 1., 1.6, 0., 0., 1.]], atol=1e-5)


@pytest.mark.parametrize('given, sentence', [
    ({'Smilling': 1}, r"no attribute 'Smilling': choose .*, Smiling, Male, Bald"
     ': did you mean Smiling[?]'),
    ({'Beard': 1}, 'Smiling, Male, Bald[.]$'),
    ({'Male': 2}, 'Male is 1 where it is present and 0 .*, not 2'),
    ({'Male': [1, 0, 1]}, 'Male is given 3 times for 2 draws'),
    ([[1, 0]] * 2, r'the shape \[B, 3\], and these have \[2, 2\]'),
    ([[1, 0, 2]] * 2, '1 for present, -1 for absent and 0'),
    ([[0.9, 0., -1.]] * 2, 'Attributes are booleans, or integers'),
    ([[200, 0, 1]] * 2, 'Attributes are booleans, or integers'),
    ([8.9, 3.], 'Labels are integers, and these are float32'),
    ({'label': 8.}, 'Labels are integers'), (True, 'these are bool'),
    ([4, 3], 'no label 4'), (4, 'no label 4'),
    ([3, 8, 3], 'label is given 3 times for 2 draws')])
def test_what_cannot_be_given(given, sentence):
  with pytest.raises(errors.UserError, match=sentence):
    FACES.codes(given, 2)


@pytest.mark.parametrize('given, what', [
    ([3], 'labels'), ({'label': 3}, 'labels'), ({'Male': 1}, 'attributes'),
    ([[1]], 'attributes')])
def test_what_was_not_learned(given, what):
  with pytest.raises(errors.UserError, match=f'fitted without {what}, .* file '
                     'in densities/ is removed'):
    conditions.Conditions().codes(given, 1)


@pytest.mark.parametrize('given, number', [
    (None, 5), (7, 5), ([1, 2], 2), (np.zeros([3, 4]), 3), ({'Male': 1}, 5),
    ({'Male': 1, 'Bald': [1, 0]}, 2)])
def test_how_many_samples_there_are(given, number):
  assert FACES.number(5 if number == 5 else None, given) == number
  if number < 5:
    with pytest.raises(errors.UserError, match='5 draws are asked for and'):
      FACES.number(5, given)


@pytest.mark.parametrize('given', [7, {'Male': 1}])
def test_one_value_for_all_does_not_say_how_many(given):
  with pytest.raises(errors.UserError, match='give `n`, too'):
    FACES.number(None, given)


def test_what_is_learned_of_attributes():
  male = np.array([True, False, True])
  found, labels, attributes = conditions.learned(
      3, None, {'Male': male, 'All': male | True, 'None': [0, 0, 0],
                'Bald': [0, 0, 1]})
  np.testing.assert_allclose(
      found.moments[0], [1. / 3., -1. / 3.], rtol=1e-6)
  np.testing.assert_allclose(found.moments[1:] - 0.02 * np.eye(2), np.cov(
      [[1, -1, 1], [-1, -1, 1]]), rtol=1e-5)
  assert found.attributes == ('Male', 'Bald') and found.sizes == (0, 2)
  assert labels.tolist() == [0, 0, 0]
  assert attributes.tolist() == [[1, -1], [-1, -1], [1, 1]]
  for wrong in ([1, 0], [1, 0, 2], [[1, 0, 1]]):
    with pytest.raises(errors.UserError, match='values of the attribute Male'):
      conditions.learned(3, None, {'Male': wrong})


def test_a_file_holds_what_was_learned():
  again = conditions.of_state(FACES.state())
  assert again.attributes == FACES.attributes
  assert again.classes.tolist() == [3, 8]
  np.testing.assert_array_equal(again.moments, FACES.moments)
  plain = conditions.Conditions(np.array([1]))
  # As files from before attributes were learned.
  assert list(plain.state()) == ['classes']
  assert conditions.of_state(plain.state()).attributes == ()


def test_any_subset_of_attributes_is_dropped():
  signs = tf.where(tf.random.stateless_uniform([20000, 4], [1, 2]) < 0.5, 1, -1)
  left = conditions.dropped(signs, tf.constant([3, 4], tf.int64), 0.3).numpy()
  assert np.all((left == 0) | (left == signs.numpy()))
  known = left != 0
  # P(known) = 0.7 E 4^-u = 0.7 (1 - 1/4) / log 4 of each.
  np.testing.assert_allclose(known.mean(0), 0.7 * 0.75 / np.log(4.), atol=0.015)
  # All 16 subsets, and none as often as it is dropped, and by chance.
  subsets = np.bincount(known @ [1, 2, 4, 8], minlength=16) / 20000.
  assert subsets.min() > 0.02 and 0.3 < subsets[0] < 0.4


def test_a_label_of_minus_one_is_unknown():
  found, labels, _ = conditions.learned(5, [3, -1, 8, 3, -1])
  assert found.classes.tolist() == [3, 8]
  assert labels.tolist() == [0, 2, 1, 0, 2]
  found, labels, _ = conditions.learned(2, [-1, -1])
  assert found.sizes == (0, 0) and labels.tolist() == [0, 0]
