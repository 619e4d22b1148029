"""Tests of reading run directories for a report."""
import json

import pytest
import tiny_reports

from pgak import errors
from pgak.reporting import finding
from pgak.reporting import runs


def test_runs_are_found_at_any_depth_and_once(tmp_path):
  a = tiny_reports.make(tmp_path / 'sweep' / 'ae' / 'seed-0', events=False)
  b = tiny_reports.make(tmp_path / 'sweep' / 'vae', 'VAE', events=False)
  # What a run holds is not looked through, nor a hidden folder.
  (a / 'export').mkdir()
  (a / 'export' / 'config.gin').write_text('')
  (tmp_path / '.part').mkdir()
  (tmp_path / '.part' / 'config.gin').write_text('')
  (tmp_path / 'empty').mkdir()
  found, problems = finding.find([tmp_path, b, a / '..' / 'seed-0',
                               tmp_path / 'empty'])
  assert found == [a, b]
  assert len(problems) == 1 and 'empty is no run directory' in problems[0]


def test_links_are_followed_once(tmp_path):
  run = tiny_reports.make(tmp_path / 'elsewhere' / 'run', events=False)
  folder = tmp_path / 'runs'
  (folder / 'inner').mkdir(parents=True)
  (folder / 'linked').symlink_to(run)
  (folder / 'inner' / 'above').symlink_to(folder)
  assert finding.find([folder]) == ([folder / 'linked'], [])
  (run.parent / 'a_link').symlink_to(run)
  assert finding.find([run.parent]) == ([run], [])


def test_nothing_to_report_is_an_error(tmp_path):
  with pytest.raises(errors.UserError, match='absent'):
    finding.find([tmp_path / 'absent', tmp_path])
  with pytest.raises(errors.UserError, match='nothing to report'):
    finding.find([tmp_path])


def test_a_whole_run(tmp_path):
  run = runs.read(tiny_reports.make(
      tmp_path / 'run', 'RAEL2', 3, rows=[tiny_reports.row('fid', 2.5)]))
  assert (run.model, run.dataset, run.seed, run.steps) == (
      'RAEL2', 'mnist', '3', '600')
  assert run.last_step == 600 and not run.problems
  assert run.scores == [runs.Score(
      600, runs.Column('fid', 'samples', 'gaussian'),
      ('mnist', 'inception_2015_pool_3', '10000', 'test', 'none', 'none',
       'truncate', 'inference', 'rae_iclr2020'), '0', 2.5, 'lower')]
  newest = (tmp_path / 'run' / 'samples' / 'samples_00000600.png').read_bytes()
  assert run.pictures['samples'] == (600, newest)


def test_a_sweep_tells_its_commands_and_what_did_not_begin(tmp_path):
  above, tmp_path = tmp_path, tmp_path / 'sweep'
  path = tiny_reports.make(tmp_path / 'ae' / 'seed-0', events=False)
  (tmp_path / 'sweep.json').write_text(json.dumps({'cells': [
      {'run_dir': f'{cell}/seed-0', 'train': f'train {cell}',
       'evaluate': ['evaluate']} for cell in ('ae', 'bad')]}))
  for argument in (tmp_path, above):
    found, problems = finding.find([argument, tmp_path])
    assert found == [path]
    assert len(problems) == 1 and 'bad/seed-0 is named' in problems[0]
  assert runs.read(path).commands == ['train ae', 'evaluate']
  (tmp_path / 'sweep.json').write_text('[1]')
  assert finding.find([tmp_path]) == ([path], [])
  assert not runs.read(path).commands


def test_what_was_encoded_is_of_the_column_and_the_reference_a_choice(tmp_path):
  row = tiny_reports.row('fid', 2., images='reconstructions', prior='none',
                         split='validation vs test')
  run = runs.read(tiny_reports.make(tmp_path / 'run', rows=[row],
                                    events=False))
  assert run.scores[0].column == ('fid', 'reconstructions of validation',
                                  'none')
  assert run.scores[0].choices[runs.CHOICES.index('split')] == 'test'


def test_samples_between_two_splits_keep_both(tmp_path):
  row = tiny_reports.row('memorisation_ratio', 1., split='train vs test')
  run = runs.read(tiny_reports.make(tmp_path / 'run', rows=[row],
                                    events=False))
  assert run.scores[0].column[1] == 'samples'
  assert 'train vs test' in run.scores[0].choices


def test_a_cell_holds_runs_that_differ_in_the_seed_alone(tmp_path):
  made = [tiny_reports.make(tmp_path / 'rae' / f'seed-{s}', 'RAE', s,
                            events=False) for s in (10, 9)]
  made.append(tiny_reports.make(tmp_path / 'heavy', 'RAE', 9, weight=2.,
                                events=False))
  made.append(tiny_reports.make(tmp_path / 'l2', 'RAEL2', 9, events=False))
  found = runs.cells([runs.read(path) for path in made])
  assert [c.label for c in found] == ['RAE (rae)', 'RAE (heavy)', 'RAE-L2']
  assert [r.seed for r in found[0].runs] == ['9', '10']
  assert [c.number for c in found] == [0, 1, 2]


