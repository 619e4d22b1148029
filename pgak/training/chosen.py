"""Settings that a train command chooses by the data set."""
import dataclasses
import math
import re

from pgak import errors
from pgak.data import kinds
from pgak.data import survey as survey_lib

__all__ = ['Data', 'MODEL', 'RECIPE', 'latent_dim', 'look', 'network',
           'picture_shape', 'settings', 'sized', 'steps']

MODEL, RECIPE = 'vpga', 'modern'
_BATCH = 64
_PASSES = 20
_FEWEST_STEPS, _MOST_STEPS = 2000, 20000
# (Most pixels, latent dimensions), by the size of an image.
_LATENTS = ((64, 8), (1024, 16), (4096, 64), (math.inf, 128))


@dataclasses.dataclass(frozen=True)
class Data:
  """Properties of a data set that settings depend on.

  Attributes:
    shape: of one example.
    kind: a `kinds.Kind`.
    train: int, how many examples there are to train on.
  """
  shape: tuple
  kind: kinds.Kind
  train: int


def picture_shape(path):
  """Returns `(side, side, channels)` for a folder or zip of pictures."""
  seen = survey_lib.survey(path)
  side = seen.size()
  return side, side, 1 if seen.grey else 3


def sized(size, known):
  """Returns `(height, width, channels)` of --size.

  Args:
    size: '64', or '48x64' for height and width.
    known: the shape of the data, whose channels stay.

  Raises:
    errors.UserError: if it is neither, or the data are no images.
  """
  match = re.fullmatch(r'(\d+)(?:x(\d+))?', str(size))
  if not match or known is None or len(known) != 3:
    raise errors.UserError(
        f'--size={size} must be a number of pixels, such as 64, or height and '
        'width, such as 48x64, of a data set of images.')
  height, width = match[1], match[2] or match[1]
  return int(height), int(width), known[-1]


def look(dataset):
  """Returns the `Data` of a data set that was made."""
  kind = kinds.of(dataset)
  if 'condition' in kind.can:
    raise errors.UserError(
        f'{dataset.name} holds pairs, for which nothing is chosen: give '
        '--gin_file=papers/learned_priors/vunet.gin, or other gin files.')
  return Data(tuple(dataset.image_shape), kind, len(dataset.split('train')))


def network(data):
  """Returns the name of networks for the data's kind."""
  return 'conv' if 'pixels' in data.kind.can else 'mlp'


def latent_dim(shape):
  """Returns the number of latent dimensions for examples of a shape."""
  if kinds.Vectors.fits(shape):
    # Fewer than the data, or nothing would be compressed.
    return max(1, min(8, shape[0] - 1))
  pixels = shape[0] * shape[1]
  return next(number for most, number in _LATENTS if pixels <= most)


def steps(data, batch_size):
  """20 passes over the training examples, between 2,000 and 20,000."""
  # Whole hundreds, so that a tenth of them is a whole interval.
  wanted = math.ceil(_PASSES * data.train / batch_size / 100.) * 100
  return min(max(wanted, _FEWEST_STEPS), _MOST_STEPS)


def settings(data, given_steps=None):
  """Returns `{setting: value}` of all that depends on the number of examples.

  Args:
    data: a `Data`.
    given_steps: int, where the user gave it.
  """
  # A batch is full, so it cannot be larger than the split.
  batch_size = min(_BATCH, data.train)
  number = steps(data, batch_size) if given_steps is None else given_steps
  # Ten galleries and checkpoints in a run of any length.
  every = max(number // 10, 1)
  return {'train.batch_size': batch_size, 'train.steps': number,
          'train.log_every': min(100, every), 'train.validate_every': every,
          'train.sample_every': every, 'train.checkpoint_every': every}
