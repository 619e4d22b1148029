"""What every file that ships sets in effect: bound value or default.

The settings of a file are those of all that a train command can reach from it:
the roots of the command, what their values refer to, in the scopes in which
gin would call them, and so on.
"""
import contextlib
import inspect
import logging
import pathlib

import gin
from gin import config as gin_config

from pgak import registry
from pgak import sweeping
from pgak.runs import configuration
from pgak.runs import gin_files

__all__ = ['cells', 'full_names', 'of', 'of_all_files', 'shipped']

registry.register()

GIN = pathlib.Path(gin_files.folders()[-1])
# What a file needs before it, where it is no experiment by itself.
BEFORE = {'datasets/pairs.gin': ('quickstart.gin',),
          'models/vunet': ('quickstart.gin', 'datasets/pairs.gin',
                           'networks/vunet_32.gin'),
          'networks/vunet': ('quickstart.gin', 'datasets/pairs.gin'),
          'papers/': (), 'base.gin': (), 'quickstart.gin': ()}
ROOTS = (*registry.train_roots(), 'density', 'export')


def shipped():
  """Returns the names of all gin files but sweeps."""
  return sorted(p.relative_to(GIN).as_posix() for p in GIN.rglob('*.gin'))


def cells():
  """Yields `(sweep, job)` for every cell of every sweep, first seeds alone."""
  for path in sorted(GIN.rglob('*.sweep')):
    name = path.relative_to(GIN).as_posix()
    seen = set()
    for job in sweeping.read(name).jobs:
      if job.cell not in seen:
        seen.add(job.cell)
        yield name, job


def full_names():
  """Returns the full names of all that gin knows of pgak, sorted."""
  return sorted(name for name in gin_config._REGISTRY._selector_map
                if name.startswith('pgak.'))


def of_all_files():
  """Returns `{file or 'sweep cell': {setting: value as text}}`."""
  found = {}
  for name in shipped():
    before = next((files for prefix, files in BEFORE.items()
                   if name.startswith(prefix)), ('quickstart.gin',))
    found[name] = of([*before, name])
  for name, job in cells():
    found[f'{name} {job.cell}'] = of(job.gin_files, job.bindings)
  return found


def of(files, bindings=()):
  """Returns `{'scope/full.name.parameter': value as text}` of some gin files.

  Args:
    files: names of gin files; the later wins.
    bindings: strings, which win over all files.
  """
  gin.clear_config()
  # A fragment may use a macro that the files beside it define.
  with _any_macros():
    configuration.parse(files, bindings, roots=ROOTS)
  try:
    visited = {}
    for root in ROOTS:
      _visit(gin_config._REGISTRY.get_match(root), '', visited)
    for scope, name in gin_config._CONFIG:
      if name in gin_config._REGISTRY:
        _visit(gin_config._REGISTRY[name], scope, visited)
    return {f'{scope}/{name}.{parameter}'.lstrip('/'): value
            for (scope, name), values in visited.items()
            for parameter, value in values.items()}
  finally:
    gin.clear_config()


@contextlib.contextmanager
def _any_macros():
  kept, configuration.check_macros = configuration.check_macros, (
      lambda *unused: None)
  logging.disable(logging.ERROR)
  try:
    yield
  finally:
    configuration.check_macros = kept
    logging.disable(logging.NOTSET)


def _visit(configurable, scope, visited):
  """Notes the settings of a configurable in a scope, then what they refer to.
  """
  key = scope, configurable.selector
  if key in visited or configurable.wrapped in (
      gin_config.macro, gin_config._retrieve_constant):
    return
  values = _defaults(configurable)
  parts = scope.split('/') if scope else []
  for i in range(len(parts) + 1):
    values.update(gin_config._CONFIG.get(
        ('/'.join(parts[:i]), configurable.selector), {}))
  # What the caller gives and what nobody has to bind is no setting.
  visited[key] = {
      name: _text(value, scope, visited) for name, value in values.items()
      if name not in (configurable.denylist or ())}


def _defaults(configurable):
  """Returns the defaults in Python, also those that `**kwargs` pass on."""
  wrapped, found = configurable.wrapped, {}
  functions = ([vars(c)['__init__'] for c in wrapped.__mro__
                if '__init__' in vars(c)]
               if inspect.isclass(wrapped) else [wrapped])
  for function in functions:
    try:
      parameters = inspect.signature(function).parameters.values()
    except ValueError:
      break
    for p in parameters:
      if p.default is not p.empty:
        found.setdefault(p.name, p.default)
    if not any(p.kind == p.VAR_KEYWORD for p in parameters):
      break
  return found


def _text(value, scope, visited):
  """Returns a value as text, with macros resolved; visits its references."""
  if isinstance(value, gin_config.ConfigurableReference):
    target = gin_config._REGISTRY[value._configurable.selector]
    if target.wrapped is gin_config.macro:
      try:
        return _text(gin.query_parameter('%' + '/'.join(value._scopes)), scope,
                     visited)
      except ValueError:
        return repr(value)
    _visit(target, '/'.join(value._scopes) or scope, visited)
    return '@' + '/'.join([*value._scopes, target.selector]) + (
        '()' if value._evaluate else '')
  if isinstance(value, (list, tuple)):
    inside = ', '.join(_text(v, scope, visited) for v in value)
    return f'[{inside}]' if isinstance(value, list) else f'({inside})'
  if isinstance(value, dict):
    return '{' + ', '.join(f'{k!r}: {_text(v, scope, visited)}'
                           for k, v in value.items()) + '}'
  if value is gin.REQUIRED:
    return 'REQUIRED'
  if callable(value):
    return getattr(value, '__name__', type(value).__name__)
  if value is None or isinstance(value, (bool, int, float, str)):
    return repr(value)
  return type(value).__name__
