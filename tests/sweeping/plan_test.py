"""Tests of how a .sweep file is read."""
import pytest

from pgak import errors
from pgak import sweeping
from pgak.evaluation import protocols

CELLS = "sweep.cells = {'vae': ['quickstart.gin', 'models/vae.gin']}\n"


def write(folder, text):
  path = folder / 'a.sweep'
  path.write_text(text)
  return path


def test_cells_and_seeds_make_jobs_seed_after_seed(tmp_path):
  sweep = sweeping.read(write(tmp_path, '''
sweep.gin_files = ['quickstart.gin']
sweep.bindings = ['train.steps = 5']
sweep.cells = {
    'vae': ['models/vae.gin', 'VAE.kl = 1.'],
    'ae': ['train.model = @AE'],
}
sweep.seeds = [3, 4]
'''), extra=['base_filters = 2'])
  assert [j.name for j in sweep.jobs] == [
      'vae/seed-3', 'ae/seed-3', 'vae/seed-4', 'ae/seed-4']
  # The common ones first, what the command adds later, the seed last.
  assert sweep.jobs[2].train_flags == (
      '--gin_file=quickstart.gin', '--gin_file=models/vae.gin',
      '--gin_param=train.steps = 5', '--gin_param=VAE.kl = 1.',
      '--gin_param=base_filters = 2', '--gin_param=train.seed = 4')
  assert sweep.evaluations == ()


def test_an_evaluation_is_flags_of_the_evaluate_command(tmp_path):
  sweep = sweeping.read(write(tmp_path, CELLS + '''
sweep.evaluations = [
    {'protocol': 'quick', 'prior': ['gaussian', 'gmm'], 'latents': True,
     'checkpoint': 'best', 'bindings': ['GaussianMixture.num_components = 2']},
    {'protocol': 'quick', 'num_samples': 10, 'latents': False},
    {'protocol': 'quick', 'features': ['random', 'nets/mine.keras']},
]
'''))
  first, second, third = sweep.evaluations
  assert first.flags == (
      '--protocol=quick', '--prior=gaussian,gmm', '--checkpoint=best',
      '--latents', '--gin_param=GaussianMixture.num_components = 2')
  assert first.checkpoint == 'best' and second.checkpoint == 'latest'
  assert second.flags == ('--protocol=quick', '--num_samples=10', '--nolatents')
  assert first.label == ('quick gaussian,gmm checkpoint=best latents '
                         'GaussianMixture.num_components = 2')
  assert second.label == 'quick num_samples=10 nolatents'
  assert third.flags == ('--protocol=quick',
                         '--features=random,nets/mine.keras')


def test_bindings_of_the_sweep_itself(tmp_path):
  path = write(tmp_path, CELLS + 'sweep.seeds = [0]')
  sweep = sweeping.read(path, ['sweep.seeds = [7, 8]'])
  assert [j.seed for j in sweep.jobs] == [7, 8]
  with pytest.raises(errors.UserError, match='seedz'):
    sweeping.read(path, ['sweep.seedz = [7]'])


def test_macros_are_read(tmp_path):
  sweep = sweeping.read(write(
      tmp_path, "files = ['quickstart.gin']\nsweep.cells = {'a': %files}\n"))
  assert sweep.jobs[0].gin_files == ('quickstart.gin',)


