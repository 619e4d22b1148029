"""Reads what a page of the documentation shows, as its reader would use it.

A block that no test runs is marked before it with what it needs, in a comment
or for the reader to see:

```none
<!-- not run here: docker | kubectl | server | GPU -->
`not run here: docker, GPU`
```
"""
import importlib
import pathlib
import re
import shlex
import textwrap
from typing import NamedTuple

import gin

__all__ = ['Block', 'DOCS', 'NEEDS', 'Page', 'commands_of', 'every']

DOCS = pathlib.Path(__file__).absolute().parent.parent / 'docs'
# What a block may need that a test has not.
NEEDS = ('docker', 'kubectl', 'server', 'GPU')
_BLOCK = re.compile(
    r'(?:^ *(?:<!-- |`)not run here: (?P<needs>[\w, ]*?)(?: -->|`)\n\n?)?'
    r'^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$', re.M | re.S)


class Block(NamedTuple):
  """A code block of a page.

  Attributes:
    language: string behind its first line's backticks.
    text: string.
    needs: names of what it needs that a test has not; empty where it is run.
  """
  language: str
  text: str
  needs: tuple[str, ...]


def commands_of(text):
  """Returns the commands of shell text, as lists of words, without comments."""
  found = [shlex.split(line, comments=True)
           for line in text.replace('\\\n', ' ').splitlines()]
  return [words for words in found if words]


def every():
  """Returns the names of all pages, `README.md` and those below `docs/`."""
  return ['../README.md', *sorted(
      p.relative_to(DOCS).as_posix() for p in DOCS.rglob('*.md'))]


class Page:
  """A page by its name, such as 'new_model.md'."""

  def __init__(self, name, text=None):
    self.path = DOCS / name
    self.text = text or self.path.read_text(encoding='utf-8')

  def section(self, title):
    """Returns the page of one of its sections, by how the title begins."""
    found, = re.findall(rf'^## {title}.*?(?=^## |\Z)', self.text, re.M | re.S)
    return Page(self.path.name, found)

  def blocks(self, language):
    """Returns the page's code in a language, block by block."""
    return re.findall(rf'^```{language}\n(.*?)^```$', self.text, re.M | re.S)

  def all_blocks(self):
    """Returns all code blocks of the page, as `Block`s, in order."""
    return [Block(m['language'], textwrap.dedent(m['text']),
                  tuple(filter(None, (m['needs'] or '').split(', '))))
            for m in _BLOCK.finditer(self.text)]

  def files(self):
    """Returns `{name: content}` of what the reader is told to save."""
    return dict(re.findall(
        r'[Ss]ave this as `([\w.]+)`(?:(?!```).)*?^```\w+\n(.*?)^```$',
        self.text, re.M | re.S))

  def save(self, folder):
    """Saves the files in a folder."""
    for name, content in self.files().items():
      (folder / name).write_text(content, encoding='utf-8')

  def commands(self):
    """Returns the commands of the page, as lists of words, in order."""
    return commands_of('\n'.join(self.blocks('sh')))

  def run(self, quick):
    """Calls the commands here, in order.

    Args:
      quick: `{command: bindings that make it quick}`.
    """
    for name, *flags in self.commands():
      command = name.removeprefix('pgak_')
      binary = importlib.import_module(f'pgak.bin.{command}')
      flags += [f'--gin_param={b}' for b in quick.get(name, [])]
      flags += ['--noverify'] if name == 'pgak_export' else []
      binary.main([name, *flags])
      gin.clear_config()

  def wrong_names(self):
    """Returns the files of the project that it names and that are not there."""
    root = DOCS.parent
    named = re.findall(r'`((?:pgak|models)/[\w/]+\.(?:py|gin))`', self.text)
    return [path for path in named if not any(
        (folder / path).exists() for folder in (root, root / 'gin'))]
