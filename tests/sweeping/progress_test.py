"""Tests of the progress of a sweep, with a clock of the test's own."""
import io

import pytest

from pgak.sweeping import progress as progress_lib


class Terminal(io.StringIO):
  """A stream that says that it is a terminal."""

  def isatty(self):
    return True


@pytest.fixture(name='clock')
def _clock(monkeypatch):
  """A list whose one number is the time."""
  now = [1000.]
  monkeypatch.setattr(progress_lib.time, 'monotonic', lambda: now[0])
  return now


def test_one_line_a_change(clock):
  stream = io.StringIO()
  shown = progress_lib.Progress(
      {'a/seed-0': ['training', 'evaluating quick'],
       'b/seed-0': ['training', 'evaluating quick']}, stream=stream)
  shown.begin('a/seed-0', 'training')
  shown.show()
  clock[0] += 60.
  shown.end('a/seed-0')
  shown.begin('a/seed-0', 'evaluating quick')
  clock[0] += 10.
  shown.end('a/seed-0')
  shown.finish('a/seed-0')
  shown.begin('b/seed-0', 'training')
  clock[0] += 3600.
  shown.fail('b/seed-0', 'No.')
  shown.finish('b/seed-0', 'failed')
  shown.close()
  # 60 s and 10 s are what a run takes, of which the evaluation is unknown at
  # first; a failed stage takes its own along.
  assert stream.getvalue().splitlines() == [
      '[0/2] a/seed-0  training  00:00 elapsed',
      '[0/2] a/seed-0  evaluating quick  01:00 elapsed, over 01:00 left',
      '[1/2] a/seed-0  finished  01:10 elapsed, about 01:10 left',
      '[1/2] b/seed-0  training  01:10 elapsed, about 01:10 left',
      '[1/2] b/seed-0  training failed: No.',
      '[2/2] b/seed-0  failed  1:01:10 elapsed',
  ]


def test_a_log_has_a_line_a_minute(clock):
  stream = io.StringIO()
  shown = progress_lib.Progress({'a': ['training']}, stream=stream)
  shown.begin('a', 'training')
  for _ in range(5):
    clock[0] += 25.
    shown.show()
  # At 75 s; the next would be due at 135 s.
  assert stream.getvalue().splitlines() == [
      '[0/1] a  training  00:00 elapsed', '[0/1] a training  01:15 elapsed']


def test_what_is_running_counts_with_what_is_left_of_it(clock):
  shown = progress_lib.Progress(
      {n: ['training'] for n in 'abcd'}, 2, io.StringIO())
  shown.begin('a', 'training')
  clock[0] += 100.
  shown.end('a')
  shown.finish('a')
  shown.begin('b', 'training')
  clock[0] += 30.
  # (70 of b + 100 of c + 100 of d) / 2
  assert shown.seconds_left() == (135., True)
  clock[0] += 500.  # b is late: it may end at any time.
  assert shown.seconds_left() == (100., True)


def test_the_first_run_tells_of_itself(clock, tmp_path):
  log = tmp_path / 'log'
  log.write_text('$ old\nstep 9/9 1 ms/step 09:00:00 left  loss 1\n'
                 '$ pgak_train\nstep 20/100 1 ms/step 00:01:20 left  loss 1\n')
  shown = progress_lib.Progress(
      {n: ['training'] for n in 'ab'}, 1, io.StringIO())
  shown.begin('a', 'training', log)
  clock[0] += 20.
  # 80 s of a, and 20 + 80 s of b.
  assert shown.seconds_left() == (180., True)
  log.write_text('$ pgak_train\n')
  assert shown.seconds_left() is None


def test_a_terminal_has_one_bar(clock, monkeypatch):
  monkeypatch.setenv('COLUMNS', '60')
  stream = Terminal()
  shown = progress_lib.Progress(
      {'a': ['training'], 'b': ['training']}, 2, stream)
  shown.begin('a', 'training')
  shown.begin('b', 'training')
  last = stream.getvalue().split('\r')[-1]
  assert last.startswith('  0%|')
  assert last.endswith('| 0/2, 00:00 elapsed, a training, b training')
  shown.fail('b', 'No.')
  shown.finish('b', 'failed')
  shown.close()
  assert ' 50%|' in stream.getvalue().split('\r')[-1]
  assert '[0/2] b  training failed: No.\n' in stream.getvalue()
  assert stream.getvalue().count('\n') == 2
  assert all(len(line.rstrip('\n')) <= 60
             for line in stream.getvalue().split('\r'))


@pytest.mark.parametrize('columns', [0, 30])
def test_a_bar_fits_a_terminal_of_any_width(clock, monkeypatch, columns):
  monkeypatch.setenv('COLUMNS', str(columns))
  stream = Terminal()
  shown = progress_lib.Progress({'long' * 30: ['training']}, stream=stream)
  shown.begin('long' * 30, 'training')
  last = stream.getvalue().split('\r')[-1]
  assert '0/1' in last and len(last) == (columns or 80)
