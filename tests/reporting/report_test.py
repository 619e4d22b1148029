"""Tests of the whole report: what is in it, and how it is written."""
import os
import shutil
import subprocess

import numpy as np
from PIL import Image
import pytest
import tiny_reports

from pgak import errors
from pgak import reporting
from pgak.reporting import contents
from pgak.reporting import figures
from pgak.reporting import report
from pgak.reporting import runs

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')


@pytest.fixture(name='sweep', scope='module')
def _sweep(tmp_path_factory):
  """Two models with two seeds, and a run that is damaged all over."""
  path = tmp_path_factory.mktemp('runs') / 'sweep'
  for model, better in (('AE', 1.), ('VAE', 2.)):
    for seed in (0, 1):
      prior = 'gaussian' if model == 'AE' else 'standard_normal'
      run = tiny_reports.make(path / model / f'seed-{seed}', model, seed, rows=[
          tiny_reports.row('fid', v / better + seed, step=step, prior=p)
          for p, v in ((prior, 50.), ('gmm_1', 30.), ('gmm_5', 25.),
                       ('gmm_10', 20.)) for step in (300, 600)])
      for folder in ('prd', 'neighbours', 'grids'):
        (run / folder).mkdir()
      np.savez(run / 'prd' / 'step-00000600_samples.npz',
               recall=[0., 1.], precision=[1., 0.])
      shutil.copy(run / 'samples' / 'samples_00000600.png',
                  run / 'neighbours' / 'step-00000600_samples_pixels.png')
      shutil.copy(run / 'samples' / 'samples_00000600.png',
                  run / 'grids' / 'step-00000600_gmm_10.png')
  broken = tiny_reports.make(path / 'broken', 'VPGA')
  for file in sorted(broken.rglob('*')):
    if file.is_file():
      file.write_bytes(b'\x00<b>&')
  return path


@pytest.fixture(name='written', scope='module')
def _written(sweep, tmp_path_factory):
  output = tmp_path_factory.mktemp('reports') / 'deep' / 'all.html'
  problems = reporting.write_report(output, [sweep], with_latents=False)
  return output, problems


def test_samples_of_a_density_stand_side_by_side(written):
  output, _ = written
  assert 'Samples of gmm_10, ' in output.read_text()
  for model in ('ae', 'vae'):
    assert list((output.parent / 'all_files').glob(
        f'samples_*_gmm_10_{model}*'))


def test_page_and_markdown_have_every_section(written):
  output, _ = written
  page, text = (output.with_suffix(s).read_text() for s in ('.html', '.md'))
  for title in ('What was run', 'Scores', "The papers' tables beside ours",
                'Training curves', 'Distances over steps and components',
                'Samples, reconstructions and interpolations',
                'Nearest neighbours', 'Precision and recall'):
    assert f'## {title}' in text
    assert title.replace("'", '&#39;') in page
  # 50 and 51: mean 50.5, s = sqrt(1 / 2), error 1 / 2.
  for shown in ('50.50 ± 0.50', '58.73',
                'protocol differs: epochs, base filters'):
    assert shown in text and shown in page
  assert 'components_0_fid.png' in text
  pictures = sorted(p.name for p in output.with_name('all_files').glob('*.png'))
  assert len(pictures) == page.count('<img') == text.count('![')
  for name in pictures:
    assert f'(all_files/{name})' in text


def test_curves_of_two_data_sets_are_two_charts(tmp_path):
  cells = []
  for i, dataset in enumerate(('mnist', 'digits')):
    path = tiny_reports.make(tmp_path / dataset, dataset=dataset, events=False)
    (path / 'prd').mkdir()
    np.savez(path / 'prd' / 'step-00000600_samples.npz',
             recall=[0., 1.], precision=[1., 0.])
    cells.append(runs.Cell(f'cell {i}', [runs.read(path)], i))
  block, = figures.precision_recall(cells).blocks
  assert [(p.name, p.caption) for p in block.pictures] == [
      ('prd_0_mnist_samples', 'samples on mnist'),
      ('prd_1_digits_samples', 'samples on digits')]
  assert 'cell 0' in block.pictures[0].alt
  assert 'cell 1' not in block.pictures[0].alt


def test_what_is_damaged_is_named_in_the_page(written):
  output, problems = written
  for named in ('config.gin', 'config.json', 'samples_00000600.png',
                'events/train'):
    assert any('broken' in p and named in p for p in problems), named
  assert 'config.gin is damaged' in output.read_text()


