"""The exception that pgak raises for what a user can put right; sentences."""
import difflib
import errno
import os
import re
import sys
import tempfile

__all__ = ['NoEncoderError', 'UserError', 'reason', 'sentence', 'similar',
           'unwritable']

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


_SMALLER = ('lower train.batch_size or the sizes of the networks, or use a '
            'machine with more')

# What a user can do about an error of the system, by its number.
_WAYS_OUT = {
    errno.ENAMETOOLONG: 'give a shorter name',
    errno.ENOENT: 'check the path', errno.ENOTDIR: 'check the path',
    errno.EISDIR: 'give a file, or clear the way',
    errno.EEXIST: 'clear the way, or give another path',
    errno.EACCES: 'change its permissions, or give another path',
    errno.EPERM: 'change its permissions, or give another path',
    errno.EMFILE: 'raise the limit of open files (ulimit -n)',
}


def _of_system(told):
  """Returns a sentence of '[Errno 28] No space left on device: PATH'."""
  # Gin hides the number and the path of an error that passed its calls.
  number, text = re.fullmatch(r'(?:\[Errno (\d+)\] )?(.*)', told).groups()
  way = _WAYS_OUT.get(int(number or 0), 'put that right')
  return f'{text}: {way}, and give the same command again.'


def _is_of_tensorflow(error):
  tensorflow = sys.modules.get('tensorflow')
  return tensorflow is not None and isinstance(error, tensorflow.errors.OpError)


def sentence(error):
  """Returns what a user can do about an error, or '' if it is one of the code.
  """
  told = reason(error)
  if isinstance(error, UserError):
    return reason(error, length=None)
  full = told if unwritable(error) else _full_temporary_folder()
  if full:
    return (f'Something could not be written ({full}): make room, and give the '
            'same command again.')
  if isinstance(error, OSError):
    return _of_system(told)
  if isinstance(error, MemoryError) or 'OOM when allocating' in told:
    return f'There is not enough memory ({told}): {_SMALLER}.'
  if _is_of_tensorflow(error):
    return f'TensorFlow stopped ({told}): -v=1 shows where.'
  return ''


def _full_temporary_folder():
  """Returns why no temporary file can be written, or ''.

  AutoGraph writes one for each function; without it Python's `if` meets a
  tensor, and the error that follows says nothing of a disk.
  """
  try:
    with tempfile.TemporaryFile() as file:
      file.write(bytes(2**16))
      file.flush()
  except OSError as e:
    return unwritable(e) and f'{e.strerror}: {tempfile.gettempdir()}'
  return ''
