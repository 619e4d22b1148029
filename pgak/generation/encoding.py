"""Latents of a data set, with the names of its examples, as a file."""
import contextlib
import csv
import functools
import tempfile
import zipfile

import gin
import numpy as np
from tqdm import auto as tqdm

from pgak import capabilities
from pgak import errors
from pgak import files
from pgak import interruption
from pgak import priors
from pgak.data import named_examples
from pgak.generation import likelihoods
from pgak.priors import round_trips
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import own_data

__all__ = ['check_output', 'encode', 'encode_run', 'reason_against_density',
           'write']


def check_output(output, overwrite=False):
  """Refuses a file that cannot be written, before anything is encoded.

  Args:
    output: path that ends with .npz or .csv.
    overwrite: whether what is there is replaced.

  Raises:
    errors.UserError: names the way out.
  """
  if not str(output).endswith(('.npz', '.csv')):
    raise errors.UserError(f'{output} must end with .npz for arrays or .csv '
                           'for a table.')
  path = files.local(output)
  if path.is_dir():
    raise errors.UserError(f'{output} is a folder: choose another --output.')
  if path.exists() and not overwrite:
    raise errors.UserError(f'{output} exists: give --overwrite, choose another '
                           '--output, or move it away.')


def reason_against_density(model, prior=None):
  """Returns why no log-density is given beside the latents, or ''.

  Args:
    model: `GenerativeAutoencoder` with its prior; of one whose samples make
      round trips the density is that of the prior before them.
    prior: what the user chose, or None.

  Raises:
    errors.UserError: if the user chose a prior that has none.
  """
  of = round_trips.before(model.prior)
  needs, can = ['log_density'], capabilities.of_prior(of)
  name = f'the prior {capabilities.label_of(of)}'
  if prior is not None:
    capabilities.require(f'log_prob with --prior={prior}', needs, can,
                         prior=name)
    return ''
  if capabilities.is_unmatched(model):
    return (f'{model.name} is not trained towards its prior: --prior=gmm adds '
            'the log-density under a mixture fitted to its latents')
  reason = capabilities.lacks(needs, can, prior=name)
  return reason and f'{reason}: --prior=gmm adds a log-density'


def encode(encoder, named, log_density=None):
  """Encodes all examples of a data set, with a progress bar.

  Args:
    encoder: function of examples, as users see them, to latents `[n, H...]`.
    named: `named_examples.Named`, of the encoder's kind and shape.
    log_density: function of latents to their log-density in nats, float64
      `[n]`; None for none.

  Yields:
    `{'names': list, 'latents': float32 [n, H...]}`, with 'labels', int64 `[n]`,
    where there are any, and 'log_prob', float64 `[n]`, for some at a time.
  """
  with tqdm.tqdm(total=len(named), desc='encode', unit='example', disable=None,
                 dynamic_ncols=True) as bar:
    for names, examples, labels in named:
      interruption.check()
      latents = np.asarray(encoder(examples))
      chunk = {'names': names, 'latents': latents}
      if labels is not None:
        chunk['labels'] = labels
      if log_density:
        chunk['log_prob'] = log_density(latents)
      yield chunk
      bar.update(len(names))


def write(output, chunks, label_names=()):
  """Writes encoded chunks as they come: latents are not held in memory.

  An .npz has `names`, `latents` float32 `[N, H...]` and, where there are any,
  `labels`, `label_names` and `log_prob`. A .csv has a row per example: name,
  label, log_prob, and the latents from latent_0; the label is empty where the
  data set keeps it secret.

  Args:
    output: path that ends with .npz or .csv.
    chunks: as `encode` yields them.
    label_names: tuple of the classes' names.

  Returns:
    int, number of examples.

  Raises:
    errors.UserError: if there is no example, or it cannot be written.
  """
  writer = _write_csv if str(output).endswith('.csv') else _write_npz
  try:
    with files.replacing(files.local(output)) as part:
      number = writer(part, chunks, label_names)
      if not number:
        raise errors.UserError('There is nothing to encode: give other --data.')
    return number
  except OSError as e:
    raise errors.UserError(f'{output} cannot be written ({e.strerror}): choose '
                           'another --output.') from e


def _write_csv(path, chunks, label_names):
  number = 0
  # A name that is no UTF-8 is written as the bytes that it is.
  with open(path, 'w', newline='', encoding='utf-8',
            errors='surrogateescape') as file:
    writer = csv.writer(file)
    for chunk in chunks:
      flat = chunk['latents'].reshape([len(chunk['names']), -1])
      columns = {'name': chunk['names']}
      if 'labels' in chunk:
        columns['label'] = [_named(i, label_names)
                            for i in chunk['labels'].tolist()]
      if 'log_prob' in chunk:
        columns['log_prob'] = chunk['log_prob'].tolist()
      columns |= {f'latent_{i}': flat[:, i].tolist()
                  for i in range(flat.shape[1])}
      if not number:
        writer.writerow(columns)
      writer.writerows(zip(*columns.values()))
      number += len(chunk['names'])
  return number


def _named(label, label_names):
  # TFDS has -1 where labels are secret.
  return '' if label < 0 else label_names[label] if label_names else label


def _write_npz(path, chunks, label_names):
  kept: dict = {}
  number, shape = 0, ()
  with contextlib.ExitStack() as stack:
    raw = stack.enter_context(tempfile.TemporaryFile(dir=path.parent))
    for chunk in chunks:
      latents = np.ascontiguousarray(chunk.pop('latents'), '<f4')
      number, shape = number + len(latents), latents.shape[1:]
      raw.write(latents)
      for name, values in chunk.items():
        kept.setdefault(name, []).extend(np.asarray(values).tolist())
    if label_names and 'labels' in kept:
      kept['label_names'] = list(label_names)
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
      raw.seek(0)
      with archive.open('latents.npy', 'w', force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, {
            'descr': '<f4', 'fortran_order': False, 'shape': (number, *shape)})
        while block := raw.read(1 << 20):
          file.write(block)
      for name, values in kept.items():
        with archive.open(f'{name}.npy', 'w', force_zip64=True) as file:
          np.lib.format.write_array(file, np.array(values),
                                    allow_pickle=False)
  return number


def encode_run(run, data, output, checkpoint, prior, data_dir, bindings,
               imports):
  """Encodes data by a run's model and writes the file; see `functions.encode`.

  Returns:
    Number of examples.
  """
  opened = own_data.opener(data, run, data_dir)
  bound = ([f'data_dir = {data_dir!r}']
           if data_dir and own_data.reads_data_dir(run) else [])
  try:
    configuration.parse_run(run, [*bindings, *bound],
                            priors.prior_roots(prior or 'own'), imports)
    model = checkpoints.load_configured(run, checkpoint, prior or 'own')
    model.require('pgak_encode', 'encode')
    named = named_examples.Named(opened(model))
    reason = reason_against_density(model, prior)
    if reason:
      print(f'Without log_prob: {reason}.')
    density = None if reason else functools.partial(
        likelihoods.log_density, model.prior)
    return write(output, encode(model.encode, named, density),
                 named.label_names)
  finally:
    gin.clear_config()
