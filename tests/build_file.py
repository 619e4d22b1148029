"""Writes the text of `BUILD` from the tree: `make build_file` renews it.

Every module is a `py_library`, every binary a `py_binary` and every test a
`py_test`, named after its path; their dependencies are what they import. What
comes from pip is a comment, because it comes from the environment.
"""
import pathlib
import sys

import imports

__all__ = ['FOLDERS', 'python_files', 'render']

ROOT = pathlib.Path(__file__).absolute().parent.parent
FOLDERS = ('benchmarks', 'bin', 'pgak', 'tests')
RUNNER = 'tests/run_pytest'

HEADER = '''\
# Written by tests/build_file.py (make build_file), held by tests/build_test.py.
# The rules are native ones and WORKSPACE is empty (.buildifier.json lets that
# pass): what comes from pip is only named here, in comments.

package(default_visibility = ["//visibility:public"])

licenses(["notice"])

filegroup(
    name = "gin",
    srcs = glob([
        "gin/**/*.gin",
        "gin/**/*.sweep",
    ]),
)

filegroup(
    name = "checkout",
    srcs = glob([
        "*",
        ".ci/*",
        "bin/**",
        "docs/**",
        "gin/**",
        "pgak/**",
        "tests/**",
    ]),
)
'''


def render(root=ROOT):
  """Returns the text of `BUILD` for the tree at `root`."""
  files = python_files(root)
  return '\n'.join([HEADER, *(_rule(root, path, files) for path in files)])


def python_files(root=ROOT):
  """Returns the paths of the Python files, relative to `root` and sorted."""
  found = [path for folder in FOLDERS for path in (root / folder).rglob('*.py')]
  return sorted(['conftest.py', *(
      path.relative_to(root).as_posix() for path in found)])


def _kind(path, source):
  if path.endswith('_test.py'):
    return 'py_test'
  if path.startswith(('benchmarks/', 'bin/')) and '__main__' in source:
    return 'py_binary'
  return 'py_library'


def _target(path):
  return imports.module_name(path).replace('.', '/')


def _rule(root, path, files):
  """Returns the rule of one file, with a comment of what it needs from pip."""
  source = (root / path).read_text(encoding='utf-8')
  deps, from_pip = _dependencies(source, path, files)
  attributes = [('name', _target(path))]
  kind = _kind(path, source)
  if path.startswith('tests/') or path == 'conftest.py':
    attributes.append(('testonly', True))
  attributes.append(('srcs', [path]))
  if kind == 'py_binary':
    attributes.append(('data', [':gin']))
  if kind == 'py_test':
    attributes = _test_attributes(root, path, source)
    if not _runs_itself(source):
      deps.update([':conftest', f':{RUNNER}'])
      from_pip.add('pytest')
  attributes.append(('deps', sorted(deps)))
  return _format(kind, attributes, from_pip)


def _test_attributes(root, path, source):
  """Returns the attributes of a test: its own `main`, or pytest's."""
  mirrored = (root / 'pgak' / path.removeprefix('tests/').replace(
      '_test.py', '.py')).exists()
  name = ('name', _target(path))
  size = ('size', 'large' if 'mark.slow' in source else 'medium')
  data = ('data', ['pytest.ini', ':gin'] if mirrored else [':checkout'])
  if _runs_itself(source):
    return [name, size, ('srcs', [path]), data]
  runner = f'{RUNNER}.py'
  return [name, size, ('srcs', sorted([path, runner])), ('args', [path]), data,
          ('main', runner)]


def _runs_itself(source):
  return 'unittest.main()' in source


def _dependencies(source, path, files):
  """Returns `(labels, names from pip)` of all that a file imports."""
  labels, from_pip = set(), set()
  known = {imports.module_name(name): name for name in files}
  for item in imports.imports(source, path):
    first = item.name.split('.')[0]
    target = _resolve(item.name, known)
    if target:
      labels.add(f':{_target(target)}')
    elif first not in sys.stdlib_module_names and first != 'pgak':
      from_pip.add(first)
  return labels - {f':{_target(path)}'}, from_pip


def _resolve(name, known):
  """Returns the file that `name`, or the module it is a part of, stands for."""
  name = f'bin.{name[9:]}' if name.startswith('pgak.bin.') else name
  for candidate in (name, name.rpartition('.')[0], f'tests.{name}'):
    if candidate in known:
      return known[candidate]
  return None


def _format(kind, attributes, from_pip):
  """Returns a rule as buildifier would lay it out."""
  lines = [f'# From pip: {", ".join(sorted(from_pip))}.'] if from_pip else []
  lines.append(f'{kind}(')
  for key, value in attributes:
    lines += _attribute(key, value)
  return '\n'.join([*lines, ')', ''])


def _attribute(key, value):
  """Returns the lines of one attribute; of none when it is an empty list."""
  if isinstance(value, bool):
    return [f'    {key} = {value},']
  if isinstance(value, str):
    return [f'    {key} = "{value}",']
  if len(value) < 2:
    return [f'    {key} = ["{item}"],' for item in value]
  return [f'    {key} = [', *(f'        "{item}",' for item in value), '    ],']


if __name__ == '__main__':
  (ROOT / 'BUILD').write_text(render(), encoding='utf-8')
