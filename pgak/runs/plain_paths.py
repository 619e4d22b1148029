"""Text of a run without the places where its files lay."""
import ast
import re

from pgak.runs import gin_text

__all__ = ['bindings', 'reduced']

_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
# Settings whose text is a path, absolute or not.
_PATHS = re.compile(r'(^|\.)(path|data_dir|attributes|partition|warm_start|'
                    r'weights)$')
_ABSOLUTE = re.compile(r'(?:[A-Za-z]:)?[/\\]|~')


def reduced(value, is_path=False):
  """Returns JSON content with paths reduced to the name of what they lead to.

  Args:
    value: a string, or lists and dictionaries with strings in them.
    is_path: whether a string is a path even if it is not absolute.
  """
  if isinstance(value, dict):
    return {reduced(k): reduced(v, bool(_PATHS.search(k)) or k == 'run')
            for k, v in value.items()}
  if isinstance(value, (list, tuple)):
    return [reduced(v, is_path) for v in value]
  if isinstance(value, str) and (is_path or _ABSOLUTE.match(value)):
    names = [name for name in re.split(r'[/\\]', value) if name]
    return names[-1] if names else ''
  return value


def bindings(text):
  """Returns gin text with the same bindings and imports, paths reduced.

  Args:
    text: the config.gin of a run.
  """
  imports = re.findall(r'^import \S+$', text, re.M)
  # What training read stays apart: only of that a run of version 0.4 lacks
  # settings.
  read, rest = map(_reduced_bindings, gin_text.in_two(text))
  return gin_text.in_one('\n'.join([*imports, read]), rest)


def _reduced_bindings(text):
  return '\n'.join(f'{name} = {_reduced_literals(name, value)}'
                   for name, value in gin_text.bindings_of(text).items())


def _reduced_literals(name, value):
  is_path = bool(_PATHS.search(name))
  return _LITERAL.sub(
      lambda m: repr(reduced(ast.literal_eval(m[0]), is_path)), value)
