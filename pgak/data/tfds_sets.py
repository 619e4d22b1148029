"""The public data sets, read once through TensorFlow Datasets.

TFDS is imported only to prepare a set: what is prepared is read without it.
"""
from typing import Annotated

import tensorflow as tf

from pgak import errors
from pgak import settings
from pgak.data import arrays
from pgak.data import decoding
from pgak.data import folders
from pgak.data import pipelines
from pgak.data import pixels
from pgak.data import store
from pgak.data import tfds_folders

__all__ = ['celeb_a', 'cifar10', 'fashion_mnist', 'mnist']

# Images that are held in memory at a time.
_CHUNK = 256
_READERS = 2
_TRAIN_TEST = ('train', 'test')


@settings.register
def mnist(data_dir: settings.Path | None = None, download: bool = False,
          validation_examples: settings.Whole = 0, pad: settings.Whole = 0):
  """MNIST: 60,000 and 10,000 digits, 28 x 28 x 1, with labels.

  By default all of `train` is trained on, as the papers do, and what a run
  calls its validation loss is measured on `test`.

  Args:
    data_dir: the folder of TFDS that holds the set; by default the
      environment variable TFDS_DATA_DIR, or ~/tensorflow_datasets.
    download: whether TFDS may download the set into that folder.
    validation_examples: number of examples at the end of `train` that become
      the split `validation` instead.
    pad: rows and columns of zeros on each side; 2 makes the 32 x 32 images of
      the RAE paper, and the set's name `mnist_pad2`.

  Returns:
    A `Dataset`; a `UserError` of its `split` says what to put where when the
    set is not available.
  """
  return _padded('mnist', pad, validation_examples, data_dir, download)


@settings.register
def fashion_mnist(data_dir: settings.Path | None = None, download: bool = False,
                  validation_examples: settings.Whole = 0,
                  pad: settings.Whole = 0):
  """Fashion-MNIST: 60,000 and 10,000 clothes, 28 x 28 x 1, with labels.

  The arguments are those of `mnist`.
  """
  return _padded('fashion_mnist', pad, validation_examples, data_dir, download)


def _padded(name, pad, validation_examples, data_dir, download):
  side = 28 + 2 * pad
  # The padding is in the name, so that scores of the two are never mixed.
  recipe = _TFDS(name, f'{name}_pad{pad}' if pad else name, (side, side, 1),
                 _TRAIN_TEST, data_dir, download, {'pad': pad} if pad else None)
  return arrays.Dataset(recipe, validation_examples)


@settings.register
def cifar10(data_dir: settings.Path | None = None, download: bool = False,
            validation_examples: settings.Whole = 0):
  """CIFAR-10: 50,000 and 10,000 photographs, 32 x 32 x 3, with labels.

  The arguments are those of `mnist`.
  """
  recipe = _TFDS('cifar10', 'cifar10', (32, 32, 3), _TRAIN_TEST, data_dir,
                 download)
  return arrays.Dataset(recipe, validation_examples)


@settings.register
def celeb_a(data_dir: settings.Path | None = None, download: bool = False,
            image_shape: pixels.ImageShape = (64, 64, 3),
            crop: Annotated[int, settings.Range(1, 178)] = 108,
            antialias: bool = False, resize: decoding.Resize = 'bicubic'):
  """CelebA: 202,599 aligned faces, cropped and resized, in its three splits.

  The centre crop of 218 x 178 pixels starts at row (218 - crop) // 2 and
  column (178 - crop) // 2. The authors of PGA crop 108 and train on the split
  `all`; many others crop 140.

  Args:
    data_dir: as in `mnist`.
    download: as in `mnist`. The set's server often refuses; the archive
      img_align_celeba.zip read by `images` gives the same pixels with
      `images.crop` and `images.resize` as here, `images.antialias = False`, and
      the same splits with `images.partition` = list_eval_partition.txt.
    image_shape: `(height, width, 3)`.
    crop: side of the square in the middle that is kept, in pixels, at most 178.
    antialias: whether to smooth before shrinking; the papers do not.
    resize: the kernel, 'bicubic' or 'bicubic_tf1', as the authors of PGA had
      it; see `decoding.resize`.

  Returns:
    A `Dataset` without labels, whose name holds the crop; its attributes are
    those that the copy holds, which are 40.
  """
  folders.check_kernel('celeb_a', resize, antialias)
  choices = {'crop': crop, 'resize': resize, 'antialias': antialias,
             'attributes': True}
  return arrays.Dataset(_TFDS(
      'celeb_a', f'celeb_a_crop{crop}', image_shape,
      ('train', 'validation', 'test'), data_dir, download, choices))