def test_the_same_runs_make_the_same_bytes_again(written, sweep, tmp_path):
  output, _ = written
  again = tmp_path / 'all.html'
  for _ in range(2):  # The second replaces the first.
    reporting.write_report(again, [sweep], with_latents=False)
  assert again.read_bytes() == output.read_bytes()
  assert sorted(p.name for p in tmp_path.iterdir()) == [
      'all.html', 'all.md', 'all_files']


@pytest.mark.parametrize('name', ['a.html', 'a.md', 'a_files'])
def test_what_no_report_wrote_is_left_alone(sweep, tmp_path, name):
  path = tmp_path / name
  if name == 'a_files':
    path.mkdir()
    path = path / 'mine'
  path.write_text('mine')
  with pytest.raises(errors.UserError, match=name):
    reporting.write_report(tmp_path / 'a.html', [sweep], with_latents=False)
  assert path.read_text() == 'mine' and len(os.listdir(tmp_path)) == 1


def test_what_is_left_of_a_report_is_no_obstacle(sweep, tmp_path):
  for gone in ((), ('a.html',), ('a.md',), ('a_files',), ('a.html', 'a.md')):
    for name in gone:
      path = tmp_path / name
      shutil.rmtree(path) if path.is_dir() else path.unlink()
    reporting.write_report(tmp_path / 'a.html', [sweep / 'broken'],
                           with_latents=False)
    assert sorted(os.listdir(tmp_path)) == ['a.html', 'a.md', 'a_files']


def test_an_output_that_cannot_be_written_is_named(tmp_path, sweep):
  (tmp_path / 'file').write_text('mine')
  for output in (tmp_path / 'file' / 'a.html', tmp_path / 'a.pdf'):
    with pytest.raises(errors.UserError, match=output.name):
      reporting.write_report(output, [sweep / 'broken'], with_latents=False)
  assert os.listdir(tmp_path) == ['file']


def test_a_failure_leaves_the_old_report_whole(
    written, tmp_path, sweep, monkeypatch):
  output = tmp_path / 'all.html'
  reporting.write_report(output, [sweep / 'broken'], with_latents=False)
  before = {p: p.read_bytes() for p in tmp_path.rglob('*') if p.is_file()}
  monkeypatch.setattr(report.pages, 'to_markdown', lambda *_: '\ud800')
  with pytest.raises(UnicodeEncodeError):
    reporting.write_report(output, [sweep / 'broken'], with_latents=False)
  assert before == {p: p.read_bytes() for p in tmp_path.rglob('*')
                    if p.is_file()}


def test_latents_that_cannot_be_had_are_a_sentence(sweep, tmp_path):
  # The classes of these runs have no such setting as their config.gin binds.
  reporting.write_report(tmp_path / 'a.html', [sweep / 'AE'])
  text = (tmp_path / 'a.md').read_text()
  assert '## Latents and prior' in text
  assert 'could not be' in text.split('## Latents and prior')[1]


def screenshot(page, tmp_path, width, height):
  picture = tmp_path / 'page.png'
  subprocess.run(
      [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu',
       '--disable-quic', '--no-first-run', '--disable-background-networking',
       '--disable-component-update', '--disable-sync', '--hide-scrollbars',
       f'--user-data-dir={tmp_path / "profile"}', f'--screenshot={picture}',
       f'--window-size={width},{height}', page.as_uri()],
      check=True, capture_output=True, timeout=60)
  return np.asarray(Image.open(picture).convert('RGB')).astype(int)


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason='no browser is installed')
@pytest.mark.parametrize('width, height', [(400, 16000), (1600, 9000)])
def test_a_browser_shows_the_page(written, tmp_path, width, height):
  output, _ = written
  # In a frame, since a window has a least width.
  frame = tmp_path / 'frame.html'
  frame.write_text(
      f'<body style="margin:0"><iframe src="{output.as_uri()}" style="border:0;'
      f'width:{width}px;height:{height}px"></iframe></body>')
  shown = screenshot(frame, tmp_path, max(width, 500), height)[:, :width]
  # The grids of seed 0 are of grey 150, which nothing else in the page has.
  assert (np.abs(shown - 150).max(-1) == 0).sum() > 6 * 150 * 150
  # Nothing reaches the right edge: the page fits, and only tables scroll.
  assert (shown[:, -8:] >= 250).all()


def test_one_string_names_a_module(tmp_path, monkeypatch):
  given = []
  monkeypatch.setattr(contents, 'sections',
                      lambda cells, latents, data_dir, imports:
                      given.append(imports) or [])
  tiny_reports.make(tmp_path / 'run', rows=[tiny_reports.row('fid', 3.)])
  reporting.write_report(tmp_path / 'a.html', tmp_path / 'run', imports='mine')
  assert given == [('mine',)]
