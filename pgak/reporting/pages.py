"""A document of sections, tables and pictures, as HTML and as Markdown.

Both are written from the same blocks, so they say the same. The HTML stands
alone: pictures are data URIs, and nothing in it points outside. Its templates
are in templates/, one for each kind of block. All text of a block is plain:
what it holds of either language's signs is escaped.
"""
import base64
import dataclasses
import functools
import hashlib
import html
import re
import textwrap

import jinja2

__all__ = ['MARKER', 'Items', 'Notes', 'Figure', 'FigureGroup', 'Section',
           'Table', 'TableCell', 'Text', 'file_name', 'files', 'to_html',
           'to_markdown']

# By it a later report knows that it may replace the file.
MARKER = 'Written by the pgak report'
# Of a picture: a file system takes 255 bytes.
_LONGEST_NAME = 100


@dataclasses.dataclass(frozen=True)
class Text:
  """A paragraph."""
  text: str
  template = 'text.html'


@dataclasses.dataclass(frozen=True)
class Items:
  """A list of lines, such as commands where `code`."""
  lines: list
  code: bool = False
  template = 'items.html'


@dataclasses.dataclass(frozen=True)
class Notes:
  """A list of lines that matter less, under a title that hides them in HTML."""
  title: str
  lines: list
  code: bool = False
  template = 'notes.html'


@dataclasses.dataclass(frozen=True)
class TableCell:
  """A cell: its text, a small note under it, whether it is the best."""
  text: str
  note: str = ''
  best: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
  """A table.

  Attributes:
    caption: string.
    header: strings, the first for the column of the rows' names.
    rows: lists of strings or `TableCell`s.
    text_columns: numbers of the columns, besides the first, that hold words.
    detail: string that goes on where the caption ends.
    notes: `{number of a column: string}`, small under its name in the header.
  """
  caption: str
  header: list
  rows: list
  text_columns: tuple = ()
  detail: str = ''
  notes: dict = dataclasses.field(default_factory=dict)
  template = 'table.html'

  @property
  def heads(self):
    """The header as `TableCell`s, with their notes."""
    return [TableCell(text, self.notes.get(i, ''))
            for i, text in enumerate(self.header)]


@dataclasses.dataclass(frozen=True)
class Figure:
  """A picture.

  Attributes:
    name: name of its PNG file, without the ending; of pictures with one name,
      the second gets a number.
    png: bytes.
    alt: string, what is to be seen.
    caption: string.
    pixels: whether it is a grid of small images, to be enlarged unsmoothed.
  """
  name: str
  png: bytes
  alt: str
  caption: str = ''
  pixels: bool = False


@dataclasses.dataclass(frozen=True)
class FigureGroup:
  """Pictures under one caption: side by side, or each a row of its own."""
  caption: str
  pictures: list
  rows: bool = False
  template = 'figures.html'


@dataclasses.dataclass(frozen=True)
class Section:
  """A heading and what stands under it."""
  title: str
  blocks: list


def _pictures(sections):
  for section in sections:
    for block in section.blocks:
      if isinstance(block, FigureGroup):
        yield from block.pictures


def file_name(*parts):
  """Returns a picture's name made of words."""
  text = '_'.join(parts).lower()
  name = re.sub(r'[^a-z0-9.]+', '_', text).strip('_.')
  if len(name) <= _LONGEST_NAME:
    return name
  # Two long names may differ only in the part that is cut off.
  digest = hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]
  return f'{name[:_LONGEST_NAME - 9]}_{digest}'


def files(sections):
  """Returns `{file name: PNG bytes}` of all pictures."""
  names = _file_names(sections)
  return {names[id(p)]: p.png for p in _pictures(sections)}


def _file_names(sections):
  """Returns `{id of a picture: name of its file}`, all of them distinct."""
  found = {}
  for picture in _pictures(sections):
    name, number = f'{picture.name}.png', 1
    while name in found.values():
      number += 1
      name = f'{picture.name}_{number}.png'
    found.setdefault(id(picture), name)
  return found


# === HTML ===


