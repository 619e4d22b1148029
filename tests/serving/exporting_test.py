"""Tests of exporting: what is written, where, and that it is the model."""
import functools
import json
import os
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from pgak import errors
from pgak import models
from pgak import networks
from pgak import priors
from pgak.data import decoding
from pgak.data import kinds
from pgak.runs import checkpoints
from pgak.runs import run_directory
from pgak.serving import client
from pgak.serving import expected
from pgak.serving import exporting
from pgak.serving import signatures
from pgak.serving import warm_up
import made_pictures
import tiny_models

SHAPE = (8, 8, 1)

IMAGES = ('DT_UINT8', [-1, *SHAPE])
LATENTS = ('DT_FLOAT', [-1, 3])
NUMBERS = ('DT_FLOAT', [-1])
FILES = ('DT_STRING', [-1])
DRAW = {'seed': ('DT_INT64', [-1])}
LINE = {'start': IMAGES, 'end': IMAGES, 'weight': NUMBERS}

# As `saved_model_cli show` shows them, and as a REST client must name them.
SIGNATURES = {
    'decode': ({'latents': LATENTS}, {'images': IMAGES}),
    'serving_default': (DRAW, {'images': IMAGES}),
    'encode': ({'images': IMAGES}, {'latents': LATENTS}),
    'encode_image': ({'image_bytes': FILES}, {'latents': LATENTS}),
    'generate': (DRAW, {'images': IMAGES}),
    'generate_png': (DRAW, {'image_bytes': FILES}),
    'interpolate': (LINE, {'images': IMAGES}),
    'interpolate_spherical': (LINE, {'images': IMAGES}),
    'reconstruct': ({'images': IMAGES}, {'images': IMAGES}),
    'sample_latents': (DRAW, {'latents': LATENTS}),
    'log_prob': ({'latents': LATENTS}, {'log_prob': NUMBERS}),
}


@pytest.fixture(scope='module')
def model():
  """A VPGA with batch norm, as after some training."""
  keras.utils.set_random_seed(0)
  settings = dict(base_filters=4, batch_norm=True, dense_units=8)
  encoder = networks.encoder(
      functools.partial(networks.conv_digits_encoder, **settings), SHAPE, 3,
      log_variance=True)
  decoder = networks.decoder(
      functools.partial(networks.conv_digits_decoder, **settings), SHAPE, 3)
  random = np.random.default_rng(0)
  for net in (encoder, decoder):
    for statistic in net.non_trainable_variables:
      statistic.assign(random.uniform(0.01, 0.1, statistic.shape))
  return models.VPGA(encoder, decoder)


@pytest.fixture(scope='module')
def folder(model, tmp_path_factory):
  output = tmp_path_factory.mktemp('export')
  return exporting.export_model(model, output, verified=False)


def described(infos):
  return {name: (info.DESCRIPTOR.fields_by_name['dtype'].enum_type
                 .values_by_number[info.dtype].name,
                 [d.size for d in info.tensor_shape.dim])
          for name, info in infos.items()}


def test_signatures_are_named_and_typed(folder):
  saved = saved_model_pb2.SavedModel.FromString(
      (folder / 'saved_model.pb').read_bytes())
  (graph,) = saved.meta_graphs
  found = {
      name: (described(definition.inputs), described(definition.outputs))
      for name, definition in graph.signature_def.items()
      if name != '__saved_model_init_op'}
  assert found == SIGNATURES


def test_the_graph_names_no_device_and_needs_no_xla(folder):
  saved = saved_model_pb2.SavedModel.FromString(
      (folder / 'saved_model.pb').read_bytes())
  for function in saved.meta_graphs[0].graph_def.library.function:
    if 'save' in function.signature.name or 'restore' in (
        function.signature.name):
      continue
    assert not function.attr['_XlaMustCompile'].b
    for node in function.node_def:
      assert 'GPU' not in node.device and not node.op.startswith('Xla')


