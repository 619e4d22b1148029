"""What the BUILD files say, and whether it is what the Python files import.

A BUILD file and the macros are read as the Python that they also are. Standard
library only.
"""
import dataclasses
import types

import imports

__all__ = ['FOLDERS', 'RUNNER', 'Target', 'circles', 'homeless', 'missing',
           'needless', 'python_files', 'read', 'runfiles']

FOLDERS = ('benchmarks', 'bin', 'docs', 'gin', 'pgak', 'tests')
RULES = ('py_binary', 'py_library', 'py_test')
# The main of all tests that need pytest, and what pytest itself imports.
RUNNER = '//tests:run_pytest.py'
CONFTEST = '//:conftest'


@dataclasses.dataclass(frozen=True)
class Target:
  """One rule of a BUILD file; labels are in full, such as //pgak/data:data.

  Attributes:
    label: its own.
    kind: name of the rule.
    srcs: labels.
    data: labels.
    deps: labels.
    main: label, or None.
  """
  label: str
  kind: str
  srcs: tuple = ()
  data: tuple = ()
  deps: tuple = ()
  main: str = None

  @property
  def package(self):
    """Path of its folder."""
    return self.label[2:].partition(':')[0]

  @property
  def sources(self):
    """Paths of its own Python files: what runs the tests is no one's own."""
    return [_path(label) for label in self.srcs
            if label.endswith('.py')
            and label != RUNNER]


def python_files(root):
  """Returns `{path: source}` of the files that need a target."""
  found = [path for folder in FOLDERS for path in (root / folder).rglob('*.py')]
  return {path.relative_to(root).as_posix(): path.read_text(encoding='utf-8')
          for path in sorted([root / 'conftest.py', *found])
          if '__pycache__' not in path.parts}


# === Reading ===


def read(root):
  """Returns `{label: Target}` of all BUILD files."""
  targets = {}
  for path in [root / 'BUILD', *sorted(
      path for folder in FOLDERS for path in (root / folder).rglob('BUILD'))]:
    _Package(root, path.parent, targets).read()
  return targets


class _Package:
  """One BUILD file while it is read."""

  def __init__(self, root, folder, targets):
    self.root, self.folder, self.targets = root, folder, targets
    name = folder.relative_to(root).as_posix()
    self.name = '' if name == '.' else name

  def read(self):
    """Adds its targets."""
    self._run(self.folder / 'BUILD', {
        'exports_files': lambda *_, **__: None,
        'filegroup': self._rule('filegroup'), 'glob': self.glob})

  def _run(self, path, names):
    def load(label, *wanted):
      if label.startswith('@rules_python//'):
        names.update({name: self._rule(name) for name in wanted})
      else:
        loaded = self._run(self.root / _path(self._label(label)), {
            'native': self._native()})
        names.update({name: loaded[name] for name in wanted})
    names['load'] = load
    # It is our own code.
    exec(compile(path.read_text(encoding='utf-8'), path, 'exec'), names)
    return names

  def _native(self):
    return types.SimpleNamespace(
        filegroup=self._rule('filegroup'), glob=self.glob,
        package_name=lambda: self.name, test_suite=self._rule('test_suite'),
        existing_rule=lambda name: self.targets.get(self._label(f':{name}')))

  def _rule(self, kind):
    def add(name, srcs=(), data=(), deps=(), main=None, **_):
      label = self._label(f':{name}')
      assert label not in self.targets, f'{label} is there twice'
      srcs, data, deps = (
          tuple(map(self._label, labels)) for labels in (srcs, data, deps))
      self.targets[label] = Target(
          label, kind, srcs, data, deps, main and self._label(main))
    return add

  def _label(self, text):
    if not text.startswith('//'):
      return f'//{self.name}:{text.removeprefix(":")}'
    return text if ':' in text else f'{text}:{text.rpartition("/")[2]}'

  def glob(self, include, exclude=(), **_):
    """Returns the files of the folder, not of the packages below it."""
    found = {path for pattern in include for path in self._matches(pattern)}
    for pattern in exclude:
      found -= set(self._matches(pattern))
    return sorted(found)

  def _matches(self, pattern):
    if pattern.endswith('**'):
      pattern += '/*'
    for path in self.folder.glob(pattern):
      package = next(p for p in path.parents if (p / 'BUILD').exists())
      if path.is_file() and package == self.folder:
        yield path.relative_to(self.folder).as_posix()


