"""Linear separability against hand-worked tables and a slow second version."""
import math
import warnings

import numpy as np
import pytest
from sklearn import svm

from pgak import errors
from pgak.metrics import separability

separate = separability.separability


def test_conditional_entropy_in_bits():
  # X = 0 holds 1/2 and 1/4, X = 1 all of the other 1/4:
  # H = 3/4 h(1/3) = 3/4 (log2 3 - 2/3) = .6887 bits.
  found = separability.conditional_entropy([[.5, .25], [0., .25]])
  assert found == pytest.approx(.75 * (math.log2(3.) - 2. / 3.), abs=1e-12)
  # Whoever knows the side knows nothing, all, all by turning it round, and
  # that there is but one label.
  tables = [np.full([2, 2], .25), np.eye(2) / 2., (1. - np.eye(2)) / 2.,
            [[1., 0.], [0., 0.]]]
  np.testing.assert_allclose(
      separability.conditional_entropy(tables), [1., 0., 0., 0.], atol=1e-12)
  # 2^(1/2 + 1) = 2.828...
  assert separability.score([.5, 1.]) == pytest.approx(2. * math.sqrt(2.))


def test_joint_counts_sides_by_labels():
  sides, labels = np.array([[0, 0, 0, 1], [0, 1, 1, 1]], bool)
  np.testing.assert_array_equal(
      separability.joint(sides, labels), [[.25, .5], [0., .25]])
  weights = np.array([[1, 1, 1, 1], [0, 0, 2, 2]], np.float32)
  np.testing.assert_array_equal(
      separability.joint(sides, labels, weights),
      [[[.25, .5], [0., .25]], [[0., .5], [0., .5]]])


def test_the_surer_half_is_kept():
  assert separability.kept([.1, -3., 2., -.2, 0.]).tolist() == [1, 2]


def test_labels_of_a_plane_are_separated_without_error():
  points = np.random.default_rng(0).normal(size=[2000, 3])
  logits = np.stack([points @ [1., 2., 0.] + .3, -points[:, 2]], 1)
  found = separate(points, logits)
  assert found.value == pytest.approx(1., abs=1e-3)
  assert found.accuracy.min() > .999
  assert found.held_out_accuracy.min() > .99
  assert found.deviation < 1e-3
  assert not found.failed.any()


def test_a_plane_does_not_separate_an_exclusive_or():
  corner = np.random.default_rng(1).uniform(.1, 1., [500, 2])
  points = np.concatenate(
      [corner * signs for signs in ([1, 1], [-1, 1], [1, -1], [-1, -1])])
  found = separate(points, np.repeat(np.prod(points, 1)[:, None], 3, 1))
  # A plane through 0 has one of each two opposite points, of one label, on
  # either side. Three attributes, each with one bit left: 2^3.
  assert found.value == pytest.approx(8., rel=1e-3)
  assert found.accuracy.tolist() == pytest.approx([.5] * 3, abs=.02)


def slow_score(latents, logits):
  """The published protocol, an image at a time."""
  bits = 0.
  for column in logits.T:
    sure = [max(1. / (1. + math.exp(-2. * x)), 1. / (1. + math.exp(2. * x)))
            for x in column]
    rows = sorted(range(len(sure)), key=lambda i: -sure[i])[:len(sure) // 2]
    y = [int(column[i] > 0.) for i in rows]
    x = svm.LinearSVC().fit(latents[rows], y).predict(latents[rows])
    for side in (0, 1):
      members = [b for a, b in zip(x, y) if a == side]
      for label in (0, 1):
        n = members.count(label)
        if n:
          bits -= n / len(y) * math.log2(n / len(members))
  return 2. ** bits


def test_it_is_the_published_protocol():
  draw = np.random.default_rng(2)
  latents = draw.normal(size=[600, 5])
  logits = (np.stack([latents[:, 0] + latents[:, 1] ** 2 - 1.,
                      latents[:, 2] * latents[:, 3],
                      2. * latents[:, 4] + 1.], 1)
            + draw.normal(size=[600, 3]))
  fast = separate(latents, logits, standardise=False)
  assert fast.value == pytest.approx(slow_score(latents, logits), rel=1e-6)
  assert 1.2 < fast.value < 6.
  # Draws of N(0, I) have their standardised form already, but for chance.
  assert separate(latents, logits).value == pytest.approx(fast.value, rel=.02)


def test_the_scale_and_place_of_the_latents_do_not_matter():
  draw = np.random.default_rng(3)
  latents = draw.normal(size=[400, 4])
  logits = latents[:, :2] + draw.normal(size=[400, 2])
  value = separate(latents, logits).value
  moved = latents * [1e-4, 1., 1e3, 2.] + [0., 5., -100., 1.]
  assert separate(moved, logits).value == pytest.approx(value, rel=1e-3)
  # A dimension without any spread is no division by 0.
  dead = np.concatenate([latents, np.ones([400, 1])], 1)
  assert separate(dead, logits).value == pytest.approx(value, rel=1e-3)


def test_one_label_alone_counts_as_perfect_and_as_failed():
  latents = np.random.default_rng(4).normal(size=[200, 2])
  logits = np.stack([latents[:, 0], np.full(200, -3.)], 1)
  found = separate(latents, logits)
  assert found.failed.tolist() == [False, True]
  assert found.entropies[1] == 0. and found.accuracy[1] == 1.
  assert np.isnan(found.held_out_accuracy[1])


def test_the_standard_error_is_that_of_other_latents():
  def draw(seed):
    generator = np.random.default_rng(seed)
    latents = generator.normal(size=[1000, 2])
    logits = latents[:, :1] + generator.normal(size=[1000, 1])
    return separate(latents, logits, seed, held_out=False)

  found = [draw(seed) for seed in range(40)]
  spread = np.std([f.value for f in found], ddof=1)
  assert np.mean([f.deviation for f in found]) == pytest.approx(spread, rel=.35)
  assert draw(7).deviation == found[7].deviation
  latents = np.eye(4)
  assert separate(latents, latents, bootstraps=0).deviation is None


@pytest.mark.parametrize('latents,logits,settings,message', [
    (np.zeros([3, 2]), np.zeros([3, 1]), {}, 'means nothing'),
    (np.full([9, 2], np.nan), np.zeros([9, 1]), {}, 'not finite'),
    (np.zeros([9, 2]), np.full([9, 1], np.inf), {}, 'not finite'),
    (np.zeros([9, 2]), np.zeros([9, 1]), dict(bootstraps=1), 'at least 2')])
def test_what_has_no_score_is_an_error(latents, logits, settings, message):
  with pytest.raises(errors.UserError, match=message):
    with warnings.catch_warnings():
      warnings.simplefilter('error')
      separate(latents, logits, **settings)


def test_planes_are_judged_on_latents_that_they_were_not_fitted_to():
  # As many dimensions as latents: a plane has any labels right that it was
  # fitted to, and of others, which mean nothing, half.
  generator = np.random.default_rng(0)
  latents = generator.normal(size=(600, 400))
  logits = generator.choice([-1., 1.], (600, 1))
  found = separability.separability(latents, logits, bootstraps=0)
  assert found.accuracy[0] > .99
  assert .35 < found.held_out_accuracy[0] < .65
