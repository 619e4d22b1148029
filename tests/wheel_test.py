"""Installs the wheel into an empty environment and uses it far from here.

The wheel is built of the source distribution, so both are tried. What pgak
requires is lent by the environment of the tests, which `make install` resolved:
the new one sees its folder of packages, but not the checkout, because Python
reads no `.pth` file, an editable install's hook, from a folder named in one.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile

import checkout
import pytest

ROOT = checkout.ROOT
SCRIPTS = ('pgak_train', 'pgak_evaluate', 'pgak_sample', 'pgak_export',
           'pgak_report', 'pgak_sweep')

# Prints where things come from, in the new environment.
WHERE = '''
import importlib.util, json, sys, gin, pgak
names = ('bin', 'tests', 'conftest', 'setup')
print(json.dumps({
    'pgak': pgak.__file__, 'gin': gin.__file__, 'prefix': sys.prefix,
    'path': sys.path,
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


@pytest.fixture(name='wheel', scope='module')
def build_wheel(tmp_path_factory):
  """Returns a wheel, built of a source distribution of a copy of the tree."""
  folder = tmp_path_factory.mktemp('build')
  tree = checkout.copy(folder / 'tree')
  run(sys.executable, 'setup.py', '--quiet', 'sdist', '--dist-dir', folder,
      cwd=tree)
  source, = folder.glob('pgak-*.tar.gz')
  run(sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', source,
      '--wheel-dir', folder, cwd=folder)
  shutil.rmtree(tree)
  wheel, = folder.glob('pgak-*.whl')
  return wheel


@pytest.fixture(name='environment', scope='module')
def install_wheel(wheel, tmp_path_factory):
  """Returns the folder of the programs of an environment with the wheel."""
  folder = tmp_path_factory.mktemp('environment')
  venv.create(folder, with_pip=True)
  run(folder / 'bin' / 'python', '-m', 'pip', 'install', '--quiet', '--no-deps',
      wheel, cwd=folder)
  packages, = folder.glob('lib/python*/site-packages')
  (packages / 'lent.pth').write_text(sysconfig.get_path('purelib') + '\n',
                                     encoding='utf-8')
  return folder / 'bin'


def test_wheel_holds_the_package_and_nothing_beside_it(wheel):
  names = zipfile.ZipFile(wheel).namelist()
  assert {name.split('/')[0].split('-')[0] for name in names} == {'pgak'}
  for folder, pattern in (('pgak', '*.py'), ('bin', '*.py'), ('gin', '*.gin'),
                          ('gin', '*.sweep')):
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
  assert where['stray'] == []
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
