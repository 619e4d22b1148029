"""pgak: autoencoders as generative models.

`pgak.train`, `pgak.evaluate` and `pgak.export` do what the commands do, and
`pgak.load(run_dir)` gives a trained model.
"""
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import warnings

from pgak.version import __version__

# Imported when they are first used: TensorFlow takes seconds to import.
_FUNCTIONS = ('compare', 'encode', 'evaluate', 'export', 'pack', 'train')
_PACKAGES = ('data', 'metrics', 'models', 'networks', 'priors')

__all__ = ['__version__', 'compare', 'data', 'encode', 'evaluate', 'export',
           'load', 'metrics', 'models', 'networks', 'pack', 'priors', 'train']

# Where the modules of version 0.4 are now: their names, and the names of
# functions that were renamed besides.
MOVED = {
    'cache': (['files'], {}),
    'callbacks': (['training.callbacks'], {}),
    'charts': (['pictures.charts'], {}),
    'checkpoints': (['runs.checkpoints'], {}),
    'clouds': (['pictures.scatter'], {}),
    'conditional_endpoints': (['serving.conditional_signatures'], {}),
    'configuration': (['runs.configuration'], {}),
    'densities': (['priors.ex_post'], {}),
    'drawing': (['generation.drawing', 'serving.pictures'],
                {'against_bindings': 'runs.second_data_set.bindings'}),
    'endpoints': (['serving.signatures'], {}),
    'evaluation.choice': (['evaluation.examples_by_kind'], {}),
    'evaluation.embeddings': (['metrics.topology'], {}),
    'evaluation.kinds': (['evaluation.examples'], {}),
    'evaluation.measures': (['metrics.metric'], {}),
    'evaluation.neighbourhoods': (['metrics.nearest_images'], {}),
    'evaluation.separations': (['metrics.attribute_separability'], {}),
    'galleries': (['training.galleries'], {}),
    'images': (['data.kinds', 'pictures.grids'],
               {'decode_png': 'pictures.png.decode',
                'encode_png': 'pictures.png.encode',
                'levels': 'data.kinds._levels',
                'to_float': 'data.kinds._to_float',
                'to_uint8': 'data.kinds._to_uint8',
                'write_png': 'pictures.png.write'}),
    'latent_tools': (['generation'], {}),
    'latent_tools.attribute_vectors': (['generation.attribute_vectors'], {}),
    'latent_tools.paths': (['generation.paths'], {}),
    'latent_tools.planes': (['generation.projections'], {}),
    'latent_tools.rankings': (['generation.likelihoods'], {}),
    'latent_tools.spaces': (['generation.spaces'], {}),
    'latent_tools.views': (['generation.latent_figures'],
                           {'View': 'generation.drawn.Drawn'}),
    'metrics.collected': (['metrics.feature_sets'], {}),
    'metrics.protocols': (['evaluation.protocols'], {}),
    'pretrained': (['networks.pretrained'], {}),
    'priors.descent': (['priors.net_fitting'], {}),
    'resuming': (['training.resuming'], {}),
    'run_directory': (['runs.run_directory'], {}),
    'sampling': (['generation.sampling'],
                 {'midpoints': 'models.lines.midpoints',
                  'picture': 'pictures.grids.picture',
                  'reestimate_batch_norm': 'models.batch_norm.reestimate'}),
    'served_model': (['serving.client'], {}),
    'serving_check': (['serving.check'], {}),
    'translation': (['generation.conditional'], {}),
}


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
  """Finds a module that has moved; warns of its new name, once a process."""

  def find_spec(self, fullname, path, target=None):
    del path, target
    # Not a top-level module of such a name, which is another one.
    if not fullname.startswith('pgak.') or fullname[5:] not in MOVED:
      return None
    # `latent_tools` had modules of its own, which only a package can have.
    return importlib.machinery.ModuleSpec(
        fullname, self, is_package=fullname == 'pgak.latent_tools')

  def create_module(self, spec):
    return None

  def exec_module(self, module):
    homes, renamed = MOVED[module.__name__[5:]]
    warnings.warn(
        f'{module.__name__} is now '
        f'{" and ".join(f"pgak.{home}" for home in homes)}: import that.',
        FutureWarning, stacklevel=2)
    for home in homes:
      found = importlib.import_module(f'pgak.{home}')
      # All names, private ones, too: what worked goes on working.
      vars(module).update({n: v for n, v in vars(found).items()
                           if not n.startswith('__')})
    for name, place in renamed.items():
      home, _, new = place.rpartition('.')
      setattr(module, name,
              getattr(importlib.import_module(f'pgak.{home}'), new))


