"""How far the preparation of a data set is: a bar, or a line a minute."""
import contextlib
import sys
import time

from tqdm import auto as tqdm

__all__ = ['bar']

_MINUTE = 60.


class _Bar:
  """Counts the images of chunks; shown on a terminal, else told in lines."""

  def __init__(self, total, shown):
    self._total, self._shown = total, shown
    self._number, self._told = 0, time.monotonic()

  def counted(self, chunks):
    """Yields the chunks, whose first elements are images."""
    for chunk in chunks:
      yield chunk
      self._number += len(chunk[0])
      self._shown.update(len(chunk[0]))
      if self._shown.disable and time.monotonic() - self._told > _MINUTE:
        self._told = time.monotonic()
        of = f' of {self._total}' if self._total else ''
        print(f'{self._number}{of} examples prepared', file=sys.stderr,
              flush=True)


@contextlib.contextmanager
def bar(recipe):
  """Yields something whose `counted(chunks)` shows how far a recipe is."""
  total = recipe.total()
  with tqdm.tqdm(total=total, desc=recipe.name, unit='example', disable=None,
                 dynamic_ncols=True, leave=False) as shown:
    yield _Bar(total, shown)
