"""Code, published tables and results in pages, where a comment names them.

```none
<!-- code: pgak/models/pga.py LPGA.updates -->
<!-- published: PGA (ICML 2020) Table 1 -->
<!-- results: A row that no paper has -->
```

On GitHub a reader sees the link beside them; on the site what they name.
"""
import ast
import functools
import re
import textwrap

import links

from pgak.reporting import published

__all__ = ['code', 'filled', 'results', 'table']


def filled(text):
  """Returns Markdown with what its comments name in their places."""
  text = re.sub(r'<!-- code: (\S+) (\S+) -->',
                lambda m: f'```python\n{code(m[1], m[2])}\n```', text)
  text = re.sub(r'<!-- published: (.*?) -->', lambda m: table(m[1]), text)
  return re.sub(r'<!-- results: (.*?) -->', lambda m: results(m[1]), text)


def results(heading):
  """Returns a section of docs/results.md, for a page in a folder of docs/.

  Raises:
    KeyError: if there is no such section.
  """
  text = (links.ROOT / 'docs/results.md').read_text(encoding='utf-8')
  found = re.search(rf'^## {re.escape(heading)}\n(.*?)(?=^## |\Z)', text,
                    re.M | re.S)
  if not found:
    raise KeyError(f'docs/results.md has no section {heading!r}.')
  return re.sub(r'\]\((?![a-z]+:|#)', '](../', found[1].strip())


@functools.cache
def _read(path):
  text = (links.ROOT / path).read_text(encoding='utf-8')
  return text, ast.parse(text)


def code(path, name):
  """Returns the source of something in a file.

  Args:
    path: of the file, from the root of the checkout.
    name: such as 'LPGA.terms', 'LPGA.updates' or 'expansion'.

  Raises:
    KeyError: if the file has nothing of that name.
  """
  text, found = _read(path)
  for part in name.split('.'):
    found = _members(found)[part]
  first = min([found.lineno, *(
      d.lineno for d in getattr(found, 'decorator_list', ()))])
  lines = text.splitlines()[first - 1:found.end_lineno]
  return textwrap.dedent('\n'.join(lines))


def _members(node):
  found = {}
  for child in node.body:
    if isinstance(child, ast.Assign):
      found[getattr(child.targets[0], 'id', None)] = child
    elif hasattr(child, 'name'):
      found[child.name] = child
  return found


def table(title):
  """Returns the published tables whose titles begin so, as Markdown.

  Raises:
    KeyError: if there is none.
  """
  parts = [_markdown(t) for t in published.TABLES if t.title.startswith(title)]
  if not parts:
    raise KeyError(f'No published table begins with {title!r}.')
  return '\n\n'.join(parts)


def _markdown(one):
  titles = ['', *(column.title for column in one.columns)]
  rows = [[name, *map(_number, values)] for name, values in one.rows.items()]
  lines = [titles, ['---'] * len(titles), *rows]
  return f'**{one.title}**\n\n' + '\n'.join(
      f'| {" | ".join(line)} |' for line in lines)


def _number(value):
  if isinstance(value, tuple):
    return f'{value[0]:g} +- {value[1]:g}'
  return '' if value is None else f'{value:g}'
