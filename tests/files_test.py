"""Whole files whatever happens, locks, damaged arrays, keys."""
import errno
import os
import pathlib
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from pgak import errors
from pgak import files

ROOT = pathlib.Path(files.__file__).parent.parent


def names(folder):
  return sorted(p.name for p in folder.iterdir())


def test_a_file_is_replaced_and_nothing_left(tmp_path):
  path = tmp_path / 'deep' / 'a.txt'
  for text in ('one', 'two'):
    with files.replacing(path) as part:
      assert part.parent == path.parent and not part.exists()
      part.write_text(text)
      assert not path.exists() or path.read_text() == 'one'
    assert path.read_text() == text
  files.write_text(path, 'three \N{GREEK SMALL LETTER PHI}')
  assert path.read_text(encoding='utf-8').startswith('three')
  assert names(path.parent) == ['a.txt']


@pytest.mark.parametrize('exchange', [True, False])
def test_a_folder_is_replaced_with_all_that_is_in_it(
    tmp_path, monkeypatch, exchange):
  if not exchange:
    monkeypatch.setattr(files, '_exchange', lambda one, other: False)
  path = tmp_path / 'a'
  for content in (['x', 'y'], ['z']):
    with files.replacing(path) as part:
      (part / 'inside').mkdir(parents=True)
      for name in content:
        (part / 'inside' / name).write_text(name)
    assert names(path / 'inside') == content
  assert names(tmp_path) == ['a']


@pytest.mark.parametrize('error', [OSError, KeyboardInterrupt, ValueError])
def test_an_error_leaves_what_was_there(tmp_path, error):
  path = tmp_path / 'a'
  path.write_text('old')
  with pytest.raises(error):
    with files.replacing(path) as part:
      part.write_text('new')
      raise error
  assert path.read_text() == 'old' and names(tmp_path) == ['a']


def test_a_disk_that_is_full(tmp_path):
  path = tmp_path / 'a'
  path.write_text('old')
  before = resource.getrlimit(resource.RLIMIT_FSIZE)
  handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
  resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
  try:
    with pytest.raises(OSError, match=f"File too large: '{path}'"):
      files.write_text(path, 'x' * 2000)
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
  assert path.read_text() == 'old' and names(tmp_path) == ['a']


def test_what_is_written_is_on_the_disk_before_it_is_renamed(
    tmp_path, monkeypatch):
  calls = []
  fsync, replace = os.fsync, os.replace
  monkeypatch.setattr(os, 'fsync', lambda d: (
      calls.append(os.readlink(f'/proc/self/fd/{d}')), fsync(d)))
  monkeypatch.setattr(os, 'replace', lambda a, b: (
      calls.append('rename'), replace(a, b)))
  files.write_text(tmp_path / 'a', 'x')
  assert calls[0].endswith('.part') and calls[1:] == ['rename', str(tmp_path)]


KILLED = textwrap.dedent('''
    import sys, time
    from pgak import files
    with files.replacing(sys.argv[1]) as part:
      part.write_text('half')
      print(part.name, flush=True)
      time.sleep(60)
''')


def start_writing(path):
  """Starts a process that writes and never ends; returns it and its part."""
  child = subprocess.Popen(
      [sys.executable, '-c', KILLED, path], stdout=subprocess.PIPE, text=True,
      env={**os.environ, 'PYTHONPATH': str(ROOT)})
  return child, path.parent / child.stdout.readline().strip()


def test_what_a_killed_process_left_goes_at_the_next_write(tmp_path):
  path = tmp_path / 'a.[1]'
  path.write_text('old')
  killed, left = start_writing(path)
  alive, written = start_writing(path)
  try:
    killed.kill()
    killed.wait()
    assert path.read_text() == 'old' and left.exists()
    files.write_text(path, 'new')
    # What another process is writing at this time stays.
    assert names(tmp_path) == sorted([written.name, path.name])
  finally:
    alive.kill()
    alive.wait()


def test_what_another_machine_left_goes_after_a_day(tmp_path):
  path = tmp_path / 'a'
  young, old = (tmp_path / f'.a.elsewhere-1-0000000{i}.part' for i in (1, 2))
  other = tmp_path / '.ab.elsewhere-1-00000003.part'
  for part in (young, old, other):
    part.write_text('half')
  os.utime(old, (time.time() - 90000.,) * 2)
  os.utime(other, (time.time() - 90000.,) * 2)
  files.write_text(path, 'new')
  assert names(tmp_path) == sorted([young.name, 'a'])


def test_what_a_killed_process_left_of_another_file_goes_too(tmp_path):
  killed, left = start_writing(tmp_path / 'other')
  killed.kill()
  killed.wait()
  assert left.exists()
  files.write_text(tmp_path / 'a', 'new')
  assert names(tmp_path) == ['a']


GONE = 2**22 + 1  # More than Linux gives.


