"""The section of vectors: who stands in it, and what if a run is damaged."""
import pathlib

import pytest

from pgak.reporting import manifolds
from pgak.reporting import runs as runs_lib


def cell(shape, path):
  run = runs_lib.Run(pathlib.Path(path), {
      'decoder.image_shape': '%image_shape', 'image_shape': shape})
  return runs_lib.Cell('VAE', [run], 0)


@pytest.mark.parametrize('shape, expected', [
    ('(3,)', 'vectors'), ('(12,)', 'vectors'), ('(8, 8, 1)', 'images'),
    ('3', 'images')])
def test_the_shape_tells_the_kind_of_old_runs(shape, expected):
  run = cell(shape, 'a').runs[0]
  assert run.holds == expected
  run.info = {'data': {'kind': 'pairs'}}
  assert run.holds == 'pairs'


def test_images_have_no_such_section():
  assert manifolds.manifolds([cell('(8, 8, 1)', 'a')]) is None
  assert runs_lib.Run(pathlib.Path('a')).holds == 'images'


def test_a_damaged_run_is_named(tmp_path):
  section = manifolds.manifolds([cell('(3,)', tmp_path / 'gone')])
  text, items = section.blocks
  assert 'Not shown' in text.text
  assert 'gone' in items.lines[0] and 'no config.gin' in items.lines[0]
