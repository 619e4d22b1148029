"""Linear separability of models: its spaces, its rows and its file."""
import csv
import dataclasses

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny_evaluation

from pgak import data
from pgak import errors
from pgak import files
from pgak import noise
from pgak import priors
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.metrics import attribute_separability
from pgak.metrics import stylegan_separability

SETTINGS = ['attribute_classifiers.steps = 30',
            'attribute_net.attributes = ["label=0", "label=1"]',
            'learned_priors_separability.num_samples = 300']


class Flow:
  """A prior with a base: its latents are the base, of which each has a cube."""

  name = 'cubes'
  latent_dim = 3

  def sample(self, n, seed=0):
    return self.base_to_latent(
        noise.normal([n, 3], noise.seed(seed, 0, 'prior')))

  def base_to_latent(self, base):
    return base ** 3

  def latent_to_base(self, latents):
    return tf.sign(latents) * tf.abs(latents) ** (1. / 3.)


class Model(tiny_evaluation.Model):
  """Decodes to noise of which the latents decide the scale."""

  def __init__(self, prior):
    super().__init__()
    self.prior = prior

  def decoder(self, latents, training=False):
    pixels = tf.tile(tf.sigmoid(latents), [1, 22])[:, :64]
    return tf.reshape(pixels, [-1, 8, 8, 1])