@pytest.mark.parametrize('name, left, stays', [
    ('config.json', f'.config.json.{GONE}.part', False),
    ('config.json', '.config.json.SELF.part', True),
    ('config.json', f'.other.json.{GONE}.part', True),
    ('report.html', f'.report.{GONE}.part', False),
    # These do not tell their process.
    ('a.images', 'a.images.partial', None),
    ('step-00000004', '.step-00000004.part', None),
    ('sweep.json', '.sweep.json.1.part', None),
    ('version', f'.part-{"0" * 32}', None),
])
def test_what_version_0_4_left_goes(tmp_path, name, left, stays):
  left = left.replace('SELF', str(os.getpid()))
  (tmp_path / left).mkdir()
  files.write_text(tmp_path / name, 'new')
  assert (tmp_path / left).exists() == (stays is not False)
  if stays is not False:
    os.utime(tmp_path / left, (0, 0))
  files.write_text(tmp_path / name, 'new')
  assert (tmp_path / left).exists() == bool(stays)


def test_what_is_beside_goes_unless_it_is_renamed(tmp_path):
  with files.beside(tmp_path / 'deep' / 'a') as part:
    assert not part.exists()
    part.mkdir()
    (part / 'inside').write_text('x')
  assert not names(tmp_path / 'deep')
  with files.beside(tmp_path / 'a') as part:
    part.mkdir()
    os.rename(part, tmp_path / 'b')
  assert names(tmp_path) == ['b', 'deep']


def test_what_can_be_made_again_need_not_be_kept(tmp_path, caplog):
  (tmp_path / 'a').write_text('in the way')
  files.keep_npz(tmp_path / 'a' / 'b.npz', {'x': np.ones(3)})
  assert 'a/b.npz cannot be kept (' in caplog.text
  files.keep_npz(tmp_path / 'b.npz', {'x': np.ones(3)})
  assert files.load_npz(tmp_path / 'b.npz')['x'].tolist() == [1., 1., 1.]


def test_arrays_are_read_or_not_there(tmp_path):
  path = tmp_path / 'a.npz'
  assert files.load_npz(path) is None
  np.savez_compressed(path, x=np.arange(1000), y=np.ones(3))
  found = files.load_npz(path)
  assert sorted(found) == ['x', 'y'] and found['x'][999] == 999
  whole = path.read_bytes()
  for damaged in (b'', whole[:100], whole[:-30], b'x' * 500,
                  whole.replace(whole[60:90], b'\0' * 30)):
    path.write_bytes(damaged)
    assert files.load_npz(path) is None
  np.savez(path, x=np.array([object()]))
  assert files.load_npz(path) is None
  with open(path, 'wb') as file:
    np.save(file, np.ones(3))
  assert files.load_npz(path) is None
  path.unlink()
  path.mkdir()
  assert files.load_npz(path) is None


def test_a_lock_is_one_s_own(tmp_path):
  path = tmp_path / '.lock'
  with files.locked(path, 'In use.'):
    with pytest.raises(errors.UserError, match='^In use.$'):
      with files.locked(path, 'In use.'):
        pass
  with files.locked(path, 'In use.'):
    pass


def test_a_lock_is_waited_for(tmp_path):
  path, order = tmp_path / '.lock', []

  def second():
    with files.locked(path, 'In use.', wait=True):
      order.append('second')

  thread = threading.Thread(target=second)
  with files.locked(path, 'In use.'):
    thread.start()
    time.sleep(0.2)
    order.append('first')
    begun = time.monotonic()
    with pytest.raises(errors.UserError):
      with files.locked(path, 'In use.', wait=0.2):
        pass
    assert time.monotonic() - begun >= 0.2
  thread.join()
  assert order == ['first', 'second']


def test_a_key_is_of_json_alone():
  assert files.key({'b': 1, 'a': [2., None]}) == files.key(
      {'a': [2., None], 'b': 1})
  assert files.key({'a': 1}) != files.key({'a': 2})
  # printf '{"a": 1}' | sha256sum
  assert files.key({'a': 1}).startswith('f9d86028c6e0d64e')
  assert len(files.key(1, 12)) == 12
  with pytest.raises(TypeError):
    files.key({'a': object()})


@pytest.mark.parametrize('error, words', [
    (OSError(errno.ENOSPC, 'No space left on device', 'a'),
     'No space left on device'),
    (RuntimeError('a/b; File too large [Op:SaveV2]'), 'File too large'),
    (OSError(errno.EACCES, 'Permission denied'), ''), (ValueError('3'), '')])
def test_an_error_that_is_a_full_disk_s(error, words):
  assert errors.unwritable(error) == words


def test_a_reason_is_one_line_without_tensorflow_s_names():
  error = OSError('{{function_node __wrapped__SaveV2_device_/job:x}} a/b;\n'
                  '  File too large')
  assert errors.reason(error) == 'a/b; File too large'
  assert errors.reason(error, 3) == 'a/b' and errors.reason(
      OSError()) == 'OSError'
