"""Command lines of benchmarks: arguments FILE:BATCH, and errors in a sentence.
"""
import argparse
import sys

__all__ = ['case', 'parser', 'run']


def parser(text):
  """Makes the parser of a script.

  Args:
    text: its docstring, which --help prints as it is.
  """
  return argparse.ArgumentParser(
      description=text, formatter_class=argparse.RawTextHelpFormatter)


def case(text):
  """Parses FILE:BATCH to `(file, batch size)`, as argparse's `type`."""
  file, _, batch_size = text.rpartition(':')
  if not file or not batch_size.isdecimal() or not int(batch_size):
    raise argparse.ArgumentTypeError(
        f'{text} is no gin file and batch size, such as quickstart.gin:64')
  return file, int(batch_size)


def run(main):
  """Calls `main`; an error that a user can mend is a sentence and status 1."""
  try:
    main()
  except Exception as e:
    # Late, as start_up.py times this import.
    from pgak import errors
    sentence = errors.sentence(e)
    if not sentence:
      raise
    sys.exit(sentence)
