"""The laws of the code base, read from its imports.

A room imports only rooms of a lower level; each of a few dependencies has one
room; a module is small, documented and says what it offers. Standard library
only: Bazel runs this file without pip's packages.
"""
import ast
import pathlib
import re
import sys
import unittest

import imports

ROOT = pathlib.Path(__file__).absolute().parent.parent

LEVELS = {
    # Files at the top, and the settings, which import no other folder.
    -3: ('errors', 'version'),
    -2: ('files', 'interruption', 'settings'),
    -1: ('batches', 'capabilities', 'counts', 'losses', 'noise', 'optimizers',
         'replicas', 'schedules'),
    # uint8 pictures.
    0: ('pictures',),
    # Data sets and their kinds.
    1: ('data',),
    # Parts: each is made without knowing the others.
    2: ('networks', 'priors'),
    # What is made of the parts, and how images are measured.
    3: ('metrics', 'models'),
    # What a run directory holds.
    4: ('runs',),
    # What is drawn from a trained model.
    5: ('generation',),
    # The verbs.
    6: ('evaluation', 'reporting', 'serving', 'sweeping', 'training'),
    # What knows all of them.
    7: ('catalogue', 'command', 'registry'),
    8: ('functions',),
    9: ('__init__',),
}
LEVEL_OF = {room: level for level, rooms in LEVELS.items() for room in rooms}
MAXIMUM_FOLDERS = 14
MAXIMUM_ARROWS = 40
MAXIMUM_FILES_AT_THE_TOP = 17

# A dependency and the rooms that alone may import it.
OWNERS = {
    'absl.flags': ('command',),
    'absl.app': (),
    'tensorflow_datasets': ('data',),
    'tensorflow_probability': ('models', 'priors'),
    'tensorflow_serving': ('serving',),
}
MAXIMUM_LINES = 400
MAXIMUM_COLUMNS = 80


def room_of(path):
  """Returns the room of a path such as `pgak/data/mnist.py`: `data`."""
  return pathlib.PurePosixPath(path).with_suffix('').parts[1]


def layer_breaches(source, path):
  """Returns a sentence for each import that goes sideways or up."""
  room = room_of(path)
  if room not in LEVEL_OF:
    return [f'{path}: the room {room} has no level in LEVELS']
  breaches = []
  for item in imports.imports(source, path):
    parts = item.name.split('.')
    if parts[0] != 'pgak' or len(parts) == 1 or parts[1] == room:
      continue
    if LEVEL_OF.get(parts[1], 99) >= LEVEL_OF[room]:
      breaches.append(f'{path}:{item.line}: {room} imports {item.name}')
  return breaches


def owner_breaches(source, path):
  """Returns a sentence for each import that belongs to other rooms."""
  return [
      f'{path}:{item.line}: imports {item.name}, which only {rooms} may'
      for item in imports.imports(source, path)
      for dependency, rooms in OWNERS.items()
      if f'{item.name}.'.startswith(f'{dependency}.')
      and room_of(path) not in rooms]


def binary_breaches(source, path):
  """Returns a sentence for each slow import at the top of a binary."""
  allowed = {'absl', *sys.stdlib_module_names}
  return [f'{path}:{item.line}: imports {item.name} before the flags are read'
          for item in imports.imports(source, path)
          if item.top_level and item.name.split('.')[0] not in allowed
          and item.name not in ('pgak.command', 'pgak.version.__version__')]


def loaded_at_start(files):
  """Returns the paths, of `{path: source}`, that starting a binary imports."""
  loaded = {path for path, source in files.items()
            if path.startswith('bin/') and '__main__' in source}
  waiting = list(loaded)
  while waiting:
    path = waiting.pop()
    for item in imports.imports(files[path], path):
      path_of = item.name.replace('.', '/').replace('pgak/bin/', 'bin/')
      for other in (f'{path_of}.py', 'pgak/__init__.py'):
        if item.top_level and other in files and other not in loaded:
          loaded.add(other)
          waiting.append(other)
  return loaded


def arrows(files):
  """Returns the imports between folders, `{(folder, other): [sentences]}`.

  The settings stand with the files at the top, which every folder may import.
  """
  folders = {room_of(path) for path in files if path.count('/') > 1}
  found = {}
  for path, source in files.items():
    for item in imports.imports(source, path):
      pair = room_of(path), (item.name.split('.') + [''])[1]
      if (item.name.startswith('pgak.') and pair[0] != pair[1]
          and folders.issuperset(pair) and 'settings' not in pair):
        found.setdefault(pair, []).append(f'{path}:{item.line}')
  return found


