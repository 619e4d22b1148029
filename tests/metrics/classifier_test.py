"""Tests of the classifier whose features are compared."""
import hashlib
import pathlib
import shutil

import numpy as np
import pytest
import sklearn.datasets

from pgak import errors
from pgak.metrics import classifier
from pgak.metrics import fitted_nets
from pgak.metrics import frechet

SETTINGS = dict(steps=60, filters=8, size=16)


@pytest.fixture(name='digits', scope='module')
def _digits():
  bunch = sklearn.datasets.load_digits()
  images = np.rint(bunch.images * (255. / 16.)).astype(np.uint8)[..., None]
  return images, bunch.target


@pytest.fixture(name='kept', scope='module')
def _kept(tmp_path_factory):
  return tmp_path_factory.mktemp('cache') / 'classifiers'


@pytest.fixture(name='net', scope='module')
def _net(digits, kept):
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('PGAK_CACHE', str(kept.parent))
    return make(digits)


@pytest.fixture(name='own_cache', autouse=True)
def _own_cache(net, kept, tmp_path, monkeypatch):
  """A cache of the test's own, with the file of `net` alone."""
  del net
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  return pathlib.Path(shutil.copytree(kept, tmp_path / 'classifiers'))


def make(digits):
  return classifier.classifier('digits', digits[0][:900], digits[1][:900],
                               **SETTINGS)


def test_learns_the_digits_and_says_so_in_its_name(net, digits):
  images, labels = digits
  assert net.metric == 'frechet_digits_classifier'
  assert net.name == 'digits_classifier'
  assert net.size == 16
  rows = np.concatenate(list(net([images])))
  assert rows.shape == (1797, 16)
  # The nearest class mean of the features reads digits that it never saw.
  means = np.stack([rows[:900][labels[:900] == c].mean(0) for c in range(10)])
  read = np.square(rows[900:, None] - means).sum(-1).argmin(-1)
  assert (read == labels[900:]).mean() > 0.6


def test_its_probabilities_tell_the_classes_without_another_pass(net, digits):
  images, labels = digits
  rows = np.concatenate(list(net([images[:500]])))
  probabilities = net.probabilities(rows)
  assert probabilities.shape == (500, 10)
  np.testing.assert_allclose(probabilities.sum(1), 1.)
  assert (probabilities.argmax(1) == labels[:500]).mean() > 0.5


def test_its_distance_orders_noise_after_blur_after_other_digits(net, digits):
  real, others = digits[0][::2], digits[0][1::2]
  blurred = ((others.astype(int) + np.roll(others, 1, 1)) // 2).astype(np.uint8)
  noise = np.random.default_rng(0).integers(0, 256, real.shape, np.uint8)
  reference = frechet.moments(net([real]))
  found = [frechet.distance(reference, frechet.moments(net([x])))
           for x in (real, others, blurred, noise)]
  assert found == sorted(found)
  assert found[2] > 2. * found[1]


def test_is_trained_once(net, digits, monkeypatch):
  monkeypatch.setattr(fitted_nets, 'descend', None)
  assert make(digits).fingerprint == net.fingerprint


def test_a_damaged_file_is_made_again_and_the_seed_decides(
    net, digits, own_cache):
  path, = own_cache.iterdir()
  path.write_bytes(b'damaged')
  assert make(digits).fingerprint == net.fingerprint


@pytest.mark.filterwarnings('ignore:The classifier')
def test_every_choice_has_its_own_classifier(digits, own_cache):
  images, labels = digits
  calls = [
      classifier.classifier('digits', images[first:], labels[first:], steps=0,
                            seed=seed, size=size)
      for first, seed, size in ((0, 0, 16), (1, 0, 16), (0, 1, 16), (0, 0, 8))]
  assert len(list(own_cache.iterdir())) == 1 + 4
  assert len({net.fingerprint for net in calls}) == 3


def test_a_classifier_that_cannot_read_is_warned_of(digits):
  with pytest.warns(UserWarning, match='raise classifier.steps'):
    classifier.classifier('digits', digits[0][:99], digits[1][:99], steps=0)


@pytest.mark.parametrize('labels', [
    None, np.zeros(5, np.int64), np.zeros([5, 40], np.int64), np.arange(5.)])
def test_without_classes_there_is_no_classifier(labels):
  images = np.zeros([5, 8, 8, 1], np.uint8)
  with pytest.raises(errors.UserError, match='photos has no class labels'):
    classifier.classifier('photos', images, labels)


@pytest.mark.parametrize('labels, last', [
    (np.arange(60) % 2 * 3, 4),  # Each number has a logit, as it always had.
    (np.arange(60) % 2 + 20190101, 2), (np.arange(60) % 2 * 5 - 5, 2)])
@pytest.mark.filterwarnings('ignore:The classifier')
def test_labels_far_apart_are_numbered(digits, labels, last):
  net = classifier.classifier('dates', digits[0][:60], labels, steps=1,
                              filters=8, size=4)
  assert net.probabilities(np.zeros([1, 4])).shape == (1, last)
  assert net.classes is None if last == 4 else (
      net.classes.tolist() == sorted(set(labels)))


def test_the_key_of_the_data_is_that_of_earlier_versions():
  images = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)[:, ::2]
  assert classifier._hash(images, np.zeros(0, np.int32)) == hashlib.sha256(
      b'uint8 (2, 2, 2, 2)' + images.tobytes() + b'int32 (0,)'
  ).hexdigest()[:16]
