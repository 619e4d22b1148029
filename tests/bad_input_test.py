"""Hundreds of bad inputs: each is one sentence that names it, status 1 or 2.

Slow. Each case is a command in a fork of its own (see `forked`); some are real
processes, too, which must say the same.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

import bad_cases
import bad_files
import bad_input
import forked
import pytest

from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import report
from pgak.bin import sample
from pgak.bin import sweep
from pgak.bin import train

pytestmark = pytest.mark.slow

MAINS = {'evaluate': evaluate, 'export': export, 'report': report,
         'sample': sample, 'sweep': sweep, 'train': train}
BIN = pathlib.Path(__file__).absolute().parent.parent / 'bin'
AT_ONCE = 2
# Lines that a good command writes, too.
PROGRESS = re.compile(r'Prepar|step |WARNING|images_\w+: ')
REAL = bad_input.CASES[::len(bad_input.CASES) // 6][:6]
ODD = [case for case, _, _ in bad_input.ACCEPTED]


class Place(NamedTuple):
  """Where a case finds its files."""
  here: pathlib.Path
  new: pathlib.Path

  def of(self, text):
    """Returns a flag or word with the names of folders in it."""
    for name, path in (('HERE', self.here), ('DAMAGED', self.new / 'damaged'),
                       ('RUN', self.new / 'run'), ('NEW', self.new)):
      text = re.sub(rf'\b{name}\b', str(path), text)
    return text

  def flags(self, case):
    return [self.of(flag) for flag in case.flags]

  def env(self, case):
    return {'PYTHONPATH': str(self.here), 'TF_CPP_MIN_LOG_LEVEL': '3',
            'PGAK_CACHE': str(self.here / 'cache'),
            **{name: self.of(value) for name, value in case.env.items()
               if name != 'SWEEP'}}

  def prepare(self, case):
    self.new.mkdir()
    if case.damage:
      shutil.copytree(self.here / 'run', self.new / 'damaged', symlinks=True)
      shutil.copytree(self.here / 'export', self.new / 'damaged' / 'export')
      case.damage(self.new / 'damaged')
    if 'SWEEP' in case.env:
      (self.new / 'x.sweep').write_text(case.env['SWEEP'])


def start(case, place):
  return forked.start(MAINS[case.command].run, place.flags(case),
                      cwd=place.new, env=place.env(case))


@pytest.fixture(name='here', scope='module')
def _here(tmp_path_factory):
  """A folder with all files, a finished run and its export."""
  here = tmp_path_factory.mktemp('bad')
  bad_files.make(here)
  for case in (bad_cases.Case('train', ('--run_dir=HERE/run', bad_cases.TINY)),
               bad_cases.Case('export', ('--run_dir=HERE/run',
                                         '--output=HERE/export'))):
    place = Place(here, here / f'new-{case.command}')
    place.new.mkdir()
    result = start(case, place).wait()
    assert result.status == 0, result
  return here


@pytest.fixture(name='results', scope='module')
def _results(here):
  """What all cases end with: `{id of a case: (Place, Result)}`."""
  found, running = {}, {}
  for case in [*bad_input.CASES, *ODD]:
    place = Place(here, here / f'case-{len(found) + len(running)}')
    place.prepare(case)
    running[id(case)] = place, start(case, place)
    while len(running) >= AT_ONCE:
      _collect(running, found)
  while running:
    _collect(running, found)
  return found


def _collect(running, found):
  for key, (place, child) in list(running.items()):
    if child.poll() is not None:
      found[key] = place, child.wait()
      del running[key]
  time.sleep(0.005)


def name_of(case):
  flags = [f for f in case.flags if f not in ('--run_dir=RUN', bad_cases.TINY)]
  return f'{case.command} {" ".join(flags)[:90]}'


def sentence_of(result):
  lines = [line for line in result.err.strip().splitlines()
           if not PROGRESS.match(line)]
  assert len(lines) == 1, result
  return lines[0]


@pytest.mark.parametrize('case', bad_input.CASES, ids=name_of)
def test_it_is_one_sentence(case, results):
  place, result = results[id(case)]
  assert result.status == case.status, result
  assert 'Traceback' not in result.err
  sentence = sentence_of(result)
  for word in case.words:
    assert place.of(word) in sentence
  assert 'In call to' not in sentence and sentence[-1] in '.?', sentence
  assert 'Wrote' not in result.out and 'Exported' not in result.out


@pytest.mark.parametrize('case, reason, observed', bad_input.ACCEPTED,
                         ids=map(name_of, ODD))
def test_what_is_odd_has_its_effect(case, reason, observed, results):
  place, result = results[id(case)]
  assert result.status == 0, (reason, result)
  assert observed(place.new, result), (reason, result)


@pytest.mark.parametrize('case', REAL, ids=name_of)
def test_a_real_command_says_the_same(case, here, results):
  _, expected = results[id(case)]
  place = Place(here, here / f'real-{REAL.index(case)}')
  place.prepare(case)
  done = subprocess.run(
      [sys.executable, BIN / f'{case.command}.py', *place.flags(case)],
      cwd=place.new, env={**os.environ, **place.env(case)}, timeout=300,
      capture_output=True, text=True, check=False)
  assert done.returncode == expected.status, done.stderr
  found = sentence_of(forked.Result(done.returncode, done.stdout, done.stderr))
  assert found.replace(str(place.new), 'NEW') == sentence_of(expected).replace(
      str(results[id(case)][0].new), 'NEW')


def test_an_error_of_the_users_own_model_shows_its_traceback(here):
  (here / 'faulty.py').write_text(
      'import gin\nfrom pgak import models\n@gin.register\n'
      'class Faulty(models.AE):\n  def terms(self, images, noise, training):\n'
      '    return {"reconstruction": len(5)}\n')
  case = bad_cases.train(
      bad_cases.TINY, '--gin_file=models/ae.gin', '--import=faulty',
      '--gin_param=train.model = @Faulty', '--gin_param=Faulty.encoder = '
      '@encoder()', '--gin_param=Faulty.decoder = @decoder()')
  place = Place(here, here / 'faulty')
  place.prepare(case)
  result = start(case, place).wait()
  assert result.status == 1
  assert 'Traceback' in result.err and 'len(5)' in result.err
  assert 'TypeError' in result.err
