"""All modules whose functions and classes a configuration may name."""
import importlib

__all__ = ['metric_roots', 'register', 'run_roots', 'train_roots']

MODULES = ('data', 'evaluation.runs', 'generation.drawing', 'models',
           'networks', 'optimizers', 'priors', 'priors.ex_post', 'schedules',
           'serving.exporting', 'training')
# What makes the feature nets that a protocol names.
_FEATURES = ('classifier', 'inception', 'own_net', 'random_net')


def register():
  """Imports them: a name registers itself with gin where it is defined."""
  for module in MODULES:
    importlib.import_module(f'pgak.{module}')
  from pgak.metrics import metric
  metric.load()


def metric_roots():
  """Returns the functions that metrics and feature nets find by name."""
  from pgak.metrics import metric
  return (*_FEATURES, *metric.roots())


def train_roots():
  """Returns what a train command calls: `train`, and what its scorer finds."""
  from pgak.evaluation import protocols
  return ('train', *protocols.names(), *metric_roots())


def run_roots():
  """Returns what is done with a run: measured, exported, sampled from."""
  from pgak import priors
  names = [root for name in priors.NAMES for root in priors.prior_roots(name)]
  return ('evaluate', 'export', 'sample', *train_roots(), *names)