def to_html(title, intro, sections):
  """Returns the document as one HTML page.

  Args:
    title: string.
    intro: list of blocks before the table of contents.
    sections: list of `Section`.
  """
  return _environment().get_template('page.html').render(
      marker=MARKER, title=title, intro=intro,
      sections=list(zip(_anchors(sections), sections)))


@functools.cache
def _environment():
  environment = jinja2.Environment(
      loader=jinja2.PackageLoader('pgak.reporting'), autoescape=True,
      undefined=jinja2.StrictUndefined, finalize=_finalize, trim_blocks=True,
      lstrip_blocks=True, keep_trailing_newline=True)
  environment.filters |= {'cell': _cell, 'data_uri': _data_uri}
  return environment


def _finalize(value):
  # What a macro made is escaped already, and a string no longer if it is made
  # anew.
  return value if hasattr(value, '__html__') else _printable(value)


def _printable(value):
  # An HTML page cannot hold the control characters of a damaged file.
  return re.sub(r'[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]', '?', str(value))


def _cell(value):
  return value if isinstance(value, TableCell) else TableCell(str(value))


def _data_uri(png):
  return f'data:image/png;base64,{base64.b64encode(png).decode()}'


def _anchors(sections):
  found = []
  for section in sections:
    name = re.sub(r'[^a-z0-9]+', '-', section.title.lower()).strip('-')
    times = sum(1 for other in found if other.rpartition('--')[0] == name
                or other == name)
    found.append(f'{name}--{times + 1}' if times else name)
  return found


# === Markdown ===


def to_markdown(title, intro, sections, folder):
  """Returns the document as Markdown.

  Args:
    title: string.
    intro: list of blocks before the sections.
    sections: list of `Section`.
    folder: where the pictures are, relative to the Markdown file.
  """
  lines = [f'<!-- {MARKER} -->', '', f'# {_plain(title)}', '']
  paths = {picture: f'{folder}/{name}'
           for picture, name in _file_names(sections).items()}
  for block in intro:
    lines += _markdown_block(block, paths)
  lines += [f'- [{_plain(s.title)}](#{a})'
            for s, a in zip(sections, _anchors(sections))] + ['']
  for section in sections:
    lines += [f'## {_plain(section.title)}', '']
    for block in section.blocks:
      lines += _markdown_block(block, paths)
  return '\n'.join(lines).rstrip() + '\n'


def _plain(text):
  text = ' '.join(html.escape(_printable(text), quote=False).split())
  return re.sub(r'([\\`*_\[\]|~])', r'\\\1', text)


def _code(text):
  # A fence one longer than any in the text holds whatever it is.
  text = ' '.join(_printable(text).split())
  fence = '`' * (1 + max(map(len, re.findall(r'`+', text)), default=0))
  return f'{fence} {text} {fence}' if len(fence) > 1 else f'`{text}`'


def _markdown_block(block, paths):
  if isinstance(block, Text):
    return textwrap.wrap(_plain(block.text), 80, break_long_words=False,
                         break_on_hyphens=False) + ['']
  if isinstance(block, (Items, Notes)):
    write = _code if block.code else _plain
    title = [f'{_plain(block.title)}:', ''] if hasattr(block, 'title') else []
    return title + [f'- {write(line)}' for line in block.lines] + ['']
  if isinstance(block, Table):
    return _markdown_table(block)
  lines = [f'### {_plain(block.caption)}', '']
  for picture in block.pictures:
    lines += [f'![{_plain(picture.alt)}]({paths[id(picture)]})', '']
    if picture.caption:
      lines += [_plain(picture.caption), '']
  return lines


def _markdown_table(block):
  words = {0, *block.text_columns}
  def line(cells):
    return '| ' + ' | '.join(cells) + ' |'
  def cell(value):
    value = _cell(value)
    text = _plain(value.text)
    text = f'**{text}**' if value.best else text
    return f'{text} ({_plain(value.note)})' if value.note else text
  detail = f' {_plain(block.detail)}' if block.detail else ''
  return [f'**{_plain(block.caption)}**{detail}', '',
          line(map(cell, block.heads)),
          line(':--' if i in words else '--:'
               for i in range(len(block.header))),
          *(line(map(cell, row)) for row in block.rows), '']
