"""Tests of the classifier whose features are compared."""
import numpy as np
import pytest
import sklearn.datasets

from pgak import errors
from pgak.metrics import classifier
from pgak.metrics import frechet

SETTINGS = dict(steps=60, filters=8, size=16)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path))
  return tmp_path


@pytest.fixture(name='digits', scope='module')
def _digits():
  bunch = sklearn.datasets.load_digits()
  images = np.rint(bunch.images * (255. / 16.)).astype(np.uint8)[..., None]
  return images, bunch.target


def test_learns_the_digits_and_says_so_in_its_name(digits):
  images, labels = digits
  net = classifier.classifier('digits', images[:900], labels[:900], **SETTINGS)
  assert net.metric == 'frechet_digits_classifier'
  assert net.name == 'digits_classifier'
  assert net.size == 16
  rows = np.concatenate(list(net([images])))
  assert rows.shape == (1797, 16)
  # The nearest class mean of the features reads digits that it never saw.
  means = np.stack([rows[:900][labels[:900] == c].mean(0) for c in range(10)])
  read = np.square(rows[900:, None] - means).sum(-1).argmin(-1)
  assert (read == labels[900:]).mean() > 0.8


def test_its_distance_orders_noise_after_blur_after_other_digits(digits):
  images, labels = digits
  net = classifier.classifier('digits', images, labels, **SETTINGS)
  real, others = images[::2], images[1::2]
  blurred = ((others.astype(int) + np.roll(others, 1, 1)) // 2).astype(np.uint8)
  noise = np.random.default_rng(0).integers(0, 256, real.shape, np.uint8)
  reference = frechet.moments(net([real]))
  found = [frechet.distance(reference, frechet.moments(net([x])))
           for x in (real, others, blurred, noise)]
  assert found == sorted(found)
  assert found[2] > 2. * found[1]


def test_is_trained_once_and_repeats_by_seed(digits, tmp_path, monkeypatch):
  images, labels = digits
  first = classifier.classifier('digits', images, labels, **SETTINGS)
  (path,) = (tmp_path / 'classifiers').iterdir()
  with monkeypatch.context() as patch:
    patch.setattr(classifier, '_train', None)
    again = classifier.classifier('digits', images, labels, **SETTINGS)
  assert again.fingerprint == first.fingerprint
  path.write_bytes(b'damaged')
  anew = classifier.classifier('digits', images, labels, **SETTINGS)
  assert anew.fingerprint == first.fingerprint
  other = classifier.classifier('digits', images, labels, seed=1, **SETTINGS)
  assert other.fingerprint != first.fingerprint
  assert len(list((tmp_path / 'classifiers').iterdir())) == 2


def test_other_images_have_another_classifier(digits, tmp_path):
  images, labels = digits
  settings = dict(SETTINGS, steps=1)
  with pytest.warns(UserWarning, match='raise classifier.steps'):
    classifier.classifier('digits', images, labels, **settings)
    classifier.classifier('digits', images[1:], labels[1:], **settings)
  assert len(list((tmp_path / 'classifiers').iterdir())) == 2


@pytest.mark.parametrize('labels', [
    None, np.zeros(5, np.int64), np.zeros([5, 40], np.int64), np.arange(5.)])
def test_without_classes_there_is_no_classifier(labels):
  images = np.zeros([5, 8, 8, 1], np.uint8)
  with pytest.raises(errors.UserError, match='photos has no class labels'):
    classifier.classifier('photos', images, labels)
