"""A train command's flags as gin: files, then settings, the later wins.

Without a gin file everything is filled in: base.gin; the files of data,
network, model and recipe; values that are chosen from the data; values of
flags. With gin files, or a recipe that names a model, nothing is chosen: there
are the files, those of the flags that are given, and their values. The result
is gin text, `command.gin` in the run, which trains the same run by itself.
"""
import ast
import contextlib
import dataclasses
import json

from pgak import errors
from pgak import files
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import named_files
from pgak.runs import run_directory
from pgak.training import bindings
from pgak.training import chosen
from pgak.training import loop
from pgak.training import strategies

__all__ = ['Composition', 'FLAGS', 'compose', 'composed', 'protocol_of',
           'resume', 'train']

# Flag -> the setting that it is; `--download` is one of the data set.
VALUES = {'latent_dim': 'latent_dim', 'steps': 'train.steps',
          'seed': 'train.seed', 'warm_start': 'train.warm_start',
          'attributes': 'images.attributes', 'data_dir': 'data_dir'}
FLAGS = (*named_files.FOLDERS, 'size', 'download', *VALUES)
# The recipe's average of the weights is for longer runs: of few steps it would
# keep the initial weights.
_EMA_BELOW, _EMA_DECAY = 5000, 0.99
_FLAGS_LINE = '# flags: '
# The protocols of data other than images, for the printed next command.
_PROTOCOLS = {'vectors': 'vectors', 'pairs': 'learned_priors_pairs'}


@dataclasses.dataclass
class Composition:
  """The configuration that a command will train, as gin and in words.

  Attributes:
    flags: `{name: value}`, those that were given.
    files: gin files, the later wins.
    settings: list of `(setting, value as gin text, where it is from)`.
    params: bindings as --gin_param has them, which come last.
    told: list of `(title, value, note)` to print.
  """
  flags: dict
  files: list = dataclasses.field(default_factory=list)
  settings: list = dataclasses.field(default_factory=list)
  params: list = dataclasses.field(default_factory=list)
  told: list = dataclasses.field(default_factory=list)

  def set(self, setting, value, origin):
    self.settings.append((setting, repr(value), origin))

  def tell(self, title, value, note):
    self.told.append((title, str(value), note))

  @property
  def text(self):
    """The gin text that trains the same run."""
    flags = json.dumps(self.flags, sort_keys=True)
    return _lines([f'{_FLAGS_LINE}{flags}', *self._kept, *self._includes,
                   *self._settings, *self.params])

  @property
  def _includes(self):
    return [f'include {file!r}' for file in self.files]

  @property
  def _settings(self):
    return [f'{setting} = {value}  # {origin}'
            for setting, value, origin in self.settings]

  # Lines of the run's own text, which come first: none for a new run.
  _kept = ()

  def parse(self, imports=(), roots=('train',)):
    """Reads it into gin; see `configuration.parse`."""
    files, before = (((), [*self._kept, *self._includes]) if self._kept
                     else (self.files, []))
    given = [s for s in self.settings if s[2].startswith('--')]
    # What the command must read: the settings of flags and --gin_param.
    must = [*(f'{setting} = {value}' for setting, value, _ in given),
            *self.params]
    configuration.parse(files, must, imports, roots,
                        _lines([*before, *self._settings]),
                        {setting: flag for setting, _, flag in given})

  def summary(self):
    """Returns the lines to print."""
    return [f'{title:<9} {value:<12}  {note}'.rstrip()
            for title, value, note in self.told]


def composed(run_dir, flags, gin_files_given=(), imports=()):
  """Composes a command for a run directory: a new run, or an existing one.

  Args:
    run_dir: path of the run directory.
    flags: as for `compose`.
    gin_files_given: as for `compose`; with them nothing is taken from the run.
    imports: modules that the user trusts.

  Returns:
    A `Composition`.

  Raises:
    errors.UserError: as `compose` does.
  """
  path = files.local(run_dir)
  if gin_files_given or not (path / 'config.gin').is_file():
    return compose(flags, gin_files_given, imports)
  run = run_directory.RunDirectory(path)
  configuration.check_trusted(run, imports)
  kept = run.command_file
  text = kept.read_text(encoding='utf-8') if kept.is_file() else run.config_gin
  return resume(text, flags, imports)


