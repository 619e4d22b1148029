"""What TensorFlow Datasets keeps on the disk, read without it.

A prepared set is a folder DATA_DIR/NAME[/CONFIG]/VERSION with
`dataset_info.json` (splits), `features.json` and the examples.
"""
import hashlib
import os
import re
from typing import NamedTuple

from pgak import errors
from pgak import files

__all__ = ['Contents', 'contents', 'data_dir', 'fingerprint', 'first_line',
           'newest', 'version', 'wanted']

# NAME, /CONFIG, :VERSION
_NAME = re.compile(r'(?P<name>\w+)(/(?P<config>[\w.+-]+))?'
                   r'(:(?P<version>[\w.*-]+))?')


class Contents(NamedTuple):
  """The contents of a prepared set.

  Attributes:
    sizes: `{split: number of examples}`, in the order of the set.
    images: `{name: shape}` of the features that are images, None for a size
      that differs.
    labels: names of the features that are labels, the supervised one first.
    attributes: names of the binary features in the feature `attributes`.
    label_names: `{name: names of its classes}`.
  """
  sizes: dict
  images: dict
  labels: tuple
  attributes: tuple
  label_names: dict

  @property
  def splits(self):
    """Names of the splits."""
    return tuple(self.sizes)


def data_dir(given):
  """Returns the folder of prepared sets.

  It is `given`, or else the environment's TFDS_DATA_DIR, or else
  ~/tensorflow_datasets.
  """
  return files.local(given or os.environ.get('TFDS_DATA_DIR')
                     or '~/tensorflow_datasets')


def wanted(text):
  """Returns `(name, config or None, version or None)` of NAME/CONFIG:VERSION.

  Raises:
    UserError: if it is no such text.
  """
  match = _NAME.fullmatch(text)
  if not match:
    raise errors.UserError(f"tfds.name = '{text}' is not NAME, NAME/CONFIG or "
                           "NAME/CONFIG:VERSION, such as 'mnist:3.0.1'.")
  return match['name'], match['config'], match['version']


def newest(folder, name, config=None, wanted_version=None):
  """Returns the folder of a set's newest version, or None.

  Args:
    folder: of prepared sets.
    name: string.
    config: string, or None for none or the only one there is.
    wanted_version: string, with * for any, or None.

  Raises:
    UserError: if there are several configurations and none is named.
  """
  pattern = f'{wanted_version or "*"}/dataset_info.json'
  found = list(folder.glob('/'.join(filter(None, (name, config, pattern)))))
  if not found and config is None:
    found = list(folder.glob(f'{name}/*/{pattern}'))
    configs = sorted({path.parent.parent.name for path in found})
    if len(configs) > 1:
      raise errors.UserError(
          f'{folder / name} holds the configurations {", ".join(configs)}: '
          f"name one, such as tfds.name = '{name}/{configs[0]}'.")
  return max((path.parent for path in found), key=version, default=None)


def version(folder):
  """Returns the version that a folder's name is, as a key for sorting."""
  # As numbers: 3.10.0 is newer than 3.9.0.
  return [int(number) if number.isdecimal() else -1
          for number in folder.name.split('.')]


def fingerprint(folder):
  """Returns a digest of a prepared set, hexadecimal digits."""
  # Names and sizes: reading the examples would take as long as preparing them.
  found = sorted((path.name, path.stat().st_size)
                 for path in folder.iterdir() if path.is_file())
  info = (folder / 'dataset_info.json').read_bytes()
  return hashlib.sha256(repr((found, info)).encode()).hexdigest()[:16]


def first_line(error):
  """Returns the first line of an error's text, or its type."""
  lines = str(error).strip().splitlines()
  return lines[0] if lines else type(error).__name__


def contents(folder):
  """Reads the description of a prepared set.

  Raises:
    UserError: if its description is damaged.
  """
  try:
    info = files.load_json(folder / 'dataset_info.json')
    features = files.load_json(folder / 'features.json')['featuresDict'][
        'features']
    # Numbers are strings in these files, as protocol buffers write int64.
    sizes = {split['name']: sum(map(int, split['shardLengths']))
             for split in info['splits']}
    supervised = [item['featureKey'] for item in info.get(
        'supervisedKeys', {}).get('tuple', {}).get('items', ())][1:]
    labels = sorted((name for name, f in features.items() if _is_label(name, f)
                     ), key=lambda name: (name not in supervised,
                                          name != 'label', name))
    return Contents(
        sizes, {name: _shape(f) for name, f in features.items() if _is_image(f)
                 }, tuple(labels), _attributes(features),
        {name: _label_names(folder, name) for name in labels})
  except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
    raise errors.UserError(
        f'The description of the data set in {folder} cannot be read '
        f'({errors.reason(e)}): put a whole copy there.') from e


def _is_image(feature):
  return feature.get('pythonClassName', '').endswith('image_feature.Image')


def _is_label(name, feature):
  kind = feature.get('pythonClassName', '').rpartition('.')[2]
  integer = 'int' in feature.get('tensor', {}).get('dtype', '')
  # A plain integer is a label by its name alone.
  return kind == 'ClassLabel' or (
      name == 'label' and kind in ('Scalar', 'Tensor') and integer)


def _shape(feature):
  """Returns the sizes, None for one that differs from image to image."""
  sizes = feature.get('image', {}).get('shape', {}).get('dimensions', ())
  return tuple(int(s) if int(s) > 0 else None for s in sizes)


def _attributes(features):
  inner = features.get('attributes', {}).get('featuresDict', {}).get(
      'features', {})
  return tuple(sorted(name for name, f in inner.items() if f.get(
      'tensor', {}).get('dtype') == 'bool'))


def _label_names(folder, name):
  """Returns the classes' names, or () where they are their numbers."""
  path = folder / f'{name}.labels.txt'
  if not path.is_file():
    return ()
  names = tuple(path.read_text(encoding='utf-8').splitlines())
  # TFDS names the classes of MNIST 0 to 9.
  return () if names == tuple(map(str, range(len(names)))) else names
