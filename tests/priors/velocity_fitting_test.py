"""What a velocity net is fitted to."""
import numpy as np
import pytest
import tensorflow as tf

from pgak import noise
from pgak.priors import velocity_fitting


class Zero:
  """A net that is still, and remembers what it was asked."""

  def __init__(self, num_classes=0):
    self.num_classes = num_classes

  def __call__(self, points, times, *given):
    self.asked = points.numpy(), times.numpy(), *(x.numpy() for x in given)
    return tf.zeros_like(points)


def regression(number=400, **settings):
  points = np.full([number, 2], 3., np.float32)
  labels = np.arange(number, dtype=np.int32) % 3
  options = dict(seed=0, batch_size=5000, times='logit_normal', noise=0.,
                 unlabelled=0.5)
  return velocity_fitting.Regression(points, labels, **options | settings)


def test_the_loss_by_hand():
  net = Zero()
  loss = float(regression().held_out_loss(net))
  points, times = net.asked[:2]
  # x_t = (1 - t) x_0 + t 3, and the velocity is 3 - x_0.
  base = (points - times[:, None] * 3.) / (1. - times[:, None])
  assert loss == pytest.approx(np.mean((3. - base)**2), rel=1e-4)
  assert loss == pytest.approx(10., abs=1.)  # 3^2 + 1, of 320 numbers.


def test_held_out_times_are_spread_evenly():
  net, same = Zero(), Zero()
  regression().held_out_loss(net)
  times = net.asked[1]
  assert len(times) == 160  # Four for each of a tenth of 400.
  for quarter in range(4):
    here = times[quarter::4]
    assert here.min() >= quarter / 4. and here.max() < (quarter + 1) / 4.
    assert np.ptp(here) > 0.2
  regression(times='uniform').held_out_loss(same)
  np.testing.assert_array_equal(same.asked[0], net.asked[0])


@pytest.mark.parametrize('number, watched', [
    (5, 5), (400, 40), (20000, 2000), (50000, 2000)])
def test_all_is_trained_on_but_what_is_watched(number, watched):
  points = np.arange(number, dtype=np.float32)[:, np.newaxis]
  made = velocity_fitting.Regression(
      points, np.zeros(number, np.int32), 0, 512, 'uniform', 0., 0.5)
  seen, apart = (set(x[0].numpy().ravel()) for x in (made.train, made.watched))
  assert len(apart) == watched
  # Of fewer than ten, all are both.
  assert made.number == len(seen) == number - (watched if number > 10 else 0)
  assert number < 10 or not seen & apart


@pytest.mark.parametrize('times, deviation', [
    # Of the sigmoid of N(0, 1), and of the uniform distribution, 12^-1/2.
    ('logit_normal', 0.2083), ('uniform', 0.2887)])
def test_times_while_training(times, deviation):
  net = Zero()
  made = regression(number=6000, times=times)
  made.loss(net, tf.constant(1, tf.int64))
  assert len(net.asked[1]) == 5000
  assert net.asked[1].std() == pytest.approx(deviation, abs=0.01)
  first = net.asked[0]
  made.loss(net, tf.constant(2, tf.int64))
  assert np.abs(net.asked[0] - first).max() > 1.


def test_noise_is_added_to_the_latents():
  still, blurred = Zero(), Zero()
  regression().held_out_loss(still)
  regression(noise=0.5).held_out_loss(blurred)
  added = (blurred.asked[0] - still.asked[0]) / still.asked[1][:, None]
  assert added.std() == pytest.approx(0.5, abs=0.08)


def test_labels_are_dropped():
  net = Zero(3)
  regression(unlabelled=0.2, number=6000).loss(net, tf.constant(1, tf.int64))
  shares = np.bincount(net.asked[2]) / 5000.
  np.testing.assert_allclose(shares, [0.8 / 3.] * 3 + [0.2], atol=0.03)


def test_attributes_are_dropped_and_stay_with_their_points():
  net, signs = Zero(3), np.where(np.arange(600) % 3, 1, -1)[:, None]
  regression(number=600, attributes=np.int32(signs),
             evidence=tf.identity).loss(
      net, tf.constant(1, tf.int64))
  _, _, labels, attributes = net.asked
  known = attributes[:, 0] != 0
  assert known.mean() == pytest.approx(0.5, abs=0.03)
  both = known & (labels < 3)
  np.testing.assert_array_equal(attributes[both, 0] == -1, labels[both] == 0)


def test_steps_by_the_number_of_latents():
  assert regression(number=1000, batch_size=100).usual_steps == 1800
  assert regression(number=3).usual_steps == 200
  assert regression(number=60000, batch_size=512).usual_steps == 5000


def test_noise_and_latents_are_independent_by_default():
  net = Zero()
  regression().held_out_loss(net)
  points, times, _ = net.asked
  share = times[:, None]
  seed = noise.seed(0, 0, 'flow_matching_base')
  np.testing.assert_allclose(
      points, (1. - share) * noise.normal([160, 2], seed) + share * 3.,
      rtol=1e-5)


@pytest.mark.parametrize('part', ['loss', 'held_out_loss'])
def test_an_optimal_coupling_is_within_labels(part):
  def found(**settings):
    net, labels = Zero(3), np.arange(900, dtype=np.int32) % 3
    # Label 2 is the farthest to the right.
    made = velocity_fitting.Regression(
        np.float32([[0., 0.], [1., 0.], [9., 0.]])[labels], labels, 0, 300,
        'logit_normal', 0., 0., **settings)
    step = [tf.constant(1, tf.int64)] if part == 'loss' else []
    loss = getattr(made, part)(net, *step)
    points, times, asked = net.asked
    share = times[:, None]
    ends = np.float32([[0., 0.], [1., 0.], [9., 0.]])[asked]
    return float(loss), (points - share * ends) / (1. - share), asked

  loss, base, labels = found(coupling='optimal')
  independent, other, _ = found()
  # Points of a label are all the same, so nothing is nearer to one of them.
  assert loss == pytest.approx(independent, rel=1e-5)
  for label in range(3):
    np.testing.assert_allclose(*(np.sort(x[labels == label, 0])
                                 for x in (base, other)), atol=1e-3)


def test_a_digest_of_data_and_settings():
  found = {made.digest({'width': width}) for made, width in (
      (regression(), 4), (regression(), 5), (regression(noise=0.1), 4),
      (regression(number=401), 4), (regression(), 4))}
  assert len(found) == 4
