"""What a report says of the runs themselves: settings, commands, damage."""
import pytest
import tiny_reports

from pgak.reporting import contents
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib


@pytest.fixture(name='section', scope='module')
def _section(tmp_path_factory):
  """The section of two configurations of one model, one with two seeds."""
  path = tmp_path_factory.mktemp('runs') / 'it is'
  made = [tiny_reports.make(path / name, weight=weight, seed=seed, events=False,
                            rows=[tiny_reports.row('fid', 5., prior=p, **more)
                                  for p, more in rows])
          for name, weight, seed, rows in (
              ('a', 1., 0, [(p, {'protocol': 'quick'})
                            for p in ('gmm_10', 'kde', 'standard_normal')]),
              ('b', 1., 1, [('gmm_10', {}), ('gaussian', {})]),
              ('c', 2., 0, [('real_nvp', {'images': 'reconstructions'})]))]
  (made[2] / 'scores.csv').write_text('damaged')
  cells = runs_lib.cells([runs_lib.read(run) for run in made])
  assert [len(cell.runs) for cell in cells] == [2, 1]
  return contents.sections(cells, with_latents=False)[0]


def block(section, kind, title):
  """Returns the one block of a kind whose title or caption begins so."""
  found, = [b for b in section.blocks if isinstance(b, kind) and getattr(
      b, 'title', getattr(b, 'caption', '')).startswith(title)]
  return found


def test_seeds_of_one_configuration_are_one_row(section):
  table = block(section, pages.Table, 'Runs by')
  assert [row[1:4] for row in table.rows] == [
      ['mnist', '0, 1', '600 of 600'], ['mnist', '0', '600 of 600']]


def test_steps_of_polishing_are_told_beside_the_others(tmp_path):
  path = tiny_reports.make(tmp_path / 'a', events=False)
  config = path / 'config.gin'
  config.write_text(
      config.read_text().replace('= 600', '= 500\npolish.steps = 100'))
  first, *_ = contents.sections(
      runs_lib.cells([runs_lib.read(path)]), with_latents=False)
  table = block(first, pages.Table, 'Runs by')
  assert table.rows[0][3] == '600 of 500 and 100 of polishing'


def test_what_differs_between_configurations_is_named_alone(section):
  table = block(section, pages.Table, 'Where')
  assert [row[1] for row in table.rows] == ['AE.weight = 1.0',
                                            'AE.weight = 2.0']


def test_a_command_for_each_training_and_each_measurement(section):
  lines = block(section, pages.Notes, 'Commands').lines
  trained = [line for line in lines if line.startswith('pgak_train ')]
  # A path with a space stands in quotes, for the shell.
  assert len(trained) == 3 and all("'--run_dir=" in line for line in trained)
  measured = [line.partition('--checkpoint=600 ')[2] for line in lines
              if line.startswith('pgak_evaluate ')]
  assert measured == [
      '--protocol=quick --prior=gmm '
      "--gin_param='GaussianMixture.num_components = 10'",
      '--protocol=quick --prior=kde', '--protocol=quick --prior=own',
      # It takes its densities in turn.
      '--protocol=rae_iclr2020']


def test_what_is_damaged_is_listed(section):
  text, = [b.text for b in section.blocks if isinstance(b, pages.Text)]
  assert 'damaged' in text
  items, = [b for b in section.blocks if isinstance(b, pages.Items)]
  assert any('scores.csv' in line for line in items.lines)