def private_breaches(files):
  """Returns a sentence for each use of a name that a module does not offer.

  Args:
    files: `{path: source}` of the modules that are used and of their users.
  """
  offered = {imports.module_name(path): offers(source)
             for path, source in files.items()}
  breaches = []
  for path, source in files.items():
    tree = ast.parse(source)
    modules = imported_modules(tree, path, offered)
    for node in ast.walk(tree):
      if (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
          and node.value.id in modules):
        module = modules[node.value.id]
        if not (node.attr in offered[module]
                or f'{module}.{node.attr}' in offered
                or node.attr.startswith('__')):
          breaches.append(f'{path}:{node.lineno}: {module}.{node.attr}')
  return breaches


def offers(source):
  """Returns the names of a module's `__all__`."""
  for node in ast.parse(source).body:
    if (isinstance(node, ast.Assign)
        and getattr(node.targets[0], 'id', '') == '__all__'):
      return ast.literal_eval(node.value)
  return []


def imported_modules(tree, path, known):
  """Returns `{local name: module}` of the known modules that a file imports."""
  return {alias.asname or alias.name: f'{node.module}.{alias.name}'
          for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
          for alias in node.names if f'{node.module}.{alias.name}' in known}


def size_breaches(source, path):
  """Returns a sentence for a file that is too long."""
  number = len(source.splitlines())
  return ([f'{path}: {number} lines: two things in one file?']
          if number > MAXIMUM_LINES else [])


def shape_breaches(source, path):
  """Returns a sentence for each fault in a module's first lines."""
  tree = ast.parse(source)
  breaches = []
  if not ast.get_docstring(tree):
    breaches.append(f'{path}: no docstring')
  if '__all__' not in assigned_names(tree):
    breaches.append(f'{path}: no __all__')
  return breaches


def assigned_names(tree):
  """Returns the names that a module assigns at its top."""
  return {target.id for node in tree.body if isinstance(node, ast.Assign)
          for target in node.targets if isinstance(target, ast.Name)}


def sources(*folders):
  """Returns `(path, text)` of each Python file below the folders."""
  return [(path.relative_to(ROOT).as_posix(), path.read_text(encoding='utf-8'))
          for folder in folders
          for path in sorted((ROOT / folder).rglob('*.py'))]


class CheckersTest(unittest.TestCase):
  """Each checker sees the fault that it is for."""

  def test_imports_of_every_form(self):
    source = ('import os.path\n'
              'from pgak import losses, noise\n'
              'from . import base\n'
              'from ..data import mnist\n'
              'def later():\n'
              '  import gin\n'
              '  return importlib.import_module("pgak.training")\n')
    found = imports.imports(source, 'pgak/models/pga.py')
    self.assertEqual(
        [(item.name, item.top_level) for item in found],
        [('os.path', True), ('pgak.losses', True), ('pgak.noise', True),
         ('pgak.models.base', True), ('pgak.data.mnist', True),
         ('gin', False), ('pgak.training', False)])

  def test_an_import_of_a_higher_room_is_seen(self):
    source = 'def late():\n  from pgak import training\n'
    self.assertEqual(layer_breaches(source, 'pgak/models/base.py'),
                     ['pgak/models/base.py:2: models imports pgak.training'])
    self.assertEqual(layer_breaches(source, 'pgak/__init__.py'), [])

  def test_an_import_of_the_same_level_is_seen(self):
    source = 'from pgak.data import mnist\n'
    self.assertTrue(layer_breaches(source, 'pgak/pictures/png.py'))
    self.assertFalse(layer_breaches(source, 'pgak/data/celeb_a.py'))
    source = 'from pgak import priors\n'
    self.assertTrue(layer_breaches(source, 'pgak/networks/mlp.py'))

  def test_a_room_without_a_level_is_seen(self):
    self.assertTrue(layer_breaches('', 'pgak/attic.py'))

  def test_a_foreign_dependency_is_seen(self):
    self.assertTrue(owner_breaches('from absl import flags\n',
                                   'pgak/training.py'))
    self.assertTrue(owner_breaches('import tensorflow_datasets as tfds\n',
                                   'pgak/models/base.py'))
    self.assertFalse(owner_breaches('import tensorflow_datasets as tfds\n',
                                    'pgak/data/mnist.py'))
    self.assertFalse(owner_breaches('from absl import logging\n',
                                    'pgak/training.py'))

  def test_a_slow_import_in_a_binary_is_seen(self):
    source = ('import sys\nfrom absl import app\n'
              'from pgak import command\ndef main():\n  import gin\n')
    self.assertFalse(binary_breaches(source, 'bin/train.py'))
    self.assertTrue(binary_breaches('import gin\n', 'bin/train.py'))
    self.assertTrue(binary_breaches('try:\n  import keras\nfinally:\n  pass',
                                    'bin/train.py'))

  def test_what_a_binary_loads_at_its_start_is_followed(self):
    files = {
        'bin/train.py': ('from pgak import flags_of\ndef main():\n'
                         '  from pgak import later\n# __main__'),
        'pgak/__init__.py': '', 'pgak/flags_of.py': 'import keras\n',
        'pgak/later.py': 'import keras\n'}
    self.assertEqual(
        loaded_at_start(files),
        {'bin/train.py', 'pgak/__init__.py', 'pgak/flags_of.py'})

  def test_arrows_are_counted_once(self):
    found = arrows({'pgak/models/vae.py': 'from pgak.data import kinds\n'
                                          'from pgak import data, losses\n',
                    'pgak/data/kinds.py': 'from pgak.settings import kinds\n'})
    self.assertEqual(found, {('models', 'data'): [
        'pgak/models/vae.py:1', 'pgak/models/vae.py:2']})

  def test_a_private_name_of_another_module_is_seen(self):
    files = {'pgak/losses.py': "__all__ = ['kl']\n",
             'pgak/data/__init__.py': '__all__ = []\n',
             'pgak/data/a.py': '__all__ = []\n'}
    used = {'pgak/b.py': 'from pgak import data, losses as l\n'
                         'l.kl + l.__name__ + l._kl + l.mse + data.a\n'}
    self.assertEqual(private_breaches(files | used), [
        'pgak/b.py:2: pgak.losses.mse', 'pgak/b.py:2: pgak.losses._kl'])

  def test_a_shapeless_module_is_seen(self):
    self.assertEqual(len(shape_breaches('pass\n', 'pgak/a.py')), 2)
    self.assertFalse(shape_breaches('"""A."""\n__all__ = []\n', 'pgak/a.py'))

  def test_a_long_file_is_seen(self):
    self.assertTrue(size_breaches('pass\n' * 401, 'tests/a_test.py'))
    self.assertFalse(size_breaches('pass\n' * 400, 'tests/a_test.py'))