@pytest.mark.parametrize('text, named', [
    ('', 'sweep.cells'),
    ('sweep.cells = {}', 'sweep.cells'),
    ("sweep.cells = ['models/vae.gin']", 'sweep.cells'),
    ("sweep.cells = {'a/b': ['quickstart.gin']}", 'a/b'),
    ("sweep.cells = {'..': ['quickstart.gin']}", r"'\.\.'"),
    ("sweep.cells = {'a b': ['quickstart.gin']}", 'a b'),
    ("sweep.cells = {'': ['quickstart.gin']}", "''"),
    ("sweep.cells = {1: ['quickstart.gin']}", 'cell 1'),
    ("sweep.cells = {'a': 'quickstart.gin'}", "cell 'a'"),
    ("sweep.cells = {'a': ['quickstart.gin', 3]}", "cell 'a'"),
    ("sweep.cells = {'a': ['train.steps = 3']}", 'no gin file'),
    ("sweep.cells = {'a': ['quickstart.gin', 'train.steps']}", 'train.steps'),
    ("sweep.cells = {'a': ['quickstart.gin', 'a = = 3']}", 'a = = 3'),
    ("sweep.cells = {'a': ['quickstart.gin', 'train.seed = 3']}",
     'sweep.seeds'),
    ("sweep.cells = {'a': ['x.gin'], 'b': ['x.gin'], 'a': ['y.gin']}",
     "'a' twice"),
    ("sweep.cells = {'RAE': ['x.gin'], 'rae': ['y.gin']}", "'RAE' and 'rae'"),
    (CELLS + 'sweep.seeds = []', r'\[\]'),
    (CELLS + 'sweep.seeds = 3', 'seeds = 3` must'),
    (CELLS + "sweep.evaluations = [{'protocol': 'qick'}]",
     'did you mean quick'),
    (CELLS + 'sweep.seeds = [0, 0]', r'\(0, 0\)'),
    (CELLS + 'sweep.seeds = [-1]', r'\[-1\]'),
    (CELLS + 'sweep.seeds = [True]', 'True'),
    (CELLS + "sweep.seeds = ['0']", "'0'"),
    (CELLS + "sweep.evaluations = 'quick'", 'evaluations'),
    (CELLS + "sweep.evaluations = ['quick']", "'quick'"),
    (CELLS + "sweep.evaluations = [{'prior': 'gmm'}]", 'gmm'),
    (CELLS + "sweep.evaluations = [{'protocol': 'quick', 'priors': 1}]",
     "unknown key 'priors'"),
    (CELLS + "sweep.evaluations = [{'protocol': 'quick', 'bindings': 'a = 1'}]",
     'list of'),
    (CELLS + "sweep.evaluations = [{'protocol': 'quick', 'bindings': ['a']}]",
     "'a'"),
    (CELLS + 'train.steps = 3', 'sweep.bindings'),
    (CELLS + 'sweep.cellz = 3', 'cellz'),
    (CELLS + "include 'networks/conv_digits.gin'", 'coder'),
    (CELLS + 'sweep.seeds = [', 'a.sweep'),
])
def test_what_is_wrong_is_one_sentence(tmp_path, text, named):
  with pytest.raises(errors.UserError, match=named) as caught:
    sweeping.read(write(tmp_path, text), protocols=protocols.NAMES)
  assert 'Traceback' not in str(caught.value)
  assert len(str(caught.value).split('\n  In call')[0].splitlines()) == 1


def test_an_absent_file_is_named(tmp_path):
  with pytest.raises(errors.UserError, match='absent.sweep'):
    sweeping.read(tmp_path / 'absent.sweep')


def test_a_seed_from_the_command_is_refused(tmp_path):
  with pytest.raises(errors.UserError, match='sweep.seeds'):
    sweeping.read(write(tmp_path, CELLS), extra=['train.seed = 3'])


def test_shards_share_all_jobs_and_no_job(tmp_path):
  sweep = sweeping.read(write(tmp_path, CELLS + 'sweep.seeds = [0, 1, 2]'))
  for number in (1, 2, 3, 5):
    parts = [sweep.shard(i, number) for i in range(number)]
    names = [j.name for part in parts for j in part]
    assert sorted(names) == [j.name for j in sweep.jobs]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_shard_is_counted_from_zero():
  assert sweeping.parse_shard('0/2') == (0, 2)
  assert sweeping.parse_shard('1/2') == (1, 2)
  for wrong in ('2/2', '-1/2', '1', '1/0', '0/0', 'a/b', '1/2/3', ''):
    with pytest.raises(errors.UserError, match='I/N'):
      sweeping.parse_shard(wrong)


def digest(folder, *settings):
  return sweeping.read(write(
      folder, f"sweep.cells = {{'a': {list(settings)}}}")).jobs[0].digest()


def test_a_digest_follows_includes_and_not_comments(tmp_path):
  below = tmp_path / 'below.gin'
  above = tmp_path / 'above.gin'
  above.write_text(f"include '{below}'\ntrain.steps = 3  # few\n")
  below.write_text('train.batch_size = 4\n')
  first = digest(tmp_path, str(above))
  assert first and first != digest(tmp_path, str(above), 'train.steps = 4')
  above.write_text(f"# Why.\n\ninclude '{below}'\ntrain.steps = 3\n")
  assert digest(tmp_path, str(above)) == first
  below.write_text('train.batch_size = 5\n')
  assert digest(tmp_path, str(above)) != first
  below.unlink()
  assert digest(tmp_path, str(above)) == ''
