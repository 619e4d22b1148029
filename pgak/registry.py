"""All rooms whose functions and classes a configuration may name."""
import importlib

__all__ = ['register']

ROOMS = ('data', 'drawing', 'evaluation', 'models', 'networks', 'optimizers',
         'priors', 'schedules', 'serving', 'training')


def register():
  """Imports them: a name registers itself with gin where it is defined."""
  for room in ROOMS:
    importlib.import_module(f'pgak.{room}')
