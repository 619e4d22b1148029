"""All modules whose functions and classes a configuration may name."""
import importlib

__all__ = ['TRAIN_ROOTS', 'register']

MODULES = ('data', 'evaluation.runs', 'generation.drawing', 'models',
           'networks', 'optimizers', 'priors', 'priors.ex_post', 'schedules',
           'serving.exporting', 'training')
# What a train command calls: `train`, and what its scorer finds by name.
TRAIN_ROOTS = ('train', 'quick', 'fid768_test', 'pga_icml2020', 'rae_quick',
               'rae_fid768', 'rae_iclr2020', 'classifier', 'inception', 'LPIPS',
               'learned_priors_separability', 'learned_priors_pairs',
               'no_prior_matching_2021', 'no_prior_matching_fid768', 'vectors',
               'attribute_net', 'attribute_classifiers', 'separability')


def register():
  """Imports them: a name registers itself with gin where it is defined."""
  for module in MODULES:
    importlib.import_module(f'pgak.{module}')
