"""Every flag of pgak_sweep reaches the commands that it starts."""
import shlex

import flag_tables
import pytest

from pgak import registry
from pgak import sweeping
from pgak.bin import sweep

registry.register()


@pytest.fixture(name='sweep_file')
def _sweep_file(tmp_path):
  path = tmp_path / 'it.sweep'
  (tmp_path / 'a.gin').write_text('')
  path.write_text("sweep.gin_files = ['a.gin']\nsweep.cells = {'c': []}\n"
                  "sweep.evaluations = [{'protocol': 'quick'}]\n")
  return path


SWEEP = {
    'sweep': (None, (), ()),
    'output_dir': (None, ('--run_dir=out/c/seed-0',),
                   ('--run_dir=out/c/seed-0',)),
    'parallel': (3, (), ()),
    'shard': ('1/2', (), ()),
    'gin_param': ('train.steps = 7', ('--gin_param=train.steps = 7',), ()),
    'data_dir': ('there', ('--data_dir=there',), ('--data_dir=there',)),
    'inception': ('w.npz', (), ('--inception=w.npz',)),
    'import': ('own_module', ('--import=own_module',),
               ('--import=own_module',)),
    'dry_run': ('true', (), ()),
}


@pytest.mark.parametrize('flag', SWEEP)
def test_flags_of_sweep_reach_its_commands(
    sweep_file, capsys, tmp_path, monkeypatch, flag):
  flag_tables.check_table(sweep, SWEEP)
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'own_module.py').write_text('')
  monkeypatch.syspath_prepend(tmp_path)
  value, in_train, in_evaluate = SWEEP[flag]
  runners = []
  make = sweeping.Runner

  def keep(*arguments, **named):
    runners.append(make(*arguments, **named))
    runners[-1].run = lambda: {}
    return runners[-1]

  monkeypatch.setattr(sweeping, 'Runner', keep)
  more = [] if value is None else [f'--{flag}={value}']
  out = flag_tables.call(
      sweep, capsys, f'--sweep={sweep_file}', '--output_dir=out',
      '--gin_param=sweep.seeds = [0, 4]', *more)
  runner, = runners
  assert runner.sweep.name == str(sweep_file)
  assert runner.parallel == (value if flag == 'parallel' else 1)
  assert [job.seed for job in runner.jobs] == (
      [4] if flag == 'shard' else [0, 4])
  lines = [shlex.split(line) for line in runner.pending_commands()]
  words = {verb: [w for w in lines if w[0] == verb][0][1:]
           for verb in ('pgak_train', 'pgak_evaluate')}
  assert set(in_train) <= set(words['pgak_train'])
  assert set(in_evaluate) <= set(words['pgak_evaluate'])
  # With --dry_run the commands are all that is printed; else there is a table.
  assert ('pgak_train' in out) == (flag == 'dry_run')
  assert ('The report' in out) == (flag != 'dry_run')


@pytest.mark.parametrize('settings, flag', [
    ("'prior': ['gmm', 'kde']", '--prior=gmm,kde'),
    ("'checkpoint': 'best'", '--checkpoint=best'),
    ("'num_samples': 77", '--num_samples=77'), ("'seed': 5", '--seed=5'),
    ("'metrics': ['prd']", '--metrics=prd'), ("'latents': True", '--latents'),
    ("'latents': False", '--nolatents'),
    ("'bindings': ['a.b = 1']", '--gin_param=a.b = 1')])
def test_what_an_evaluation_sets_reaches_its_command(
    tmp_path, settings, flag):
  path = tmp_path / 'it.sweep'
  (tmp_path / 'a.gin').write_text('')
  path.write_text("sweep.gin_files = ['base.gin']\nsweep.cells = {'c': []}\n"
                  'sweep.evaluations = [{\'protocol\': \'quick\', '
                  f'{settings}}}]\n')
  found = sweeping.read(path)
  command = sweeping.Runner(found, 'out', sweep.BIN_DIR).evaluate_command(
      found.jobs[0], found.evaluations[0])
  assert command == ['pgak_evaluate', '--run_dir=out/c/seed-0',
                     '--protocol=quick', flag]
