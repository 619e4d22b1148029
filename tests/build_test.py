"""Holds BUILD against the tree, and tries it with the real tools.

`buildifier` comes from npm and Bazel from Debian's `bazel-bootstrap`; where one
is not to be had, its test is skipped and says so.
"""
import os
import pathlib
import re
import shutil
import subprocess

import build_file
import pytest

ROOT = pathlib.Path(__file__).absolute().parent.parent
RULE = re.compile(r'^(py_\w+)\(\n    name = "([^"]+)"(.*?)^\)', re.M | re.S)

# Bazel 4.2 loads the rules of C++ and Java, and a coverage tool, before it runs
# any test, and would fetch them; native rules stand in for them, so that the
# test needs no network.
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
}
STOOD_IN_FOR = ('rules_cc', 'rules_java', 'rules_proto',
                'remote_coverage_tools')


def rules():
  """Returns `{path: (rule, name, body)}` of the file BUILD."""
  text = (ROOT / 'BUILD').read_text(encoding='utf-8')
  found = {}
  for kind, name, body in RULE.findall(text):
    path = next(path for path in (f'{name}.py', f'{name}/__init__.py')
                if f'"{path}"' in body)
    assert path not in found, f'{path} has two rules'
    found[path] = (kind, name, body)
  return found


def test_build_is_what_the_tree_says():
  written = (ROOT / 'BUILD').read_text(encoding='utf-8')
  assert written == build_file.render(), 'BUILD is stale: make build_file'


def test_every_module_binary_and_test_has_one_rule():
  on_disk = {path.relative_to(ROOT).as_posix()
             for folder in ('bin', 'pgak', 'tests')
             for path in (ROOT / folder).rglob('*.py')}
  found = rules()
  assert on_disk <= set(found)
  for path, (kind, _, _) in found.items():
    assert (kind == 'py_test') == path.endswith('_test.py'), path
  for verb in ('train', 'evaluate', 'sample', 'export', 'report', 'sweep'):
    assert found[f'bin/{verb}.py'][0] == 'py_binary'


def test_dependencies_are_what_a_file_imports():
  _, name, body = rules()['pgak/models/pga.py']
  assert name == 'pgak/models/pga'
  assert '":pgak/losses"' in body and '":pgak/models/base"' in body
  assert '":pgak/training"' not in body


def test_a_file_that_build_does_not_name_is_seen(tmp_path):
  tree = tmp_path / 'pgak'
  tree.mkdir()
  (tmp_path / 'conftest.py').write_text('', encoding='utf-8')
  (tree / 'errors.py').write_text('"""Errors."""\n', encoding='utf-8')
  before = build_file.render(tmp_path)
  (tree / 'more.py').write_text('import gin\nfrom pgak import errors\n',
                                encoding='utf-8')
  added = build_file.render(tmp_path).removeprefix(before)
  assert added == ('\n# From pip: gin.\npy_library(\n    name = "pgak/more",\n'
                   '    srcs = ["pgak/more.py"],\n'
                   '    deps = [":pgak/errors"],\n)\n')


@pytest.mark.slow
def test_buildifier_finds_nothing(tmp_path):
  command = [*buildifier(tmp_path), '--mode=check', '--lint=warn']
  subprocess.run([*command, 'BUILD', 'WORKSPACE'], cwd=ROOT, check=True)
  shutil.copy(ROOT / '.buildifier.json', tmp_path)
  (tmp_path / 'WORKSPACE').touch()
  (tmp_path / 'BUILD').write_text('py_library(name="a")\n', encoding='utf-8')
  bad = subprocess.run([*command, 'BUILD'], cwd=tmp_path, check=False)
  assert bad.returncode, 'buildifier sees no fault in a badly formatted file'


@pytest.mark.slow
def test_bazel_resolves_every_target_and_runs_the_layers_test(tmp_path):
  if not shutil.which('bazel'):
    pytest.skip('no bazel (Debian: apt-get install bazel-bootstrap)')
  stand_ins = write_stand_ins(tmp_path / 'stand_ins')
  bazel = Bazel(tmp_path / 'output')
  try:
    listed = set(bazel.run('query', '//...').split())
    bazel.run('test', '//:tests/layers_test', '--symlink_prefix=/',
              '--test_output=errors', '--nosandbox_debug', *(
                  f'--override_repository={name}={stand_ins}'
                  for name in STOOD_IN_FOR))
    log = bazel.test_log('tests/layers_test')
  finally:
    bazel.run('shutdown')
  assert {f'//:{name}' for _, name, _ in rules().values()} <= listed
  assert re.search(r'Ran \d\d tests', log) and log.rstrip().endswith('OK')


class Bazel:
  """Bazel on this checkout, with all that it writes in a folder of ours."""

  def __init__(self, folder):
    self.folder = folder

  def run(self, command, *arguments):
    """Returns what `bazel COMMAND` prints, or fails with what it said."""
    result = subprocess.run(
        ['bazel', f'--output_user_root={self.folder}', command, *arguments],
        cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=600, check=False)
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
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(content, encoding='utf-8')
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
