"""A fixed net from uint8 images to the features of a distance."""
from concurrent import futures
import hashlib
import itertools
import time

import numpy as np
import tensorflow as tf

from pgak import errors

__all__ = ['FeatureNet', 'measure_overhead', 'prefetch', 'rebatch']


def prefetch(iterator):
  """Yields what `iterator` yields, and makes the next item in a thread."""
  # A value that no iterator yields; None may be one.
  iterator, done = iter(iterator), object()
  with futures.ThreadPoolExecutor(1) as thread:
    ahead = thread.submit(next, iterator, done)
    # An error of the iterator is raised here, in the caller's thread.
    while (item := ahead.result()) is not done:
      ahead = thread.submit(next, iterator, done)
      yield item


def rebatch(batches, batch_size):
  """Yields batches of `batch_size` examples, the last one smaller, from any.
  """
  kept = []
  for batch in batches:
    kept.append(np.asarray(batch))
    if sum(map(len, kept)) < batch_size:
      continue
    examples = np.concatenate(kept)
    whole = len(examples) - len(examples) % batch_size
    for start in range(0, whole, batch_size):
      yield examples[start:start + batch_size]
    kept = [examples[whole:]] if whole < len(examples) else []
  if kept:
    yield np.concatenate(kept)


def _hash_of_weights(network):
  digest = hashlib.sha256()
  for variable in network.variables:
    digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
  return digest.hexdigest()[:16]


class FeatureNet:
  """A frozen net with all that decides the distance made from it.

  Example:

  ```python
  net = inception.inception('768')
  for features in net(batches):  # batches: iterable of uint8 [b, H, W, C]
    features.shape               # (50, 768), the last one shorter
  ```

  Attributes:
    name: string, the net and its level.
    metric: string, the name of the Frechet distance between its features.
    resize: string, what happens to the images' size on the way in.
    size: int, number of features D.
    batch_size: int, images in one forward pass.
    fingerprint: string, a hash of the weights.
    preprocessing: string, what happens to the images on the way in, in words.
    head: `(kernel, bias)` of the classes' logits, or None for a net
      without classes.
    classes: ints `[K]`, the labels of the classes; None if that of the k-th
      is k.
  """

  def __init__(self, network, preprocess, name, metric, resize,
               batch_size=50, head=None, *, fingerprint=None, preprocessing='',
               classes=None):
    """Wraps a net.

    Args:
      network: `keras.Model` from the preprocessed images to float32 `[B, D]`.
      preprocess: function from uint8 `[B, H, W, C]` to the net's input.
      name: string.
      metric: string.
      resize: string.
      batch_size: int.
      head: `(kernel [D, K], bias [K])` of the classes' logits, or None.
      fingerprint: string; by default a hash of the network's variables.
      preprocessing: string.
      classes: ints `[K]`, or None.
    """
    self.name = name
    self.metric = metric
    self.resize = resize
    self.batch_size = batch_size
    self.size = network.output_shape[-1]
    self.network = network
    self.head = head
    self.classes = classes
    self._preprocess = preprocess
    # One graph for the resize and the net. Its input has a fixed shape, see
    # `_forward`, so it is traced once per size of images.
    self._compiled = tf.function(
        lambda images: network(preprocess(images), training=False))
    self._fingerprint = fingerprint
    self.preprocessing = preprocessing

  @property
  def fingerprint(self):
    """A hash of the net's weights, 16 hexadecimal digits."""
    if self._fingerprint is None:
      self._fingerprint = _hash_of_weights(self.network)
    return self._fingerprint

  def __call__(self, batches):
    """Yields float32 arrays `[b, D]`, in order, of uint8 batches of any size.

    Every forward pass has `batch_size` images, the last one padded, so that
    the net is compiled once. While it runs, the next batch is made.

    Args:
      batches: iterable of uint8 `[b, H, W, C]`, with C 1 or 3.

    Raises:
      ValueError: if images are not uint8 of rank 4.
    """
    queued = None
    # The features of a batch are fetched after the next batch was sent, so that
    # an accelerator need not wait for the copy.
    for images in prefetch(rebatch(batches, self.batch_size)):
      features = self._forward(images), len(images)
      if queued is not None:
        yield _fetch(*queued)
      queued = features
    if queued is not None:
      yield _fetch(*queued)

  def require_classes(self):
    """Raises UserError if the net has no classes."""
    if self.head is None:
      raise errors.UserError(
          f'{self.name} gives no class probabilities, so it has no inception '
          'score and no shares of classes: take the classifier, or pool_3 of '
          'the whole inception-2015-12-05.tgz.')

  def probabilities(self, features):
    """Returns the probabilities of the net's classes, without another pass.

    Args:
      features: float `[N, D]`.

    Returns:
      float64 `[N, K]`: `softmax(features kernel + bias)`.

    Raises:
      UserError: if the net has no classes.
    """
    self.require_classes()
    kernel, bias = self.head
    logits = np.asarray(features, np.float64) @ kernel + bias
    # The largest is taken off, so that no exponential overflows.
    unnormalised = np.exp(logits - logits.max(1, keepdims=True))
    return unnormalised / unnormalised.sum(1, keepdims=True)

  def _forward(self, images):
    if images.dtype != np.uint8 or images.ndim != 4:
      raise ValueError(
          '`batches` must hold uint8 images [b, H, W, C], not '
          f'{images.dtype} {images.shape}.')
    missing = self.batch_size - len(images)
    if missing:
      # With the last image, which is valid input for every net; `_fetch` cuts
      # the copies off.
      images = np.concatenate([images, np.repeat(images[-1:], missing, 0)])
    return self._compiled(tf.constant(images))


def _fetch(features, number):
  features = features.numpy()[:number]  # [b, D]
  if not np.isfinite(features).all():
    raise errors.UserError(
        'The features of some images are not finite, so there is no distance: '
        'the images or the feature net\'s weights are damaged.')
  return features


def measure_overhead(net, image_shape=(28, 28, 1), num_batches=8, repeats=3):
  """Times features from uint8 batches against the bare forward pass.

  Both run in turn, and the best of the repeats counts.

  Args:
    net: a `FeatureNet`.
    image_shape: `(H, W, C)` of the uint8 images.
    num_batches: batches of `net.batch_size` images in one run.
    repeats: runs of each.

  Returns:
    Dictionary with `images_per_second`, `bare_images_per_second` and `ratio`,
    the first divided by the second: 1 without any overhead.
  """
  generator = np.random.default_rng(0)
  images = generator.integers(
      0, 256, (num_batches * net.batch_size, *image_shape), np.uint8)
  inputs = net._preprocess(tf.constant(images[:net.batch_size]))
  bare = tf.function(lambda x: net.network(x, training=False))

  def run_bare():
    for _ in range(num_batches):
      # Fetched, or only the launch would be timed.
      bare(inputs).numpy()

  def run():
    # Two arrays, so that batches must be cut anew, as they are in use.
    for _ in net(np.array_split(images, 2)):
      pass

  seconds = {run_bare: [], run: []}
  # In turn, so that a load from elsewhere falls on both.
  for _, work in itertools.product(range(repeats + 1), seconds):
    start = time.perf_counter()
    work()
    seconds[work].append(time.perf_counter() - start)
  # Without the first run of each, which traces the graph.
  best = [len(images) / min(seconds[work][1:]) for work in (run, run_bare)]
  return {'images_per_second': best[0], 'bare_images_per_second': best[1],
          'ratio': best[0] / best[1]}
