"""Tests of files for LiteRT and ONNX Runtime: they answer as the model does."""
import functools
import importlib
import importlib.util
import json

import keras
import numpy as np
import pytest
import tiny_models

from pgak import errors
from pgak import models
from pgak import networks
from pgak.serving import exporting
from pgak.serving import formats

IMAGES = (12, 8, 3)


def _made(name, encoder, decoder, shape=IMAGES, **settings):
  """Returns a model of nets, with statistics as after some training."""
  keras.utils.set_random_seed(0)
  stochastic = tiny_models.STOCHASTIC[name]
  model = getattr(models, name)(
      networks.encoder(encoder, shape, 3, log_variance=stochastic),
      networks.decoder(decoder, shape, 3), **settings)
  random = np.random.default_rng(0)
  for net in (model.encoder, model.decoder):
    for statistic in net.non_trainable_variables:
      statistic.assign(random.uniform(0.01, 0.1, statistic.shape))
  return model


def conv_digits():
  settings = dict(base_filters=2, batch_norm=True, dense_units=4)
  return _made(
      'VPGA', functools.partial(networks.conv_digits_encoder, **settings),
      functools.partial(networks.conv_digits_decoder, **settings), (8, 8, 1))


def residual():
  return _made(
      'VAE', functools.partial(networks.residual_encoder, base_filters=2),
      functools.partial(networks.residual_decoder, base_filters=2,
                                image_shape=IMAGES))


def rae():
  return _made('RAE', functools.partial(networks.rae_encoder, base_filters=2),
               functools.partial(networks.rae_decoder, base_filters=2),
               (32, 32, 3))


# Every kind of net once; exhaustive, but for the first.
MODELS = {'conv_digits': conv_digits, 'residual': residual, 'rae': rae,
          'vectors': tiny_models.of_vectors,
          'sn_gan': lambda: tiny_models.make('SNGAN')}
CASES = [
    pytest.param(format_name, model, marks=[
        pytest.mark.slow,
        *([] if model == 'conv_digits' else [pytest.mark.exhaustive])])
    for format_name in formats.FORMATS for model in MODELS]


def _require(name):
  for module in formats.FORMATS[name].PACKAGES:
    pytest.importorskip(module)


def _names(path, verb):
  """Returns the names of a file's inputs and outputs."""
  if path.suffix == '.tflite':
    found = litert().Interpreter(str(path)).get_signature_list()[verb]
    return found['inputs'], found['outputs']
  session = importlib.import_module('onnxruntime').InferenceSession(path)
  return ([x.name for x in session.get_inputs()],
          [x.name for x in session.get_outputs()])


def litert():
  return importlib.import_module('ai_edge_litert.interpreter')


@pytest.mark.parametrize('name,which', CASES)
def test_a_file_answers_as_the_model_does(tmp_path, name, which):
  _require(name)
  model = MODELS[which]()
  formats.write(model, tmp_path, name)
  metadata = json.loads((tmp_path / 'metadata.json').read_text())
  assert metadata['format'] == name and 'decode' in metadata['functions']
  assert ('encode' in metadata['functions']) == model.has_encoder
  for verb, described in metadata['functions'].items():
    path = tmp_path / described['file']
    names = [described['input']['name']], [described['output']]
    assert _names(path, verb) == names
    call = formats.FORMATS[name].load(path)
    rows = np.asarray(model.draw_latents(5, 3))
    rows = rows if verb == 'decode' else model.decode(rows).numpy()
    expected = np.asarray(getattr(model, verb)(rows), np.float64)
    scale = 1. if call(rows).dtype == np.uint8 else np.abs(expected).max()
    tolerance = 1. if call(rows).dtype == np.uint8 else 1e-4
    # Any number of rows, in any order of sizes.
    for size in (5, 1, 2):
      answer = call(rows[:size]).astype(np.float64)
      assert np.abs(answer - expected[:size]).max() / scale <= tolerance
    # What is compared is not nearly constant.
    assert np.ptp(expected) > (0. if expected.ndim == 4 else 1e-2)


# === Without the packages: a format that the test makes ===


class _Copies:
  """A format whose file is a function, wrong by what the test says."""
  PACKAGES = {}

  def __init__(self, wrong=lambda answer: answer):
    self._wrong = wrong

  def convert(self, name, function, spec, path):
    path.write_text(name)
    self._functions = getattr(self, '_functions', {}) | {name: function}
    return {'converter': 'none'}

  def load(self, path):
    function = self._functions[path.read_text()]

    def call(rows):
      (answer,) = function(rows).values()
      return self._wrong(np.asarray(answer))

    return call


