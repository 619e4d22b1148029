"""A document of sections, tables and pictures, as HTML and as Markdown.

Both are written from the same blocks, so they say the same. The HTML stands
alone: pictures are data URIs, and nothing in it points outside. All text of a
block is plain: what it holds of either language's signs is escaped.
"""
import base64
import dataclasses
import html
import re
import textwrap

from pgak.reporting import style

__all__ = ['MARKER', 'Items', 'Notes', 'Figure', 'FigureGroup', 'Section',
           'Table', 'TableCell', 'Text', 'file_name', 'files', 'to_html',
           'to_markdown']

# By it a later report knows that it may replace the file.
MARKER = 'Written by the pgak report'


@dataclasses.dataclass(frozen=True)
class Text:
  """A paragraph."""
  text: str


@dataclasses.dataclass(frozen=True)
class Items:
  """A list of lines, such as commands where `code`."""
  lines: list
  code: bool = False


@dataclasses.dataclass(frozen=True)
class Notes:
  """A list of lines that matter less, under a title that hides them in HTML."""
  title: str
  lines: list
  code: bool = False


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
  """
  caption: str
  header: list
  rows: list
  text_columns: tuple = ()
  detail: str = ''


@dataclasses.dataclass(frozen=True)
class Figure:
  """A picture.

  Attributes:
    name: name of its PNG file, without the ending, unique in the document.
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
  """Returns a picture's name made of words; the first ones make it unique."""
  text = '_'.join(parts).lower()
  return re.sub(r'[^a-z0-9.]+', '_', text).strip('_.')[:100]


def files(sections):
  """Returns `{file name: PNG bytes}` of all pictures."""
  return {f'{p.name}.png': p.png for p in _pictures(sections)}


# === HTML ===


def to_html(title, intro, sections):
  """Returns the document as one HTML page.

  Args:
    title: string.
    intro: list of blocks before the table of contents.
    sections: list of `Section`.
  """
  anchors = _anchors(sections)
  contents = ''.join(f'<li><a href="#{a}">{_text(s.title)}</a></li>\n'
                     for a, s in zip(anchors, sections))
  body = ''.join(
      f'<section id="{a}" aria-labelledby="{a}-title">\n'
      f'<h2 id="{a}-title">{_text(s.title)}</h2>\n'
      + ''.join(map(_block, s.blocks)) + '</section>\n'
      for a, s in zip(anchors, sections))
  return (
      '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
      f'<meta name="generator" content="{MARKER}">\n'
      '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
      '<link rel="icon" href="data:,">\n'
      f'<title>{_text(title)}</title>\n<style>\n{style.CSS}</style>\n</head>\n'
      f'<body>\n<header>\n<h1>{_text(title)}</h1>\n'
      + ''.join(map(_block, intro)) +
      f'</header>\n<nav aria-label="Contents">\n<ol>\n{contents}</ol>\n</nav>\n'
      f'<main>\n{body}</main>\n</body>\n</html>\n')


def _anchors(sections):
  found = []
  for section in sections:
    name = re.sub(r'[^a-z0-9]+', '-', section.title.lower()).strip('-')
    times = sum(1 for other in found if other.rpartition('--')[0] == name
                or other == name)
    found.append(f'{name}--{times + 1}' if times else name)
  return found


def _text(text, quote=True):
  # An HTML page cannot hold the control characters of a damaged file.
  return html.escape(re.sub(r'[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]', '?',
                            str(text)), quote)


def _block(block):
  return {Text: _html_text, Items: _html_items, Notes: _html_notes,
          Table: _html_table, FigureGroup: _html_pictures}[type(block)](block)


def _html_text(block):
  return f'<p>{_text(block.text)}</p>\n'


def _html_items(block):
  tag = ('<code>', '</code>') if block.code else ('', '')
  lines = ''.join(f'<li>{tag[0]}{_text(line)}{tag[1]}</li>\n'
                  for line in block.lines)
  return f'<ul>\n{lines}</ul>\n'