def train(run_dir, made, imports=()):
  """Trains a `Composition`, which gin has parsed, and keeps its text.

  Args:
    run_dir: path of the run directory.
    made: a `Composition`.
    imports: modules that register what it names.

  Returns:
    The trained model.
  """
  # Refused settings must not stay in an existing run's text, so that it is
  # written where they are checked.
  trained = loop.train(run_dir, imports=tuple(imports), composed=made.text)
  if strategies.is_chief(trained.distribute_strategy):
    path = files.local(run_dir)
    print(f'{path} has the checkpoints, samples/ and events/; the same in gin: '
          f'{path / "command.gin"}')
  return trained


def protocol_of(trained):
  """Returns the name of the protocol that measures a run, None for evaluate's.

  Args:
    trained: the model, whose run gin has parsed.
  """
  name = configuration.setting('evaluate.protocol',
                               _PROTOCOLS.get(trained.kind.name))
  return name if isinstance(name, str) else None


def compose(flags, gin_files_given=(), imports=()):
  """Composes a command for a new run.

  Args:
    flags: `{name: value}` of those that were given: data, model, network,
      recipe, size, download, and the keys of `VALUES`.
    gin_files_given: names of gin files.
    imports: modules to import first.

  Returns:
    A `Composition`.

  Raises:
    errors.UserError: names the flag that is wrong, and the way out.
  """
  made = Composition(dict(flags))
  given = list(gin_files_given) or bindings.whole_recipe(flags, imports)
  if given:
    _on_top(made, given, imports)
  elif 'data' in flags:
    _whole(made, imports)
  else:
    raise errors.UserError(
        'Neither --data nor --gin_file is given: begin with --data=photos/, '
        '--data=mnist, --gin_file=quickstart.gin or --recipe=best_mnist.')
  return made


def resume(text, flags, imports=()):
  """Composes a command for an existing run.

  Args:
    text: its `command.gin`, or its `config.gin`.
    flags: as for `compose`.
    imports: as there.

  Returns:
    A `Composition` whose `text` is the old one with what flags change. The
    data set is not made again.
  """
  kept = _flags_of(text)
  changed = {name: value for name, value in flags.items()
             if kept.get(name) != value}
  with bindings.parsed(text, imports) as found:
    made = _Kept(dict(kept | changed), kept=text, bound=dict(found))
  _add_files(made, changed)
  if 'data' in flags and 'data' not in changed:
    # A relative path may mean another place now. One where there is nothing is
    # as it was: the run knows the place that was meant.
    with contextlib.suppress(errors.UserError):
      for setting, value in named_files.data(flags['data'])[1].items():
        made.set(setting, value, '--data')
  _add_values(made, flags, imports)
  if 'size' in changed:
    made.set('image_shape', chosen.sized(
        changed['size'], bindings.bound_shape(text, imports)), '--size')
  return made


@dataclasses.dataclass
class _Kept(Composition):
  """A `Composition` on top of the text of a run, and what that binds."""
  kept: str = ''
  bound: dict = dataclasses.field(default_factory=dict)

  @property
  def _settings(self):
    # What the text binds already is not added, unless a file comes in between.
    lines = super()._settings
    return [line for line, (setting, value, _) in zip(lines, self.settings)
            if self.files or self.bound.get(setting) != value]

  @property
  def _kept(self):
    return [line for line in self.kept.splitlines()
            if not line.startswith(_FLAGS_LINE)]


def _lines(lines):
  return ''.join(f'{line}\n' for line in lines)


def _flags_of(text):
  for line in text.splitlines():
    if line.startswith(_FLAGS_LINE):
      return json.loads(line.removeprefix(_FLAGS_LINE))
  return {}


# === All is filled in ===


def _whole(made, imports):
  flags = made.flags
  file, settings = named_files.data(flags['data'])
  made.files += ['base.gin', file]
  for setting, value in settings.items():
    made.set(setting, value, '--data')
  _choose_pictures(made, file, flags, settings)
  _add_values(made, {name: flags[name] for name in ('attributes', 'download',
                                                    'data_dir')
                     if name in flags}, imports)
  _choose_size(made, flags, imports)
  data = _look(made, imports)
  shape = _set_shape(made)
  if shape is None:
    shape = data.shape
    made.set('image_shape', shape, 'chosen')
  made.tell('Data', flags['data'], f'train {data.train}')
  if 'pixels' in data.kind.can:
    made.tell('Size', ' x '.join(map(str, shape)), _origin(flags, 'size'))
  else:
    made.set('decoder.value_range', None, 'chosen')
  for flag, value in (('network', chosen.network(data)),
                      ('model', chosen.MODEL), ('recipe', chosen.RECIPE)):
    name = flags.get(flag, value)
    made.files.append(named_files.named(flag, name))
    made.tell(flag.capitalize(), name, _origin(
        flags, flag, f'others: pgak_list {named_files.FOLDERS[flag]}'))
  _choose_numbers(made, data, shape)


