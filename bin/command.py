"""What the binaries share: flags, help, and errors in one sentence."""
import os
import sys

from absl import flags

__all__ = ['Command', 'bindings_of_flags', 'import_tensorflow', 'run']


# What a shell calls the end by SIGPIPE: the work was not done.
_ENDED_BY_PIPE = 141


class Command:
  """A binary's flags, and how it is run.

  Args:
    doc: the binary's docstring: what it does, and whole commands that show it.

  Example:

  ```python
  command = Command(__doc__)
  command.define_string('run_dir', None, 'the run directory', required=True)

  def main(argv):
    args = command.parse(argv)
  ```
  """

  def __init__(self, doc):
    self._doc = doc
    self._flags = flags.FlagValues()
    self._arguments_name = None
    self.arguments = []
    flags.DEFINE_boolean('help', False, 'Print this text.', short_name='h',
                         flag_values=self._flags)

  def define_string(self, name, default, help_text, required=False):
    """Defines a flag that holds a string."""
    flags.DEFINE_string(name, default, help_text, flag_values=self._flags)
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

  def define_arguments(self, name):
    """Allows arguments besides the flags, at least one; see `arguments`.

    Args:
      name: string, what one of them is, such as RUN_DIR.
    """
    self._arguments_name = name
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

  def define_import(self):
    """Defines --import: the code of a user's own, which nothing else runs."""
    self.define_list(
        'import', 'A module to import first, such as one with a model of your '
        'own. Its code is run; a run that was trained with it needs it again. '
        'It may be given many times.')

  def parse(self, argv):
    """Returns the values of the flags; prints help or an error and exits."""
    default_of = {n: self._flags[n].default for n in self._flags}
    self._flags.unparse_flags()
    try:
      rest = self._flags(argv)
    except flags.Error as e:
      self.fail(str(e))
    if self._flags.help:
      print(f'{self._doc.strip()}\n\nflags:\n{self._help_of_flags(default_of)}')
      sys.exit(0)
    self.arguments = rest[1:]
    if self.arguments and not self._arguments_name:
      self.fail(f'Unexpected argument {rest[1]!r}: all settings are flags.')
    for name in self._flags:
      if (hasattr(self._flags[name], 'required_by_pgak')
          and self._flags[name].value is None):
        self.fail(f'The flag --{name} must be given.')
    if self._arguments_name and not self.arguments:
      self.fail(f'At least one {self._arguments_name} must be given.')
    return self._flags

  def _help_of_flags(self, default_of):
    lines = []
    for name in sorted(self._flags):
      flag = self._flags[name]
      if flag.name == name:
        text = flag.help.split(';\n')[0]
        if default_of[name] not in (None, False, []):
          text += f' (default: {default_of[name]})'
        lines.append(flags.text_wrap(text, 78, '      ', f'  --{name}: '))
    return '\n'.join(lines)

  def fail(self, message):
    """Prints a sentence about the flags and exits with status 2."""
    ended = message.rstrip('. ').replace(' ?', '?')
    ended += '' if ended.endswith('?') else '.'
    print(f'{ended} See --help.', file=sys.stderr)
    sys.exit(2)


def bindings_of_flags(args):
  """Turns --gin_param and --data_dir into gin bindings."""
  bindings = list(args.gin_param)
  if args.data_dir is not None:
    bindings.append(f'data_dir = {args.data_dir!r}')
  return bindings


def import_tensorflow():
  """Imports TensorFlow without the lines that its C++ parts write meanwhile.

  No setting turns them off; what goes wrong raises an exception all the same.
  """
  sys.stderr.flush()
  kept = os.dup(2)
  nowhere = os.open(os.devnull, os.O_WRONLY)
  os.dup2(nowhere, 2)
  try:
    import tensorflow as tf
    tf.config.list_physical_devices()
  finally:
    os.dup2(kept, 2)
    os.close(kept)
    os.close(nowhere)


def run(main):
  """Calls `main(sys.argv)`; an error that a user can mend is one sentence."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
  # The folder that one works in may hold one's own model. It comes last: a file
  # there must not take the place of a library.
  sys.path.append(os.getcwd())
  from pgak import errors
  from pgak import interruption
  try:
    with interruption.handled():
      _call(main)
  except BrokenPipeError:  # Who reads the output, such as head, has enough.
    _end(_ENDED_BY_PIPE)
  except KeyboardInterrupt as e:
    _end(getattr(e, 'status', 130), str(e) or 'Interrupted.')
  except Exception as e:  # pylint: disable=broad-exception-caught
    # Gin appends lines that say where in its calls the error was raised.
    told = str(e).split('\n', maxsplit=1)[0]
    if not isinstance(e, errors.UserError):
      full = told if errors.unwritable(e) else _full_temporary_folder(errors)
      if not full:
        raise
      told = (f'Something could not be written ({full}): make room, and give '
              'the same command again.')
    _end(1, told)


def _full_temporary_folder(errors):
  """Returns why no temporary file can be written, or ''.

  AutoGraph writes one for each function; without it Python's `if` meets a
  tensor, and the error that follows says nothing of a disk.
  """
  import tempfile
  try:
    with tempfile.TemporaryFile() as file:
      file.write(bytes(2**16))
      file.flush()
  except OSError as e:
    return errors.unwritable(e) and f'{e.strerror}: {tempfile.gettempdir()}'
  return ''


def _call(main):
  """Calls it; what it printed is then written, or an error says that it is not.
  """
  try:
    main(sys.argv)
  except SystemExit as e:
    if e.code:
      raise
  try:
    sys.stdout.flush()
  except BrokenPipeError:  # The work is done all the same.
    _end(0)


def _end(status, told=''):
  """Exits; Python itself then finds nothing to write, which would fail again.
  """
  try:
    sys.stdout.flush()
  except OSError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
  if told:
    print(told, file=sys.stderr)
  sys.exit(status)
