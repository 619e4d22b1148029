"""Stands in for what a command calls, and writes down with what."""
import gin
import tiny_commands

__all__ = ['Recorder', 'bound', 'call', 'check_table']


def bound(name):
  """Returns what gin has bound, a reference as text."""
  value = gin.query_parameter(name)
  return value if isinstance(value, (bool, int, str, list)) else str(value)


class Recorder:
  """Stands in for a function; keeps its arguments and gin's bindings.

  Args:
    names: gin parameters that are looked up when it is called.
    answer: what it returns.
  """

  def __init__(self, names=(), answer=None):
    self.names = names
    self.answer = answer
    self.calls = []
    self.bound = {}

  def __call__(self, *arguments, **named):
    self.calls.append((arguments, named))
    for name in self.names:
      try:
        self.bound[name] = bound(name)
      except ValueError:
        pass  # Not bound.
    return self.answer


def check_table(module, *tables):
  """Fails where a command has a flag that no table tries, or the reverse."""
  flags = {module.command._flags[name].name for name in module.command._flags}
  assert flags - {'help'} == {name for table in tables for name in table}


def call(module, capsys, *flags):
  result = tiny_commands.call(module, capsys, *flags)
  assert result.status == 0, result.err
  return result.out
