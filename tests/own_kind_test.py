"""A kind of data that a user defines goes through every verb, by value."""
import json
import pathlib

import gin
import numpy as np
import own_kind
import pytest
import tensorflow as tf

from pgak import errors
from pgak import evaluation
from pgak import registry
from pgak import serving
from pgak import training
from pgak.generation import drawing
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import run_directory
from pgak.serving import exporting

registry.register()

SETTINGS = ('latent_dim = 3', 'train.batch_size = 16', 'train.xla = False',
            'hidden_units = (8,)', 'image_shape = (6,)',
            'decoder.value_range = None', 'train.dataset = @signals',
            'train.steps = 2', 'train.log_every = 2',
            'train.validate_every = 2', 'train.sample_every = 2',
            'train.checkpoint_every = 2')
IMPORTS = ('own_kind',)


@pytest.fixture(name='trained', scope='module')
def _trained(tmp_path_factory):
  """A run of two steps, and what its training printed."""
  path = tmp_path_factory.mktemp('runs') / 'signals'
  with pytest.MonkeyPatch.context() as patch:
    printed = []
    patch.setattr('builtins.print', lambda *a, **k: printed.append(str(a)))
    configuration.parse(['quickstart.gin', 'networks/mlp.gin',
                         'models/vae.gin'], SETTINGS, IMPORTS,
                        registry.train_roots)
    training.train(path, imports=IMPORTS)
  gin.clear_config()
  return path, printed


@pytest.fixture(name='run')
def _run(trained):
  run = run_directory.RunDirectory(trained[0])
  configuration.parse_run(run, imports=IMPORTS)
  yield run
  gin.clear_config()


@pytest.fixture(name='model')
def _model(run):
  return checkpoints.load_configured(run)


@pytest.fixture(name='signals')
def _signals():
  return own_kind.SignalArray('test', 64).read(np.arange(5))


def test_it_is_written_down_and_what_is_left_out_is_told(trained, run):
  assert json.loads((trained[0] / 'config.json').read_text())['data'][
      'kind'] == run.config['data']['kind'] == 'signals'
  assert 'There are no galleries of signals' in ''.join(trained[1])
  assert not run.samples.exists()


def test_both_conversions_are_those_of_the_kind(model, signals):
  floats = signals.astype(np.float32) / 100.
  latents = model.encode_mean(tf.constant(floats))
  np.testing.assert_allclose(model.encode(signals), latents, atol=1e-6)
  made = np.rint(100. * model.decoder(latents).numpy())
  found = model.reconstruct(signals)
  assert found.dtype == tf.int16 and np.abs(made).max() > 1.
  np.testing.assert_allclose(found.numpy(), made, atol=1.)
  drawn = model.sample(4, seed=3)
  assert drawn.dtype == tf.int16 and drawn.shape == (4, 6)


def test_scores_are_of_what_users_see(run, model):
  rows = evaluation.evaluate(run.path, protocol=own_kind.measured)
  found = {(r['metric'], r['images']): float(r['value']) for r in rows}
  real = own_kind.SignalArray('test', 64).read(np.arange(64)).astype(float)
  made = model.reconstruct(real.astype(np.int16)).numpy()
  error = np.mean((made.astype(float) - real)**2)
  assert found['mse', 'reconstructions'] == pytest.approx(error, rel=1e-3)
  # Samples of a model that was hardly trained are much too small.
  assert (found['sliced_wasserstein', 'samples']
          > found['sliced_wasserstein', 'data'] > 1.)


def test_another_protocol_is_refused_by_name(run):
  with pytest.raises(errors.UserError, match='vectors measures vectors, and '
                     'signals holds signals: use --protocol=measured'):
    evaluation.evaluate(run.path, protocol='vectors')


def test_a_density_of_its_latents(run, signals):
  model = checkpoints.load_configured(run, prior='gaussian')
  assert model.sample(3).dtype == tf.int16
  encoded = model.encode_split(own_kind.SignalArray('train', 64))
  drawn = np.asarray(model.prior.sample(20000))
  np.testing.assert_allclose(drawn.mean(0), encoded.mean(0),
                             atol=0.05 * encoded.std(0).max())


def test_samples_are_an_array_and_no_picture(run, model, tmp_path):
  drawing.sample(run.path, str(tmp_path / 'a.npz'), num_samples=5, seed=1)
  with np.load(tmp_path / 'a.npz') as arrays:
    np.testing.assert_allclose(arrays['images'], model.sample(5, 1), atol=1)
    assert arrays['images'].dtype == np.int16
  with pytest.raises(errors.UserError, match='no picture.*npz'):
    drawing.sample(run.path, str(tmp_path / 'a.png'), num_samples=5)
  with pytest.raises(errors.UserError, match='makes signals, of which there is '
                     'no --kind=paths: choose samples'):
    drawing.sample(run.path, str(tmp_path / 'b.png'), 'paths')


def test_the_export_answers_in_the_kind(model, signals, tmp_path, capsys):
  path = exporting.export_model(model, tmp_path / 'e', verified=False)
  metadata = json.loads((pathlib.Path(path) / 'metadata.json').read_text())
  assert metadata['kind'] == 'signals'
  assert metadata['signatures']['encode']['inputs']['images'] == {
      'dtype': 'int16', 'shape': [None, 6]}
  assert {'encode_image', 'generate_png'} <= set(metadata['left_out'])
  assert ('the signals that it makes are no images: the signatures '
          'generate_png, encode_image are left out') in capsys.readouterr().out
  served = serving.ServedModel(path)
  np.testing.assert_allclose(served.encode(signals), model.encode(signals),
                             atol=1e-5)
  made = served.reconstruct(signals)
  assert made.dtype == np.int16
  np.testing.assert_allclose(made, model.reconstruct(signals), atol=1)