def test_a_seed_behind_a_macro_and_intervals_make_no_difference(tmp_path):
  made = [tiny_reports.make(tmp_path / str(s), events=False) for s in (1, 2)]
  for i, path in enumerate(made):
    file = path / 'config.gin'
    file.write_text(file.read_text().replace(
        'train.seed = 0', f'train.seed = %my_seed\nmy_seed = {i}\n'
        f'train.log_every = {i + 5}'))
  cells = runs.cells([runs.read(path) for path in made])
  assert [[r.seed for r in c.runs] for c in cells] == [['0', '1']]


@pytest.mark.parametrize('first, second', [
    ({'data': {'name': 'images_cats', 'fingerprint': 'a'}},
     {'data': {'name': 'images_cats', 'fingerprint': 'b'}}),
    ({'data': {'name': 'images_cats'}}, {'data': {'name': 'images_dogs'}}),
    ({}, {'warm_start': {'run': 'runs/a'}}),
])
def test_other_data_or_first_weights_are_no_seed(tmp_path, first, second):
  made = []
  for seed, more in enumerate((first, second)):
    path = tiny_reports.make(tmp_path / f'seed-{seed}', seed=seed, events=False)
    file = path / 'config.json'
    file.write_text(json.dumps(json.loads(file.read_text()) | more))
    made.append(runs.read(path))
  assert len(runs.cells(made)) == 2


def test_each_seed_may_begin_with_the_weights_of_its_own(tmp_path):
  made = []
  for seed in (0, 1):
    path = tiny_reports.make(tmp_path / f'seed-{seed}', seed=seed, events=False)
    file = path / 'config.json'
    file.write_text(json.dumps(json.loads(file.read_text()) | {
        'warm_start': {'run': f'runs/a/seed-{seed}:best'}}))
    made.append(runs.read(path))
  assert len(runs.cells(made)) == 1


def test_equal_folder_names_get_what_is_above_them(tmp_path):
  made = [tiny_reports.make(tmp_path / a / 'run', weight=w, events=False)
          for w, a in enumerate('xy')]
  assert [c.label for c in runs.cells([runs.read(p) for p in made])] == [
      'AE (x/run)', 'AE (y/run)']


@pytest.mark.parametrize('name, content, named', [
    ('config.gin', b'\xff\xfe\x00', 'config.gin is damaged'),
    ('config.gin', b'train.model = (', 'config.gin is damaged'),
    ('config.gin', b'', 'config.gin is damaged'),
    ('config.json', b'{"se', 'config.json'),
    ('config.json', b'[1]', 'config.json'),
    ('scores.csv', b'', 'no scores'),
    ('scores.csv', b'step,metric\n1,fid', 'scores.csv'),
    ('scores.csv', b'\x00\xff\x81', 'scores.csv'),
    ('samples/samples_00000600.png', b'no', 'samples_00000600.png'),
])
def test_what_is_damaged_is_named_and_the_rest_is_read(
    tmp_path, name, content, named):
  path = tiny_reports.make(tmp_path / 'run', events=False,
                           rows=[tiny_reports.row('fid', 2.5)])
  (path / name).write_bytes(content)
  run = runs.read(path)
  assert len(run.problems) == 1 and named in run.problems[0]
  assert bool(run.scores) == (name != 'scores.csv')
  # The grid before the damaged one takes its place.
  assert run.pictures['samples'][0] == (300 if 'png' in name else 600)
  assert len(runs.cells([run])) == 1


def test_numbers_that_are_not_finite_are_counted(tmp_path):
  rows = [tiny_reports.row('fid', v) for v in (1., 'nan', 'inf', 'many')]
  run = runs.read(tiny_reports.make(tmp_path / 'run', rows=rows, events=False))
  assert len(run.scores) == 1 and '3 of 4 rows' in run.problems[0]


def test_an_empty_run(tmp_path):
  (tmp_path / 'config.gin').write_text('train.model = @AE\n')
  run = runs.read(tmp_path)
  for missing in ('config.json', 'no checkpoint', 'no scores', 'no grids'):
    assert any(missing in p for p in run.problems)


def test_of_pictures_and_curves_of_one_name_the_newest_is_taken(tmp_path):
  path = tiny_reports.make(tmp_path / 'run', events=False)
  for folder, end in (('neighbours', 'png'), ('grids', 'png'),
                      ('prd', 'npz')):
    (path / folder).mkdir()
    for step in (300, 600):
      source = path / 'samples' / f'samples_{step:08d}.png'
      (path / folder / f'step-{step:08d}_samples_pixels.{end}').write_bytes(
          source.read_bytes())
  run = runs.read(path)
  assert run.extra_pictures == {'samples_pixels': run.pictures['samples'][1]}
  assert run.grids == run.extra_pictures
  assert [p.name for p in run.curve_files.values()] == [
      'step-00000600_samples_pixels.npz']
