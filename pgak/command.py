"""Shared by all commands: flags, help, and errors in one sentence."""
import os
import re
import shlex
import sys
import traceback

from absl import app
from absl import flags
from absl import logging

__all__ = ['Command', 'bindings_of_flags', 'import_tensorflow', 'print_next',
           'run']

# The status that a shell gives for SIGPIPE: the work was not done.
_ENDED_BY_PIPE = 141

# absl's end with status 1; --help is defined by each command.
_HELP = {'helpshort': 'Print the text of --help.',
         'helpfull': 'Print that and the flags of absl.',
         'helpxml': 'Print all flags as XML.'}

# Those that absl reads while it parses.
_FLAGS_OF_FLAGS = {
    'flagfile': 'A file of flags, one per line.',
    'undefok': 'Names of flags, with commas between, that need not exist.'}


class Command:
  """A binary's flags, and how it is run: as an absl app.

  Args:
    doc: the binary's docstring: what it does, and whole commands that show it.

  Example:

  ```python
  command = Command(__doc__)
  command.define_string('run_dir', None, 'the run directory', required=True)
  def main(argv):
    args = command.parse(argv)
  command.run(main)
  ```
  """

  def __init__(self, doc):
    self._doc = doc
    self._flags = flags.FlagValues()
    self._arguments_name = None
    self._needs_arguments = False
    self.arguments = []
    self._parsed = None
    # absl's flags decide for the process; a command's own are its own, since
    # several commands may be loaded in one process.
    for module in ('absl.app', 'absl.logging'):
      for flag in flags.FLAGS.get_flags_for_module(module):
        if not flag.name.startswith(('help', 'only_check_flags')):
          self._flags[flag.name] = flag
          self._flags.register_flag_by_module(module, flag)
    for name, text in _HELP.items():
      flags.DEFINE_boolean(name, False, text, flag_values=self._flags)
    for name, text in _FLAGS_OF_FLAGS.items():
      flags.DEFINE_string(name, '', text, flag_values=self._flags)
    self._of_absl = frozenset(self._flags)
    flags.DEFINE_boolean('help', False, 'Print this text; --helpfull: absl\'s '
                         'flags, too.', short_name='h',
                         flag_values=self._flags)

  def define_string(self, name, default, help_text, required=False,
                    once=False):
    """Defines a flag that holds a string; if `once`, it is given once."""
    flags.DEFINE_string(name, default, help_text, flag_values=self._flags,
                        allow_overwrite=not once)
    if required:
      self._flags[name].required_by_pgak = True

  def define_integer(self, name, default, help_text, lower_bound=None):
    """Defines a flag that holds an integer."""
    flags.DEFINE_integer(name, default, help_text, lower_bound=lower_bound,
                         flag_values=self._flags)

  def define_choice(self, name, default, choices, help_text):
    """Defines a flag that holds one of some strings."""
    flags.DEFINE_enum(name, default, choices, help_text,
                      flag_values=self._flags)

  def define_boolean(self, name, default, help_text):
    """Defines a flag that is on, `--name`, or off, `--noname`."""
    flags.DEFINE_boolean(name, default, help_text, flag_values=self._flags)

  def define_list(self, name, help_text):
    """Defines a flag that may be given many times."""
    flags.DEFINE_multi_string(name, [], help_text, flag_values=self._flags)

  def define_arguments(self, name, required=True):
    """Allows positional arguments, which `arguments` holds after `parse`.

    Args:
      name: string, what one of them is, such as RUN_DIR.
      required: whether there must be one.
    """
    self._arguments_name = name
    self._needs_arguments = required
    self._flags.set_gnu_getopt(True)  # A flag may stand behind an argument.

  def define_common(self, run_dir_required=True):
    """Defines the flags that every binary has."""
    self.define_string('run_dir', None, 'The run directory.',
                       required=run_dir_required)
    self.define_list(
        'gin_param', "A setting as gin writes it, such as 'train.steps = 200'. "
        'It may be given many times; the later wins.')
    self.define_string(
        'data_dir', None, 'Folder of the data sets that TensorFlow Datasets '
        'prepared; by default TFDS_DATA_DIR or ~/tensorflow_datasets.')

  def define_overwrite(self):
    """Defines --overwrite."""
    self.define_boolean('overwrite', False, 'Whether to replace what is there.')

  def define_import(self):
    """Defines --import, without which no code of a user's own is run."""
    self.define_list(
        'import', 'A module to import first, such as one with a model of your '
        'own. Its code is run; a run that was trained with it needs it again. '
        'It may be given many times.')

  @property
  def names(self):
    """Names of the command's own flags, with their short forms, sorted."""
    return sorted(set(self._flags) - self._of_absl)

  def run(self, main):
    """Runs it as an absl app; see `run` below.

    Args:
      main: function of the arguments, `sys.argv`, which calls `parse`.
    """
    run(lambda argv: app.run(main, argv, flags_parser=self._for_absl))

  def _for_absl(self, argv):
    """Parses before `main`, so that --only_check_args and --pdb work."""
    self.parse(argv)
    self._parsed = argv
    return argv

  def parse(self, argv):
    """Returns the flags' values; help or a wrong flag ends the process."""
    parsed, self._parsed = self._parsed, None
    if argv is parsed:
      return self._flags
    # A process may parse more than once, as tests do.
    self._flags.unparse_flags()
    try:
      rest = self._flags(argv)
    except (flags.Error, ValueError) as e:
      text = str(e).removeprefix('ERROR:: ')
      self.fail(text + _meant(text))
    self._print_help()
    self.arguments = rest[1:]
    if self.arguments and not self._arguments_name:
      self.fail(f'Unexpected argument {rest[1]!r}: all settings are flags.')
    for name in self.names:
      self._require_text(name)
      if (hasattr(self._flags[name], 'required_by_pgak')
          and self._flags[name].value is None):
        self.fail(f'The flag --{name} must be given.')
    if self._needs_arguments and not self.arguments:
      self.fail(f'At least one {self._arguments_name} must be given.')
    self._start_log()
    return self._flags

  def _start_log(self):
    """Sends what is logged where the flags of absl say."""
    flags.FLAGS.mark_as_parsed()
    # An app of absl shows INFO by default, of which other packages log much.
    flags.FLAGS.verbosity = flags.FLAGS['verbosity'].value
    folder = flags.FLAGS.log_dir
    if not folder:
      flags.FLAGS.logtostderr = True
      return
    try:
      os.makedirs(folder, exist_ok=True)
      logging.get_absl_handler().use_absl_log_file()
    except OSError as e:
      self.fail(f'--log_dir={folder} cannot be written ({e.strerror})')

  def _print_help(self):
    if self._flags.helpxml:
      self._flags.write_help_in_xml_format(sys.stdout)
    elif (self._flags.help or self._flags.helpshort or self._flags.helpfull):
      print(f'{self._doc.strip()}\n\nflags:\n{self._help_of(self.names)}')
      if self._flags.helpfull:
        print('\nflags of absl:\n' + self._help_of(sorted(self._of_absl)))
    else:
      return
    sys.exit(0)

  def _require_text(self, name):
    given = self._flags[name].value
    if '' in (given if isinstance(given, list) else [given]):
      self.fail(f'The flag --{name} is empty: give it a value, or leave it out')

  def _help_of(self, names):
    lines = []
    for name in names:
      flag = self._flags[name]
      # A short name would list its flag twice.
      if flag.name == name:
        text = flag.help.split(';\n')[0]
        if flag.default not in (None, False, [], ''):
          text += f' (default: {flag.default})'
        lines.append(flags.text_wrap(text, 78, '      ', f'  --{name}: '))
    return '\n'.join(lines)

  def refuse_with_export(self, args, *names):
    """Fails where a flag is given that an export has no use for.

    Args:
      args: what `parse` gave.
      *names: names of flags.
    """
    for name in names:
      if args[name].present:
        self.fail('An export is one checkpoint with its density: give '
                  f'--run_dir for --{name}')

  def fail(self, message):
    """Prints a sentence about the flags and exits with status 2."""
    # absl's messages end with and without a full stop.
    ended = message.rstrip('. ').replace(' ?', '?')
    ended += '' if ended.endswith('?') else '.'
    print(f'{ended} See --help.', file=sys.stderr)
    sys.exit(2)


