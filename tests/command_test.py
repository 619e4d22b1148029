"""Tests of what the binaries share."""
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from pgak import command as command_lib
from pgak import errors
from pgak import interruption

HELP = """
import resource, sys, time
from pgak.bin import evaluate, export, report, sample, train
for binary in (evaluate, export, report, sample, train):
  try:
    binary.main([binary.__name__, '--help'])
  except SystemExit as e:
    assert not e.code
slow = {'tensorflow', 'keras', 'gin', 'numpy'} & set(sys.modules)
assert not slow, slow
print(resource.getrusage(resource.RUSAGE_SELF).ru_utime, file=sys.stderr)
"""


@pytest.fixture(name='command')
def _command():
  command = command_lib.Command('What it does.\n\n  it --name=x')
  command.define_common()
  command.define_string('name', None, 'A name.', required=True)
  command.define_integer('count', 3, 'A number.', lower_bound=1)
  command.define_choice('kind', 'big', ['big', 'small'], 'A kind.')
  command.define_boolean('verify', True, 'A switch.')
  return command


def exit_of(command, capsys, *flags):
  with pytest.raises(SystemExit) as caught:
    command.parse(['it', *flags])
  out, err = capsys.readouterr()
  return caught.value.code, out, err


def test_values(command):
  args = command.parse(['it', '--run_dir=a', '--name', 'x', '--kind=small',
                        '--noverify', '--gin_param=a = 1', '--gin_param=b = 2'])
  assert (args.run_dir, args.name, args.kind) == ('a', 'x', 'small')
  assert args.count == 3 and args.verify is False
  assert args.gin_param == ['a = 1', 'b = 2'] and args.data_dir is None
  assert command_lib.bindings_of_flags(command, args) == ['a = 1', 'b = 2']


def test_nothing_is_kept_from_one_call_to_the_next(command):
  command.parse(['it', '--run_dir=a', '--name=x', '--count=5', '--noverify',
                 '--gin_param=a = 1', '--data_dir=d'])
  args = command.parse(['it', '--run_dir=b', '--name=y'])
  assert args.count == 3 and args.verify is True
  assert args.gin_param == [] and args.data_dir is None


def test_the_data_directory_is_a_binding(command):
  args = command.parse(['it', '--run_dir=a', '--name=x', "--data_dir=it's/a",
                        '--gin_param=a = 1'])
  last = command_lib.bindings_of_flags(command, args)[-1]
  assert last == 'data_dir = "it\'s/a"'


def test_a_flag_that_is_not_given_leaves_the_run_its_setting(command):
  args = command.parse(['it', '--run_dir=a', '--name=x', '--kind=big'])
  flags = {'kind': 'a.kind', 'count': 'a.count', 'verify': 'a.verify'}
  assert command_lib.bindings_of_flags(command, args, flags) == [
      "a.kind = 'big'"]
  assert command_lib.bindings_of_flags(
      command, args, flags, own=['verify', 'data_dir']) == [
          'data_dir = None', "a.kind = 'big'", 'a.verify = True']


def test_arguments_where_they_are_allowed(command, capsys):
  command.define_arguments('RUN_DIR')
  args = command.parse(['it', 'a', '--run_dir=r', '--name=x', 'b', '--', '--c'])
  assert command.arguments == ['a', 'b', '--c'] and args.name == 'x'
  status, out, err = exit_of(command, capsys, '--run_dir=r', '--name=x')
  assert status == 2 and not out
  assert err == 'At least one RUN_DIR must be given. See --help.\n'
  assert command.arguments == []


def test_help(command, capsys):
  for flag in ('--help', '-h'):
    status, out, err = exit_of(command, capsys, flag)
    assert not status and not err
    assert out.startswith('What it does.\n\n  it --name=x\n\nflags:\n')
    assert '--count: A number. (default: 3)' in out
    assert '--kind: <big|small>: A kind. (default: big)' in out
    assert '--name: A name.\n' in out
    assert all(len(line) <= 80 for line in out.splitlines())


