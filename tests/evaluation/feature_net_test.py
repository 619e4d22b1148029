"""The feature nets that a protocol names."""
import os
import pathlib

import gin
import numpy as np
import pytest
import tiny_evaluation

from pgak import batches
from pgak import data
from pgak import errors
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.generation import sampling
from pgak.metrics import classifier
from pgak.metrics import frechet


@pytest.fixture(name='generated')
def _generated(monkeypatch):
  """Replaces `sampling.generate`; holds the calls."""
  calls = []
  monkeypatch.setattr(sampling, 'generate', tiny_evaluation.generator(calls))
  return calls


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))


def test_the_classifier_learns_from_the_training_images(monkeypatch):
  asked = []
  monkeypatch.setattr(classifier.gin, 'get_configurable',
                      lambda function: lambda *given: asked.append(given))
  evaluator_lib.feature_net('classifier', data.digits())
  (name, images, labels), = asked
  train = data.digits().split('train')
  assert name == 'digits'
  np.testing.assert_array_equal(images, train.read(np.arange(len(train))))
  np.testing.assert_array_equal(labels, train.labels)


@pytest.mark.usefixtures('empty_cache')
@pytest.mark.parametrize('labels, chosen', [
    ([0] * 6 + [1] * 6, batches.positions(12, 6)),  # As folders are read.
    ([0, 1] * 6, range(6))])
def test_a_classifier_of_a_large_set_knows_all_classes(
    monkeypatch, labels, chosen):
  asked = []
  monkeypatch.setattr(classifier, '_MAX_TRAINING_IMAGES', 6)
  monkeypatch.setattr(classifier.gin, 'get_configurable',
                      lambda function: lambda *given: asked.append(given))
  images = np.zeros([12, 8, 8], np.uint8) + np.arange(12, dtype=np.uint8)[
      :, None, None]
  split = {'train': images, 'test': images}
  classifier.of_data_set(data.from_arrays(
      split, dict.fromkeys(split, labels), value_range=(0., 255.)))
  (_, images, found), = asked
  assert images[:, 0, 0, 0].tolist() == list(chosen)
  assert found.tolist() == np.array(labels)[list(chosen)].tolist()
  assert set(found) == {0, 1}


@pytest.mark.usefixtures('empty_cache')
def test_images_for_a_classifier_are_bounded_by_their_bytes(monkeypatch):
  asked = []
  monkeypatch.setattr(classifier, '_MAX_TRAINING_BYTES', 5 * 64)
  monkeypatch.setattr(classifier.gin, 'get_configurable',
                      lambda function: lambda *given: asked.append(given))
  images = np.zeros([12, 8, 8], np.uint8)
  classifier.of_data_set(data.from_arrays(
      images, np.arange(12) % 2, value_range=(0., 255.)))
  assert len(asked[0][1]) == len(asked[0][2]) == 5


@pytest.mark.usefixtures('empty_cache')
@pytest.mark.parametrize('level, name', [
    ('classifier_or_random', 'random_net_0'), ('classifier', None)])
def test_labels_of_one_class_are_none(level, name):
  dataset = data.from_arrays(np.zeros([12, 8, 8], np.uint8), np.ones(12, int))
  if name:
    assert evaluator_lib.feature_net(level, dataset).name == name
    return
  with pytest.raises(errors.UserError, match='has no class labels'):
    evaluator_lib.feature_net(level, dataset)


def test_quick_needs_no_labels_and_says_whose_features_it_has():
  dataset = data.synthetic((8, 8, 1), 40)
  assert evaluator_lib.feature_net(
      'classifier_or_random', dataset).name == 'random_net_0'
  with pytest.raises(errors.UserError, match='has no class labels'):
    evaluator_lib.feature_net('classifier', dataset)


@pytest.mark.usefixtures('empty_cache')
def test_quick_uses_a_classifier_with_gins_settings(generated):
  gin.parse_config(['classifier.steps = 0', 'classifier.size = 5',
                    'quick.num_samples = 100'])
  with pytest.warns(UserWarning):
    evaluator = evaluator_lib.Evaluator(data.digits(), 'quick')
    found = evaluator.score(tiny_evaluation.Model())
  assert set(found) == {'frechet_digits_classifier'}
  assert evaluator.references[0].moments.count == 1797
  assert evaluator.nets[0].size == 5
  assert generated[0]['num_samples'] == 100


REAL = os.environ.get('PGAK_TEST_DATA') and pathlib.Path(
    os.environ['PGAK_TEST_DATA'],
    'inception_2015/inception_2015_through_mixed_8.npz')


@pytest.mark.skipif(not (REAL and REAL.is_file()),
                    reason='needs the data of PGAK_TEST_DATA')
@pytest.mark.filterwarnings('ignore:A Frechet distance')
def test_real_inception_puts_digits_nearer_to_digits_than_noise(generated):
  gin.parse_config([f'inception.weights = {str(REAL)!r}',
                    'inception.batch_size = 10'])
  # The stem is enough here, and a tenth of the work.
  protocol = protocols.Protocol('stem', ('192',), 20, 'test', 20)
  evaluator = evaluator_lib.Evaluator(data.digits(), protocol)
  noise, _ = evaluator.rows(tiny_evaluation.Model(), 0)
  assert noise['metric'] == 'frechet_inception_2015_192'
  assert noise['resize'] == 'tf1_bilinear_299'
  others = data.digits().split('train').read(np.arange(20))
  real = frechet.distance(
      evaluator.references[0].moments,
      frechet.moments(evaluator.nets[0]([others])))
  assert noise['value'] > 2. * real