def test_metadata_says_what_it_is(folder, model):
  metadata = json.loads((folder / 'metadata.json').read_text())
  assert metadata['model'] == 'VPGA'
  assert metadata['image_shape'] == list(SHAPE)
  assert metadata['latent_dim'] == 3
  assert metadata['value_range'] == [-1., 1.]
  assert metadata['prior'] == 'standard_normal'
  assert metadata['density'] == {'label': 'standard_normal', 'settings': {}}
  assert metadata['tensorflow'] == tf.__version__
  assert set(metadata['signatures']) == set(SIGNATURES)
  assert metadata['signatures_version'] == 2
  assert metadata['max_batch'] == 1024 and metadata['latent_shape'] == [3]
  assert metadata['serving_default'] == 'generate'
  assert metadata['labels'] == metadata['attributes'] == []
  assert metadata['guidance'] is None
  assert metadata['precision'] == 'float32' and metadata['xla'] is False
  assert set(metadata['left_out']) == {
      'latent_to_base', 'base_to_latent', 'generate_class', 'log_prob_class',
      'generate_attributes'}
  assert metadata['signatures']['generate'] == {
      'inputs': {'seed': {'dtype': 'int64', 'shape': [None]}},
      'outputs': {'images': {'dtype': 'uint8', 'shape': [None, *SHAPE]}},
      'bounds': {'batch': [0, 1024]}, 'bytes_per_row': 64}
  assert metadata['signatures']['interpolate']['bounds'] == {
      'batch': [0, 1024], 'weight': [0, 1]}
  assert metadata['signatures']['log_prob']['bytes_per_row'] == 4


def test_metadata_says_how_pictures_are_read(folder):
  metadata = json.loads((folder / 'metadata.json').read_text())
  assert (metadata['resize'], metadata['background']) == ('bicubic', 255)
  assert metadata['image_formats'] == ['PNG', 'JPEG', 'GIF', 'BMP', 'WEBP']
  limits = metadata['image_limits']
  assert limits['max_pixels'] == 1 << 25
  assert any('TIFF' in sentence for sentence in limits['refused'])


@pytest.mark.parametrize('form,kind', [
    ('PNG', 'alpha'), ('JPEG', 'inks'), *(
        pytest.param(*case, marks=pytest.mark.slow) for case in (
            ('PNG', 'deep'), ('GIF', 'clear'), ('BMP', 'palette'),
            ('WEBP', 'alpha')))])
def test_an_export_sees_what_the_data_set_sees(folder, form, kind):
  content = made_pictures.files(form)[kind]
  prepared = decoding.to_shape(decoding.decode(content, 1), SHAPE, None, True)
  served = client.ServedModel(folder)
  found = served._call('encode_image', image_bytes=[content])
  np.testing.assert_allclose(
      found, served.encode(prepared[tf.newaxis]), atol=1e-5)


def assert_sampled(served, model):
  """Each image is the one that the model samples by its seed."""
  seeds = [2, 7, 2**40]
  images = np.concatenate([model.sample(1, seed) for seed in seeds])
  np.testing.assert_allclose(served.generate(seeds).astype(int), images,
                             atol=1)


@pytest.mark.slow
def test_it_is_verified_in_a_fresh_process(folder):
  differences = exporting.verify(folder)
  assert set(differences) == {'object', 'session'}
  for found in differences.values():
    assert set(found) == set(SIGNATURES) and max(found.values()) <= 1.


def test_the_process_that_verifies_is_fresh(folder, tmp_path, monkeypatch):
  """Another one, on the CPU, in which nothing of pgak was imported."""
  check = tmp_path / 'check.py'
  check.write_text(
      'import json, os, sys\n'
      'print("a line of a library")\n'
      'print(json.dumps({"pid": os.getpid(), "argv": sys.argv[1:],\n'
      '                  "pgak": "pgak" in sys.modules, "path": sys.path,\n'
      '                  "gpus": os.environ["CUDA_VISIBLE_DEVICES"]}))\n')
  monkeypatch.setattr(exporting, 'CHECK', check)
  found = exporting.verify(folder)
  assert found['pid'] != os.getpid() and not found['pgak']
  assert found['argv'] == [str(folder.resolve())] and found['gpus'] == '-1'
  # The folder of the script, of pgak's own modules, is not on its path.
  assert str(tmp_path) not in found['path']


@pytest.mark.slow
@pytest.mark.parametrize('settings, times', [
    ({}, 1), pytest.param({'verified': False}, 0,
                          marks=pytest.mark.exhaustive)])
