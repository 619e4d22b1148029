"""How far a run is, with a clock of the test's own."""
import fcntl
import io
import os
import pty
import struct
import termios

import pytest
import tensorflow as tf

from pgak.training import intervals
from pgak.training import progress as progress_lib


class Terminal(io.StringIO):

  def isatty(self):
    return True


class Model:
  """Counts steps."""

  steps_per_execution = 1

  def __init__(self):
    self.step = tf.Variable(0, dtype=tf.int64)


class Validated:
  """Stands for `TermLogger`."""

  latest = {'validation_loss': 0.25, 'validation_kl': 1.}


@pytest.fixture(name='clock')
def _clock(monkeypatch):
  """A list whose one number is the time."""
  now = [1000.]
  monkeypatch.setattr(progress_lib.time, 'monotonic', lambda: now[0])
  return now


def drive(stream, steps, clock=None, seconds=0., first=0., every=2):
  """Calls a callback as `fit` does; each step takes so long, and the first one
  `first` more."""
  made = progress_lib.Progress(
      intervals.Intervals(steps, *[every] * 5), stream, Validated())
  made.set_model(Model())
  made.on_train_begin()
  for step in range(steps):
    if clock:
      clock[0] += seconds + (0. if step else first)
    made.on_train_batch_end(0, {'kl': 2., 'loss': tf.constant([0.5])})
  made.on_train_end()
  return stream


def test_a_log_has_the_first_interval_a_line_a_minute_and_the_end(clock):
  lines = drive(io.StringIO(), 20, clock, seconds=12.).getvalue().splitlines()
  # At 24 s, then 5 steps a line; the last is at the end.
  assert [line.split()[1] for line in lines] == [
      '2/20', '7/20', '12/20', '17/20', '20/20']
  assert lines[1] == ('step 7/20 1.2e+04 ms/step 00:02:36 left  loss 0.5 '
                      'validation_loss 0.25 kl 2')


def test_slow_steps_have_a_line_between_intervals(clock):
  lines = drive(io.StringIO(), 4, clock, 100., every=100).getvalue()
  assert [line.split()[1] for line in lines.splitlines()] == [
      '1/4', '2/4', '3/4', '4/4']


def test_the_estimate_leaves_out_the_compilation(clock):
  text = drive(io.StringIO(), 301, clock, 0.25, first=500.).getvalue()
  said = [line for line in text.splitlines() if 'to go' in line]
  # 100 steps of 0.25 s after the first one; 200 are left: 50 s.
  assert said == ['About 50 seconds to go (2.5 s per 10 steps, without the '
                  'time that compiling took).']
  assert 'to go' not in drive(io.StringIO(), 100, clock, 1.).getvalue()


@pytest.mark.parametrize('seconds, text', [
    (0.2, '1 second'), (89.4, '89 seconds'), (720., '12 minutes'),
    (5399., '90 minutes'), (11520., '3.2 hours'), (442800., '123 hours')])
def test_a_duration_in_words(seconds, text):
  assert progress_lib._duration(seconds) == text


def test_more_than_a_day_is_told_in_hours(clock):
  text = drive(io.StringIO(), 1100, clock, 108.).getvalue()
  lines = text.splitlines()
  assert ' 29:58:12 left ' in next(
      line for line in lines if line.startswith('step 101/'))
  assert 'About 30 hours to go (1080 s per 10 steps, without' in text


def test_a_terminal_has_one_bar():
  text = drive(Terminal(), 6).getvalue()
  assert text.count('\n') == 1 and text.endswith('\n')
  last = text.split('\r')[-1]
  assert '100%' in last and '6/6' in last
  assert 'loss 0.5 validation_loss' in last


def test_a_notebook_s_bar_has_the_width_of_its_cell():
  assert progress_lib._size(io.StringIO()) == {}


@pytest.mark.parametrize('rows, columns', [(0, 0), (24, 60), (24, 30)])
def test_a_terminal_of_any_size_has_a_bar_of_one_line(rows, columns):
  reader, writer = pty.openpty()
  size = struct.pack('HHHH', rows, columns, 0, 0)
  fcntl.ioctl(writer, termios.TIOCSWINSZ, size)
  with open(writer, 'w', encoding='utf-8') as stream:
    drive(stream, 6)
    text = ''
    while not text.endswith('\n'):
      text += os.read(reader, 10000).decode()
  os.close(reader)
  lines = text.rstrip().split('\r')
  assert '6/6' in lines[-1] or columns == 30
  assert all(len(line) <= (columns or 80) for line in lines)
