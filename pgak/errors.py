"""The one exception that pgak raises for what a user can put right."""
import difflib
import errno
import os
import re

__all__ = ['NoEncoderError', 'UserError', 'reason', 'similar', 'unwritable']

_UNWRITABLE = tuple(os.strerror(n) for n in (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


class UserError(Exception):
  """A bad input, told in one sentence that names the thing and the way out.

  The binaries print it on stderr and exit with status 1, without a traceback.
  """


class NoEncoderError(UserError):
  """A model that makes images and encodes none was asked for what needs it."""


def similar(name, known):
  """Returns ': did you mean X?' for a name that nearly is a known one, or ''.

  Args:
    name: what a user wrote.
    known: strings, the names that there are.
  """
  lower = {k.lower(): k for k in known}
  found = difflib.get_close_matches(str(name).lower(), lower, 1, 0.7)
  return f': did you mean {lower[found[0]]}?' if found else ''


def reason(error, length=200):
  """Returns in one line what an error says, without TensorFlow's own names.

  Args:
    error: exception.
    length: int, the most characters; None for all.
  """
  # Gin appends lines that say where in its calls the error was raised.
  text = str(error).split('\n  In call to configurable')[0]
  text = re.sub(r'\{\{.*?\}\}|\x1b\[[0-9;]*m', '', text)
  return ' '.join(text.split())[:length] or type(error).__name__


def unwritable(error):
  """Returns in the system's words why no more can be written, such as 'No space
  left on device', or '' for an error of another kind.

  TensorFlow's errors, of various classes, and gin's copies have these words in
  their text alone.
  """
  text = str(error)
  return next((words for words in _UNWRITABLE if words in text), '')
