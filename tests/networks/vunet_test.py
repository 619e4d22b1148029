import numpy as np
import pytest

from pgak import networks
from pgak.networks import vunet

SHAPE = (16, 8, 3)
CONDITION = (16, 8, 2)
NET = dict(base_filters=2, num_scales=3)


def nets(finer_sees_coarser=False, **options):
  options = dict(image_shape=SHAPE, condition_shape=CONDITION,
                 latent_channels=2) | NET | options
  encoder = networks.vunet_encoder(finer_sees_coarser=finer_sees_coarser,
                                   **options)
  return encoder, networks.vunet_decoder(**options)


def draw(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_latents_are_those_of_the_two_coarsest_scales():
  # 4 x 2 x 2 and 8 x 4 x 2 numbers; in groups the same, cut into four.
  assert vunet.latent_shapes(SHAPE, 3, 2) == [[(4, 2, 2)], [(8, 4, 2)]]
  assert vunet.latent_shapes(SHAPE, 3, 2, 4) == [
      [(2, 1, 2)] * 4, [(4, 2, 2)] * 4]
  for groups in (1, 4):
    encoder, decoder = nets(groups=groups)
    assert encoder.output_shape == (None, 80)
    assert decoder.output_shape == [(None, *SHAPE), (None, 80)]


@pytest.mark.parametrize('settings, named', [
    (dict(num_scales=1), 'two scales'), (dict(groups=3), 'must be 1 or 4'),
    (dict(image_shape=(14, 8, 3)), '4 divides'),
    (dict(groups=4, image_shape=(16, 12, 3)), '8 divides')])
def test_sizes_that_do_not_fit_are_refused(settings, named):
  with pytest.raises(ValueError, match=named):
    nets(**settings)


def test_the_groups_are_the_pixels_of_space_to_depth():
  maps = draw(2, 6, 4, 3)
  groups = vunet.split(maps, 4)
  for i, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
    np.testing.assert_array_equal(groups[i], maps[:, row::2, column::2])
  np.testing.assert_array_equal(vunet.join(groups), maps)


def test_the_mean_of_a_group_follows_the_groups_before_it_alone():
  _, decoder = nets(groups=4)
  latents, given = draw(1, 80), draw(1, *CONDITION, seed=1)
  _, means = decoder([latents, given])
  sizes = [4] * 4 + [16] * 4
  starts = np.cumsum([0, *sizes])
  for group in range(8):
    changed = latents.copy()
    changed[:, starts[group]:starts[group + 1]] += 1.
    moved = np.abs(decoder([changed, given])[1] - means).max(0)
    assert np.all(moved[:starts[group + 1]] < 1e-6)
    if group < 7:
      assert np.all(moved[starts[group + 1]:starts[group + 2]] > 0.)


@pytest.mark.parametrize('groups', [1, 4])
def test_the_finer_means_see_the_sample_of_the_coarser_scale(groups):
  encoder, _ = nets(groups=groups, finer_sees_coarser=True)
  noise = draw(1, 80, seed=2)
  x = [draw(1, *SHAPE), draw(1, *CONDITION, seed=1)]
  means = encoder([*x, noise]).numpy()[0]
  for first, last in ((0, 16), (16, 80)):
    changed = noise.copy()
    changed[:, first:last] += 1.
    moved = np.abs(encoder([*x, changed]).numpy()[0] - means)
    assert np.all(moved[:16] == 0.)  # Nothing comes before the coarser scale.
    assert np.all(moved[16:] > 0.) == (first == 0)
    assert np.all(moved[16:] == 0.) == (first == 16)


def test_images_follow_latents_and_condition_and_so_do_the_means():
  encoder, decoder = nets()
  latents, given = draw(2, 80), draw(2, *CONDITION, seed=1)
  images, means = decoder([latents, given])
  other_images, other_means = decoder([latents, given + 1.])
  assert np.abs(images - other_images).max() > 0.01
  assert np.abs(means - other_means).min() > 0.
  for first in (0, 16):  # Of either scale.
    changed = latents.copy()
    changed[:, first] += 3.
    assert np.abs(decoder([changed, given])[0] - images).max() > 1e-4
  x = draw(2, *SHAPE, seed=2)
  assert np.all(encoder([x, given]) != encoder([x + 1., given]))
  assert np.all(encoder([x, given]) != encoder([x, given + 1.]))


def test_without_prior_means_no_weight_is_left_over():
  options = dict(image_shape=SHAPE, condition_shape=CONDITION, **NET)
  with_means = networks.vunet_decoder(**options)
  without = networks.vunet_decoder(prior_means=False, **options)
  assert len(without.outputs) == 1
  assert len(without.weights) < len(with_means.weights)


def test_dropout_acts_in_training_alone():
  encoder, _ = nets(dropout=0.5)
  inputs = [draw(2, *SHAPE), draw(2, *CONDITION)]
  plain = encoder(inputs).numpy()
  np.testing.assert_array_equal(encoder(inputs), plain)
  assert np.any(encoder(inputs, training=True).numpy() != plain)


def test_the_net_of_conditions_has_the_features_asked_for():
  net = networks.condition_network(CONDITION, (2, 3), 7)
  assert net(draw(2, *CONDITION)).shape == (2, 7)
