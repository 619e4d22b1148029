"""The site: what is made for it, and that it is built without a warning."""
import re
import subprocess
import sys

import links
import nbclient
import nbformat
import paper_pages
import pages
import pytest
import reference
import settings_list

NOTEBOOKS = sorted((links.ROOT / 'docs/notebooks').glob('*.ipynb'))
# What makes a notebook quick: a number of its first cell.
QUICK = {'digits': ('epochs = 60', 'epochs = 1'),
         'density': ('steps = 1500', 'steps = 2')}


def test_a_papers_page_has_code_and_published_tables():
  text = paper_pages.filled(pages.Page('papers/pga.md').text)
  assert "terms['nll_encoder'] = losses.latent_nll(latents)  # eq. 6" in text
  assert re.search(r'\*\*PGA \(ICML 2020\) Table 1, FID, MNIST\*\*\n\n.*\n.*\n'
                   r'(\|.*\n)*\| LPGA \| 10\.34 \+- 0\.15 \|', text), text
  assert '| VPGA | N(0, I), its own | 0.080 |' in text
  assert '<!--' not in text


@pytest.mark.parametrize('name', [
    n for n in pages.every() if n.startswith('papers/')])
def test_what_a_page_includes_is_there(name):
  assert '<!--' not in paper_pages.filled(pages.Page(name).text)


def test_what_is_not_there_is_an_error():
  for comment in ('code: pgak/losses.py nothing', 'published: No such table',
                  'results: No such section'):
    with pytest.raises(KeyError):
      paper_pages.filled(f'<!-- {comment} -->')


def test_the_settings_are_those_declared():
  page = settings_list.page()
  section = re.search(r'### BetaVAE\n(.*?)\n### ', page, re.S)[1]
  assert '`pgak.models.vae.BetaVAE`' in section
  assert re.search(r'\| `beta` \| `\S+` \| a number .*\|', section)
  assert len(re.findall('^### ', page, re.M)) > 100


def test_the_reference_shows_what_packages_offer():
  shown = reference.pages()
  assert '::: pgak.models.pga.LPGA\n' in shown['reference/models.md']
  assert '::: pgak.data.array_files.arrays\n' in shown['reference/data.md']
  assert '::: pgak.functions.train\n' in shown['reference/pgak.md']


def test_the_gallery_has_every_model():
  text = pages.Page('gallery.md').text
  for path in (links.ROOT / 'gin/models').glob('*.gin'):
    assert f'`{path.stem}`' in text, path.stem


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
  done = subprocess.run(
      [sys.executable, '-m', 'mkdocs', 'build', '--strict',
       f'--site-dir={tmp_path}'], cwd=links.ROOT, capture_output=True,
      text=True, check=False)
  assert not done.returncode, done.stderr[-3000:]
  made = {p.relative_to(tmp_path).as_posix(): p.read_text(encoding='utf-8')
          for p in tmp_path.rglob('*.html')}
  assert {'index.html', 'settings.html', 'reference/models.html',
          'papers/pga.html', 'notebooks/digits.html'} <= set(made)
  for name, text in made.items():
    # Nothing that a page shows or runs comes from another host.
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="(https?:)?//',
                         text), name
    assert not re.search(r'^\|[-| ]+\|$', text, re.M), f'{name}: no table'
  assert 'latent_reconstruction' in made['reference/models.html']


@pytest.mark.slow
@pytest.mark.parametrize('path', NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def test_a_notebook_runs(path, tmp_path):
  notebook = nbformat.read(path, 4)
  old, new = QUICK[path.stem]
  first = next(c for c in notebook.cells if c.cell_type == 'code')
  assert old in first.source
  first.source = first.source.replace(old, new)
  client = nbclient.NotebookClient(notebook, timeout=300, resources={
      'metadata': {'path': str(tmp_path)}})
  client.execute()


@pytest.mark.parametrize('path', NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])
def test_a_notebook_holds_its_outputs(path):
  cells = nbformat.read(path, 4).cells
  outputs = [o for c in cells if c.cell_type == 'code' for o in c.outputs]
  assert sum('image/png' in o.get('data', {}) for o in outputs) >= 3
  assert not any(o.output_type == 'error' for o in outputs)
  assert path.stat().st_size < 100_000