class LawsTest(unittest.TestCase):
  """The tree keeps the laws."""

  def assert_none(self, breaches):
    self.assertFalse(breaches, '\n' + '\n'.join(breaches))

  def check(self, checker, *folders):
    files = sources(*folders)
    self.assertTrue(files)
    self.assert_none([
        breach for path, text in files for breach in checker(text, path)])

  def test_a_room_imports_only_rooms_of_a_lower_level(self):
    self.check(layer_breaches, 'pgak')

  def test_there_are_few_folders_and_few_arrows_between_them(self):
    files = dict(sources('pgak'))
    folders = {room_of(path) for path in files if path.count('/') > 1}
    self.assertLessEqual(len(folders), MAXIMUM_FOLDERS, folders)
    self.assertLessEqual(len(arrows(files)), MAXIMUM_ARROWS, arrows(files))
    top = [path for path in files if path.count('/') == 1]
    self.assertLessEqual(len(top), MAXIMUM_FILES_AT_THE_TOP, top)
    self.assertEqual(folders | {room_of(path) for path in top},
                     set(LEVEL_OF))

  def test_a_module_uses_what_others_offer(self):
    self.assert_none(private_breaches(dict(sources('pgak', 'bin'))))

  def test_the_check_of_an_export_imports_nothing_of_ours(self):
    path = 'pgak/serving/check.py'
    source = (ROOT / path).read_text(encoding='utf-8')
    self.assert_none([item.name for item in imports.imports(source, path)
                      if item.name.startswith('pgak')])

  def test_each_dependency_stays_in_its_rooms(self):
    self.check(owner_breaches, 'pgak')

  def test_binaries_import_nothing_slow_before_their_flags_are_read(self):
    files = dict(sources('bin', 'pgak'))
    loaded = loaded_at_start(files)
    self.assertIn('bin/train.py', loaded)
    self.assert_none([breach for path in sorted(loaded)
                      for breach in binary_breaches(files[path], path)])

  def test_modules_are_documented_and_say_what_they_offer(self):
    self.check(shape_breaches, 'pgak')

  def test_files_are_small(self):
    self.check(size_breaches, 'benchmarks', 'bin', 'docs', 'pgak', 'tests')

  def test_lines_fit_in_80_columns(self):
    self.assert_none([
        f'{path}:{number}: {len(line)} columns'
        for path, text in sources('bin', 'pgak', 'tests')
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > MAXIMUM_COLUMNS])

  def test_nothing_is_called_utils(self):
    named = re.compile(r'(^|_)(utils?|helpers?|misc)(_|\.|$)')
    self.assert_none([
        str(path.relative_to(ROOT))
        for folder in ('bin', 'gin', 'pgak', 'tests')
        for path in sorted((ROOT / folder).rglob('*'))
        if named.search(path.name)])

  def test_the_gin_folder_is_no_package(self):
    self.assert_none([str(path) for path in (ROOT / 'gin').rglob('*.py')])


if __name__ == '__main__':
  unittest.main()
