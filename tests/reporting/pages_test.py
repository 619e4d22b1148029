"""Tests of both renderings of a document, with hostile text."""
import base64
import html.parser
import pathlib
import re

import pytest

from pgak.reporting import pages

HOSTILE = '<script>alert("x")</script> & | a_b* [c](http://d) `e` \x00\ud800\n#'
PNG = b'\x89PNG\r\n\x1a\nnot really'
VOID = ('meta', 'link', 'img', 'br')


class Checker(html.parser.HTMLParser):
  """Collects what a page holds; fails on tags that do not match."""

  def __init__(self):
    super().__init__()
    self.open, self.tags, self.text, self.links = [], [], [], []

  def handle_starttag(self, tag, attrs):
    self.tags.append((tag, dict(attrs)))
    self.links += [v for n, v in attrs if n in ('src', 'href', 'srcset')]
    if tag not in VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open and self.open.pop() == tag

  def handle_data(self, data):
    self.text.append(data)


def checked(page):
  checker = Checker()
  checker.feed(page)
  checker.close()
  assert not checker.open
  return checker


@pytest.fixture(name='sections')
def _sections():
  return [
      pages.Section('One: ' + HOSTILE, [
          pages.Text(HOSTILE), pages.Items([HOSTILE]),
          pages.Items([HOSTILE, '``'], code=True),
          pages.Notes(HOSTILE, [HOSTILE])]),
      pages.Section('Two', [
          pages.Table(HOSTILE, ['model', HOSTILE],
                      [[HOSTILE, pages.TableCell('1', HOSTILE, best=True)]],
                      detail=HOSTILE),
          pages.FigureGroup(HOSTILE, [
              pages.Figure('a', PNG, HOSTILE, HOSTILE, pixels=True)])])]


def test_the_page_is_valid_and_points_nowhere_outside(sections):
  page = pages.to_html(HOSTILE, [pages.Text(HOSTILE)], sections)
  page.encode()  # No half of a surrogate pair is left.
  found = checked(page)
  anchors = {a['id'] for _, a in found.tags if 'id' in a}
  for link in found.links:
    assert link.startswith('data:') or link[1:] in anchors, link
  assert 'script' not in [tag for tag, _ in found.tags]
  assert not re.search(r'url\(|@import', page)
  images = [a for tag, a in found.tags if tag == 'img']
  assert len(images) == 1 and images[0]['alt'].startswith('<script>')
  data = images[0]['src'].removeprefix('data:image/png;base64,')
  assert base64.b64decode(data) == PNG


def test_a_table_has_a_caption_and_heads(sections):
  found = checked(pages.to_html('t', [], sections))
  tags = [tag for tag, _ in found.tags]
  assert 'caption' in tags and 'strong' in tags
  assert [a.get('scope') for tag, a in found.tags if tag == 'th'] == [
      'col', 'col', 'row']


def test_markdown_holds_the_same_and_no_tags(sections):
  text = pages.to_markdown('t', [pages.Text('in')], sections, 'x_files')
  text.encode()
  assert pages.MARKER in text.splitlines()[0]
  assert '![&lt;script&gt;' in text and '](x_files/a.png)' in text
  # In code, which a fence closes, all is plain.
  outside = [line for line in text.splitlines()[1:]
             if not line.startswith('- `')]
  assert len(text.splitlines()) - len(outside) == 3
  for line in outside:
    assert '<' not in line and not re.search(r'(?<!\\)\]\(http', line)
  table = [line for line in text.splitlines() if line.startswith('| ')]
  # Each row has the two cells of its head, whatever their text holds.
  assert len(table) == 3
  for line in table:
    assert len(re.findall(r'(?<!\\)\|', line)) == 3
  assert re.search(r'\*\*1\*\* \(', table[2])
  assert pages.files(sections) == {'a.png': PNG}


def test_long_names_of_pictures_differ_to_their_end():
  names = [pages.file_name('curve', 'arrays_' + 100 * 'x', 'loss', str(i))
           for i in range(12)]
  assert len(set(names)) == 12 and {len(name) for name in names} == {100}
  assert names[1] == pages.file_name(
      'curve', 'arrays_' + 100 * 'x', 'loss', '1')
  assert pages.file_name('Latents', '3', 'VAE (b=2)') == 'latents_3_vae_b_2'


def test_pictures_of_one_name_have_files_of_their_own():
  names = ['class_faces', 'class_faces_2', 'class_faces', 'class_faces']
  pictures = [pages.Figure(name, PNG + bytes([i]), f'figure {i}')
              for i, name in enumerate(names)]
  sections = [pages.Section('A', [pages.FigureGroup('B', pictures)])]
  files = pages.files(sections)
  assert sorted(files.values()) == [p.png for p in pictures]
  assert list(files)[:2] == ['class_faces.png', 'class_faces_2.png']
  text = pages.to_markdown('t', [], sections, 'x')
  for name, png in files.items():
    assert f'![figure {png[-1]}](x/{name})' in text


def test_sections_of_one_title_have_anchors_of_their_own():
  page = pages.to_html('t', [], [pages.Section('A b', [])] * 2)
  found = checked(page)
  anchors = [a['id'] for tag, a in found.tags if tag == 'section']
  assert len(set(anchors)) == 2


def test_no_template_leaves_anything_unescaped():
  folder = pathlib.Path(pages.__file__).parent / 'templates'
  templates = {path.name: path.read_text() for path in folder.iterdir()}
  assert 'page.html' in templates
  for name, text in templates.items():
    assert not re.search(r'\bsafe\b|autoescape', text), name
