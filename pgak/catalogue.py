"""What ships and what was imported, by the names that flags take.

Entries have a name and the first sentence of their description; the settings of
one of them are those that gin binds.
"""
import inspect
import pathlib
import re

import gin

from pgak import errors
from pgak import settings as settings_lib
from pgak.runs import configuration
from pgak.runs import gin_files
from pgak.runs import gin_internals
from pgak.runs import gin_text

__all__ = ['LISTS', 'declared', 'entries', 'settings']

# A list -> the folder below gin/ that it is, or None.
LISTS = {'models': 'models', 'networks': 'networks', 'data': 'datasets',
         'recipes': 'recipes', 'papers': 'papers', 'priors': None,
         'metrics': None, 'protocols': None}
# The settings in which a file of a list names what it chooses.
_CHOOSES = {'models': ('train.model',), 'data': ('train.dataset',),
            'networks': ('encoder.network', 'decoder.network'),
            'recipes': ('train.optimizer', 'train.learning_rate_schedule'),
            'papers': ('train.model',)}


def entries(which):
  """Returns the entries of a list.

  Args:
    which: a key of `LISTS`.

  Returns:
    List of `{'name': string, 'text': first sentence}`, in order of names.

  Raises:
    errors.UserError: if there is no such list.
  """
  if which not in LISTS:
    raise errors.UserError(
        f'There is no list {which!r}; those that there are: '
        f'{", ".join(LISTS)}{errors.similar(which, LISTS) or "."}')
  found = (_files(LISTS[which], which == 'papers') if LISTS[which]
           else _registered(which))
  return [{'name': name, 'text': text} for name, text in sorted(found.items())]


def _files(folder, whole_path):
  return {name: _header(path.read_text(encoding='utf-8'))
          for name, path in _paths(folder, whole_path).items()}


def _paths(folder, whole_path):
  found = {}
  # The first folder wins, as when gin looks for a file: it is read last.
  for root in reversed(gin_files.folders()):
    for path in pathlib.Path(root, folder).rglob('*.gin'):
      name = path.relative_to(root) if whole_path else path.stem
      found[str(name)] = path
  return found


def _header(text):
  """Returns the first sentence of the comment that a gin file begins with."""
  lines = re.match(r'(?:#.*\n)*', text).group().splitlines()
  return _sentence(' '.join(line.lstrip('# ') for line in lines))


def _sentence(text):
  """Returns the first sentence of a text."""
  text = ' '.join((text or '').split('\n\n')[0].split())
  # A full stop behind 'eq.' or 'al.' ends none.
  return re.match(r'.*?(?:(?<!eq)(?<!eqs)(?<!al)\.(?= )|$)',
                  text).group().rstrip('.:')


def _registered(which):
  if which == 'priors':
    from pgak import priors
    return {name: _sentence(prior.__doc__)
            for name, prior in priors.NAMES.items()}
  if which == 'protocols':
    from pgak.evaluation import protocols
    return {name: _sentence(gin.get_configurable(name).__doc__)
            for name in protocols.names()}
  from pgak.metrics import metric
  return {found.name: _sentence(inspect.getmodule(found.compute).__doc__)
          for found in metric.every() if not found.implied}


def settings(name):
  """Returns the settings of something by its name.

  Args:
    name: a name of any list, or one that gin knows, such as 'RAE' or 'train'.

  Returns:
    List of `{'setting', 'type', 'default', 'text'}`, strings; the default is ''
    where there is none. Of what has no settings, an empty one.

  Raises:
    errors.UserError: if nothing has that name.
  """
  found = _configurables(name)
  if not found:
    known = [e['name'] for which in LISTS for e in entries(which)]
    if name not in known:
      raise errors.UserError(
          f'Nothing has the name {name!r}'
          f'{errors.similar(name, known) or ": see pgak_list."}')
  return [row for configurable in found for row in _settings_of(*configurable)]


def declared():
  """Returns everything of pgak that is registered for gin to bind.

  Returns:
    `{full name: (first sentence, settings)}`, the settings as `settings`
    returns them, in order of names.
  """
  found = {}
  for name in sorted(gin_internals.registered_names()):
    if name.startswith('pgak.'):
      configurable, = gin_internals.configurables(name)
      found[name] = (_sentence(configurable[0].__doc__),
                     list(_settings_of(*configurable)))
  return found


def _configurables(name):
  """Returns what has a name, as `gin_internals.configurables` does."""
  for which, chosen in _CHOOSES.items():
    if name in _paths(LISTS[which], which == 'papers'):
      return _of_file(name if which == 'papers'
                      else f'{LISTS[which]}/{name}.gin', chosen)
  from pgak import priors
  # Imported here: lists of files need no TensorFlow.
  if name in priors.NAMES:
    return gin_internals.configurables(priors.NAMES[name].__name__)
  from pgak.metrics import metric
  roots = [root for found in metric.every() if found.name == name
           for root in found.roots]
  # A metric's settings are those of the functions that it calls.
  return _of_names(roots or [name])


def _of_names(names):
  return [found for name in dict.fromkeys(names)
          for found in gin_internals.configurables(name)]


def _of_file(file, chosen):
  """Returns what a gin file binds to some settings, or else what it sets."""
  configuration.parse_part(f'include {file!r}')
  try:
    bound = gin_text.bindings_of(gin.config_str())
    names = [re.sub(r'[@()]', '', bound[c]).split('/')[-1]
             for c in chosen if bound.get(c, 'None') != 'None']
    return _of_names(names or [n.split('/')[-1].rpartition('.')[0]
                               for n in bound if '.' in n])
  finally:
    gin.clear_config()


def _settings_of(function, denied, name):
  texts = _arguments(function)
  target = function.__init__ if inspect.isclass(function) else function
  signature = inspect.signature(target)
  for parameter in signature.parameters.values():
    bindable = parameter.kind not in (parameter.VAR_POSITIONAL,
                                      parameter.VAR_KEYWORD)
    # The latent size and the data set are given by the code, not by gin.
    if bindable and parameter.name not in (
        'self', 'latent_dim', 'dataset', *denied):
      wanted, default = parameter.annotation, parameter.default
      yield {
          'setting': f'{name}.{parameter.name}',
          'type': '' if wanted is parameter.empty
                  else settings_lib.described(wanted),
          'default': '' if default is parameter.empty else repr(default),
          'text': texts.get(parameter.name, '')}


def _arguments(function):
  """Returns `{argument: meaning}` of the docstrings' sections `Args`."""
  docs = [function.__doc__]
  if inspect.isclass(function):
    docs.append(function.__init__.__doc__)
  found = {}
  for doc in docs:
    section = re.search(r'\n *Args:\n(.*?)(?=\n *\n|\Z)',
                        inspect.cleandoc(doc or ''), re.S)
    if section:
      found |= {name: ' '.join(text.split()) for name, text in re.findall(
          r'^  (\w+): (.*?)(?=^  \w+: |\Z)', section[1], re.M | re.S)}
  return found