def _meant(message):
  """Returns a hint at the flag's value that was meant, or an empty string."""
  from pgak import errors
  match = re.search(r'--\w+=(.*): value should be one of <(.*)>', message)
  return errors.similar(match[1], match[2].split('|')) if match else ''


def bindings_of_flags(command, args, settings=(), own=()):
  """Turns flags into gin bindings, --gin_param first.

  Args:
    command: `Command`, which reports what is wrong.
    args: what its `parse` gave.
    settings: `{name of a flag: the setting that it is, or a pair of that and
      its value}`. One that --gin_param binds, too, is an error. Where the flag
      was not given, the setting is as the run binds it.
    own: names of flags that win over the run, which anyone may have made.

  Returns:
    List of strings.
  """
  bindings = list(args.gin_param)
  bound = {b.partition('=')[0].strip(): b for b in bindings}
  for flag, setting in {'data_dir': 'data_dir', **dict(settings)}.items():
    name, value = (setting if isinstance(setting, tuple)
                   else (setting, args[flag].value))
    if name in bound and args[flag].present:
      command.fail(f'--{flag} and --gin_param={bound[name]!r} set the same: '
                   'give one of them')
    if name not in bound and (args[flag].present or flag in own):
      bindings.append(f'{name} = {value!r}')
  return bindings


