"""The package says the same of itself everywhere, and requires what it imports.
"""
import importlib.metadata
import pathlib
import re
import runpy
import subprocess
import sys

import imports
import pytest
import setuptools
from packaging import requirements

ROOT = pathlib.Path(__file__).absolute().parent.parent
FIRST_SCREEN = 40

# Required, though no line of pgak imports it: TFDS imports the one, and the
# curves are looked at with the other.
NOT_IMPORTED = {'importlib_resources', 'tensorboard'}
OPTIONAL = {'ai_edge_litert', 'gradio', 'onnxruntime', 'optuna',
            'tensorflow_serving', 'tf2onnx'}


def read(name):
  """Returns the text of a file of the checkout."""
  return (ROOT / name).read_text(encoding='utf-8')


@pytest.fixture(name='setup')
def setup_arguments(monkeypatch):
  """Returns what `setup.py` tells setuptools."""
  told = {}
  monkeypatch.setattr(setuptools, 'setup', told.update)
  monkeypatch.chdir(ROOT)
  runpy.run_path(str(ROOT / 'setup.py'))
  return told


@pytest.fixture(name='targets')
def make_targets():
  """Returns the names of the Makefile's phony targets."""
  return set(re.search(r'^\.PHONY: (.*)', read('Makefile'), re.M)[1].split())


def test_versions_agree(setup):
  version = runpy.run_path(str(ROOT / 'pgak/version.py'))['__version__']
  assert setup['version'] == version
  newest = re.search(r'^## (\S+)', read('CHANGELOG.md'), re.M)
  assert newest and newest[1] == version


def test_first_screen_tells_how_to_start_and_to_test(targets):
  screen = '\n'.join(read('README.md').splitlines()[:FIRST_SCREEN])
  assert 'make quickstart' in screen and 'make test' in screen
  assert {'quickstart', 'test'} <= targets


def test_what_the_readme_names_exists(targets):
  text = read('README.md')
  for target in re.findall(r'(?:^|`)make ([a-z][a-z_-]*)', text, re.M):
    assert target in targets, f'make {target}'
  paths = r'(?<!venv/)\b((?:bin|docs|gin|tests)/[\w./-]+\w)'
  for path in re.findall(paths, text):
    assert (ROOT / path).exists(), path
  for name in re.findall(r'--gin_file=(\S+?\.gin)', text + read('Makefile')):
    assert (ROOT / 'gin' / name).exists(), name
  for path in re.findall(r'\]\((?!https?:|#)([^)#]+)', text):
    assert (ROOT / path).exists(), path


def test_make_lists_every_target(targets):
  listed = subprocess.run(['make', '--no-print-directory', 'help'], cwd=ROOT,
                          capture_output=True, text=True, check=True).stdout
  assert {line.split()[0] for line in listed.splitlines()} == targets


def test_make_refuses_an_old_python_in_one_sentence(tmp_path):
  old = tmp_path / 'python3.10'
  old.write_text('#!/bin/sh\nexit 1\n', encoding='utf-8')
  old.chmod(0o755)
  done = subprocess.run(
      ['make', 'install', f'PYTHON={old}', f'VENV={tmp_path / "venv"}'],
      cwd=ROOT, capture_output=True, text=True, check=False)
  assert done.returncode
  assert 'pgak needs Python 3.11 or newer' in done.stderr
  assert not (tmp_path / 'venv').exists()


def foreign_imports(*folders):
  """Returns the top-level names that the files import and are not our own."""
  imported = {
      item.name.split('.')[0]
      for folder in folders
      for path in (ROOT / folder).rglob('*.py')
      for item in imports.imports(
          path.read_text(encoding='utf-8'), path.relative_to(ROOT))}
  own = {'pgak', 'fixtures',
         *(path.stem for folder in ('benchmarks', 'docs/site', 'tests')
           for path in (ROOT / folder).glob('*.py'))}
  return imported - own - OPTIONAL - set(sys.stdlib_module_names)


def providers(name):
  """Returns the distributions from which a top-level name may come."""
  found = importlib.metadata.packages_distributions()[name]
  return {canonical(distribution) for distribution in found}


def canonical(name):
  return name.lower().replace('-', '_')


def names_of(lines):
  """Returns the names of the distributions in lines of requirements."""
  return {canonical(requirements.Requirement(line).name) for line in lines}


def test_every_import_is_required(setup):
  required = names_of(setup['install_requires'])
  used = set()
  for name in foreign_imports('bin', 'pgak'):
    assert providers(name) & required, f'setup.py does not require {name}'
    used |= providers(name)
  assert required - used <= NOT_IMPORTED


@pytest.mark.slow
def test_every_import_of_the_tests_is_required(setup):
  required = names_of(setup['install_requires']
                      + setup['extras_require']['test'])
  for name in foreign_imports('tests'):
    assert providers(name) & required, f'the extra test lacks {name}'


def test_installed_versions_are_in_the_required_ranges(setup):
  lines = setup['install_requires'] + setup['extras_require']['test']
  for requirement in map(requirements.Requirement, lines):
    installed = importlib.metadata.version(requirement.name)
    assert requirement.specifier.contains(installed), requirement


def test_extras_and_console_scripts(setup):
  assert set(setup['extras_require']) == {
      'demo', 'docs', 'gpu', 'onnx', 'search', 'serving', 'test', 'tflite'}
  assert setup['extras_require']['gpu'][0].startswith('tensorflow[and-cuda]')
  scripts = dict(line.split(' = ')
                 for line in setup['entry_points']['console_scripts'])
  for verb in ('train', 'evaluate', 'compare', 'sample', 'encode', 'export',
               'pack', 'report', 'sweep', 'list', 'demo'):
    assert scripts[f'pgak_{verb}'] == f'pgak.bin.{verb}:run'
    assert re.search(r'^def run\(', read(f'bin/{verb}.py'), re.M)


@pytest.mark.parametrize('verb', ['train', 'evaluate', 'compare', 'sample',
                                  'encode', 'export', 'pack', 'report',
                                  'sweep', 'list', 'demo'])
def test_console_scripts_resolve_here(verb, tmp_path):
  script = pathlib.Path(sys.prefix) / 'bin' / f'pgak_{verb}'
  if not script.exists():
    pytest.skip('pgak is not installed in this environment')
  done = subprocess.run([script, '--help'], cwd=tmp_path, capture_output=True,
                        text=True, check=False)
  assert not done.returncode and 'Traceback' not in done.stderr


def test_license_is_apache(setup):
  assert setup['license'] == 'Apache-2.0'
  assert 'Apache License\n' in read('LICENSE')
  assert 'END OF TERMS AND CONDITIONS' in read('LICENSE')


def test_every_room_is_a_package(setup):
  rooms = {path.parent.relative_to(ROOT).as_posix().replace('/', '.')
           for path in (ROOT / 'pgak').rglob('*.py')}
  assert rooms | {'pgak.bin', 'pgak.gin'} == set(setup['packages'])
