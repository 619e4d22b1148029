"""Installs the wheel into an empty environment and uses it far from here.

The wheel is built of the source distribution, so both are tried. What pgak
requires is lent by the environment of the tests, which `make install` resolved.
"""
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile

import checkout
import environments
import pytest

ROOT = checkout.ROOT
SCRIPTS = ('pgak_train', 'pgak_evaluate', 'pgak_compare', 'pgak_sample',
           'pgak_encode', 'pgak_export', 'pgak_pack', 'pgak_report',
           'pgak_sweep', 'pgak_list', 'pgak_demo')

# Prints where things come from, in the new environment.
WHERE = '''
import importlib.metadata, importlib.util, json, sys, gin, pgak
names = ('bin', 'conftest', 'setup')
print(json.dumps({
    'pgak': pgak.__file__, 'gin': gin.__file__, 'prefix': sys.prefix,
    'path': sys.path,
    # Another package may have its own `tests` at the top.
    'tests': [str(f) for f in importlib.metadata.files('pgak')
              if str(f).startswith('tests/')],
    'stray': [name for name in names if importlib.util.find_spec(name)]}))
'''

pytestmark = pytest.mark.slow


def run(*command, cwd):
  """Returns what a command prints; what it says is shown if it fails."""
  done = subprocess.run([str(part) for part in command], cwd=cwd,
                        capture_output=True, text=True, timeout=900,
                        check=False)
  assert not done.returncode, (done.stdout + done.stderr)[-4000:]
  return done.stdout


@pytest.fixture(name='source', scope='module')
def build_source(tmp_path_factory):
  """Returns a source distribution of a copy of the tree."""
  folder = tmp_path_factory.mktemp('source')
  tree = checkout.copy(folder / 'tree')
  run(sys.executable, 'setup.py', '--quiet', 'sdist', '--dist-dir', folder,
      cwd=tree)
  shutil.rmtree(tree)
  source, = folder.glob('pgak-*.tar.gz')
  return source


@pytest.fixture(name='wheel', scope='module')
def build_wheel(source, tmp_path_factory):
  """Returns a wheel of the source distribution."""
  folder = tmp_path_factory.mktemp('build')
  run(sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', source,
      '--wheel-dir', folder, cwd=folder)
  wheel, = folder.glob('pgak-*.whl')
  return wheel


@pytest.fixture(name='environment', scope='module')
def install_wheel(wheel, tmp_path_factory):
  """Returns the folder of the programs of an environment with the wheel."""
  folder = tmp_path_factory.mktemp('environment')
  programs = environments.make(folder, with_pip=True)
  run(programs / 'python', '-m', 'pip', 'install', '--quiet', '--no-deps',
      wheel, cwd=folder)
  return programs


def test_source_distribution_holds_what_bazel_reads(source):
  with tarfile.open(source) as archive:
    names = {name.partition('/')[2] for name in archive.getnames()}
  wanted = {ROOT / name for name in ('.bazelignore', 'BUILD', 'MODULE.bazel',
                                     'pgak.bzl')}
  for folder in ('benchmarks', 'bin', 'docs', 'gin', 'pgak', 'tests'):
    wanted |= {*(ROOT / folder).rglob('BUILD'), *(ROOT / folder).rglob('*.py')}
  assert {path.relative_to(ROOT).as_posix() for path in wanted} <= names


def test_wheel_holds_the_package_and_nothing_beside_it(wheel):
  names = zipfile.ZipFile(wheel).namelist()
  assert {name.split('/')[0].split('-')[0] for name in names} == {'pgak'}
  for folder, pattern in (('pgak', '*.py'), ('pgak', '*.css'),
                          ('pgak', '*.html'), ('bin', '*.py'),
                          ('gin', '*.gin'), ('gin', '*.sweep')):
    prefix = '' if folder == 'pgak' else 'pgak/'
    for path in (ROOT / folder).rglob(pattern):
      assert prefix + path.relative_to(ROOT).as_posix() in names
  assert 'pgak/gin/__init__.py' not in names
  assert not [name for name in names if name.endswith(('BUILD', '.bzl'))]
  assert any(name.endswith('LICENSE') for name in names)


def test_the_installed_package_comes_from_the_wheel(environment, tmp_path):
  where = json.loads(run(environment / 'python', '-c', WHERE, cwd=tmp_path))
  assert where['pgak'].startswith(where['prefix'])
  assert where['gin'].endswith('/site-packages/gin/__init__.py')
  assert str(ROOT) not in where['path']
  assert where['stray'] == where['tests'] == []
  run(environment / 'python', '-m', 'pip', 'check', cwd=tmp_path)


@pytest.mark.parametrize('script', SCRIPTS)
def test_console_scripts_answer(environment, script, tmp_path):
  done = subprocess.run([environment / script, '--help'], cwd=tmp_path,
                        capture_output=True, text=True, check=False)
  assert 'flags:\n' in done.stdout and 'Traceback' not in done.stderr


def test_installed_scripts_train_and_draw(environment, tmp_path):
  run(environment / 'pgak_train', '--run_dir=run', '--gin_file=quickstart.gin',
      '--gin_file=models/vae.gin', '--gin_param=train.steps = 20',
      '--gin_param=train.steps_per_execution = 10',
      '--gin_param=train.sample_every = 20',
      '--gin_param=train.checkpoint_every = 20', cwd=tmp_path)
  run(environment / 'pgak_sample', '--run_dir=run', '--num_samples=16',
      '--output=samples.png', cwd=tmp_path)
  png = (tmp_path / 'samples.png').read_bytes()
  assert png.startswith(b'\x89PNG') and len(png) > 500


def test_the_installed_sweep_starts_the_installed_commands(
    environment, tmp_path):
  (tmp_path / 'it.sweep').write_text(
      "sweep.gin_files = ['quickstart.gin']\n"
      "sweep.cells = {'ae': ['models/ae.gin', 'train.steps = 2']}\n",
      encoding='utf-8')
  run(environment / 'pgak_sweep', '--sweep=it.sweep', '--output_dir=out',
      cwd=tmp_path)
  assert list(tmp_path.glob('out/ae/seed-0/checkpoints/step-*2'))
