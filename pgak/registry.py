"""Modules that register gin configurables."""
import importlib

__all__ = ['metric_roots', 'register', 'run_roots', 'train_roots']

MODULES = ('data', 'evaluation.runs', 'generation.drawing', 'models',
           'networks', 'optimizers', 'priors', 'priors.ex_post', 'schedules',
           'serving.exporting', 'training')
# What makes the feature nets that a protocol names.
_FEATURES = ('classifier', 'inception', 'own_net', 'random_net')


def register():
  """Imports the modules, which register their names with gin."""
  for module in MODULES:
    importlib.import_module(f'pgak.{module}')
  from pgak.metrics import metric
  metric.load()


def metric_roots():
  """Returns the functions that metrics and feature nets find by name."""
  from pgak.metrics import metric
  return (*_FEATURES, *metric.roots())


def train_roots():
  """Returns the roots of a train command: `train`, and those of its scorer."""
  from pgak.evaluation import protocols
  return ('train', 'polish', *protocols.names(), *metric_roots())


def run_roots():
  """Returns the roots of all commands on a run: evaluate, export, sample."""
  from pgak import priors
  names = [root for name in priors.NAMES for root in priors.prior_roots(name)]
  return ('evaluate', 'export', 'sample', *train_roots(), *names)
