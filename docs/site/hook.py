"""What MkDocs calls while it builds the site: adds pages, mends links.

Pages that are not files of `docs/` are made here: the first one and those of
the root, the settings, the reference and the notebooks.
"""
import re

import links
import notebooks
import paper_pages
import reference
import settings_list
from mkdocs.structure import files as files_lib

__all__ = ['on_config', 'on_files', 'on_page_markdown']


def on_config(config):
  """Puts the pages of the reference into the navigation."""
  for section in config['nav']:
    if 'Reference' in section:
      section['Reference'] = reference.navigation()
  return config


def on_files(files, config):
  """Adds the pages and files that are made."""
  pages = {links.page_of(p.name): p.read_text(encoding='utf-8')
           for p in sorted(links.ROOT.glob('*.md'))}
  pages |= reference.pages() | {'settings.md': settings_list.page()}
  made = dict(pages)
  for path in sorted((links.ROOT / 'docs/notebooks').glob('*.ipynb')):
    text, pictures = notebooks.page(path)
    pages[f'notebooks/{path.stem}.md'] = text
    made |= {f'notebooks/{path.stem}.md': text} | {
        f'notebooks/{name}': content for name, content in pictures.items()}
  written = {file.src_uri: file.content_string
             for file in files.documentation_pages()}
  for page, path in links.sources(written | pages).items():
    made[page] = (links.ROOT / path).read_text(encoding='utf-8')
  for path, content in made.items():
    files.append(files_lib.File.generated(config, path, content=content))
  _place(files, config)
  return files


def _place(files, config):
  """Puts pages that the navigation does not name at its end."""
  named = set(_pages_of(config['nav']))
  left = sorted(f.src_uri for f in files.documentation_pages()
                if f.src_uri not in named)
  if left:
    config['nav'].append({'More': left})


def _pages_of(entries):
  """Yields the pages of a part of the navigation."""
  for entry in entries if isinstance(entries, list) else [entries]:
    if isinstance(entry, dict):
      for part in entry.values():
        yield from _pages_of(part)
    else:
      yield entry


def on_page_markdown(markdown, page, config, files):
  """Fills in code and tables, and makes links ones within the site."""
  del config, files
  text = paper_pages.filled(markdown)
  return _for_markdown(links.rewritten(text, page.file.src_uri))


def _for_markdown(text):
  """Returns a text as Python's Markdown wants what GitHub takes as well.

  A code block in a list is indented by four, and an HTML comment stands apart.
  """
  text = re.sub(r'^  (```.*?^  ```)$',
                lambda m: '    ' + m[1].replace('\n  ', '\n    '),
                text, flags=re.M | re.S)
  return re.sub(r'^(<!--.*?-->)\n(?=\S)', r'\1\n\n', text, flags=re.M | re.S)
