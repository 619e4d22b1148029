"""A score with all that decided it: one row of scores.csv."""
import collections.abc
import csv
import dataclasses
import io

__all__ = ['CHOICES', 'COLUMNS', 'Score', 'from_csv', 'to_csv']


# eq=False: Mapping compares by the content, with dictionaries, too.
@dataclasses.dataclass(frozen=True, eq=False)
class Score(collections.abc.Mapping):
  """One number and every choice that made it.

  It can be read like a dictionary, too: `score['value']`, `dict(score)`. One
  that was read from a file has only strings.

  Attributes:
    step: int, the checkpoint's step.
    metric: string, the value's name.
    value: float.
    dataset: string.
    features: string, the feature net, or 'pixels' or 'latents'.
    images: string, what it is of: 'samples', 'reconstructions', 'data' ...
    prior: string, the density of the latents, or 'none'.
    ema: bool, whether the weights are the averages of training.
    num_samples: int, how many examples it is of.
    split: string, the real examples that took part.
    crop: string, what happened to the real images, or 'none'.
    resize: string, how they, and then the feature net's input, were resized.
    rounding: string, from the model's floats to uint8, or 'none'.
    batch_norm: string, the mode in which images were made.
    seed: int, decides the samples.
    protocol: string.
    better: string, 'lower', 'higher' or 'neither'; '' where it was not
      recorded, as by version 0.4.
    error: float, the value's standard error; '' where it is not known.
  """
  step: int
  metric: str
  value: float
  dataset: str
  features: str
  images: str
  prior: str
  ema: bool
  num_samples: int
  split: str
  crop: str
  resize: str
  rounding: str
  batch_norm: str
  seed: int
  protocol: str
  better: str = ''
  error: float | str = ''

  def __getitem__(self, column):
    if column not in COLUMNS:
      raise KeyError(column)
    return getattr(self, column)

  def __iter__(self):
    return iter(COLUMNS)

  def __len__(self):
    return len(COLUMNS)

  def __or__(self, other):
    return dict(self) | dict(other)

  def __ror__(self, other):
    return dict(other) | dict(self)


COLUMNS = tuple(field.name for field in dataclasses.fields(Score))
# Two scores that differ in one of these do not compare: from dataset to
# protocol.
CHOICES = COLUMNS[3:16]
_OPTIONAL = ('better', 'error')


def to_csv(rows):
  """Returns scores as the text of a CSV file.

  Args:
    rows: `Score`s, or dictionaries with its attributes as keys, of which
      'better' and 'error' may be left out.

  Raises:
    ValueError: if a row has other keys, or lacks one.
  """
  rows = [dict(row) for row in rows]
  for row in rows:
    missing = set(COLUMNS) - set(_OPTIONAL) - set(row)
    if missing:
      raise ValueError(f'a score has no {sorted(missing)[0]!r}')
  # Unchanged line ends, as the csv module wants them.
  buffer = io.StringIO(newline='')
  # Unix line ends on every system, as 0.4 wrote them.
  writer = csv.DictWriter(buffer, COLUMNS, restval='', lineterminator='\n')
  writer.writeheader()
  writer.writerows(rows)
  return buffer.getvalue()


def from_csv(text):
  """Returns the rows of a CSV file, dictionaries of text, as they stand.

  A file of version 0.4 has neither 'better' nor 'error', and one that is older
  no 'images'; these are filled in.

  Args:
    text: string.

  Raises:
    csv.Error: if it is no CSV file.
    ValueError: if its first line names no columns of scores.
  """
  reader = csv.DictReader(io.StringIO(text, newline=''))
  rows = list(reader)
  if not rows and text.strip() and 'metric' not in reader.fieldnames:
    raise ValueError('its first line names no columns of scores')
  for row in rows:
    row.setdefault('images', _images_of(row.get('metric') or ''))
    for column in _OPTIONAL:
      row.setdefault(column, '')
  return rows


def _images_of(metric):
  """What an older score measured, which had no column `images`."""
  if metric.startswith('reconstruction'):
    return 'reconstructions'
  return 'data' if metric.startswith('latent_match') else 'samples'
