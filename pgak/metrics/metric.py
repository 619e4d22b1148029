"""What a metric is, and where metrics are found by name.

A metric is a function that is given a context and yields values. One of your
own is one file, which `--import` names:

```python
@metric.register('sparsity', scope='model', needs=('encode',),
                 better={'sparsity': 'higher'})
def compute(context):
  latents = context.latents(2000)
  yield metric.Value('sparsity', float(np.mean(np.abs(latents) < 0.1)),
                     features='latents', num_samples=len(latents))
```

The scope says of what it is computed once, and what the context then has:

* `model`: `model`, `dataset`, `protocol`, `train` and `held_out` (the split of
  training, and one of which it saw nothing), `encoded` (the split whose first
  `num_encoded` examples are encoded), `latents(n)`;
* `prior`: also `prior`, and `generate(latents)`;
* `examples`: also `images` (their kind, such as 'samples'), `examples` (those
  that were made: the first 1,000 images, or all vectors), `real`, `collected`
  (their features by each net), `drawn` (the latents of samples, where a metric
  keeps 'examples') and, of pairs, `others`;
* `features`: also `real` and `fake`, both `feature_sets.Collected` of one net.
"""
import dataclasses
import fnmatch
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from pgak import errors

__all__ = ['BETTER', 'Metric', 'SCOPES', 'Value', 'better_of', 'every', 'find',
           'implied', 'load', 'names', 'register', 'roots']

SCOPES = ('model', 'prior', 'examples', 'features')
BETTER = ('lower', 'higher', 'neither')

# (name, what is measured) -> Metric.
_METRICS = {}


@dataclasses.dataclass(frozen=True)
class Value:
  """One number that a metric has found.

  What is None is as the metric's scope has it.

  Attributes:
    name: string, what scores call it.
    value: float.
    error: float, its standard error, or None where it is not known.
    features: string, such as 'pixels' or 'latents'; or a `features.FeatureNet`.
    images: string, what it is of, such as 'samples' or 'data'.
    prior: string, the density of the latents; 'none' where none takes part.
    num_samples: int, how many examples it is of.
    split: string, the real examples that took part.
    made: bool, whether pixels that a model made were rounded for it.
    curve: `(precision, recall)`, float arrays that are kept as a file.
    picture: uint8 `[H, W, C]` that is kept as a file.
    table: list of rows, the first one its header, kept as a file.
  """
  name: str
  value: float
  error: float | None = None
  features: Any = None
  images: str | None = None
  prior: str | None = None
  num_samples: int | None = None
  split: str | None = None
  made: bool | None = None
  curve: tuple | None = None
  picture: Any = None
  table: list | None = None


@dataclasses.dataclass(frozen=True)
class Metric:
  """A metric by its name; see `register` for the attributes."""
  name: str
  compute: Callable
  scope: str
  needs: tuple = ()
  better: dict = dataclasses.field(default_factory=dict)
  keeps: tuple = ()
  of: str = 'images'
  prepare: Callable | None = None
  implied: bool = False
  roots: tuple = ()
  held_out: bool = False

  def better_of(self, name, images):
    """Returns which is better of a value: 'lower', 'higher' or 'neither'.

    Args:
      name: the value's name.
      images: what it is of. What is said of real examples alone is no score of
        a model, unless the metric is of the model's latents.
    """
    # Such a score is the floor that a model's is compared with.
    if images == 'data' and self.scope != 'model':
      return 'neither'
    return self._declared(name) or 'neither'

  def _declared(self, name):
    # The first pattern counts, so that `*_std` can stand before `*`.
    return next((better for pattern, better in self.better.items()
                 if fnmatch.fnmatchcase(name, pattern)), '')


def register(name, scope, *, needs=(), better=None, keeps=(), of='images',
             prepare=None, implied=False, roots=(), held_out=False):
  """Makes a function a metric that a protocol may name.

  Args:
    name: string, what `--metrics` calls it.
    scope: one of `SCOPES`.
    needs: what the model must be able to do, see `pgak.capabilities`.
    better: `{pattern of a value's name: 'lower', 'higher' or 'neither'}`, of
      which the first that fits counts; or one of the three for all.
    keeps: of each net, 'features' where single features are needed besides
      their moments, and 'probabilities' of classes; 'examples' where more than
      1,000 images are needed, and the latents of samples.
    of: string or strings: what is measured, 'images', 'vectors' or 'pairs'; a
      name may be another metric for each.
    prepare: function of a data set, called before anything is measured; what it
      returns is the context's `prepared`. It raises UserError where the metric
      is not available.
    implied: whether it is measured with every protocol.
    roots: gin's names of the functions that it calls with their settings.
    held_out: whether it compares with examples of which training saw nothing;
      without such a split it is left out.

  Returns:
    The decorator, which returns the function.
  """
  better = {'*': better} if isinstance(better, str) else dict(better or {})
  # A mistake of whoever writes a metric, so it is raised on import.
  wrong = set(better.values()) - set(BETTER)
  if scope not in SCOPES or wrong:
    raise ValueError(f'The metric {name} has the scope {scope!r} and the '
                     f'directions {sorted(wrong) or "above"}: scopes are '
                     f'{SCOPES}, directions {BETTER}.')

  def decorate(compute):
    for one in (of,) if isinstance(of, str) else of:
      _METRICS[name, one] = Metric(
          name, compute, scope, tuple(needs), better, tuple(keeps), one,
          prepare, implied, tuple(roots), held_out)
    return compute

  return decorate


def load():
  """Imports the metrics that ship: each file here registers its own."""
  # Looked up in the folder, so that a metric is one file and nothing else is
  # touched.
  package = __name__.rpartition('.')[0]
  for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
    importlib.import_module(f'{package}.{module.name}')


def every():
  """Returns all metrics, including those that are implied."""
  load()
  return list(_METRICS.values())


def names(of=None):
  """Returns the names that a protocol may give, in order.

  Args:
    of: only those that measure this; None for all.
  """
  return sorted({m.name for m in every()
                 if of in (None, m.of) and not m.implied})


def find(name, of):
  """Returns a `Metric` by its name.

  Args:
    name: string.
    of: what is measured, such as 'images'.

  Raises:
    errors.UserError: if there is none.
  """
  known = names(of)
  if name not in known:
    raise errors.UserError(
        f'There is no metric {name!r} of {of}: choose --metrics out of '
        f'{",".join(known)}{errors.similar(name, known) or "."}')
  return _METRICS[name, of]


def implied(of):
  """Returns the metrics that every protocol measures."""
  return [m for m in every() if m.implied and m.of == of]


def roots():
  """Returns gin's names of all functions that metrics call."""
  # Each once, in a fixed order.
  return tuple(dict.fromkeys(root for m in every() for root in m.roots))


def better_of(name, images):
  """Returns which is better of a value, by its name alone.

  For score files without a column `better`, as 0.4 wrote them.

  Args:
    name: the value's name.
    images: what it is of.

  Returns:
    'lower', 'higher', 'neither', or '' if no metric is known that gives it.
  """
  for found in every():
    if found._declared(name):
      return found.better_of(name, images)
  return ''