def test_an_export_is_verified_before_it_is_put_in_its_place(
    model, tmp_path, monkeypatch, settings, times):
  calls = []

  def verify(path):
    assert (path / 'saved_model.pb').exists()
    calls.append([p.name for p in tmp_path.iterdir()
                  if not p.name.endswith('.part')])

  monkeypatch.setattr(exporting, 'verify', verify)
  exporting.export_model(model, tmp_path, **settings)
  assert calls == [[]] * times and (tmp_path / '1').is_dir()


@pytest.mark.slow
@pytest.mark.parametrize('prior', [
    *(pytest.param(p, marks=pytest.mark.exhaustive, id=p.name) for p in (
        priors.GaussianMixture(3, 4), priors.KernelDensity(3),
        priors.RealNVP(3, 2, (8,), max_epochs=2),
        priors.TwoStageVAE(3, 1, 8, max_epochs=2))),
    priors.FlowMatching(3, 8, 1, steps=5, density_steps=70)],
                         ids=lambda p: p.name)
def test_an_export_carries_its_density(model, tmp_path, monkeypatch, prior):
  latents = np.random.default_rng(0).normal(2., 1., (60, 3))
  monkeypatch.setattr(model, 'prior', prior.fit(latents))
  path = exporting.export_model(model, tmp_path, verified=False)
  if prior.name == 'gmm':
    exporting.verify(path)
  served = client.ServedModel(path)
  assert served.metadata['density']['label'] == prior.label
  assert served.metadata['density']['fitted_to'] == 'means'
  assert set(served.metadata['density']['settings']) == set(prior.settings)
  assert_sampled(served, model)
  points = latents[:5].astype('f')
  if prior.name == 'two_stage':
    with pytest.raises(errors.UserError, match='without a density'):
      served.log_prob(points)
  else:
    np.testing.assert_allclose(served.log_prob(points),
                               prior.log_prob(tf.constant(points)), rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize('kind', [
    pytest.param('real_nvp', marks=pytest.mark.exhaustive), 'maf'])
def test_a_learned_flow_is_served_both_ways(tmp_path, kind):
  fp_vae = models.FPVAE(
      tiny_models.encoder(True), tiny_models.decoder(),
      lambda size: tiny_models.flow(size, flow=kind))
  tiny_models.scatter(fp_vae)
  path = exporting.export_model(fp_vae, tmp_path, verified=kind == 'maf')
  served = client.ServedModel(path)
  assert served.metadata['prior'] == f'learned_{kind}'
  assert_sampled(served, fp_vae)
  latents = fp_vae.prior.sample(6, 1).numpy()
  base = served.latent_to_base(latents)
  np.testing.assert_allclose(base, fp_vae.prior.latent_to_base(latents),
                             atol=1e-4)
  np.testing.assert_allclose(served.base_to_latent(base), latents, atol=1e-4)
  np.testing.assert_allclose(served.log_prob(latents),
                             fp_vae.prior.log_prob(latents), rtol=1e-4)
  assert served.latent_to_base(latents[:0]).shape == (0, 3)


def test_what_is_no_flow_says_so(folder):
  with pytest.raises(errors.UserError, match='no flow: export .* real_nvp'):
    client.ServedModel(folder).latent_to_base(np.zeros((1, 3)))


def test_batch_norm_uses_its_moving_statistics(folder, model):
  served = client.ServedModel(folder)
  latents = np.float32(np.random.default_rng(1).normal(size=(6, 3)))
  alone = [served.decode(z[np.newaxis])[0].astype(int) for z in latents]
  assert np.abs(served.decode(latents) - np.array(alone)).max() <= 1
  assert np.ptp(alone) > 20  # The images are not all grey.


@pytest.mark.slow
def test_versions_count_up_and_are_never_overwritten(model, tmp_path):
  export = functools.partial(exporting.export_model, model, tmp_path,
                             verified=False)
  assert export(version=7) == tmp_path / '7'
  assert export() == tmp_path / '8'
  kept = (tmp_path / '7' / 'metadata.json').read_text()
  with pytest.raises(errors.UserError, match='7 exists: give --overwrite'):
    export(version=7)
  assert (tmp_path / '7' / 'metadata.json').read_text() == kept
  assert sorted(p.name for p in tmp_path.iterdir()) == ['7', '8']


def test_an_export_that_came_between_is_not_overwritten(tmp_path):
  part = tmp_path / '.part'
  (tmp_path / '4').mkdir()
  (tmp_path / '4' / 'saved_model.pb').write_text('another')
  part.mkdir()
  with pytest.raises(errors.UserError, match='4 exists'):
    exporting.move_into_place(part, tmp_path, 4)
  assert exporting.move_into_place(part, tmp_path, None) == tmp_path / '5'


def test_the_first_version_is_one(tmp_path):
  (tmp_path / '.part').mkdir()
  moved = exporting.move_into_place(tmp_path / '.part', tmp_path, None)
  assert moved == tmp_path / '1' and moved.is_dir()


@pytest.mark.slow
def test_what_fails_its_verification_is_not_there(model, tmp_path, monkeypatch):
  check = tmp_path / 'check.py'
  check.write_text('import os, sys\n'
                   'assert os.path.exists(sys.argv[1] + "/saved_model.pb")\n'
                   'sys.exit("a warning\\ndecode differs.")\n')
  monkeypatch.setattr(exporting, 'CHECK', check)
  output = tmp_path / 'export'
  with pytest.raises(errors.UserError,
                     match='fails its verification: decode differs.$'):
    exporting.export_model(model, output)
  assert not list(output.iterdir())


@pytest.mark.parametrize('settings', [
    dict(version=0), dict(version='new'), dict(max_batch=0),
    dict(max_count=1e3 + 0.5)])
def test_impossible_settings(model, tmp_path, settings):
  with pytest.raises(errors.UserError, match='must be a whole number of'):
    exporting.export_model(model, tmp_path, verified=False, **settings)
  assert not list(tmp_path.iterdir())


def test_an_output_that_cannot_be_a_folder(model, tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(errors.UserError, match='cannot be written to'):
    exporting.export_model(model, tmp_path / 'file' / 'export', verified=False)


def test_warm_up_requests_are_a_call_of_each_signature(folder, model, tmp_path):
  pytest.importorskip('tensorflow_serving.apis')
  from tensorflow_serving.apis import prediction_log_pb2
  (tmp_path / 'assets.extra').mkdir()
  calls = expected.calls(signatures.Endpoints(model))
  number = warm_up.write_warm_up(calls, tmp_path / 'assets.extra', (1, 5))
  assert number == 2 * len(SIGNATURES)
  path = tmp_path / 'assets.extra' / 'tf_serving_warmup_requests'
  loaded = tf.saved_model.load(str(folder))
  for record in tf.data.TFRecordDataset(str(path)):
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    request = log.predict_log.request
    loaded.signatures[request.model_spec.signature_name](**{
        name: tf.constant(tf.make_ndarray(proto))
        for name, proto in request.inputs.items()})


# === The root ===


@pytest.fixture
def run_dir(tmp_path, model, monkeypatch):
  """A run directory whose checkpoint is the model above."""
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('', {'data': {
      'name': 'celeb_a_crop108',
      'preprocessing': {'crop': 108, 'antialias': False}}})
  averaging = keras.optimizers.Adam(use_ema=True)
  loaded = types.SimpleNamespace(
      encode=model.encode, decode=model.decode, prior=model.prior, step=40,
      image_shape=SHAPE, latent_dim=3, value_range=(-1., 1.), name='loaded',
      kind=kinds.Images(SHAPE, (-1., 1.)), can={'encode', 'pixels', 'sample'},
      optimizers={'encoder': averaging, 'decoder': averaging})
  monkeypatch.setattr(checkpoints, 'load_configured', lambda *asked: {
      (run.path, 'best', None): loaded}[(asked[0].path, *asked[1:])])
  return run.path


def test_export_of_a_run(run_dir):
  path = exporting.export(run_dir, checkpoint='best', verified=False)
  assert path == run_dir / 'export' / '1'
  metadata = json.loads((path / 'metadata.json').read_text())
  assert metadata['step'] == 40 and metadata['ema'] is True
  assert metadata['dataset']['name'] == 'celeb_a_crop108'
  assert metadata['crop'] == 108 and metadata['antialias'] is False


@pytest.mark.parametrize('settings, verified', [
    ({}, True), (dict(verified=True), True), (dict(verified=False), False)])
def test_export_of_a_run_is_verified_unless_told_otherwise(
    run_dir, monkeypatch, settings, verified):
  asked = []
  monkeypatch.setattr(exporting, 'export_model',
                      lambda *given, **named: asked.append(named['verified']))
  exporting.export(run_dir, checkpoint='best', **settings)
  assert asked == [verified]
