"""Gin files and bindings: found, parsed strictly and saved.

Every choice of a run is a gin binding. Flags become bindings, later files and
bindings win over earlier ones, and a mistake is an error: an unknown
name, an undefined macro, a `--gin_param` that the command never reads.
"""
import contextlib
import copy
import logging
import pathlib
import re
import tokenize

import gin
from gin import config_parser

from pgak import errors
from pgak.runs import gin_checks
from pgak.runs import gin_errors
from pgak.runs import gin_files
from pgak.runs import gin_text
from pgak.runs import nets

__all__ = ['OLD_VALUES', 'as_text', 'check_macros', 'check_trusted',
           'keep_old_values', 'parse', 'parse_part', 'parse_run', 'setting']

# Settings that came after version 0.4, with what it did. A config.gin names all
# settings of what it calls; one that does not name these was written by 0.4.
OLD_VALUES = {
    'celeb_a': {'resize': "'bicubic'"},
    'images': {'resize': "'bicubic'", 'background': 'None',
               'splits': "'names'", 'partition': 'None', 'labels': 'False',
               'skip_damaged': 'False', 'listing': "'suffixes'"},
    'pairs': {'background': 'None'},
}

# What a command that opens a run reads of `train`: more would change nothing.
READ_OF_A_RUN = {f'train.{name}' for name in (
    'dataset', 'image_error', 'model', 'split', 'validation_split')}

# Versions that had none of these settings.
_BEFORE = ('0.1.', '0.2.', '0.3.', '0.4.')


def parse(files=(), bindings=(), imports=(), roots=('train',), text='',
          flags=None):
  """Parses gin files and then bindings into gin's configuration.

  Of a model, the nets that nothing binds become those that its class names.

  Args:
    files: gin files, each found by its path, under `gin/` in the working
      directory, or in the package; the later wins.
    bindings: strings 'name.parameter = value', which win over all files.
    imports: modules to import first, such as a user's own model.
    roots: names of the functions that the command calls, or a function that
      returns them, called after the imports; a binding in `bindings` that
      nothing reachable from them reads is an error.
    text: gin text that is read after the files.
    flags: `{setting: the flag that its binding is of, such as '--steps'}`;
      another binding is that of a --gin_param.

  Raises:
    errors.UserError: names the file and line, or the binding, that is wrong.
  """
  with _reading(imports):
    parsed = [gin_files.parse(f) for f in files]
    parsed += gin_files.parse_text(text)
    for binding in bindings:
      _parse_binding(binding)
    nets.bind()
  gin_checks.check_finite()
  statements = gin_text.bindings_of(gin.config_str())
  check_macros(statements, parsed, bindings)
  _check_read(statements, bindings, _names(roots),
              {'data_dir': '--data_dir'} | (flags or {}))


def parse_part(text, imports=()):
  """Parses gin text that is no whole configuration, without further checks.

  Args:
    text: gin text.
    imports: as for `parse`.

  Raises:
    errors.UserError: names the line that gin cannot read.
  """
  with _reading(imports):
    gin_files.parse_text(text)


@contextlib.contextmanager
def _reading(imports):
  """Clears gin's configuration; what gin raises becomes a UserError."""
  gin.clear_config()
  for module in imports:
    gin_files.import_module(module)
  # Gin logs an error for each folder that a file is not in.
  logging.disable(logging.ERROR)
  try:
    # Imported above; read here, so that config.gin records them.
    gin.parse_config([f'import {m}' for m in imports])
    yield
  except (ValueError, TypeError, SyntaxError, OSError, ImportError,
          AttributeError, KeyError) as e:
    raise errors.UserError(gin_errors.sentence(e)) from e
  finally:
    logging.disable(logging.NOTSET)


def parse_run(run, bindings=(), roots=(), imports=()):
  """Parses a run's saved configuration and then bindings.

  Args:
    run: `RunDirectory`.
    bindings: as for `parse`.
    roots: as for `parse`, besides what builds the model.
    imports: modules that the user trusts; a run that was trained with others
      is not opened.

  Raises:
    errors.UserError: as `check_trusted` and `parse` do.
  """
  check_trusted(run, imports)
  file = str(run.config_file)
  old = _old_bindings(run)
  for binding in bindings:
    for name in _bindings_of(binding):
      if name.startswith('train.') and name not in READ_OF_A_RUN:
        raise errors.UserError(
            f'--gin_param={binding!r} is never read by this command: the run '
            f'keeps the {name} that it was trained with; leave it out.')
  # The command makes what `train` refers to, such as the model and the data.
  parse([file], bindings, imports, lambda: ('train', *_names(roots)),
        '\n'.join(old))


def _names(roots):
  return roots() if callable(roots) else roots


def check_trusted(run, imports=()):
  """Refuses a run whose opening would run code that the user did not name.

  Args:
    run: `RunDirectory`; anyone may have made it.
    imports: modules that the user named.

  Raises:
    errors.UserError: names the modules and the flag that allows them.
  """
  wanted = [*run.config.get('imports', []), *_imported(run)]
  foreign = sorted({module for module in wanted
                    if module.split('.')[0] != 'pgak'} - set(imports))
  if foreign:
    flags = ' '.join(f'--import={module}' for module in foreign)
    raise errors.UserError(
        f'To open {run.path} is to run the code of {", ".join(foreign)}, with '
        f'which it was trained: if you trust it, add {flags} (in Python '
        f'imports={foreign!r}).')


