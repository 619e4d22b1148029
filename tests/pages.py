"""Reads what a page of the documentation shows, as its reader would use it."""
import importlib
import pathlib
import re
import shlex

import gin

__all__ = ['DOCS', 'Page']

DOCS = pathlib.Path(__file__).absolute().parent.parent / 'docs'


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
    lines = '\n'.join(self.blocks('sh')).replace('\\\n', ' ').splitlines()
    return [shlex.split(line) for line in lines if line]

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