# Behind the others, so that a module that exists is found first.
sys.meta_path.append(_Moved())

# Classes that Keras's files name: `keras.models.load_model` finds them, though
# `import pgak` alone imports neither Keras nor them.
IN_FILES = (
    'AAE', 'ACAI', 'AE', 'AGE', 'ALAE', 'AbsoluteError', 'AdversarialInfoVAE',
    'AutoregressiveFlow', 'BayesianGaussianMixture', 'BetaVAE', 'CVVAE',
    'ClippedOutput', 'Colors', 'ConditionalAutoencoder', 'ConditionalCouplings',
    'ConditionalFlow', 'CouplingFlow', 'EqualisedAdam', 'EqualisedLearningRate',
    'FPVAE', 'Factor', 'FadeIn', 'FlowMatching', 'FlowMatchingPrior',
    'FlowPrior', 'GMMN', 'Gaussian', 'GaussianMixture', 'GenerativeAutoencoder',
    'GenerativeModel', 'GradientMixture', 'HuberError', 'InfoVAE', 'IntroVAE',
    'KernelDensity', 'LPGA', 'LVPGA', 'LatentGenerator', 'MaskedDense',
    'MinibatchDeviation', 'MixedError', 'NoPriorMatching', 'PGGAN',
    'PatchError', 'PerceptualError', 'PriorAAE', 'RAE', 'RAEGP', 'RAEL2',
    'RAESN', 'RealNVP', 'RepeatableDropout', 'Resampled', 'RunSchedule',
    'SNGAN', 'SSIMError', 'Schedule', 'SoftIntroVAE', 'SpectralNormalization',
    'SquaredError', 'StandardNormal', 'TwoStageVAE', 'UniformSphere', 'VAE',
    'VPGA', 'VUNet', 'VUNetFlow', 'WAEGAN', 'WAEMMD', 'WeightNormConv2D',
    'ZeroUnpooling')


class _InFile:
  """Stands for a class in Keras's table until a file asks for it."""

  def __init__(self, name):
    self._name = f'pgak>{name}'

  def from_config(self, config):
    """Imports the modules that register the class, and makes the object."""
    import keras
    importlib.import_module('pgak.models')
    # Not `get_registered_object`: while a file is read, that knows the table
    # as it was before.
    return keras.saving.get_custom_objects()[self._name].from_config(config)


def _register_with_keras():
  known = sys.modules['keras'].saving.get_custom_objects()
  for name in IN_FILES:
    # Not over a class that is there already.
    known.setdefault(f'pgak>{name}', _InFile(name))


class _AfterKeras(importlib.abc.MetaPathFinder):
  """Registers `IN_FILES` with Keras once somebody has imported it."""

  def find_spec(self, fullname, path, target=None):
    if fullname != 'keras':
      return None
    # Once, and before `find_spec` asks this finder again.
    sys.meta_path.remove(self)
    spec = importlib.util.find_spec(fullname)
    if spec is None or spec.loader is None:
      return spec
    run = spec.loader.exec_module

    def run_and_register(module):
      run(module)
      _register_with_keras()

    spec.loader.exec_module = run_and_register
    return spec


# Imported before pgak; not one that is only half imported.
if hasattr(sys.modules.get('keras'), 'saving'):
  _register_with_keras()
else:
  sys.meta_path.insert(0, _AfterKeras())


def __getattr__(name):
  if name in _FUNCTIONS:
    return getattr(importlib.import_module('pgak.functions'), name)
  if name in _PACKAGES:
    return importlib.import_module(f'pgak.{name}')
  if name == 'load':
    # Here, since gin must know every name before a configuration is read.
    from pgak import registry
    from pgak.runs import checkpoints
    registry.register()
    return checkpoints.load
  if name == 'export_model':
    from pgak.serving import exporting
    return exporting.export_model
  raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