def _imported(run):
  """Returns the modules that a run's config.gin imports."""
  try:
    # Parsed as text: gin's own parser would import the modules.
    statements = gin_text.statements(run.config_gin)
  except (SyntaxError, UnicodeDecodeError, ValueError,
          tokenize.TokenError) as e:
    raise errors.UserError(
        f'{run.config_file} is damaged ({gin_errors.sentence(e)}): restore '
        'it.') from e
  for statement in statements:
    if isinstance(statement, config_parser.IncludeStatement):
      raise errors.UserError(
          f'{run.config_file} includes {statement.filename}, and pgak writes '
          'none that includes a file: restore it.')
  return [s.module for s in statements
          if isinstance(s, config_parser.ImportStatement)]


def keep_old_values(run):
  """Binds `OLD_VALUES` for a run that version 0.4 began, before it is resumed.

  Gin files and defaults may have changed since; the run goes on with the pixels
  and splits that it began with.

  Args:
    run: `RunDirectory`, with or without a configuration.
  """
  if run.has_config:
    # Once it was resumed, its configuration names them.
    begun = run.config.get('versions', {}).get('pgak', '')
    for binding in _old_bindings(run, named_too=begun.startswith(_BEFORE)):
      gin.parse_config(binding)


def _old_bindings(run, named_too=False):
  """Returns bindings of the settings that came after version 0.4.

  Args:
    run: `RunDirectory`.
    named_too: whether also of those that the run's configuration names.
  """
  try:  # Of what was not read, defaults are absent in a new run, too.
    named = gin_text.read_bindings(run.config_gin)
  except (SyntaxError, ValueError, tokenize.TokenError):
    return []  # Whoever parses it says what is wrong.
  found = {}
  for function in {name.rpartition('.')[0] for name in named}:
    for setting, value in OLD_VALUES.get(_owner(f'{function}.'), {}).items():
      name = f'{function}.{setting}'
      if named_too or name not in named:
        found[name] = named.get(name, value)
  return [f'{name} = {value}' for name, value in sorted(found.items())]


def as_text():
  """Returns the configuration of a run as gin text, to be saved.

  First what was read so far, with the defaults; then, below a line that says
  so, the bindings that were not read, such as those of a protocol.
  """
  operative = gin.operative_config_str()
  read = gin_text.bindings_of(operative)
  # Kept, because evaluate and sample may read what training does not.
  rest = gin_text.bindings_of(gin.config_str())
  return gin_text.in_one(operative, '\n'.join(
      f'{n} = {v}' for n, v in rest.items() if n not in read))


def setting(name, default=None):
  """Returns the value of a binding, with its gin references resolved.

  Args:
    name: 'function.parameter'.
    default: what to return where it is not bound.
  """
  try:  # A copy of a gin reference is what it refers to.
    return copy.deepcopy(gin.query_parameter(name))
  except ValueError:
    return default


def _bindings_of(binding):
  def read(text):
    found = gin_text.bindings_of(text)
    if not found:
      raise ValueError('it sets nothing.')
    return found
  return _read_binding(read, binding)


def _parse_binding(binding):
  _bindings_of(binding)
  _read_binding(gin.parse_config, binding)


def _read_binding(read, binding):
  try:
    return read(binding)
  except (ValueError, TypeError, SyntaxError, KeyError, tokenize.TokenError,
          MemoryError, RecursionError) as e:
    raise errors.UserError(
        f'--gin_param={_short(binding)!r} is not a binding that gin can read: '
        f'{gin_errors.sentence(e)}') from e


def _short(text):
  return text if len(text) <= 80 else f'{text[:77]}...'


def _references(value, sign):
  # A sign within a string is no reference.
  strings = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
  pattern = re.escape(sign) + r'([\w./]+)'
  found = re.findall(pattern, re.sub(strings, '', value))
  return [r.split('/')[-1] for r in found]


def check_macros(statements, parsed, bindings):
  # gin itself fails only when the macro is called, and does not name it.
  for value in statements.values():
    for macro in _references(value, '%'):
      # A name with a dot is a constant of a module, which is no binding.
      if macro not in statements and '.' not in macro:
        where = _location('%' + macro, parsed, bindings)
        raise errors.UserError(
            f'The macro %{macro} is used in {where} and defined nowhere: add '
            f'--gin_param=\'{macro} = ...\' or a gin file that defines it.')


def _location(text, parsed, bindings):
  for name in _files(parsed):
    for folder in ['', *gin_files.folders()]:
      path = pathlib.Path(folder, name)
      if path.is_file():
        lines = path.read_text(encoding='utf-8-sig').splitlines()
        for number, line in enumerate(lines, 1):
          if re.search(rf'{text}\b', line.split('#')[0]):
            return f'{path}, line {number}'
  return next((f'--gin_param={b!r}' for b in bindings if text in b),
              'a binding')


def _files(parsed):
  for included in parsed:
    yield included.filename
    yield from _files(included.includes)


def _check_read(statements, bindings, roots, flags):
  reached = set(roots)
  size = 0
  while len(reached) > size:
    size = len(reached)
    for name, value in statements.items():
      if _owner(name) in reached:
        reached.update(_references(value, '@'))
        reached.update(_references(value, '%'))
    reached.update({n.split('.')[-1] for n in reached})
  for binding in bindings:
    for name in gin_text.bindings_of(binding):
      if _owner(name) not in reached:
        flag = flags.get(name, f'--gin_param={binding!r}')
        raise errors.UserError(
            f'{flag} is never read by this command: nothing that it uses '
            f'refers to {_owner(name)!r}; leave it out.')


def _owner(name):
  """'scope/module.function.parameter' -> 'function'; a macro's own name."""
  parts = name.split('/')[-1].split('.')
  return parts[-2] if len(parts) > 1 else parts[0]
