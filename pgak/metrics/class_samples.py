"""Samples given a label: whether they are of their class, and of all of it.

Of each class c as many samples are drawn given c. The accuracy is the share
that the data set's classifier predicts to be c; the recall is that of [1], of
the classifier's features, against test images of c. A class that is drawn
clearly but always alike has a high accuracy and a low recall.

#### References

[1]: Tuomas Kynkaanniemi, Tero Karras, Samuli Laine, Jaakko Lehtinen, Timo Aila.
     Improved Precision and Recall Metric for Assessing Generative Models.
     NeurIPS, 2019. Eqs. 1 and 2.
"""
import numpy as np

from pgak.metrics import classifier
from pgak.metrics import metric
from pgak.metrics import precision_recall
from pgak.metrics import reference

__all__ = ['by_class']

# The neighbours' number of [1], and the fewest images that have as many.
_NEIGHBOURS = 3


def by_class(net, classes, samples, images):
  """Measures samples of each class.

  Args:
    net: a `features.FeatureNet` with classes.
    classes: ints, K of them.
    samples: function of a class to its samples, batches of uint8
      `[b, h, w, C]`.
    images: function of a class to its real images, the same.

  Returns:
    `(accuracies, real_accuracies, recalls)`, floats `[K]`: of samples, of real
    images, and NaN for a class of three images or fewer; NaN also for the
    share of none.
  """
  found = []
  for c in classes:
    fake, real = (np.concatenate([np.zeros([0, net.size]), *net(made(c))])
                  for made in (samples, images))
    shares = [float(np.mean(_predicted(net, x) == c))
              if len(x) else np.nan for x in (fake, real)]
    enough = min(len(fake), len(real)) > _NEIGHBOURS
    recall = precision_recall.precision_recall(real, fake, _NEIGHBOURS)[
        'knn_recall'] if enough else np.nan
    found.append((*shares, recall))
  return tuple(np.array(found).T)


def _predicted(net, features):
  likeliest = net.probabilities(features).argmax(1)
  return likeliest if net.classes is None else net.classes[likeliest]


@metric.register('class_samples', scope='prior', prepare=classifier.of_data_set,
                 roots=('classifier',), held_out=True,
                 better={'class_*': 'higher'})
def _compute(context):
  classes = [int(c) for c in getattr(context.prior, 'classes', ())]
  if not classes:  # Of a prior that has learned no labels there are none.
    return
  array = context.held_out
  number = max(context.num_samples // len(classes), 1)

  def samples(c):
    # A seed for each class, so that not all have the same noise.
    return context.generate(context.prior.sample(
        None, context.seed * len(classes) + c, np.full([number], c)))

  def images(c):
    chosen = np.flatnonzero(array.labels == c)[:number]
    return (array.read(chosen[i:i + 500]) for i in range(0, len(chosen), 500))

  found = by_class(context.prepared, classes, samples, images)
  accuracies, real, recalls = found
  shared = dict(features=context.prepared, num_samples=number * len(classes),
                split=reference.span(array, len(array)), made=True)
  yield metric.Value(
      'class_accuracy', float(np.mean(accuracies)), **shared,
      table=[['class', 'accuracy', 'accuracy_of_data', 'recall'],
             *zip(classes, *found)])
  # A class may have too few images, or none.
  recalls, real = (values[np.isfinite(values)] for values in (recalls, real))
  if len(recalls):
    yield metric.Value('class_recall', float(np.mean(recalls)), **shared)
    yield metric.Value('class_smallest_recall', float(np.min(recalls)),
                       **shared)
  if len(real):
    yield metric.Value(
        'class_accuracy', float(np.mean(real)), **shared | dict(
            images='data', prior='none', made=False))
