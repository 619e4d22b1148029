"""Counts how often a command's work goes from one file of pgak to another.

  python tests/hops.py train --run_dir=... --gin_file=quickstart.gin
  python tests/hops.py evaluate --run_dir=... --protocol=quick

A hop is a call from a function of one file into one of another; it counts once
for each pair of functions, however often it is made. A hop leads back where its
file called, directly or not, the one that it comes from. Slow: it looks at
every call of Python.
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
  """Hops that were seen, `{((file, function), (file, function)): back}`."""

  def __init__(self):
    self.seen = {}

  def look(self, frame, event, argument):
    """Looks at one call, as `sys.setprofile` asks."""
    del argument
    called = file_of(frame) if event == 'call' else None
    if called is None:
      return
    chain = []
    caller = frame.f_back
    while caller is not None:
      chain.append((file_of(caller), caller.f_code.co_name))
      caller = caller.f_back
    callers = [c for c in chain if c[0]]
    if callers and callers[0][0] != called:
      hop = callers[0], (called, frame.f_code.co_name)
      back = called in {file for file, _ in callers}
      self.seen[hop] = self.seen.get(hop, False) or back


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