def _origin(flags, flag, more=''):
  if flag in flags:
    return f'--{flag}'
  return f'chosen; {more or "--" + flag}'


def _choose_pictures(made, file, flags, settings):
  if file == 'datasets/images.gin':
    shape = chosen.picture_shape(settings['images.path'])
    if 'size' in flags:
      shape = chosen.sized(flags['size'], shape)
    made.set('image_shape', shape, '--size' if 'size' in flags else 'chosen')
    for name, value in (('validation_fraction', 0.1), ('skip_damaged', True)):
      made.set(f'images.{name}', value, 'chosen')


def _choose_size(made, flags, imports):
  """Sets --size before the data are prepared, which is done at it alone."""
  if 'size' in flags and _set_shape(made) is None:
    with _alone(made, imports) as dataset:
      shape = chosen.sized(flags['size'], dataset.image_shape)
    made.set('image_shape', shape, '--size')


def _set_shape(made):
  return next((ast.literal_eval(value) for setting, value, _ in made.settings
               if setting == 'image_shape'), None)


def _look(made, imports):
  """Prepares the data set, to see what it holds."""
  with _alone(made, imports) as dataset:
    return chosen.look(dataset)


@contextlib.contextmanager
def _alone(made, imports):
  """Makes the data set without a model."""
  alone = Composition({}, made.files[1:], made.settings)
  # Without a size of its own a data set has that of its images.
  before = 'data_dir = None\nimage_shape = None\n'
  with bindings.parsed(f'{before}{alone.text}', imports):
    yield data_set.configured()


def _choose_numbers(made, data, shape):
  flags = made.flags
  latent_dim = flags.get('latent_dim', chosen.latent_dim(shape))
  made.set('latent_dim', latent_dim,
           '--latent_dim' if 'latent_dim' in flags else 'chosen')
  made.tell('Latents', latent_dim, _origin(flags, 'latent_dim'))
  found = chosen.settings(data, flags.get('steps'))
  for setting, value in found.items():
    is_given = setting == 'train.steps' and 'steps' in flags
    made.set(setting, value, '--steps' if is_given else 'chosen')
  steps = found['train.steps']
  passes = steps * found['train.batch_size'] / data.train
  made.tell('Steps', steps, f'{passes:.3g} passes; {_origin(flags, "steps")}')
  if flags.get('recipe', chosen.RECIPE) == chosen.RECIPE and steps < _EMA_BELOW:
    made.set('adam.ema_decay', _EMA_DECAY, 'chosen')
  _add_values(made, {name: flags[name] for name in ('seed', 'warm_start')
                     if name in flags})


# === On top of gin files ===


def _on_top(made, given, imports):
  made.files += given
  flags = made.flags
  if any(flag in flags for flag in named_files.FOLDERS):
    _tell_replaced(made, given, imports)
  _add_files(made, flags)
  _add_values(made, flags, imports)
  if 'size' in flags:
    text = Composition({}, made.files).text
    made.set('image_shape', chosen.sized(
        flags['size'], bindings.bound_shape(text, imports)), '--size')


def _add_files(made, flags):
  if 'data' in flags:
    file, settings = named_files.data(flags['data'])
    made.files.append(file)
    for setting, value in settings.items():
      made.set(setting, value, '--data')
  for flag in ('network', 'model', 'recipe'):
    if flag in flags:
      file = named_files.named(flag, flags[flag])
      made.files += [file] if file not in made.files else []


def _add_values(made, flags, imports=()):
  if 'download' in flags:
    made.set(bindings.download_setting(made.text, imports), flags['download'],
             '--download')
  for flag, setting in VALUES.items():
    if flag in flags:
      made.set(setting, flags[flag], f'--{flag}')


def _tell_replaced(made, given, imports):
  """Notes which choices of the gin files are replaced by flags."""
  with bindings.parsed(Composition({}, given).text, imports) as found:
    bound = dict(found)
  for flag, setting in (('data', 'train.dataset'), ('model', 'train.model')):
    old = bound.get(setting, '').strip('@()')
    if flag in made.flags and old:
      made.tell(flag.capitalize(), made.flags[flag],
                f'--{flag}; {given[-1]} has {old}')
