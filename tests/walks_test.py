"""Runs the commands of docs/walks.md, small, as its reader would."""
import csv
import io
import pathlib
import sys

import checkout
import numpy as np
import pages
from PIL import Image
import pytest

from pgak.runs import run_directory

# With fewer steps and smaller images than the page has.
TEXT = (pages.DOCS / 'walks.md').read_text(encoding='utf-8')
for long, short in (('--steps=100', '--steps=3'), ('--steps=300', '--steps=3'),
                    ('epochs=20', 'epochs=1')):
  assert long in TEXT
  TEXT = TEXT.replace(long, short)
PAGE = pages.Page('walks.md', TEXT)
QUICK = {'pgak_train': ['base_filters = 4', 'train.xla = False'],
         'pgak_evaluate': ['classifier.steps = 20']}


@pytest.fixture(name='photos')
def _photos(tmp_path, monkeypatch):
  """The folder of the walk, made by the script that the page names."""
  monkeypatch.chdir(tmp_path)
  monkeypatch.syspath_prepend(str(checkout.ROOT / 'benchmarks'))
  import photographs
  photographs.write('photos', number=60)
  return tmp_path / 'photos'


def test_the_photographs_are_as_the_page_says(photos):
  found = sorted(photos.iterdir())
  assert len(found) == 60
  assert [p.name for p in found if p.suffix == '.webp'] == [
      f'{i:04d}.webp' for i in range(0, 60, 10)]
  sizes = set()
  for path in found:
    if '0007' not in path.name:
      with Image.open(path) as picture:
        sizes.add(picture.size)
  assert len(sizes) > 20
  with Image.open(photos / '0011.jpg') as picture:
    assert picture.getexif()[0x0112] == 6
  with pytest.raises(OSError):
    Image.open(io.BytesIO((photos / '0007.jpg').read_bytes())).load()


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:A Frechet distance')
def test_from_photographs_to_a_report(photos, capsys):
  del photos
  PAGE.section('Photographs').run(QUICK)
  out = capsys.readouterr().out
  for words in ('runs/me has the checkpoints', 'features random_net_0',
                'Wrote 500 images to samples/', 'Exported to runs/me/export/1',
                'frechet_random_net_0', 'Note: '):
    assert words in out, words
  assert len(list(pathlib.Path('samples').glob('*.png'))) == 500
  rows = run_directory.RunDirectory('runs/me').scores()
  assert {'frechet_random_net_0', 'reconstruction_mse'} <= {
      row['metric'] for row in rows}
  assert pathlib.Path('report.html').stat().st_size > 10000
  assert pathlib.Path('photos.npz').exists()


@pytest.mark.slow
def test_a_keras_user_sees_no_gin(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  block, = PAGE.section('As a Keras model').blocks('python')
  names = {}
  exec(compile(block, 'docs/walks.md', 'exec'), names)
  assert names['new'].shape == (16, 8, 8, 1)
  np.testing.assert_array_equal(names['again'].sample(16, seed=1), names['new'])


@pytest.mark.slow
def test_a_gin_user_adds_a_metric_and_a_protocol(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.syspath_prepend(str(tmp_path))
  page = PAGE.section('With gin')
  page.save(tmp_path)
  page.run(QUICK)
  rows = run_directory.RunDirectory('runs/walk').scores()
  assert {row['metric'] for row in rows if row['protocol'] == 'inky'} >= {
      'brightness', 'frechet_digits_classifier'}
  with open('runs/walk/scores.csv', newline='', encoding='utf-8') as file:
    assert 'lower' in {row['better'] for row in csv.DictReader(file)
                       if row['metric'] == 'brightness'}
  assert 'brightness' in sys.modules
