"""A digest of all that decides a run of a sweep: gin files and bindings."""
import hashlib
import io
import json
import pathlib
import re
import tokenize

from pgak.runs import gin_files

__all__ = ['digest', 'locate']


def digest(names, bindings):
  """Returns a string that changes with any setting, or '' if a file is gone.

  Comments and line breaks do not count.

  Args:
    names: tuple of gin files, as `locate` takes them.
    bindings: tuple of strings.
  """
  try:
    texts = [_tokens(name) for name in names]
  except (OSError, SyntaxError, UnicodeDecodeError, tokenize.TokenError):
    return ''  # The train command will report what is wrong.
  return _sha(texts, bindings)


def locate(name):
  """Returns the path of a file that is found as gin files are.

  Raises:
    FileNotFoundError: if there is none.
  """
  for folder in ['', *gin_files.folders()]:
    path = pathlib.Path(folder, name)
    if path.is_file():
      return path
  raise FileNotFoundError(name)


def _tokens(name):
  """Returns the tokens of a gin file and its includes, without comments."""
  text = locate(name).read_text(encoding='utf-8')
  skipped = tokenize.COMMENT, tokenize.NL
  lines = tokenize.generate_tokens(io.StringIO(text).readline)
  tokens = [t.string for t in lines if t.type not in skipped]
  included = re.findall(r'(?m)^include\s+[\'"](.+?)[\'"]', text)
  # The includes count, too: a run is trained anew when one of them changes.
  return [tokens, [_tokens(f) for f in included]]


def _sha(*parts):
  # Part of the records that earlier versions left beside runs.
  return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
