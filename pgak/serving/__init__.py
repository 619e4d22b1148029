"""An export for TensorFlow Serving: written, checked, and asked.

A client takes what it needs alone: `client.ServedModel` needs no model, and
`check` nothing of pgak.
"""
import importlib

__all__ = ['ServedModel', 'encode_export', 'export']

_MODULES = {'ServedModel': 'client', 'encode_export': 'encoding',
            'export': 'exporting'}


def __getattr__(name):
  if name not in _MODULES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  module = importlib.import_module(f'{__name__}.{_MODULES[name]}')
  return getattr(module, name)
