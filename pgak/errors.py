"""Errors that a user can fix, and one sentence for each other error."""
import difflib
import errno
import os
import re
import sys
import tempfile

__all__ = ['NoEncoderError', 'UnavailableError', 'UserError', 'reason',
           'sentence', 'similar', 'unwritable']

# No space, over quota, file too large, read-only: in the system's own words.
_UNWRITABLE = tuple(os.strerror(n) for n in (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


class UserError(Exception):
  """An error the user can fix: one sentence with the cause and the remedy.

  The binaries print it on stderr and exit with status 1, without a traceback.
  """


class NoEncoderError(UserError):
  """A model without an encoder was asked for something that needs one."""


class UnavailableError(UserError):
  """What a measurement needs is not there, such as labels or weights.

  Or there are too few examples: what a protocol asks for is left out then.
  """


def similar(name, known):
  """Returns ': did you mean X?' for a name similar to a known one, or ''.

  Args:
    name: the name that a user wrote.
    known: strings, the names that there are.
  """
  lower = {k.lower(): k for k in known}
  found = difflib.get_close_matches(str(name).lower(), lower, 1, 0.7)
  return f': did you mean {lower[found[0]]}?' if found else ''


def reason(error, length=200):
  """Returns an error's text in one line, without TensorFlow's node names.

  Args:
    error: exception.
    length: int, the most characters; None for all.
  """
  # Gin appends lines that say where in its calls the error was raised.
  text = str(error).split('\n  In call to configurable')[0]
  # Names of nodes in a graph, and colours of a terminal.
  text = re.sub(r'\{\{.*?\}\}|\x1b\[[0-9;]*m', '', text)
  return ' '.join(text.split())[:length] or type(error).__name__


def unwritable(error):
  """Returns the system's reason why nothing can be written, or ''.

  It is such as 'No space left on device', and '' for an error of another kind.
  TensorFlow's errors, of various classes, and gin's copies have these words in
  their text alone.
  """
  text = str(error)
  return next((words for words in _UNWRITABLE if words in text), '')


_SMALLER = ('lower train.batch_size or the sizes of the networks, or use a '
            'machine with more')

# Error number of the system -> what a user can do.
_WAYS_OUT = {
    errno.ENAMETOOLONG: 'give a shorter name',
    errno.ENOENT: 'check the path', errno.ENOTDIR: 'check the path',
    errno.EISDIR: 'give a file, or clear the way',
    errno.EEXIST: 'clear the way, or give another path',
    errno.EACCES: 'change its permissions, or give another path',
    errno.EPERM: 'change its permissions, or give another path',
    errno.EMFILE: 'raise the limit of open files (ulimit -n)',
}


def _of_system(message):
  """Returns a sentence of '[Errno 28] No space left on device: PATH'."""
  # Gin hides the number and the path of an error that passed its calls.
  number, text = re.fullmatch(r'(?:\[Errno (\d+)\] )?(.*)', message).groups()
  way = _WAYS_OUT.get(int(number or 0), 'put that right')
  return f'{text}: {way}, and give the same command again.'


def _is_of_tensorflow(error):
  # Not imported here: an error may come before it, and it takes seconds.
  tensorflow = sys.modules.get('tensorflow')
  return tensorflow is not None and isinstance(error, tensorflow.errors.OpError)


def sentence(error):
  """Returns what a user can do about an error, or '' for a fault in the code.
  """
  message = reason(error)
  if isinstance(error, UserError):
    return reason(error, length=None)
  # Before all others: a full disk shows as many errors.
  full = message if unwritable(error) else _full_temporary_folder()
  if full:
    return (f'Something could not be written ({full}): make room, and give the '
            'same command again.')
  if isinstance(error, OSError):
    return _of_system(message)
  if isinstance(error, MemoryError) or 'OOM when allocating' in message:
    return f'There is not enough memory ({message}): {_SMALLER}.'
  if _is_of_tensorflow(error):
    return f'TensorFlow stopped ({message}): -v=1 shows where.'
  return ''


def _full_temporary_folder():
  """Returns why no temporary file can be written, or ''.

  AutoGraph writes one for each function; without it Python's `if` meets a
  tensor, and the error that follows says nothing of a disk.
  """
  try:
    with tempfile.TemporaryFile() as file:
      # A full disk may still make an empty file.
      file.write(bytes(2**16))
      file.flush()
  except OSError as e:
    return f'{e.strerror}: {tempfile.gettempdir()}' if unwritable(e) else ''
  return ''