def _html_notes(block):
  return (f'<details>\n<summary>{_text(block.title)}</summary>\n'
          f'{_html_items(block)}</details>\n')


def _html_table(block):
  words = {0, *block.text_columns}
  def cells(row, tag):
    out = []
    for i, cell in enumerate(row):
      cell = cell if isinstance(cell, TableCell) else TableCell(str(cell))
      text = _text(cell.text)
      text = f'<strong>{text}</strong>' if cell.best else text
      note = f'<small>{_text(cell.note)}</small>' if cell.note else ''
      name, scope = ('th', ' scope="col"') if tag == 'th' else (
          ('th', ' scope="row"') if i == 0 else ('td', ''))
      kind = ' class="words"' if i in words else ''
      out.append(f'<{name}{scope}{kind}>{text}{note}</{name}>')
    return ''.join(out)
  rows = ''.join(f'<tr>{cells(row, "td")}</tr>\n' for row in block.rows)
  detail = f' <span>{_text(block.detail)}</span>' if block.detail else ''
  return (
      '<div class="scroll" role="region" tabindex="0" '
      f'aria-label="{_text(block.caption)}">\n'
      f'<table>\n<caption>{_text(block.caption)}{detail}</caption>\n'
      f'<thead><tr>{cells(block.header, "th")}</tr></thead>\n'
      f'<tbody>\n{rows}</tbody>\n</table>\n</div>\n')


def _html_pictures(block):
  out = []
  for picture in block.pictures:
    data = base64.b64encode(picture.png).decode()
    kind = ' class="pixels"' if picture.pixels else ''
    below = (f'<figcaption>{_text(picture.caption)}</figcaption>\n'
             if picture.caption else '')
    out.append(f'<figure>\n<img{kind} alt="{_text(picture.alt)}" '
               f'src="data:image/png;base64,{data}">\n{below}</figure>\n')
  kind = ('rows' if block.rows else
          'grids' if any(p.pixels for p in block.pictures) else 'charts')
  return (f'<h3>{_text(block.caption)}</h3>\n'
          f'<div class="{kind}">\n{"".join(out)}</div>\n')


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
  for block in intro:
    lines += _markdown_block(block, folder)
  lines += [f'- [{_plain(s.title)}](#{a})'
            for s, a in zip(sections, _anchors(sections))] + ['']
  for section in sections:
    lines += [f'## {_plain(section.title)}', '']
    for block in section.blocks:
      lines += _markdown_block(block, folder)
  return '\n'.join(lines).rstrip() + '\n'


def _plain(text):
  text = ' '.join(_text(text, quote=False).split())
  return re.sub(r'([\\`*_\[\]|~])', r'\\\1', text)


def _code(text):
  # A fence one longer than any in the text holds whatever it is.
  text = ' '.join(re.sub(r'[\x00-\x1f\x7f]', ' ', str(text)).split())
  fence = '`' * (1 + max(map(len, re.findall(r'`+', text)), default=0))
  return f'{fence} {text} {fence}' if len(fence) > 1 else f'`{text}`'


def _markdown_block(block, folder):
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
    lines += [f'![{_plain(picture.alt)}]({folder}/{picture.name}.png)', '']
    if picture.caption:
      lines += [_plain(picture.caption), '']
  return lines


def _markdown_table(block):
  words = {0, *block.text_columns}
  def line(cells):
    return '| ' + ' | '.join(cells) + ' |'
  def cell(value):
    value = value if isinstance(value, TableCell) else TableCell(str(value))
    text = _plain(value.text)
    text = f'**{text}**' if value.best else text
    return f'{text} ({_plain(value.note)})' if value.note else text
  detail = f' {_plain(block.detail)}' if block.detail else ''
  return [f'**{_plain(block.caption)}**{detail}', '',
          line(map(_plain, block.header)),
          line(':--' if i in words else '--:'
               for i in range(len(block.header))),
          *(line(map(cell, row)) for row in block.rows), '']
