"""Every model on vectors: the Swiss roll with each file of gin/models."""
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import registry
from pgak.runs import checkpoints
from pgak.runs import configuration

registry.register()

GIN = pathlib.Path(__file__).absolute().parent.parent / 'gin'
ROLL = 'papers/no_prior_matching/swiss_roll.gin'
# What makes no sense of vectors, and why.
IMAGES_ALONE = {
    'rae_sn': 'spectral normalisation of networks/rae_32.gin',
    'vunet': 'pairs of images', 'vunet_flow': 'pairs of images'}
NAMES = sorted({p.stem for p in (GIN / 'models').glob('*.gin')}
               - set(IMAGES_ALONE))
# Besides the file: its decoder has no convolutions whose kernels could decay.
SETTINGS = {'rae_l2': ['RAEL2.dense_kernels = True']}
TINY = ['hidden_units = (6,)', 'swiss_roll.num_examples = 64']


def build(name, *bindings):
  configuration.parse(
      [ROLL, f'models/{name}.gin'],
      [*TINY, *SETTINGS.get(name, []), *bindings], roots=registry.train_roots)
  return checkpoints.build(**checkpoints.build_settings())


@pytest.mark.parametrize('name', NAMES)
def test_a_step_on_the_swiss_roll(name):
  model = build(name)
  assert (model.image_shape, model.latent_dim, model.value_range) == (
      (3,), 2, None)
  points = configuration.setting('train.dataset')().split('train')
  batch = next(iter(data.train_batches(points, 4 * model.table.slices, seed=0,
                                       value_range=None)))
  before = {part: [v.numpy() for v in net.trainable_variables]
            for part, net in model.parts.items()}
  logs = model.train_step(batch)
  assert set(logs) == {'loss', *model.term_names}
  assert all(np.isfinite(float(value)) for value in logs.values())
  for part, values in before.items():
    after = [v.numpy() for v in model.parts[part].trainable_variables]
    assert any(np.any(a != b) for a, b in zip(after, values)), part
  made = model.sample(3)
  assert made.dtype == tf.float32 and made.shape == (3, 3)


# A likelihood of 2 s^2 H / D: H = 2, D = 3 and s = 0.1 of the files make 1/75.
@pytest.mark.parametrize('name, expected', [
    ('beta_vae', {'kl': 4. / 75.}),
    # alpha = 0.5 and lambda = 100: half the KL, and 99.5 times the divergence
    # by H = 2.
    ('info_vae', {'kl': 0.5 / 75., 'mmd': 99.5 / 75. / 2.}),
    ('adversarial_info_vae', {'kl': 0.5 / 75., 'adversarial': 99.5 / 75. / 2.}),
])
def test_the_weights_of_a_likelihood_of_vectors(name, expected):
  model = build(name)
  for term, weight in expected.items():
    assert float(model.weight(term)) == pytest.approx(weight, rel=1e-6)
