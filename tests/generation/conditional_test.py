import numpy as np
import tiny_pairs

from pgak.generation import conditional


def pairs(number):
  return tiny_pairs.dataset().split('test').read_pairs(np.arange(number))


def test_images_are_those_of_the_model_and_repeat_by_seed():
  model = tiny_pairs.make('VUNetFlow')
  _, conditions = pairs(5)
  made = np.concatenate(list(conditional.generate(model, conditions, seed=2)))
  expected = model.sample(conditions, seed=2 << 20).numpy()
  assert np.abs(made.astype(int) - expected).max() <= 1
  again = np.concatenate(list(conditional.generate(model, conditions, seed=2)))
  np.testing.assert_array_equal(again, made)
  other = np.concatenate(list(conditional.generate(model, conditions, seed=3)))
  assert np.any(other != made)


def test_the_batches_of_one_seed_have_draws_of_their_own():
  model = tiny_pairs.make('VUNetFlow')
  _, conditions = pairs(1)
  batches = list(conditional.generate(
      model, conditions.repeat(3, 0), batch_size=2))
  assert [len(b) for b in batches] == [2, 1]
  assert np.any(batches[0][0] != batches[1][0])


def test_rows_hold_condition_image_and_what_was_made():
  model = tiny_pairs.make('VUNetFlow')
  images, conditions = pairs(3)
  rows = conditional.sample_rows(model, images, conditions, 4, seed=1)
  assert rows.shape == (3, 6, 8, 8, 1) and rows.dtype == np.uint8
  np.testing.assert_array_equal(rows[:, 0], conditions)
  np.testing.assert_array_equal(rows[:, 1], images)
  assert np.any(rows[:, 2] != rows[:, 3])
  rows = conditional.reconstruction_rows(model, images, conditions)
  assert rows.shape == (3, 3, 8, 8, 1)
  # Eight pixels are enlarged to 32, with a line between two images.
  assert conditional.picture(rows).shape == (98, 98, 1)


def test_grey_beside_colour_becomes_colour():
  grey, colour = np.ones((2, 4, 4, 1), 'u1'), np.zeros((2, 4, 4, 3), 'u1')
  rows = conditional.side_by_side([grey, colour])
  assert rows.shape == (2, 2, 4, 4, 3)
  assert rows[:, 0].min() == 1 and rows[:, 1].max() == 0
