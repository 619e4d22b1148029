"""Measures a trained model by a protocol, and records the whole protocol.

A Frechet distance means nothing without the choices that made it: feature net,
number of samples, reference images, crop, resize, rounding, batch-norm mode,
prior. So every score holds all of them, and scores with different
choices never stand in one table.

Example:

```python
run = run_directory.RunDirectory('runs/vpga')
configuration.parse_run(run)
rows = evaluation.evaluate(run.path, checkpoint='best', protocol='quick')
print(evaluation.format_table(rows))
```
"""
import importlib

__all__ = ['Evaluator', 'evaluate', 'feature_net', 'format_table',
           'frechet_scorer']

# Imported when they are first used: the names of protocols need no TensorFlow.
_MODULES = {'Evaluator': 'evaluator', 'evaluate': 'runs',
            'feature_net': 'evaluator', 'format_table': 'tables',
            'frechet_scorer': 'runs'}


def __getattr__(name):
  if name not in _MODULES:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  module = importlib.import_module(f'{__name__}.{_MODULES[name]}')
  return getattr(module, name)