def print_next(command, *arguments, imports=()):
  """Prints the usual next command, quoted for a shell.

  Args:
    command: its name, such as 'pgak_sample'.
    *arguments: strings.
    imports: modules that the run needs, for --import.
  """
  words = [command, *arguments, *(f'--import={module}' for module in imports)]
  print(f'Next: {shlex.join(words)}')


def import_tensorflow():
  """Imports TensorFlow without the lines that its C++ code writes meanwhile.

  No setting turns them off, and errors are raised as exceptions anyway.

  Raises:
    UserError: if Keras is set to another backend.
  """
  _check_backend()
  sys.stderr.flush()
  # By the file descriptor: C++ does not write to sys.stderr.
  kept = os.dup(2)
  nowhere = os.open(os.devnull, os.O_WRONLY)
  os.dup2(nowhere, 2)
  try:
    import tensorflow as tf
    tf.config.list_physical_devices()
    # It warns of retracing, about which a user can do nothing.
    tf.get_logger().setLevel('ERROR')
    _set_keras()
  finally:
    os.dup2(kept, 2)
    os.close(kept)
    os.close(nowhere)


def _check_backend():
  from pgak import errors
  backend = os.environ.get('KERAS_BACKEND')
  if backend and backend != 'tensorflow':
    raise errors.UserError(
        f'KERAS_BACKEND is {backend}, and pgak needs TensorFlow: unset it, or '
        'set KERAS_BACKEND=tensorflow.')
  # It wins over the one in keras.json.
  os.environ['KERAS_BACKEND'] = 'tensorflow'


def _set_keras():
  """Overrides keras.json, so that a command does the same everywhere."""
  import keras
  keras.config.set_floatx('float32')
  keras.config.set_epsilon(1e-7)
  keras.config.set_image_data_format('channels_last')
  keras.config.set_max_epochs(None)
  keras.config.set_max_steps_per_epoch(None)


def run(main):
  """Calls `main(sys.argv)`; an error that a user can mend is one sentence."""
  # TensorFlow's errors are raised as exceptions, too; about what else it logs,
  # such as failed graph optimisations, a user can do nothing.
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  # The working directory may hold a user's own model. It comes last: a file
  # there must not hide a library.
  sys.path.append(os.getcwd())
  from pgak import interruption
  try:
    with interruption.handled():
      _call(main)
  except BrokenPipeError:  # The reader of a pipe, such as head, has exited.
    _end(_ENDED_BY_PIPE)
  except KeyboardInterrupt as e:
    _end(getattr(e, 'status', 130), str(e) or 'Interrupted.')
  except Exception as e:
    from pgak import errors
    sentence = errors.sentence(e)
    number = interruption.raised()
    if not sentence and not number:
      raise
    if _wants_traceback():
      traceback.print_exc()
    _end(128 + number if number else 1, sentence or 'Interrupted.')


def _wants_traceback():
  # With a terminal --pdb has printed it.
  return (os.environ.get('PGAK_TRACEBACK')
          or flags.FLAGS['verbosity'].value > logging.INFO
          or flags.FLAGS['pdb'].value and not sys.stdout.isatty())


def _call(main):
  """Calls `main` and flushes its output, so that a failed write is an error."""
  try:
    main(sys.argv)
  except SystemExit as e:
    if e.code:
      raise
  try:
    sys.stdout.flush()
  except BrokenPipeError:  # The work is done nevertheless.
    _end(0)


def _end(status, sentence=''):
  """Exits with nothing left to flush, which would fail again in Python."""
  try:
    sys.stdout.flush()
  except OSError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
  if sentence:
    print(sentence, file=sys.stderr)
  sys.exit(status)
