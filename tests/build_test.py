"""Holds the BUILD files against the tree, and tries them with the real tools.

`buildifier` comes from npm and Bazel from Debian's `bazel-bootstrap`; where one
is not to be had, its test is skipped and says so.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

import build_files
import checkout
import environments
import pytest

ROOT = checkout.ROOT
BINARIES = ('benchmark', 'compare', 'demo', 'encode', 'evaluate', 'export',
            'list', 'pack', 'report', 'sample', 'sweep', 'train')

# Debian's Bazel 4.2 knows no MODULE.bazel: the native rules stand in for those
# of rules_python. It also loads the rules of C++ and Java, and a coverage tool,
# before it runs any test, and would fetch them; the test needs no network.
STAND_INS = {
    'WORKSPACE': '',
    'BUILD': ('sh_binary(name = "coverage_report_generator", '
              'srcs = ["none.sh"], visibility = ["//visibility:public"])'),
    'none.sh': '#!/bin/sh\n',
    'cc/BUILD': '',
    'cc/defs.bzl': ('cc_binary', 'cc_library', 'cc_test', 'cc_toolchain',
                    'cc_toolchain_suite'),
    'java/BUILD': '',
    'java/defs.bzl': ('java_binary', 'java_import', 'java_runtime',
                      'java_toolchain'),
    'proto/BUILD': '',
    'proto/defs.bzl': ('proto_library',),
    'python/BUILD': '',
    'python/defs.bzl': ('py_binary', 'py_library', 'py_test'),
}
STOOD_IN_FOR = ('rules_cc', 'rules_java', 'rules_proto', 'rules_python',
                'remote_coverage_tools')

# A small tree: two folders, their ground, a binary and the tests of a folder.
LOAD = 'load("//:pgak.bzl", "pgak_library", "pgak_tests")\n'
LOAD_BINARY = 'load("@rules_python//python:defs.bzl", "py_binary")\n'
TREE = {
    'BUILD': LOAD + 'pgak_library(name = "conftest", srcs = ["conftest.py"])',
    'conftest.py': 'import pytest\n',
    'pytest.ini': '',
    'bin/BUILD': LOAD + LOAD_BINARY + '''
pgak_library(name = "bin", exclude = ["train.py"], deps = [":train"])
py_binary(name = "train", srcs = ["train.py"], data = ["//gin"],
          deps = ["//pgak"])
''',
    'bin/__init__.py': '',
    'bin/train.py': 'from pgak import command\n',
    'gin/BUILD': 'filegroup(name = "gin", srcs = glob(["**/*.gin"]))',
    'gin/models/a.gin': '',
    'pgak/BUILD': LOAD + '''
pgak_library(name = "pgak", srcs = ["__init__.py", "command.py"],
             deps = [":ground", "//pgak/data", "//pgak/models"])
pgak_library(name = "ground", exclude = ["__init__.py", "command.py"])
''',
    'pgak/__init__.py': '',
    'pgak/command.py': 'def late():\n  from pgak import errors\n',
    'pgak/errors.py': 'import sys\n',
    'pgak/data/BUILD': LOAD + (
        'pgak_library(name = "data", deps = ["//pgak:ground"])'),
    'pgak/data/__init__.py': 'from pgak.data import kinds\n',
    'pgak/data/kinds.json': '{}',
    'pgak/data/kinds.py': 'from pgak import errors\n',
    'pgak/models/BUILD': LOAD + (
        'pgak_library(name = "models", deps = ["//pgak/data"])'),
    'pgak/models/__init__.py': 'from pgak.data.kinds import Kind\n',
    'tests/BUILD': LOAD + (
        'pgak_library(name = "tests", exclude = ["run_pytest.py"], '
        'testonly = True, deps = ["//bin"])'),
    'tests/run_pytest.py': 'import pytest\n',
    'tests/tiny.py': 'from pgak.bin import train\n',
    'tests/data/BUILD': LOAD + (
        'pgak_tests(name = "data_tests", alone = ["b_test.py"], '
        'deps = ["//pgak/data", "//tests"])'),
    'tests/data/a_test.py': 'import tiny\nfrom pgak import data\n',
    'tests/data/b_test.py': 'import unittest\nunittest.main()\n',
}


@pytest.fixture(name='tree')
def make_tree(tmp_path):
  """Returns the folder of the small tree, with the macros of the real one."""
  for path, text in TREE.items():
    write(tmp_path / path, text)
  shutil.copy(ROOT / 'pgak.bzl', tmp_path)
  return tmp_path


@pytest.fixture(name='targets', scope='module')
def read_targets():
  return build_files.read(ROOT)


def write(path, text):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(text, encoding='utf-8')


def faults(root):
  """Returns what the checkers say of a tree, in one list."""
  targets, files = build_files.read(root), build_files.python_files(root)
  return [*build_files.homeless(targets, files),
          *build_files.missing(targets, files),
          *build_files.needless(targets, files),
          *build_files.circles(targets)]


# === The checkers ===


def test_the_small_tree_is_read_as_it_is(tree):
  targets = build_files.read(tree)
  test = targets['//tests/data:a_test']
  assert test.kind == 'py_test' and test.main == build_files.RUNNER
  assert test.deps == ('//pgak/data:data', '//tests:tests', '//:conftest')
  assert targets['//tests/data:b_test'].main == '//tests/data:b_test.py'
  assert build_files.runfiles(targets, '//bin:train') == {
      'bin/train.py', 'gin/models/a.gin', 'pgak/__init__.py', 'pgak/command.py',
      'pgak/data/__init__.py', 'pgak/data/kinds.json', 'pgak/data/kinds.py',
      'pgak/errors.py', 'pgak/models/__init__.py'}
  assert build_files.runfiles(targets, '//tests:files') == {
      'tests/BUILD', 'tests/run_pytest.py', 'tests/tiny.py'}
  assert not faults(tree)


@pytest.mark.parametrize('path, text, told', [
    # A file in no target, one that is not there, and one in two.
    ('pgak/metrics/a.py', '', ['pgak/metrics/a.py is in 0 targets []']),
    ('pgak/data/BUILD', TREE['pgak/data/BUILD'].replace(
        'deps', 'srcs = ["__init__.py", "kinds.py", "gone.py"], deps'),
     ["pgak/data/gone.py is no file of ['//pgak/data:data']"]),
    ('bin/BUILD', TREE['bin/BUILD'].replace('exclude = ["train.py"], ', ''),
     ["bin/train.py is in 2 targets ['//bin:bin', '//bin:train']",
      '//bin:bin lacks //pgak:pgak, which bin/train.py:1 imports']),
    # An import that no target stands for: of another folder, of a folder's
    # tests, of a binary, and of pytest.
    ('pgak/models/vae.py', 'def late():\n  import pgak.errors\n',
     ['//pgak/models:models lacks //pgak:ground, which '
      'pgak/models/vae.py:2 imports']),
    ('tests/data/b_test.py', 'from pgak import models\nunittest.main()\n',
     ['//tests/data:b_test lacks //pgak/models:models, which '
      'tests/data/b_test.py:1 imports']),
    ('tests/data/a_test.py', 'import tiny\nfrom pgak import data\n'
     'from pgak.bin import train\n',
     ['//tests/data:a_test lacks //bin:bin, which '
      'tests/data/a_test.py:3 imports']),
    # A folder that the whole package leaves out.
    ('pgak/priors/BUILD', LOAD + 'pgak_library(name = "priors", srcs = [])',
     ['//pgak:pgak lacks //pgak/priors:priors, which is below '
      'pgak/__init__.py']),
    # What nothing imports, in a library and in all tests of a folder.
    ('pgak/models/__init__.py', 'import math\n',
     ['//pgak/models:models does not need //pgak/data:data']),
    ('tests/data/a_test.py', 'import pgak.data\n',
     ['//tests/data:a_test does not need //tests:tests',
      '//tests/data:b_test does not need //tests:tests']),
])
def test_a_fault_is_seen(tree, path, text, told):
  write(tree / path, text)
  assert faults(tree) == told


def test_a_circle_is_seen(tree):
  write(tree / 'pgak/errors.py', 'from pgak import models\n')
  build = tree / 'pgak/BUILD'
  build.write_text(build.read_text(encoding='utf-8').replace(
      '"command.py"])\n', '"command.py"], deps = ["//pgak/models"])\n'),
      encoding='utf-8')
  assert faults(tree) == [
      '//pgak:ground', '//pgak/data:data', '//pgak/models:models']


# === The tree ===


def test_each_file_is_in_one_target_and_dependencies_are_the_imports():
  assert not faults(ROOT)


def test_the_checkout_is_whole(targets):
  listed = build_files.runfiles(targets, '//:checkout')
  folders = '|'.join(build_files.FOLDERS)
  tracked = subprocess.run(['git', 'ls-files'], cwd=ROOT, text=True,
                           capture_output=True, check=False)
  if tracked.returncode:
    pytest.skip('no checkout of git')
  left = [path for path in tracked.stdout.splitlines() if path not in listed
          and re.match(f'({folders})/', path) and (ROOT / path).exists()]
  assert left == ['gin/BUILD']


def test_what_pytest_does_not_run_ends_by_running_itself(targets):
  for target in targets.values():
    if target.kind == 'py_test':
      path, = target.sources
      source = (ROOT / path).read_text(encoding='utf-8')
      alone = target.main != build_files.RUNNER
      assert alone == source.endswith('unittest.main()\n'), path


def test_bin_has_a_binary_for_each_command(targets):
  assert sorted(t.label for t in targets.values() if t.kind == 'py_binary'
                and t.package == 'bin') == [f'//bin:{v}' for v in BINARIES]


# === What Bazel lays out, run without pgak in the environment ===


@pytest.fixture(name='python', scope='module')
def make_environment(tmp_path_factory):
  """Returns a Python with pip's packages, and without pgak."""
  folder = tmp_path_factory.mktemp('environment')
  python = environments.make(folder) / 'python'
  lacks = subprocess.run([python, '-c', 'import gin, pgak'], cwd=folder,
                         capture_output=True, text=True, check=False)
  assert "No module named 'pgak'" in lacks.stderr
  return [python]


