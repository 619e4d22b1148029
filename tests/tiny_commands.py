"""Calls a binary in this process, as the shell would."""
import sys
from typing import NamedTuple

import gin
import pytest

__all__ = ['Result', 'call', 'refused']


class Result(NamedTuple):
  """Exit status, and what was written."""
  status: int
  out: str
  err: str


def call(binary, capsys, *flags):
  """Returns the `Result` of a binary's module with these flags."""
  capsys.readouterr()
  status = 0
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sys, 'argv', [binary.__name__, *map(str, flags)])
    patch.setattr(sys, 'path', list(sys.path))
    try:
      binary.run()
    except SystemExit as e:
      status = e.code or 0
    finally:
      gin.clear_config()
  return Result(status, *capsys.readouterr())


def refused(binary, capsys, *flags, status=1):
  """Returns the one line of stderr that a binary ends with."""
  result = call(binary, capsys, *flags)
  lines = [line for line in result.err.strip().splitlines()
           if not line.startswith(('Preparing the data set', 'Prepared '))]
  assert result.status == status, result
  assert len(lines) == 1, result.err
  assert 'Traceback' not in result.err and '  In call' not in result.err
  return lines[0]
