"""Commands that end at any moment, in any way, lose nothing and hide nothing.

Slow. Each trial begins a command on a copy of what was there before, ends it at
a random moment, looks at all that is on the disk, and gives the command again.
"""
import os
import random
import subprocess

import ending
import pytest
import trials

pytestmark = pytest.mark.slow

# Another seed gives other moments.
SEED = os.environ.get('PGAK_TRIALS', '0')
WAYS = {
    'train': ('kill', 'kill', 'kill', 'term', 'int', 'disk', 'disk', 'limit'),
    'evaluate': ('kill', 'term', 'int', 'disk', 'limit'),
    'density': ('kill', 'term', 'disk', 'limit'),
    'export': ('kill', 'term', 'disk', 'limit'),
    'sweep': ('kill', 'term', 'disk'),
}
TRIALS = [(command, way, number) for command, ways in WAYS.items()
          for number, way in enumerate(ways)]


@pytest.fixture(scope='module', name='undisturbed')
def _undisturbed(tmp_path_factory):
  return trials.undisturbed(tmp_path_factory.mktemp('undisturbed'))


@pytest.fixture(name='place')
def _place(request, tmp_path):
  """The folder of a trial: a small disk of its own where one is to be full."""
  place = tmp_path / 'place'
  place.mkdir()
  if 'disk' not in request.node.callspec.params['way']:
    yield place
    return
  mounted = subprocess.run(
      ['mount', '-t', 'tmpfs', '-o', 'size=32m', 'none', place],
      capture_output=True, check=False, text=True)
  if mounted.returncode:
    pytest.skip(f'This user may not mount a disk: {mounted.stderr.strip()}')
  yield place
  subprocess.run(['umount', '--lazy', place], check=True)


def is_further(command, way, number):
  """Whether a trial shows of a command what others have shown."""
  return (number > 0 and WAYS[command][number - 1] == way
          or command in ('export', 'sweep') and way != 'kill')


@pytest.mark.parametrize('command, way, number', [
    pytest.param(*t, marks=[pytest.mark.exhaustive] * is_further(*t))
    for t in TRIALS], ids=['-'.join(map(str, t)) for t in TRIALS])
def test_nothing_is_lost(undisturbed, place, command, way, number):
  chance = random.Random(f'{SEED} {command} {way} {number}')
  trial = trials.KINDS[command](
      place, *undisturbed[command])
  before = trial.kept()
  ended = ending.WAYS[way](trial, chance)
  told = f'{way} {ended}'
  print(told)
  assert ended.result.status in ended.allowed, told
  ending.check_told(ended)
  trial.check_whole(strict=way != 'kill')
  trial.check_kept(before)
  if ended.result.status == 0:
    trial.check_done()
  again = trial.start().wait(200)
  assert again.status == 0, f'{told}\n{again}'
  trial.check_whole()
  trial.check_kept(before)
  trial.check_done()
