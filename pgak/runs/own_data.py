"""Data that a trained run is shown, by the names that --data takes."""
import tokenize

import gin

from pgak import errors
from pgak.data import any_tfds
from pgak.data import array_files
from pgak.data import folders
from pgak.data import kinds
from pgak.data import pixels
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import gin_text
from pgak.runs import named_files

__all__ = ['opener', 'opener_of', 'preparation_of', 'reads_data_dir',
           'split_opener']


def opener(value, run, data_dir=None):
  """Finds the data that a trained run is to be shown.

  Args:
    value: as for `opener_of`.
    run: `RunDirectory`.
    data_dir: folder of TensorFlow Datasets, or None.

  Returns:
    As `opener_of`.

  Raises:
    errors.UserError: as `opener_of` does.
  """
  return opener_of(value, run.config.get('data', {}).get('preprocessing', {}),
                   data_dir)


def opener_of(value, preprocessing, data_dir=None):
  """Finds the data that a trained model is to be shown.

  Pictures are cropped and resized as those that the run was trained on;
  nothing is cut into splits, and damaged pictures are passed over. After the
  name of a data set that ships, gin's configuration is empty.

  Args:
    value: a folder, zip or tar of pictures, an array file, 'tfds:NAME', or the
      name of a data set that ships; what --data of the train command takes, but
      for gin files.
    preprocessing: dictionary, as config.json of the model's run has it.
    data_dir: folder of TensorFlow Datasets, or None.

  Returns:
    Function of a model to a data set of its kind and shape.

  Raises:
    errors.UserError: if it is none of these, also when that function is called
      with a model that it does not fit.
  """
  if value.endswith('.gin'):
    raise errors.UserError(f'--data={value} is a gin file, which the train '
                           'command takes: give a path or the name of a data '
                           'set.')
  file, settings = named_files.data(value)
  made = None if settings else _shipped(file, data_dir)

  def opened(model):
    if 'condition' in model.kind.can:
      raise errors.UserError(f'{model.name} is for pairs, which --data does '
                             'not take: leave it out.')
    shape = tuple(model.kind.shape)
    found = made or _of_path(file, settings, shape, preprocessing, data_dir)
    _check(found, model)
    return found

  return opened


def split_opener(value, run, data_dir=None, split=None):
  """As `opener`, for one split of the data.

  Args:
    value: as there.
    run: as there.
    data_dir: as there.
    split: a split as the data have it; None for all of them together.

  Returns:
    Function of a model to a split, such as `data.ImageArray`.
  """
  opened = opener(value, run, data_dir)
  return lambda model: opened(model).split(split or 'all')


def reads_data_dir(run):
  """Returns whether the data set of a run itself is in `data_dir`."""
  try:
    return '%data_dir' in gin_text.bindings_of(run.config_gin).values()
  except (SyntaxError, ValueError, tokenize.TokenError):
    return False  # Whoever parses it says what is wrong.


def preparation_of(preprocessing):
  """Returns how pictures were made examples: crop, resize, background.

  Version 0.4 stated no background, and dropped the transparency of pictures
  from a folder.

  Args:
    preprocessing: dictionary, as config.json of a run has it.

  Returns:
    Arguments of `data.images` and of `serving.signatures.Endpoints`.
  """
  old_folder = 'fractions' in preprocessing and (
      'background' not in preprocessing)
  background = preprocessing.get(
      'background', None if old_folder else pixels.WHITE)
  return {'crop': preprocessing.get('crop'),
          'antialias': preprocessing.get('antialias', True),
          'resize': preprocessing.get('resize', 'bicubic'),
          'background': tuple(background) if isinstance(background, list)
                        else background}


def _shipped(file, data_dir):
  try:
    configuration.parse_part(f'data_dir = {data_dir!r}\ninclude {file!r}')
    return data_set.configured()
  finally:
    gin.clear_config()


def _of_path(file, settings, shape, preprocessing, data_dir):
  (setting, value), = settings.items()
  name = setting.partition('.')[0]
  if name == 'tfds':
    return any_tfds.tfds(value, shape, data_dir)
  if name == 'arrays':
    value_range = preprocessing.get('value_range')
    return array_files.arrays(
        value, shape, value_range and tuple(value_range), test_fraction=0.)
  if not kinds.Images.fits(tuple(shape)):
    raise errors.UserError(f'{value} holds pictures, and the run is for '
                           f'vectors of {shape}: give an array file.')
  return folders.images(
      value, shape, test_fraction=0., skip_damaged=True,
      **preparation_of(preprocessing))


def _check(dataset, model):
  kind = kinds.of(dataset)
  if type(kind) is not type(model.kind) or kind.shape != model.kind.shape:
    raise errors.UserError(
        f'{dataset.name} holds {kind.name} of {tuple(kind.shape)}, and '
        f'{model.name} is for {model.kind.name} of {tuple(model.kind.shape)}: '
        'give other --data.')