@pytest.fixture(name='laid_out')
def make_laid_out(python, targets, tmp_path):
  """Returns a function that lays out a target's files and runs one of them.

  They are links, as Bazel's are, here to files of which each is alone in its
  folder, so that what follows a link finds nothing beside the file.
  """
  def call(label, *words, interpreter=python, path=('.',)):
    for i, file in enumerate(sorted(build_files.runfiles(targets, label))):
      stored = tmp_path / 'stored' / str(i) / pathlib.Path(file).name
      link = tmp_path / 'files' / file
      for folder in (stored.parent, link.parent):
        folder.mkdir(parents=True, exist_ok=True)
      shutil.copy(ROOT / file, stored)
      link.symlink_to(stored)
    return subprocess.run(
        [*interpreter, *words], cwd=tmp_path, capture_output=True, text=True,
        timeout=600, check=False,
        env={**environment(), 'PYTHONPATH': os.pathsep.join(
            str(tmp_path / 'files' / folder) for folder in path)})
  return call


@pytest.mark.parametrize('verb', BINARIES)
def test_a_binary_starts_from_its_own_files(laid_out, verb):
  done = laid_out(f'//bin:{verb}', f'files/bin/{verb}.py', '--help')
  assert 'flags:\n' in done.stdout and not done.stderr


