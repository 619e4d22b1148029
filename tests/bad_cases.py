"""What a case of bad input is, and short forms of the usual ones.

In its flags and words, RUN is a new run directory, HERE a folder of prepared
files (see `bad_files.make`), and NEW a folder of the case's own. A case whose
`damage` is a function gets a copy of the run in HERE, which it damages, at
DAMAGED.
"""
from typing import Callable, NamedTuple

__all__ = ['PHOTOS', 'TINY', 'Case', 'bound', 'opened', 'train']


class Case(NamedTuple):
  """A command, its flags, and the words that its sentence must have."""
  command: str
  flags: tuple
  words: tuple = ()
  status: int = 1
  env: dict = {}
  damage: Callable | None = None


TINY = '--gin_file=HERE/tiny.gin'
PHOTOS = '--gin_file=HERE/photos.gin'


def train(*flags, words=(), **options):
  return Case('train', ('--run_dir=RUN', *flags), words, **options)


def bound(files, table):
  """Cases of train with a binding each: `{binding: words}`."""
  return [train(*files, f'--gin_param={binding}',
                words=(words,) if isinstance(words, str) else words)
          for binding, words in table.items()]


def opened(command, *flags, words=(), **options):
  """A case of a command on the run in HERE, or on its damaged copy."""
  run = 'DAMAGED' if options.get('damage') else 'HERE/run'
  more = {'sample': ('--output=NEW/x.png',), 'export': ('--output=NEW/e',)}
  if command == 'report':
    return Case(command, (run, '--output=NEW/x.html', *flags), words, **options)
  if command == 'train':
    return Case(command, (f'--run_dir={run}', TINY,
                          '--gin_param=train.steps = 6', *flags), words,
                **options)
  return Case(command, (f'--run_dir={run}', *more.get(command, ()), *flags),
              words, **options)
