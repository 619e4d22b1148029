"""Data sets that need no download: real digits, and made-up images."""
import numpy as np

from pgak import settings
from pgak.data import arrays
from pgak.data import pixels
from pgak.data import store

__all__ = ['digits', 'synthetic']

_TRAIN_DIGITS = 1500


@settings.register
def digits():
  """The 1,797 handwritten digits inside scikit-learn, 8 x 8 x 1, with labels.

  Their 17 grey levels v become round(255 v / 16). The first 1,500 are `train`,
  the other 297 are `test` and what `validation` falls back to. The file keeps
  the order of its 13 writers, so that the two parts share few of them.

  Returns:
    A `Dataset`.

  #### References

  [1]: E. Alpaydin, C. Kaynak. Optical Recognition of Handwritten Digits.
       UCI Machine Learning Repository, 1998.
  """
  return arrays.Dataset(_Digits('digits', (8, 8, 1), ('train', 'test')))


@settings.register
def synthetic(image_shape: pixels.ImageShape,
              num_examples: settings.Count = 256, seed: settings.Seed = 0):
  """Smooth random colours in any shape, to try out a model or a machine.

  Args:
    image_shape: `(height, width, channels)`.
    num_examples: number of images in all; a quarter of them is `test`.
    seed: int; the images are a function of it.

  Returns:
    A `Dataset` without labels.
  """
  height, width, channels = image_shape
  return arrays.Dataset(_Synthetic(
      f'synthetic_{height}x{width}x{channels}', image_shape,
      ('train', 'test'), {'num_examples': num_examples, 'seed': seed}))


class _Digits(store.Recipe):

  def fingerprint(self):
    return 'scikit-learn load_digits'

  def read(self):
    # Imported late: it takes a second, and later runs do without it.
    from sklearn import datasets
    bunch = datasets.load_digits()
    # Levels of 0 to 16.
    images = np.rint(bunch.images * (255. / 16.)).astype(np.uint8)[..., None]
    for split, chosen in [('train', slice(None, _TRAIN_DIGITS)),
                          ('test', slice(_TRAIN_DIGITS, None))]:
      yield split, [(images[chosen], bunch.target[chosen])]


class _Synthetic(store.Recipe):

  def fingerprint(self):
    return 'numpy'

  def read(self):
    num_test = self.choices['num_examples'] // 4
    yield 'train', self._chunks(0, self.choices['num_examples'] - num_test)
    yield 'test', self._chunks(1, num_test)

  def _chunks(self, stream, count):
    for i in range(count):
      # Legacy generators are the same in every version of NumPy; and one for
      # each image, so that a larger set begins with the smaller one's.
      state = np.random.RandomState([self.choices['seed'], stream, i])
      yield _smooth(state, self.image_shape)[None], None


def _smooth(state, image_shape):
  """Returns one uint8 image: a few waves of random direction and colour."""
  height, width, channels = image_shape
  rows = np.arange(height)[:, None, None] / height
  columns = np.arange(width)[None, :, None] / width
  waves = np.zeros(image_shape)
  for _ in range(3):
    down, across = state.uniform(-2., 2., [2, channels])
    phase = state.uniform(size=channels)
    waves += np.sin(2. * np.pi * (down * rows + across * columns + phase))
  # Three waves of amplitude 1 stay within 126 of the middle: no clipping.
  return np.rint(127.5 + 42. * waves).astype(np.uint8)