def test_metadata_names_each_file(tmp_path, monkeypatch):
  monkeypatch.setitem(formats.FORMATS, 'copies', _Copies())
  formats.write(tiny_models.make('VAE'), tmp_path, 'copies',
                provenance={'dataset': 'made'})
  metadata = json.loads((tmp_path / 'metadata.json').read_text())
  assert (metadata['model'], metadata['dataset']) == ('VAE', 'made')
  assert metadata['functions'] == {
      'decode': {
          'file': 'decode.copies', 'output': 'images', 'converter': 'none',
          'input': {'name': 'latents', 'dtype': 'float32', 'shape': [None, 3]},
          'difference': metadata['functions']['decode']['difference']},
      'encode': {
          'file': 'encode.copies', 'output': 'latents', 'converter': 'none',
          'input': {'name': 'images', 'dtype': 'uint8',
                    'shape': [None, 3, 2, 1]},
          'difference': metadata['functions']['encode']['difference']}}
  assert sorted(p.name for p in tmp_path.iterdir()) == [
      'decode.copies', 'encode.copies', 'metadata.json']


@pytest.mark.parametrize('make,wrong', [
    (lambda: tiny_models.make('VAE'), lambda answer: answer.astype(np.int32)),
    (lambda: tiny_models.make('VAE'), lambda answer: answer[:, :1]),
    (lambda: tiny_models.make('VAE'), lambda answer: 255 - answer),
    (tiny_models.of_vectors, lambda answer: answer * np.float32(1.001)),
    (tiny_models.of_vectors, lambda answer: answer * np.float32(np.nan))])
def test_a_wrong_answer_is_refused(tmp_path, monkeypatch, make, wrong):
  monkeypatch.setitem(formats.FORMATS, 'copies', _Copies(wrong))
  with pytest.raises(errors.UserError, match='decode.copies (gives|differs)'):
    formats.write(make(), tmp_path, 'copies')
  formats.write(make(), tmp_path, 'copies', compared=False)


@pytest.mark.parametrize('name', formats.FORMATS)
def test_a_missing_package_is_named(tmp_path, monkeypatch, name):
  monkeypatch.setattr(importlib.util, 'find_spec', lambda module: None)
  with pytest.raises(errors.UserError) as caught:
    formats.check(name, tmp_path)
  packages = formats.FORMATS[name].PACKAGES.values()
  assert f'--format={name} needs {" and ".join(packages)}, which' in str(
      caught.value)
  assert str(caught.value).endswith(f': pip install {" ".join(packages)}.')


def test_what_a_format_refuses(tmp_path, monkeypatch):
  monkeypatch.setitem(formats.FORMATS, 'copies', _Copies())
  formats.check('copies', tmp_path / 'absent')
  with pytest.raises(errors.UserError, match='leave out --prior'):
    formats.check('copies', tmp_path, 'gmm')
  (tmp_path / '3').mkdir()
  formats.check('copies', tmp_path)
  (tmp_path / '3' / 'saved_model.pb').touch()
  with pytest.raises(errors.UserError, match='holds SavedModels'):
    formats.check('copies', tmp_path)


def test_no_density_is_fitted_for_files_of_nets(tmp_path, monkeypatch):
  (tmp_path / 'config.gin').touch()
  monkeypatch.setitem(formats.FORMATS, 'onnx', _Copies())

  def load(run, checkpoint, prior):
    raise errors.UserError(f'The density is {prior}.')

  monkeypatch.setattr(exporting.checkpoints, 'load_configured', load)
  with pytest.raises(errors.UserError, match='The density is own'):
    exporting.export(tmp_path, format='onnx')


@pytest.mark.parametrize('settings, named', [
    (dict(precision='float16'), '--precision'), (dict(xla=True), '--xla'),
    (dict(max_batch=4), 'export.max_batch'),
    (dict(max_count=4, xla=True), '--xla and export.max_count')])
def test_what_only_a_saved_model_has_is_refused(
    tmp_path, monkeypatch, settings, named):
  (tmp_path / 'config.gin').touch()
  monkeypatch.setitem(formats.FORMATS, 'onnx', _Copies())
  with pytest.raises(errors.UserError, match=(
      f'--format=onnx .* leave out {named}, or take --format=saved_model')):
    exporting.export(tmp_path, format='onnx', **settings)


def test_what_cannot_be_converted_is_a_sentence(tmp_path, monkeypatch):

  class Fails(_Copies):

    def convert(self, name, function, spec, path):
      raise RuntimeError('no op\n  Frobnicate')

  monkeypatch.setitem(formats.FORMATS, 'copies', Fails())
  with pytest.raises(errors.UserError) as caught:
    formats.write(tiny_models.make('AE'), tmp_path, 'copies')
  assert str(caught.value) == (
      '--format=copies cannot hold the decode of ae (no op Frobnicate): take '
      '--format=saved_model.')