def test_the_layers_test_needs_nothing_from_pip(laid_out):
  """Python without its folder of packages (-S) runs it."""
  done = laid_out('//tests:layers_test', 'files/tests/layers_test.py',
                  interpreter=[sys.executable, '-S'], path=('.', 'tests'))
  assert done.stderr.endswith('\nOK\n'), done


@pytest.mark.slow
def test_train_has_all_that_it_imports_and_reads(laid_out, tmp_path):
  done = laid_out('//bin:train', 'files/bin/train.py', '--run_dir=run',
                  '--gin_file=quickstart.gin', '--gin_param=train.steps = 2')
  assert not done.returncode, done
  assert list(tmp_path.glob('run/checkpoints/step-*2'))


@pytest.mark.slow
def test_sweep_starts_the_commands_beside_it(laid_out, tmp_path):
  write(tmp_path / 'it.sweep', textwrap.dedent('''
      sweep.gin_files = ['quickstart.gin']
      sweep.cells = {'ae': ['models/ae.gin']}
      sweep.bindings = ['train.steps = 2', 'classifier.steps = 2']
      sweep.evaluations = [{'protocol': 'quick', 'num_samples': 70}]
  '''))
  done = laid_out('//bin:sweep', 'files/bin/sweep.py', '--sweep=it.sweep',
                  '--output_dir=out')
  assert not done.returncode, done
  assert (tmp_path / 'out/ae/seed-0/scores.csv').exists()


@pytest.mark.slow
@pytest.mark.parametrize('label', ['//tests/bin:sweep_test',
                                   '//tests/pictures:charts_test'])