@pytest.mark.parametrize('flags, named', [
    (['--nmae=x'], 'nmae'),
    (['--name=x', '--count=none'], 'count'),
    (['--name=x', '--count=0'], 'count'),
    (['--name=x', '--kind=medium'], 'kind'),
    (['--name'], 'name'),
    (['--name=x', 'more'], "Unexpected argument 'more'"),
    (['--name=x'], '--run_dir must be given'),
    (['--run_dir=a'], '--name must be given'),
])
def test_a_wrong_flag_is_one_sentence(command, capsys, flags, named):
  if not any('run_dir' in f for f in flags) and named[0] != '-':
    flags = ['--run_dir=a', *flags]
  status, out, err = exit_of(command, capsys, *flags)
  assert status == 2 and not out
  assert named in err and err.endswith('See --help.\n')
  assert len(err.splitlines()) == 1


def test_an_almost_right_flag_is_suggested(command, capsys):
  _, _, err = exit_of(command, capsys, '--run_dri=a')
  assert 'run_dir' in err


def run_with(monkeypatch, error):
  def main(argv):
    assert argv == ['it', '--x']
    raise error
  monkeypatch.setattr(sys, 'argv', ['it', '--x'])
  monkeypatch.setattr(sys, 'path', list(sys.path))
  with pytest.raises(SystemExit) as caught:
    command_lib.run(main)
  return caught.value.code


def test_an_error_of_the_user_is_one_line(monkeypatch, capsys):
  error = errors.UserError('It is so.\n  In call to configurable ...')
  assert run_with(monkeypatch, error) == 1
  assert capsys.readouterr() == ('', 'It is so.\n')


@pytest.mark.parametrize('number, status', [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize('error, told', [
    (AttributeError("'list' object has no attribute '_type_spec'"),
     'Interrupted.\n'),
    (errors.UserError('The disk is full.'), 'The disk is full.\n')])
def test_an_error_that_a_signal_became_is_no_error(
    monkeypatch, capsys, number, status, error, told):
  # As C++ does with an exception that comes while it calls Python.
  def main(argv):
    del argv
    try:
      os.kill(os.getpid(), number)
      time.sleep(5)
    except KeyboardInterrupt:
      raise error from None
  monkeypatch.setattr(sys, 'path', list(sys.path))
  with pytest.raises(SystemExit) as caught:
    command_lib.run(main)
  assert caught.value.code == status
  assert capsys.readouterr() == ('', told)


def test_an_error_after_another_commands_signal_is_its_own(monkeypatch, capsys):
  with pytest.raises(KeyboardInterrupt), interruption.handled():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
  test_an_error_of_the_user_is_one_line(monkeypatch, capsys)


def test_an_interrupt_is_one_line(monkeypatch, capsys):
  assert run_with(monkeypatch, KeyboardInterrupt()) == 130
  assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_full_disk_is_one_line(monkeypatch, capsys):
  error = OSError(28, 'No space left on device')
  assert run_with(monkeypatch, error) == 1
  assert capsys.readouterr().err == (
      'Something could not be written ([Errno 28] No space left on device): '
      'make room, and give the same command again.\n')


def test_an_error_that_a_full_temporary_folder_makes(monkeypatch, capsys):
  def full(*args, **kwargs):
    raise OSError(28, 'No space left on device')
  monkeypatch.setattr(tempfile, 'TemporaryFile', full)
  assert run_with(monkeypatch, TypeError('a tensor is no bool')) == 1
  line, = capsys.readouterr().err.splitlines()
  assert f'(No space left on device: {tempfile.gettempdir()})' in line


PRINTING = """
import sys
from pgak import command
def main(argv):
  for word in argv[1:]:
    print(word * 20000 if word == 'much' else word)
command.run(main)
"""


@pytest.mark.parametrize('words, target, status, told', [
    (['little'], '/dev/full', 1, 'Something could not be written ('),
    (['much', 'little'], '/dev/full', 1, 'Something could not be written ('),
    (['little'], None, 0, ''),
    # It did not come to its end.
    (['much', 'little'], None, 141, '')])
def test_what_is_printed_is_written(words, target, status, told):
  if target is None:
    read, output = os.pipe()
    os.close(read)
  else:
    output = os.open(target, os.O_WRONLY)
  done = subprocess.run(
      [sys.executable, '-c', PRINTING, *words], stdout=output,
      stderr=subprocess.PIPE, text=True, check=False, timeout=60,
      env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path),
           'PYTHONUNBUFFERED': ''})
  os.close(output)
  assert done.returncode == status, done
  assert len(done.stderr.splitlines()) == bool(told)
  assert done.stderr.startswith(told)


