"""Bad input in files: damaged runs and exports."""
import json
import shutil

from bad_cases import Case
from bad_cases import opened

__all__ = ['CASES', 'SCORES', 'of_another_type', 'written']


def written(name, text):
  """Returns a function that writes a file of a run."""
  content = text if isinstance(text, bytes) else text.encode()
  return lambda run: (run / name).write_bytes(content)


def changed(*path, value):
  """Returns a function that changes a value of a run's config.json."""
  def change(run):
    record = json.loads((run / 'config.json').read_text())
    inner = record
    for name in path[:-1]:
      inner = inner[name]
    inner[path[-1]] = value
    (run / 'config.json').write_text(json.dumps(record))
  return change


def removed(name):
  def remove(run):
    path = run / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
  return remove


def of_another_type(name, folder):
  """Returns a function that makes a file of a folder, or the reverse."""
  def change(run):
    if (run / name).exists():
      removed(name)(run)
    if folder:
      (run / name).mkdir()
    else:
      (run / name).write_text('x')
  return change


def cut(pattern):
  def change(run):
    for path in (run / 'checkpoints').rglob(pattern):
      path.write_bytes(path.read_bytes()[:100])
  return change


SCORES = ('step,metric,value,dataset,features,images,prior,ema,num_samples,'
           'split,crop,resize,rounding,batch_norm,seed,protocol\n')
_BOTH = ('evaluate', 'train')
_DAMAGES = [
    *((written('config.json', text), _BOTH, ('config.json', 'damaged'))
      for text in ('[]', '5', 'null', '{', '', '[' * 100000, b'\xff\xfe\x00')),
    *((changed('imports', value=value), _BOTH, ('config.json', 'imports'))
      for value in (5, 'x', {'a': 1}, [5])),
    (changed('imports', value=['x']), ('evaluate', 'sample', 'export'),
     ('--import=x',)),
    *((changed(name, value=value), ('train',), ('config.json', name))
      for name, value in (('data', 5), ('versions', []), ('seed', 'x'),
                          ('config_keys', 5))),
    (changed('data', value={}), ('train',), ('config.json', 'fingerprint')),
    (changed('data', 'preprocessing', value=5), ('export',),
     ('config.json', 'preprocessing')),
    (written('config.gin', ''), _BOTH, ('config.gin',)),
    (written('config.gin', '[' * 100000), ('evaluate',), ('config.gin',)),
    (written('config.gin', b'\xff\xfe'), _BOTH, ('config.gin', 'damaged')),
    (written('config.gin', 'import os\n'), ('evaluate', 'sample', 'export'),
     ('--import=os',)),
    (written('config.gin', "include 'quickstart.gin'\n"), ('evaluate',),
     ('config.gin includes',)),
    *((written('scores.csv', text), ('evaluate',), ('scores.csv', 'damaged'))
      for text in ('a,b\n', SCORES + 'x,y\n', b'\xff\xfe',
                   SCORES + ','.join(['²', 'f', '1', *'abcdefghij', '0', 'm',
                                       'n']) + '\n',
                   SCORES + ','.join(['1', 'f', 'x', *'abcdefghij', '0', 'm',
                                       'n']) + '\n')),
    (removed('checkpoints'), ('evaluate', 'sample', 'export'),
     ('has no checkpoint',)),
    (removed('config.json'), _BOTH, ('config.json', 'missing')),
    (removed('config.gin'), _BOTH, ('config.gin',)),
    (cut('*data*'), _BOTH, ('damaged',)),
    (cut('*.index'), _BOTH, ('damaged',)),
    (of_another_type('samples', False), ('train',), ('samples',)),
    (of_another_type('.lock', True), ('train',), ('.lock',)),
    (of_another_type('events', False), ('train',), ('events',)),
    (of_another_type('checkpoints', False), ('evaluate', 'train'),
     ('checkpoint',)),
    (of_another_type('config.json', True), _BOTH, ('config.json',)),
    (of_another_type('config.gin', True), _BOTH, ('config.gin',)),
]
CASES = [opened(command, words=words, damage=damage)
               for damage, commands, words in _DAMAGES for command in commands]


def of_export(change):
  """Returns a function that damages the copy of the export in a run."""
  return lambda run: change(run / 'export' / '1')


def _metadata(**values):
  def change(folder):
    path = folder / 'metadata.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
  return change


CASES += [
    Case('sample', ('--export_dir=DAMAGED/export', '--output=NEW/x.png'),
         ('export', 'cannot be read'), damage=of_export(change))
    for change in (
        written('metadata.json', '{}'), written('metadata.json', '[]'),
        written('metadata.json', '[' * 100000), removed('metadata.json'),
        written('saved_model.pb', 'xx'), removed('variables'),
        _metadata(image_shape=5))]