class _TFDS(store.Recipe):
  """A set that TFDS has prepared, or may download."""

  def __init__(self, tfds_name, name, image_shape, splits, data_dir, download,
               choices=None):
    super().__init__(name, image_shape, splits, choices)
    self._tfds_name = tfds_name
    self._data_dir = tfds_folders.data_dir(data_dir)
    self._download = download

  def fingerprint(self):
    folder = self._folder()
    if folder is None:
      return None
    return tfds_folders.fingerprint(folder)

  def fetch(self):
    # Only here: what is prepared needs neither the set nor TFDS.
    if self._folder() is None:
      if not self._download:
        raise errors.UserError(self._absent())
      self._download_and_prepare()
    return self.fingerprint()

  def read(self):
    for split in self.splits:
      yield split, self._chunks(split)

  def _folder(self):
    """Returns the folder of the newest version, or None."""
    return tfds_folders.newest(self._data_dir, self._tfds_name)

  def _absent(self):
    hint = ''
    if self._tfds_name == 'celeb_a':
      chosen = [f'images.{name} = {self.choices[name]!r}'
                for name in ('crop', 'antialias', 'resize')]
      hint = (', or read img_align_celeba.zip with datasets/images.gin, '
              f'{", ".join(chosen)} and images.partition = '
              "'list_eval_partition.txt', which gives the same pixels and "
              'splits')
    return (
        f'The data set {self._tfds_name} is not in {self._data_dir}; put the '
        f'folder {self._tfds_name}/ that TFDS prepared there, set --data_dir '
        'or TFDS_DATA_DIR to the folder that holds it, allow its download by '
        f'{self._tfds_name}.download = True{hint}.')

  def _download_and_prepare(self):
    import tensorflow_datasets as tfds
    try:
      builder = tfds.builder(self._tfds_name, data_dir=str(self._data_dir))
      builder.download_and_prepare()
    except Exception as error:  # TFDS raises whatever its transports raise.
      raise errors.UserError(
          f'The data set {self._tfds_name} could not be downloaded into '
          f'{self._data_dir} ({tfds_folders.first_line(error)}); put a copy '
          'that TFDS prepared there.') from error

  def _chunks(self, split):
    folder = self._folder()
    try:
      yield from self._decoded(folder, split)
    except (tf.errors.OpError, OSError, ValueError, KeyError) as error:
      raise errors.UserError(
          f'The split {split} of {self._tfds_name} in {folder} cannot be read '
          f'({tfds_folders.first_line(error)}); put a whole copy there.'
      ) from error

  def _decoded(self, folder, split):
    import tensorflow_datasets as tfds
    builder = tfds.builder_from_directory(folder)
    # One file after another: the order is the set's own on every machine.
    dataset = builder.as_dataset(
        split=split, shuffle_files=False,
        read_config=tfds.ReadConfig(interleave_cycle_length=1),
        decoders={'image': tfds.decode.SkipDecoding()})
    has_labels = 'label' in dataset.element_spec
    dataset = dataset.map(
        lambda example: (self._image(example['image']),
                         # Something for each element: `map` cannot give None.
                         example['label'] if has_labels else 0,
                         example.get('attributes', {})),
        num_parallel_calls=_READERS)
    dataset = pipelines.without_autotuning(dataset.batch(_CHUNK).prefetch(2))
    for images, labels, attributes in dataset:
      yield (images.numpy(), labels.numpy() if has_labels else None,
             {name: column.numpy() for name, column in attributes.items()})

  def _image(self, data):
    """Decodes one image in a graph; crops and resizes it if so chosen."""
    channels = self.image_shape[-1]
    if 'crop' not in self.choices:
      pad = self.choices.get('pad', 0)
      return tf.pad(tf.io.decode_png(data, channels),
                    [[pad, pad], [pad, pad], [0, 0]])
    image = tf.io.decode_jpeg(data, channels, dct_method='INTEGER_ACCURATE')
    shape = tf.shape(image)
    crop = self.choices['crop']
    # As the authors of PGA do, at `(218 - crop) // 2`.
    image = tf.image.crop_to_bounding_box(
        image, (shape[0] - crop) // 2, (shape[1] - crop) // 2, crop, crop)
    return decoding.resize(
        image, *self.image_shape[:2], self.choices['antialias'],
        self.choices['resize'])
