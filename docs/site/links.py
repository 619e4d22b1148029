"""Links between files of the checkout, as links between pages of the site."""
import pathlib
import posixpath
import re

__all__ = ['ROOT', 'home_of', 'outside_code', 'page_of', 'rewritten', 'sources',
           'targets']

ROOT = pathlib.Path(__file__).absolute().parent.parent.parent
# A page of the site, where it is not `docs/` and the page's own path.
_PAGES = {'README.md': 'index.md'}
_LINK = re.compile(r'(\]\()([^)\s]+)(\))')
_FENCE = re.compile(r'(^ *```.*?^ *```$)', re.M | re.S)


def home_of(page):
  """Returns the file of the checkout that a page is made of, as a path.

  Args:
    page: path of a page in the site, such as 'index.md' or 'keras.md'.
  """
  if page == 'index.md':
    return 'README.md'
  at_top = [p.name for p in ROOT.glob('*.md') if page_of(p.name) == page]
  return at_top[0] if at_top else f'docs/{page}'


def page_of(path):
  """Returns where the site has a file of the checkout."""
  if path.startswith('docs/') and not path.startswith('docs/site/'):
    return re.sub(r'\.ipynb$', '.md', path.removeprefix('docs/'))
  if path.endswith('.md') and '/' not in path:
    return _PAGES.get(path, path.lower())
  return f'source/{path}.txt'


def outside_code(text, change):
  """Returns a text of which `change` made what stands in no code block."""
  parts = _FENCE.split(text)
  parts[::2] = map(change, parts[::2])
  return ''.join(parts)


def targets(text, home):
  """Returns the files of the checkout that a text links to.

  Args:
    text: Markdown.
    home: path of the file that it stands in, from the root of the checkout.

  Returns:
    `{link as written: path from the root}`, without those to other hosts and
    to places of the same file; a path need not exist.
  """
  found = {}
  def look(part):
    for _, link, _ in _LINK.findall(part):
      path = link.partition('#')[0]
      if path and not re.match(r'[a-z]+:', link):
        found[link] = posixpath.normpath(
            posixpath.join(posixpath.dirname(home), path))
    return part
  outside_code(text, look)
  return found


def rewritten(text, page):
  """Returns a page's text, its links made links within the site."""
  known = targets(text, home_of(page))
  def replace(match):
    path = known.get(match[2])
    if path is None or not (ROOT / path).is_file():
      return match[0]
    place = match[2].partition('#')[1:]
    new = posixpath.relpath(page_of(path), posixpath.dirname(page) or '.')
    return f'{match[1]}{new}{"".join(place)}{match[3]}'
  return outside_code(text, lambda part: _LINK.sub(replace, part))


def sources(texts):
  """Returns `{path in the site: path of the checkout}` of linked source files.

  Args:
    texts: `{page: Markdown}`.
  """
  found = {}
  for page, text in texts.items():
    for path in targets(text, home_of(page)).values():
      if page_of(path).startswith('source/') and (ROOT / path).is_file():
        found[page_of(path)] = path
  return found