def _path(label):
  """Returns the path of a file's label."""
  return label[2:].replace(':', '/').lstrip('/')


def runfiles(targets, label):
  """Returns the paths of all files that Bazel lays out for a target."""
  found, waiting = set(), [label]
  while waiting:
    target = waiting.pop()
    if target not in found:
      found.add(target)
      waiting += _edges(targets, target)
  return {_path(label) for label in found - set(targets)}


def _edges(targets, label):
  target = targets.get(label)
  return target and [*target.srcs, *target.data, *target.deps] or []


# === Checking ===


def homeless(targets, files):
  """Returns a sentence for each file that has not exactly one target."""
  homes = {path: [] for path in files}
  for target in targets.values():
    if target.kind in RULES:
      for path in target.sources:
        homes.setdefault(path, []).append(target.label)
  return [f'{path} is no file of {labels}' if path not in files else
          f'{path} is in {len(labels)} targets {labels}'
          for path, labels in homes.items()
          if path not in files or len(labels) != 1 and path != _path(RUNNER)]


def missing(targets, files):
  """Returns a sentence for each target that lacks what its files import."""
  return [f'{label} lacks {dep}, which {why}'
          for label, needed in _needs(targets, files).items()
          for dep, why in needed.items() if dep not in targets[label].deps]


def needless(targets, files):
  """Returns a sentence for each dependency that nothing imports.

  The tests of a folder have their dependencies together.
  """
  needs, together = _needs(targets, files), {}
  for label, needed in needs.items():
    together.setdefault(_group(targets[label]), set()).update(needed)
  return [f'{label} does not need {dep}' for label in needs
          for dep in targets[label].deps
          if dep not in together[_group(targets[label])]]


def _group(target):
  return target.package if target.kind == 'py_test' else target.label


def _needs(targets, files):
  """Returns `{label: {label of a dependency: why}}` of all Python targets."""
  homes = {path: target for target in targets.values()
           if target.kind in RULES for path in target.sources}
  modules = _modules(files)
  return {label: _needs_of(target, targets, files, homes, modules)
          for label, target in targets.items() if target.kind in RULES}


def _needs_of(target, targets, files, homes, modules):
  needed = {}
  if target.kind == 'py_test':
    needed[CONFTEST] = 'pytest imports'
  for path in target.sources:
    for item in imports.imports(files.get(path, ''), path):
      home = homes.get(_resolve(item.name, modules))
      if home and home != target:
        needed[_offered_by(home, target, targets)] = (
            f'{path}:{item.line} imports')
    if path.endswith('__init__.py'):
      needed |= {label: f'is below {path}' for label in _below(target, targets)}
  return needed


def _below(target, targets):
  """Returns the libraries and binaries in and below a target's folder.

  Who takes a package may name all that is in it, and the registry imports by
  name.
  """
  return [t.label for t in targets.values()
          if f'{t.package}/'.startswith(f'{target.package}/')
          and t.kind in ('py_library', 'py_binary') and t != target]


def _offered_by(home, target, targets):
  """Returns the label of a target, of a binary's that of its folder's library.
  """
  library = f'//{home.package}:{home.package.rpartition("/")[2]}'
  aside = home.kind == 'py_binary' and home.package != target.package
  return library if aside and library in targets else home.label


def _modules(files):
  """Returns `{module: path}`, by each name under which a file is imported."""
  found = {}
  for path in files:
    name = imports.module_name(path)
    found[name] = path
    if name.partition('.')[0] == 'bin':
      found[f'pgak.{name}'] = path  # setup.py's name for it.
    # The pythonpath of pytest.ini.
    for folder in ('tests', 'benchmarks', 'docs.site'):
      if name.startswith(f'{folder}.'):
        found[name.removeprefix(f'{folder}.')] = path
  return found


def _resolve(name, modules):
  """Returns the path of the file that holds an imported name, or None."""
  while name and name not in modules:
    name = name.rpartition('.')[0]
  return modules.get(name)


def circles(targets):
  """Returns the targets that come back to themselves."""
  return [label for label in targets if _returns(label, targets)]


def _returns(start, targets):
  seen, waiting = set(), _edges(targets, start)
  while waiting:
    label = waiting.pop()
    if label == start:
      return True
    if label not in seen:
      seen.add(label)
      waiting = [*waiting, *_edges(targets, label)]
  return False