def test_an_error_of_ours_keeps_its_traceback(monkeypatch):
  monkeypatch.setattr(sys, 'path', list(sys.path))
  with pytest.raises(ZeroDivisionError):
    command_lib.run(lambda argv: 1 / 0)


def test_a_model_in_the_working_directory_is_found(monkeypatch, tmp_path):
  (tmp_path / 'mine_alone.py').write_text('found = True\n')
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(sys, 'path', list(sys.path))
  command_lib.run(lambda argv: __import__('mine_alone'))
  assert sys.modules.pop('mine_alone').found


def test_tensorflow_is_imported_silently():
  done = subprocess.run(
      [sys.executable, '-c', 'from pgak import command\n'
       'command.import_tensorflow()\nimport os\nos.write(2, b"after")'],
      capture_output=True, text=True, check=True, timeout=120,
      env={**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '2'})
  assert done.stderr == 'after' and not done.stdout


def test_help_waits_for_nothing_slow():
  done = subprocess.run([sys.executable, '-c', HELP], capture_output=True,
                        text=True, check=True, timeout=60)
  assert float(done.stderr.splitlines()[-1]) < 1.
  assert done.stdout.count('flags:') == 5


# === absl ===

APP = """
from absl import logging
from pgak import command as command_lib
from pgak import errors
command = command_lib.Command('It does it.')
command.define_string('name', None, 'A name.')
def main(argv):
  args = command.parse(argv)
  logging.info('an info')
  logging.warning('a warning')
  print('name', args.name)
  if args.name == 'bad':
    raise errors.UserError('It is bad.')
command.run(main)
"""


def app(*arguments, **environment):
  return subprocess.run(
      [sys.executable, '-c', APP, *arguments], capture_output=True, text=True,
      check=False, timeout=60, stdin=subprocess.DEVNULL,
      env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path),
           **environment})


def test_the_help_of_absl_ends_with_0():
  short, full, xml = map(app, ['--helpshort', '--helpfull', '--helpxml'])
  assert short.returncode == full.returncode == xml.returncode == 0
  assert short.stdout.startswith('It does it.\n') and '--name' in short.stdout
  assert '--verbosity' not in short.stdout
  assert all(f'--{name}:' in full.stdout for name in (
      'name', 'verbosity', 'flagfile', 'log_dir', 'pdb', 'only_check_args'))
  assert '<name>verbosity</name>' in xml.stdout


def test_what_is_logged_follows_the_flags_of_absl(tmp_path):
  usual, more, less = map(app, ['--name=a', '--verbosity=0', '--verbosity=-2'])
  assert usual.stdout == 'name a\n' and 'a warning' in usual.stderr
  assert 'an info' not in usual.stderr and 'an info' in more.stderr
  assert not less.stderr
  kept = app(f'--log_dir={tmp_path}/new')
  file, = {path.resolve() for path in (tmp_path / 'new').iterdir()}
  assert 'a warning' in file.read_text() and not kept.stderr
  both = app(f'--log_dir={tmp_path}/new', '--alsologtostderr')
  assert 'a warning' in both.stderr
  (tmp_path / 'file').write_text('')
  failed = app(f'--log_dir={tmp_path}/file')
  assert failed.returncode == 2 and len(failed.stderr.splitlines()) == 1


def test_arguments_are_checked_alone_and_read_from_a_file(tmp_path):
  checked = app('--name=a', '--only_check_args')
  assert (checked.returncode, checked.stdout) == (0, '')
  assert app('--nmae=a', '--only_check_args').returncode == 2
  (tmp_path / 'flags').write_text('--name=from_a_file\n')
  assert 'name from_a_file' in app(f'--flagfile={tmp_path}/flags').stdout
  missing = app('--flagfile=missing')
  assert missing.returncode == 2 and len(missing.stderr.splitlines()) == 1


@pytest.mark.parametrize('flag', ['-v=1', '--verbosity=1', '--pdb', None])
def test_a_traceback_is_shown_where_it_is_asked_for(flag):
  done = app('--name=bad', *([flag] if flag else []))
  assert done.returncode == 1 and done.stderr.endswith('\nIt is bad.\n')
  assert ('Traceback' in done.stderr) == bool(flag)