def test_a_test_imports_what_its_target_holds(laid_out, label):
  path = label[2:].replace(':', '/')
  done = laid_out(label, 'files/tests/run_pytest.py', '--collect-only',
                  '--quiet', f'files/{path}.py')
  assert not done.returncode, done
  assert f'{path}.py::test_' in done.stdout


# === The real tools ===


@pytest.mark.slow
def test_buildifier_finds_nothing(tmp_path):
  command = [*buildifier(tmp_path), '--mode=check', '--lint=warn']
  paths = [path for pattern in ('BUILD', '*.bzl', '*.bazel')
           for path in [*ROOT.glob(pattern), *(
               path for folder in build_files.FOLDERS
               for path in (ROOT / folder).rglob(pattern))]]
  assert ROOT / 'pgak.bzl' in paths and ROOT / 'pgak/data/BUILD' in paths
  subprocess.run([*command, *paths], cwd=ROOT, check=True)
  write(tmp_path / 'BUILD', 'filegroup(name="a")\n')
  bad = subprocess.run([*command, 'BUILD'], cwd=tmp_path, check=False)
  assert bad.returncode, 'buildifier sees no fault in a badly formatted file'


@pytest.mark.slow
def test_bazel_knows_every_target_and_runs_two(tmp_path, targets):
  if not shutil.which('bazel'):
    pytest.skip('no bazel (Debian: apt-get install bazel-bootstrap)')
  bazel = Bazel(tmp_path)
  try:
    listed = set(bazel.run('query', '//...').split())
    bazel.run('test', '//tests:layers_test', '--test_output=errors',
              '--nosandbox_debug')
    log = bazel.test_log('tests/layers_test')
    told = bazel.run('run', '//bin:train', '--', '--help')
  finally:
    bazel.run('shutdown')
  assert listed == {label.removesuffix(':BUILD') for label in targets}
  assert re.search(r'Ran \d\d tests', log) and log.rstrip().endswith('OK')
  assert '--gin_file:' in told


class Bazel:
  """Bazel on a copy of this checkout, with all that it writes in our folder."""

  def __init__(self, folder):
    self.folder = folder
    self.tree = checkout.copy(folder / 'tree')
    write(self.tree / 'WORKSPACE', '')
    stand_ins = write_stand_ins(folder / 'stand_ins')
    self._overrides = [f'--override_repository={name}={stand_ins}'
                       for name in STOOD_IN_FOR]

  def run(self, command, *arguments):
    """Returns what `bazel COMMAND` prints, or fails with what it said."""
    overrides = self._overrides if command != 'shutdown' else []
    result = subprocess.run(
        ['bazel', f'--output_user_root={self.folder / "output"}', command,
         *overrides, *arguments],
        cwd=self.tree, capture_output=True, text=True, timeout=600, check=False,
        # The first python3 of the path runs what Bazel runs.
        env={**environment(), 'PATH': os.pathsep.join([
            str(pathlib.Path(sys.executable).parent), os.environ['PATH']])})
    assert not result.returncode, (result.stdout + result.stderr)[-4000:]
    return result.stdout

  def test_log(self, target):
    """Returns what the test printed when Bazel ran it."""
    logs = list(self.folder.glob(f'**/testlogs/{target}/test.log'))
    assert len(logs) == 1, logs
    return logs[0].read_text(encoding='utf-8')


def environment():
  """Returns the environment without what leads Python to our own modules."""
  return {name: value for name, value in os.environ.items()
          if name != 'PYTHONPATH'}


def write_stand_ins(folder):
  """Writes the repository that stands in for the rules not used here."""
  for path, content in STAND_INS.items():
    if not isinstance(content, str):
      content = '\n'.join(f'{name} = native.{name}' for name in content)
    write(folder / path, content)
  (folder / 'none.sh').chmod(0o755)
  return folder


def buildifier(folder):
  """Returns the command of a buildifier: the machine's, or npm's, or a skip."""
  if shutil.which('buildifier'):
    return ['buildifier']
  if not (shutil.which('npm') and shutil.which('node')):
    pytest.skip('neither buildifier nor npm to install it with')
  installed = subprocess.run(
      ['npm', 'install', '--prefix', folder, '@bazel/buildifier@8'],
      capture_output=True, text=True, timeout=300, check=False)
  if installed.returncode:
    pytest.skip(f'npm cannot install buildifier: {installed.stderr[-300:]}')
  return [str(folder / 'node_modules' / '.bin' / 'buildifier')]
