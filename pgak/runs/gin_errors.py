"""Gin's errors about a file or a binding, as one sentence for its author."""
import inspect
import re
import tokenize

from pgak import errors
from pgak.runs import gin_internals

__all__ = ['sentence']

# gin appends a place to bindings that came from a flag, where it means nothing.
_PLACE = re.compile(r'\s+In bindings string line \d+.*|\s+\(line 1\)$', re.S)


def sentence(error):
  """Returns in one line what is wrong, in which file and line, and the way out.

  Args:
    error: exception that gin raised while it parsed.
  """
  text = str(error)
  if isinstance(error, SyntaxError) and error.filename:
    text = (f'{error.msg} in file "{error.filename}", line {error.lineno}: '
            f'{(error.text or "").strip()}')
  # Both come from Python's parser, by its version.
  if isinstance(error, (MemoryError, RecursionError)):
    return 'its brackets are nested too deeply.'
  if isinstance(error, tokenize.TokenError):
    return f'{error.args[0]}: a bracket or string is never closed.'
  text = ' '.join(_PLACE.sub('', text).split())
  # gin raises ValueError for most mistakes: only the text distinguishes them.
  for pattern, words in _WORDS:
    match = re.search(pattern, text)
    if match:
      return _placed(words(match), text)
  text = text if len(text) <= 300 else f'{text[:300]} ...'
  return text if text.endswith(('.', '?')) else f'{text}.'


def _placed(words, text):
  """Adds the file and line that gin's message names, if it names them."""
  match = re.search(r'file "(.+?)", line (\d+)', text)
  if not match:
    return words
  return f'{words.removesuffix(".")} (in {match[1]}, line {match[2]}).'


def _names():
  """The names that gin knows, without their modules."""
  return {name.rpartition('.')[2]
          for name in gin_internals.registered_names()}


def _value(match):
  value = match[1]
  # A frequent slip: VAE for @VAE.
  known = '@' + value if value in _names() else ''
  return (f'{value} is no value: a string stands in quotes, a reference begins '
          'with @ and a macro with %, and a number is no NaN'
          + (f'; did you mean {known}?' if known else '.'))


def _unknown(match):
  return f'there is no {match[1]}{errors.similar(match[1], _names()) or "."}'


def _parameter(match):
  function, name = match[1], match[2]
  known = [p for found, denied, _ in gin_internals.configurables(function)
           for p in inspect.signature(found).parameters if p not in denied]
  hint = errors.similar(name, known) or f': it has {", ".join(known)}.'
  return f'{function} has no setting {name}{hint}'


_WORDS = (
    (r"Failed to parse token '(.+?)'", _value),
    (r"No configurable matching reference '@(.+?)(?:\(\))?'", _unknown),
    (r"No configurable matching '(.+?)'", _unknown),
    (r"Configurable '(.+?)' doesn't have a parameter named '(.+?)'",
     _parameter),
    (r"Ambiguous selector '(.+?)', matches \[(.+?)\]",
     lambda m: f'{m[1]} may be any of {m[2]}: write the one that is meant in '
               'full, or give your own another name.'),
    (r'Unable to open file: (.+?)\. Searched',
     lambda m: f'there is no gin file {m[1]}: check the path.'),
    (r"Configurable '(.+?)' has denylisted kwarg '(.+?)'",
     lambda m: f'{m[1]}.{m[2]} is given by the command, not by gin.'),
)