@pytest.fixture(scope='module')
def _cache(tmp_path_factory):
  """One for all tests, so that the classifiers are trained once."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('PGAK_CACHE', str(tmp_path_factory.mktemp('cache')))
    yield


@pytest.fixture(autouse=True)
def _settings(_cache):
  gin.parse_config(SETTINGS)


@pytest.mark.filterwarnings('ignore:The attribute classifiers')
def test_each_space_has_its_score(tmp_path):
  evaluator = evaluator_lib.Evaluator(
      data.digits(), 'learned_priors_separability')
  rows = evaluator.rows(Model(Flow()), 7, folder=tmp_path)
  values = {row['metric']: row['value'] for row in rows}
  for space in ('zT', 'z0'):
    metric = f'separability_{space}'
    assert 1. <= values[metric] <= 4.
    assert values[f'{metric}_std'] >= 0.
    assert .5 <= values[f'{metric}_svm_accuracy'] <= 1.
  assert values['separability_failed'] in (0, 1, 2)
  row = next(r for r in rows if r['metric'] == 'separability_z0')
  assert row['features'].startswith('digits_attributes2_')
  assert (row['num_samples'], row['split'], row['prior'], row['images']) == (
      300, 'train', 'cubes', 'samples')
  row = next(r for r in rows if r['metric'] == 'attribute_accuracy')
  assert (row['num_samples'], row['split'], row['images']) == (
      297, 'test', 'data')
  assert row['value'] > .8
  path, = tmp_path.glob('separability/*.csv')
  assert path.name == 'step-00000007_cubes.csv'
  table = list(csv.DictReader(path.open()))
  assert [line['attribute'] for line in table] == ['label=0', 'label=1']
  bits = sum(float(line['bits_z0']) for line in table)
  assert 2. ** bits == pytest.approx(values['separability_z0'], rel=1e-3)


def test_classifiers_learn_from_one_split_and_are_judged_on_another(
    monkeypatch):
  asked = []
  monkeypatch.setattr(attribute_separability.gin, 'get_configurable',
                      lambda function: lambda *given: asked.append(given))
  attribute_separability.attribute_net(data.digits(), ['label=3'])
  (name, names, train, masks, held_out, held_out_masks), = asked
  assert (name, names) == ('digits', ('label=3',))
  assert (train.split, held_out.split) == ('train', 'test')
  for array, mask in ((train, masks), (held_out, held_out_masks)):
    np.testing.assert_array_equal(mask[:, 0], array.labels == 3)


def test_the_spaces_of_a_prior():
  flow, normal = Flow(), priors.StandardNormal(3)
  found = attribute_separability.spaces(flow, flow.sample(50, 1))
  np.testing.assert_allclose(found['z0'], noise.normal(
      [50, 3], noise.seed(1, 0, 'prior')), rtol=1e-4)
  np.testing.assert_allclose(found['zT'], found['z0'] ** 3, rtol=1e-3)
  found = attribute_separability.spaces(normal, normal.sample(50, 1))
  assert list(found) == ['z'] and found['z'].shape == (50, 3)


@pytest.mark.filterwarnings('ignore:The attribute classifiers')
def test_another_protocol_measures_it_too_without_feature_nets(monkeypatch):
  monkeypatch.setattr(evaluator_lib, 'feature_net', None)
  protocol = dataclasses.replace(
      protocols.resolve('quick'), metrics=('separability',), num_samples=100)
  evaluator = evaluator_lib.Evaluator(data.digits(), protocol)
  rows = evaluator.rows(Model(priors.StandardNormal(3)), 1)
  assert rows[0]['metric'] == 'separability_z'
  assert rows[0]['protocol'] == 'quick'


def test_attributes_without_two_classes_are_an_error_before_anything_is_made():
  gin.bind_parameter('attribute_net.attributes', ['Hat'])
  with pytest.raises(errors.UserError, match="no attribute 'Hat'"):
    evaluator_lib.Evaluator(data.digits(), 'learned_priors_separability')
  gin.bind_parameter('attribute_net.attributes', None)
  with pytest.raises(errors.UserError, match='neither attributes nor labels'):
    evaluator_lib.Evaluator(
        data.synthetic((8, 8, 1)), 'learned_priors_separability')


class Coupled(Flow):
  """Its cube is made by two couplings: z_1 = 2 z_0, z_T = (z_1 / 2)^3."""

  couplings = 2

  def latent_to_base(self, latents, coupling=0):
    return 2. ** coupling * super().latent_to_base(latents)


def test_the_spaces_behind_couplings():
  flow = Coupled()
  latents = flow.sample(50, 1)
  assert set(attribute_separability.spaces(flow, latents)) == {'zT', 'z0'}
  found = attribute_separability.spaces(flow, latents, couplings=True)
  assert list(found) == ['zT', 'z0', 'z1']
  np.testing.assert_allclose(found['z1'], 2. * found['z0'], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:The attribute classifiers')
def test_the_form_of_stylegan(tmp_path):
  gin.parse_config([
      'stylegan_classifiers.steps = 20', 'separations.couplings = True',
      'stylegan_classifiers.base_filters = 4', 'separability.bootstraps = 0',
      'stylegan_separability.num_samples = 300'])
  evaluator = evaluator_lib.Evaluator(data.digits(), 'stylegan_separability')
  rows = evaluator.rows(Model(Coupled()), 7, folder=tmp_path)
  values = {row['metric']: row['value'] for row in rows}
  for space in ('zT', 'z0', 'z1'):
    assert 1. <= values[f'stylegan_separability_{space}'] <= 4.
  # What is not standardised depends on the scale, and z_1 is z_0 times 2.
  assert (values['stylegan_separability_z0_svm_accuracy']
          == pytest.approx(values['stylegan_separability_z1_svm_accuracy'],
                           abs=.05))
  assert 'separability_z0' not in values
  assert rows[0]['features'].startswith('digits_stylegan2_')
  assert len(list((files.cache_directory() / 'classifiers').glob(
      'digits_*.npz'))) >= 2


def test_a_classifier_of_stylegan_halves_to_four_pixels():
  net = stylegan_separability.build((16, 16, 3), 8, 16)
  widths = [layer.output.shape[1:] for layer in net.layers
            if isinstance(layer, keras.layers.AveragePooling2D)]
  assert widths == [(8, 8, 16), (4, 4, 16)]
  images = np.random.default_rng(0).normal(size=(6, 16, 16, 3))
  np.testing.assert_allclose(net(images)[:2], net(images[:2]), atol=1e-5)
