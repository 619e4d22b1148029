"""Gin text, read without importing or calling anything that it names."""
from gin import config_parser

__all__ = ['NOT_READ', 'bindings_of', 'in_one', 'in_two', 'is_bound',
           'read_bindings', 'statements']

# Stands in a run's config.gin between what training read and the rest.
NOT_READ = '# Bindings that training does not read:'


class _AsText(config_parser.ParserDelegate):
  """Keeps references as text, so that no module need be imported for them."""

  def configurable_reference(self, scoped_name, evaluate):
    return _Reference('@' + scoped_name + ('()' if evaluate else ''))

  def macro(self, name):
    return _Reference('%' + name)


class _Reference(str):

  def __repr__(self):
    return str(self)


def statements(text):
  """Returns the statements of gin text, as gin's own parser has them.

  Args:
    text: gin statements.

  Raises:
    SyntaxError, ValueError, tokenize.TokenError: if it is no gin text.
  """
  return list(config_parser.ConfigParser(text, _AsText()))


def bindings_of(text):
  """Returns the bindings of gin text.

  Args:
    text: gin statements, as `gin.config_str()` gives them.

  Returns:
    `{name: value as text}`, names as in 'scope/function.parameter'; a macro's
    name has no dot.

  Raises:
    SyntaxError, ValueError, tokenize.TokenError: if it is no gin text.
  """
  found = {}
  for statement in statements(text):
    if isinstance(statement, config_parser.BindingStatement):
      name = '/'.join(p for p in (statement.scope, statement.selector) if p)
      if statement.arg_name:
        name += '.' + statement.arg_name
      found[name] = repr(statement.value)
  return found


def is_bound(name, bindings):
  """Whether bindings give a setting a value, and at last one that is not None.

  Args:
    name: 'function.parameter'.
    bindings: strings 'name.parameter = value'.

  Raises:
    SyntaxError, ValueError, tokenize.TokenError: if they are no gin text.
  """
  return bindings_of('\n'.join(bindings)).get(name, 'None') != 'None'


def in_one(read, rest):
  """Returns a run's config.gin of what its training read and what it did not.

  Args:
    read: gin text.
    rest: gin text.
  """
  return '\n'.join([read, '', NOT_READ, *([rest] if rest else ()), ''])


def in_two(text):
  """Returns what the training of a run read, and the rest; see `in_one`.

  Args:
    text: a config.gin; in one of version 0.4 there is no rest.
  """
  read, _, rest = text.partition(NOT_READ)
  return read, rest


def read_bindings(text):
  """Returns the bindings of a run's config.gin that its training read.

  Only these say what the run is. What follows `NOT_READ`, such as the settings
  of a protocol, is kept for later commands, without the defaults beside it.

  Args:
    text: a config.gin.

  Returns:
    As `bindings_of`.

  Raises:
    SyntaxError, ValueError, tokenize.TokenError: if that part is no gin text.
  """
  return bindings_of(in_two(text)[0])
