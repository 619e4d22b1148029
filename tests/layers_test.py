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
    # What everything may raise or say.
    -2: ('errors', 'version'),
    -1: ('files', 'interruption', 'settings'),
    # Pure functions and values.
    0: ('batches', 'cache', 'charts', 'counts', 'gin_errors', 'images',
        'losses', 'noise', 'replicas', 'schedules'),
    # Nets that were trained elsewhere; what a request may ask for; files that
    # a user writes.
    1: ('bounds', 'gin_files', 'pretrained'),
    # Parts: each is made without knowing the others.
    2: ('data', 'metrics', 'networks', 'optimizers', 'priors'),
    # What is made of the parts, and what a run holds.
    3: ('clouds', 'conditional_endpoints', 'configuration', 'endpoints',
        'models', 'run_directory', 'sampling', 'served_model', 'strategies',
        'translation'),
    # What goes with a model through a run, and a density that is fitted to it.
    4: ('callbacks', 'densities'),
    # A model as the configuration describes it, with its checkpoint.
    5: ('checkpoints', 'galleries', 'latent_tools'),
    # How a run begins and goes on.
    6: ('resuming',),
    # The verbs.
    7: ('benchmarking', 'drawing', 'evaluation', 'reporting', 'serving',
        'serving_check', 'sweeping', 'training'),
    # What knows all of them.
    8: ('registry',),
    9: ('__init__',),
}
LEVEL_OF = {room: level for level, rooms in LEVELS.items() for room in rooms}

# A dependency and the rooms that alone may import it.
OWNERS = {
    'absl.flags': (),
    'absl.app': (),
    'tensorflow_datasets': ('data',),
    'tensorflow_probability': ('models', 'priors'),
    'tensorflow_serving': ('serving', 'serving_check'),
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
          and not item.name.startswith('pgak.bin.')]


def loaded_at_start(files):
  """Returns the paths, of `{path: source}`, that starting a binary imports."""
  loaded = {path for path, source in files.items() if '__main__' in source}
  waiting = list(loaded)
  while waiting:
    path = waiting.pop()
    for item in imports.imports(files[path], path):
      other = item.name.removeprefix('pgak.').replace('.', '/') + '.py'
      if item.top_level and other in files and other not in loaded:
        loaded.add(other)
        waiting.append(other)
  return loaded


def shape_breaches(source, path):
  """Returns a sentence for each fault in a module's size and its first lines.
  """
  tree = ast.parse(source)
  lines = source.splitlines()
  breaches = []
  if len(lines) > MAXIMUM_LINES:
    breaches.append(f'{path}: {len(lines)} lines: two things in one file?')
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
    self.assertTrue(layer_breaches(source, 'pgak/metrics/frechet.py'))
    self.assertFalse(layer_breaches(source, 'pgak/data/celeb_a.py'))

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
              'from pgak.bin import command\ndef main():\n  import gin\n')
    self.assertFalse(binary_breaches(source, 'bin/train.py'))
    self.assertTrue(binary_breaches('import gin\n', 'bin/train.py'))
    self.assertTrue(binary_breaches('try:\n  import keras\nfinally:\n  pass',
                                    'bin/train.py'))

  def test_what_a_binary_loads_at_its_start_is_followed(self):
    files = {
        'bin/train.py': ('from pgak.bin import flags_of\ndef main():\n'
                         '  from pgak.bin import later\n# __main__'),
        'bin/flags_of.py': 'import keras\n',
        'bin/later.py': 'import keras\n'}
    self.assertEqual(loaded_at_start(files),
                     {'bin/train.py', 'bin/flags_of.py'})

  def test_a_shapeless_module_is_seen(self):
    self.assertEqual(len(shape_breaches('pass\n' * 401, 'pgak/a.py')), 3)
    self.assertFalse(shape_breaches('"""A."""\n__all__ = []\n', 'pgak/a.py'))


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

  def test_each_dependency_stays_in_its_rooms(self):
    self.check(owner_breaches, 'pgak')

  def test_binaries_import_nothing_slow_before_their_flags_are_read(self):
    files = dict(sources('bin'))
    loaded = loaded_at_start(files)
    self.assertIn('bin/train.py', loaded)
    self.assert_none([breach for path in sorted(loaded)
                      for breach in binary_breaches(files[path], path)])

  def test_modules_are_small_documented_and_say_what_they_offer(self):
    self.check(shape_breaches, 'pgak')

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
