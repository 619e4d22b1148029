"""pgak: autoencoders as generative models.

`pgak.load(run_dir)` gives a trained model; the binaries train, evaluate, sample
and export.
"""
from pgak.version import __version__

__all__ = ['__version__', 'load']


def __getattr__(name):
  # TensorFlow takes seconds to import: only who loads a model waits for it.
  if name == 'load':
    from pgak import checkpoints
    from pgak import registry
    registry.register()
    return checkpoints.load
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
