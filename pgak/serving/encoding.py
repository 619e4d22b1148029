"""Latents of pictures by an export, without the run that it was made of."""
import types

import numpy as np

from pgak.data import named_examples
from pgak.generation import encoding
from pgak.runs import own_data
from pgak.serving import client
from pgak.serving import metadata as metadata_lib

__all__ = ['encode_export']


def encode_export(export_dir, data, output, data_dir=None, overwrite=False):
  """Writes the latents of pictures, arrays or a data set, with their names.

  As `pgak.encode` does by a run, with the log-density of what the export
  samples from, where it answers `log_prob`.

  Args:
    export_dir: folder of an export's version, or the folder that holds
      versions, of which the largest is taken.
    data: a folder, zip or tar of pictures, a .npy or .npz file, the name of a
      data set, or 'tfds:NAME'.
    output: path of the file, .npz or .csv; see `encoding.write`.
    data_dir: folder of TensorFlow Datasets.
    overwrite: whether a file that is there is replaced.

  Returns:
    Number of examples.

  Raises:
    errors.UserError: if there is no export, if it has no encoder or is one of
      pairs, or if the data do not fit it.
  """
  encoding.check_output(output, overwrite)
  served = client.ServedModel(export_dir)
  served.require_encoder('pgak_encode')
  opened = own_data.opener_of(
      str(data), metadata_lib.preprocessing_of(served.metadata), data_dir)
  named = named_examples.Named(opened(types.SimpleNamespace(
      kind=served.kind, name=str(served.metadata.get('model', 'the export')))))
  density = None
  if served.has_density:
    def density(latents):
      return served.log_prob(latents).astype(np.float64)
  else:
    print('Without log_prob: the export samples from a distribution without a '
          'density; for one export the run with '
          f'{client.remedy(served.metadata, "gmm")}.')
  return encoding.write(output, encoding.encode(served.encode, named, density),
                        named.label_names)
