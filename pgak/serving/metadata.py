"""What `metadata.json` says of an export."""
import datetime
import math

import keras
import tensorflow as tf

from pgak import capabilities
from pgak import version as version_lib
from pgak.data import graph_decoding
from pgak.serving import signatures

__all__ = ['describe', 'of_model', 'preprocessing_of']

DEFAULT = 'generate'
# How an export says that pictures are made examples of.
_OF_PICTURES = ('crop', 'antialias', 'resize', 'background')


def describe(served, outputs):
  """Returns all but what a run adds, as JSON has it.

  Args:
    served: `signatures.Endpoints`.
    outputs: `{signature: {name: tf.TensorSpec}}`.
  """
  model = served.model
  described = {name: _signature(served, name, specs)
               for name, specs in outputs.items()}
  return {
      'signatures_version': signatures.VERSION,
      **of_model(model),
      'latent_shape': list(served.latent_shape),
      **({'condition_shape': list(model.condition_shape)}
         if 'condition' in model.can else {}),
      'prior': capabilities.name_of(model.prior),
      'density': _density(model.prior),
      'labels': [str(label) for label in served.labels],
      'attributes': list(served.attributes),
      'guidance': getattr(model.prior, 'guidance', None),
      'max_batch': served.max_batch,
      'batch_sizes': served.batch_sizes and list(served.batch_sizes),
      'xla': bool(served.batch_sizes),
      'crop': served.crop,
      'antialias': served.antialias,
      **_pictures(served),
      'left_out': served.left_out,
      'serving_default': DEFAULT,
      'signatures': {**described, 'serving_default': described[DEFAULT]},
  }


def of_model(model):
  """Returns what every export states: versions, the model and its images."""
  now = datetime.datetime.now(datetime.timezone.utc)
  return {
      'pgak': version_lib.__version__,
      'tensorflow': tf.__version__,
      'keras': keras.__version__,
      'exported': now.isoformat(timespec='seconds'),
      'model': type(model).__name__,
      'step': int(keras.ops.convert_to_numpy(model.step)),
      'kind': model.kind.name,
      'image_shape': list(model.image_shape),
      'latent_dim': model.latent_dim,
      'value_range': model.value_range and list(model.value_range),
  }


def preprocessing_of(metadata):
  """Returns how a run's pictures were made examples, as its export says.

  Args:
    metadata: what `metadata.json` holds, of whatever version.

  Returns:
    Dictionary, as config.json of the run has it.
  """
  recorded = metadata.get('dataset')
  recorded = (recorded.get('preprocessing') if isinstance(recorded, dict)
              else None)
  return {**{name: metadata[name] for name in _OF_PICTURES if name in metadata},
          **(recorded if isinstance(recorded, dict) else {})}


def _signature(served, name, outputs):
  return {
      'inputs': _tensors({s.name: s for s in served.specs()[name]}),
      'outputs': _tensors(outputs),
      'bounds': served.bounds(name),
      'bytes_per_row': sum(_bytes(served, spec) for spec in outputs.values()),
  }


def _tensors(specs):
  return {name: {'dtype': spec.dtype.name, 'shape': spec.shape.as_list()}
          for name, spec in specs.items()}


def _bytes(served, spec):
  # A PNG file of noise is hardly larger than its image.
  shape = (served.model.image_shape if spec.dtype == tf.string
           else spec.shape[1:])
  return math.prod(shape) * max(spec.dtype.size or 1, 1)


def _pictures(served):
  """Says how `encode_image` reads pictures, and which it refuses."""
  if 'encode_image' not in served.signatures():
    return {}
  return {'resize': served.resize, 'background': served.background,
          'image_formats': list(graph_decoding.FORMATS),
          'image_limits': {'max_pixels': signatures.MAX_PIXELS,
                           'refused': list(graph_decoding.LIMITS)}}


def _density(prior):
  """Says how the prior was made and, where it was fitted, to what."""
  described = {'label': capabilities.label_of(prior),
               'settings': getattr(prior, 'settings', {})}
  if hasattr(prior, 'source'):
    described['fitted_to'] = prior.source
  return described
