"""What a report says of the diagnostics of training."""
import json

import numpy as np
import pytest
import tensorflow as tf
import tiny_reports

from pgak.reporting import curves
from pgak.reporting import diagnosed
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib


def section(*paths):
  cells = runs_lib.cells([runs_lib.read(path) for path in paths])
  return cells, diagnosed.diagnosed(cells, {
      run.path: curves.read_events(run) for cell in cells for run in cell.runs})


@pytest.fixture(name='path', scope='module')
def _path(tmp_path_factory):
  """A run that measured twice, as training writes it."""
  path = tiny_reports.make(tmp_path_factory.mktemp('runs') / 'VAE', 'VAE',
                           events=False)
  writer = tf.summary.create_file_writer(str(path / 'events' / 'diagnostics'))
  data = tf.compat.v1.SummaryMetadata.PluginData(plugin_name='pgak')
  for step, active in ((300, 5.), (600, 2.)):
    with writer.as_default(step=step):
      tf.summary.scalar('active_units', active)
      tf.summary.scalar('latent_dimensions', 8.)
      tf.summary.scalar('saturation', 0.125)
      tf.summary.write('kl_of_dimension/values', np.array([0., active]),
                       metadata=tf.compat.v1.SummaryMetadata(plugin_data=data))
  writer.close()
  (path / 'diagnostics.json').write_text(json.dumps(
      {'step': 600, 'warnings': {'posterior_collapse': 'Only 2.'}}))
  return path


def test_the_newest_numbers_and_what_was_warned_of(path):
  _, found = section(path)
  table, = [b for b in found.blocks if isinstance(b, pages.Table)]
  assert table.header == ['run', 'active units', 'outputs at the ends']
  assert table.rows == [['VAE, seed 0', '2 of 8', '12%']]
  items, = [b for b in found.blocks if isinstance(b, pages.Items)]
  assert items.lines == ['VAE, seed 0, step 600: Only 2.']
  group, = [b for b in found.blocks if isinstance(b, pages.FigureGroup)]
  assert [p.caption.split('; ')[1] for p in group.pictures] == [
      'VAE, seed 0, step 600']


def test_runs_without_them_have_no_section(path, tmp_path):
  old = tiny_reports.make(tmp_path / 'AE', 'AE', events=False)
  assert section(old)[1] is None
  assert len(section(old, path)[1].blocks[1].rows) == 1


def test_a_damaged_file_is_named(path):
  whole = (path / 'diagnostics.json').read_text()
  (path / 'diagnostics.json').write_text('{"step": 1}')
  cells, found = section(path)
  (path / 'diagnostics.json').write_text(whole)
  assert 'warned of nothing' in found.blocks[2].text
  assert 'diagnostics.json' in cells[0].runs[0].problems[-1]
