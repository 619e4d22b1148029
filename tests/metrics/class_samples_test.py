"""Samples given a label: accuracy and recall by class."""
import types

import numpy as np
import pytest

from pgak.metrics import class_samples
from pgak.metrics import metric


class Net:
  """Features are the first two pixels; class 1 is a bright first pixel."""

  size = 2
  classes = None

  def __call__(self, batches):
    return (np.float32(x.reshape(len(x), -1)[:, :2]) for x in batches)

  def probabilities(self, features):
    return np.eye(2)[(features[:, 0] > 128).astype(int)]


def images(c, number=60, spread=30., seed=0):
  """Images of a class: its first pixel is about 60 or 200."""
  generator = np.random.default_rng((seed, c))
  found = generator.normal(60. + 140. * c, spread, (number, 2, 2, 1))
  return np.clip(found, 140. * c, 110. + 140. * c).astype(np.uint8)


def test_right_wrong_and_collapsed_samples():
  def measured(samples):
    return class_samples.by_class(
        Net(), [0, 1], lambda c: [samples(c)], lambda c: [images(c)])

  right, data, recall = measured(lambda c: images(c, seed=1))
  assert list(right) == list(data) == [1., 1.] and recall.min() > 0.8
  wrong, _, elsewhere = measured(lambda c: images(1 - c))
  assert list(wrong) == [0., 0.] and elsewhere.max() < 0.1
  alike, _, collapsed = measured(lambda c: images(c, spread=1.))
  assert list(alike) == [1., 1.] and collapsed.max() < 0.2
  # Half of them are of the class; three are too few for a recall.
  half = class_samples.by_class(
      Net(), [0], lambda c: [images(0), images(1)], lambda c: [images(0, 3)])
  assert half[0] == 0.5 and np.isnan(half[2])


def test_labels_with_gaps_are_those_of_the_net():
  net = Net()
  net.classes = np.array([7, 2019])
  right, data, _ = class_samples.by_class(
      net, [7, 2019], lambda c: [images(int(c > 7), seed=1)],
      lambda c: [images(int(c > 7))])
  assert list(right) == list(data) == [1., 1.]


def _context(labels):
  array = types.SimpleNamespace(
      labels=labels, split='test',
      read=lambda rows: np.concatenate(
          [images(labels[i], 1, seed=i) for i in rows]))
  return types.SimpleNamespace(
      held_out=Sized(array), num_samples=90, seed=3,
      prepared=Net(), generate=lambda latents: [latents],
      prior=types.SimpleNamespace(
          classes=np.array([0, 1]),
          sample=lambda n, seed, given: images(given[0], len(given),
                                               seed=seed)))


def test_values_of_a_density_with_labels():
  context = _context(np.arange(100) % 2)
  found = list(metric.find('class_samples', 'images').compute(context))
  assert [(v.name, v.images) for v in found] == [
      ('class_accuracy', None), ('class_recall', None),
      ('class_smallest_recall', None), ('class_accuracy', 'data')]
  assert found[0].value == found[3].value == 1. and found[1].value > 0.7
  assert found[0].num_samples == 90 and found[0].split == 'test'
  assert [row[0] for row in found[0].table] == ['class', 0, 1]
  context.prior = types.SimpleNamespace()
  assert not list(metric.find('class_samples', 'images').compute(context))


def test_images_are_those_that_training_has_not_seen():
  found = metric.find('class_samples', 'images')
  assert found.held_out
  # What real images have is the best that samples can.
  assert found.better_of('class_accuracy', 'data') == 'neither'
  assert found.better_of('class_accuracy', 'samples') == 'higher'


@pytest.mark.parametrize('labels, names', [
    ([0] * 60 + [1] * 3, ['class_accuracy', 'class_recall',
                          'class_smallest_recall', 'class_accuracy']),
    ([0, 1, 1], ['class_accuracy', 'class_accuracy']),
    ([2, 2, 2], ['class_accuracy'])])
@pytest.mark.filterwarnings('error')
def test_what_too_few_images_decide_is_left_out(labels, names):
  found = list(metric.find('class_samples', 'images').compute(
      _context(np.array(labels))))
  assert [v.name for v in found] == names
  assert all(np.isfinite(v.value) for v in found)


class Sized:
  """A namespace with a length."""

  def __init__(self, namespace):
    self.__dict__.update(namespace.__dict__)

  def __len__(self):
    return len(self.labels)
