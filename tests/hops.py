"""Counts how often a command's work goes from one file of pgak to another.

  python tests/hops.py train --run_dir=... --gin_file=quickstart.gin
  python tests/hops.py evaluate --run_dir=... --protocol=quick

A hop is a pair of files, of which a function of the one calls one of the other,
however often; it leads back where the other was entered before. Slow: it looks
at every call of Python.
"""
import importlib
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What every file uses, and no reader follows.
PASSED_OVER = ('settings', 'errors.py', 'command.py')


def file_of(frame):
  """Returns the path below pgak of a frame's file, or None."""
  path = os.path.relpath(frame.f_code.co_filename, os.path.join(ROOT, 'pgak'))
  outside = path.startswith(('..', 'bin', *PASSED_OVER))
  return None if outside or frame.f_code.co_name == '<module>' else path


class Hops:
  """Hops that were seen, `{(file, file): whether it led back}`."""

  def __init__(self):
    self.seen, self._visited = {}, set()

  def look(self, frame, event, argument):
    """Looks at one call, as `sys.setprofile` asks."""
    del argument
    called = file_of(frame) if event == 'call' else None
    if called is None:
      return
    caller = frame.f_back
    while caller is not None and file_of(caller) is None:
      caller = caller.f_back
    before = caller and file_of(caller)
    if before and before != called:
      self.seen.setdefault((before, called), called in self._visited)
    self._visited.add(called)


def main():
  """Runs a command and prints the number of its hops on standard error."""
  command = sys.argv.pop(1)
  sys.path.insert(0, ROOT)
  hops = Hops()
  module = importlib.import_module(f'bin.{command}')
  sys.setprofile(hops.look)
  try:
    module.main(sys.argv)
  finally:
    sys.setprofile(None)
    back = sum(hops.seen.values())
    print(f'{len(hops.seen)} hops, {back} of them back to a file that was left',
          file=sys.stderr)


if __name__ == '__main__':
  main()
