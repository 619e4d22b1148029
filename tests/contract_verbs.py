"""The verbs of the contract test: each does it, and checks what it has made.

A verb takes a `contract.Run`, whose configuration gin has, and an empty folder;
it returns what it says of what is left out, if it is not printed.
"""
import functools
import pathlib
import shutil

import contract
import contract_numbers as numbers
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

import pgak
from pgak import capabilities
from pgak import evaluation
from pgak.pictures import grids
from pgak.pictures import png
from pgak.reporting import curves
from pgak.reporting import runs as runs_lib

__all__ = ['asked', 'conditions_of', 'model', 'protocol']

# === Training ===


def train(run, folder):
  """Two checkpoints, between which every part has moved."""
  del folder
  assert run.directory.checkpoints() == [1, 2]
  assert 'step 2/2' in run.printed
  before, after = (run.model(step) for step in (1, 2))
  assert int(after.step) == 2
  for name, part in after.parts.items():
    old = before.parts[name].trainable_variables
    assert all(np.isfinite(v).all() for v in part.trainable_variables), name
    new = part.trainable_variables
    assert any(np.abs(v.numpy() - w).max() > 1e-6
               for v, w in zip(new, old, strict=True)), name


def resume(run, folder):
  """From the first step it comes to the second; a finished run is left."""
  copy = run.copied(folder)
  shutil.rmtree(pathlib.Path(copy.directory.checkpoint_prefix(2)).parent)
  again = contract.train(run.name, copy.path)
  assert 'step 2/2' in again.printed and 'step 1/2' not in again.printed
  whole, found = (tiny_runs.saved(r.path, 2) for r in (run, copy))
  assert found.keys() == whole.keys()
  for name, value in found.items():
    np.testing.assert_allclose(value, whole[name], rtol=1e-4, atol=1e-5,
                               err_msg=name)


def resume_finished(run, folder):
  """A run that is finished is left as it is."""
  del folder
  weights = tiny_runs.saved(run.path, 2)
  assert 'is finished: 2 of 2 steps.' in contract.train(
      run.name, run.path).printed
  assert run.directory.checkpoints() == [1, 2] and all(
      np.array_equal(value, weights[name])
      for name, value in tiny_runs.saved(run.path, 2).items())


def validate(run, folder):
  """The terms on the validation split, which are in the events."""
  del folder
  found = curves.read_events(runs_lib.read(run.path))
  terms = {name: values[-1] for (stream, name), (steps, values)
           in found.items() if stream == 'validation' and list(steps) == [2]}
  expected = run.combination.terms
  assert terms.keys() == {'loss', *expected}
  assert terms['loss'] == pytest.approx(
      sum(weight * terms[t] for t, weight in expected.items()), rel=1e-4)
  model = run.model()
  examples = numbers.read(numbers.split('test'), 10000)
  if run.name in ('images_rae', 'images_gmmn'):  # Without noise.
    real = numbers.floats(examples[0], model.value_range)
    made = np.asarray(model.decoder(model.encode(*examples)))
    assert terms['reconstruction'] == pytest.approx(
        np.mean((made - real)**2), rel=1e-3)
  if 'kl' in terms and run.combination.kind != 'pairs':
    assert terms['kl'] == pytest.approx(numbers.frozen_kl(
        *model.gaussian(model.to_model(examples[0]))), rel=1e-3)


def score(run, folder):
  """What `train.scorer` has measured at the last step."""
  del folder
  rows = run.directory.scores()
  assert {(row['step'], row['protocol']) for row in rows} == {
      ('2', run.combination.protocol)}
  assert numbers.check_rows(run, rows)


def gallery(run, folder):
  """The pictures of the last step."""
  del folder
  found = {p.name.removesuffix('_00000002.png'): png.decode(p.read_bytes())
           for p in run.directory.samples.iterdir()}
  assert found.keys() == run.combination.pictures
  assert all(p.dtype == np.uint8 and np.ptp(p) > 0 for p in found.values())
  if capabilities.is_unmatched(run.model()):
    return run.printed  # Of a Gaussian: see the tests of the galleries.
  if run.combination.kind == 'images':
    numbers.alike(found['samples'][..., :1],
                  grids.picture(run.model().sample(64)))
  elif run.combination.kind == 'pairs':
    # 16 rows of a condition, an image and 6 samples, 32 pixels and a line each.
    assert found['samples'].shape == (16 * 33 - 1, 8 * 33 - 1, 3)
    assert found['reconstructions'].shape == (16 * 33 - 1, 3 * 33 - 1, 3)
    images, conditions = numbers.read(numbers.split('test'), 16)
    made = run.model().reconstruct(images, conditions)
    numbers.alike(found['reconstructions'][:32, 2 * 33:, :1],
                  grids.enlarged(made[:1])[0])
  return run.printed


# === Evaluation ===

# What makes a protocol quick.
_FEW = {
    'learned_priors_separability': (
        'attribute_classifiers.steps = 5', 'separability.bootstraps = 2',
        'attribute_net.attributes = ["label=0", "label=1"]'),
    'stylegan_separability': (
        'stylegan_classifiers.steps = 2', 'separability.bootstraps = 2',
        'stylegan_classifiers.base_filters = 4',
        'stylegan_separability.num_samples = 60',
        'attribute_net.attributes = ["label=0", "label=1"]'),
    'rae_quick': (
        'GaussianMixture.num_components = 2', 'rae_quick.num_references = 60',
        "rae_quick.images = ('data', 'samples', 'reconstructions', "
        "'interpolations')"),
    **{name: ('GaussianMixture.num_components = 2',
              f"{name}.metrics = ('frechet', 'reconstruction')")
       for name in ('rae_iclr2020', 'rae_fid768')},
}


def _evaluate(name, prior, run, folder):
  """A protocol, whose scores are kept in the run."""
  copy = run.copied(folder)
  few = _FEW.get(name, ()) if run.combination.kind == 'images' else ()
  copy.configure(*few, f'{name}.num_samples = 60')
  before = len(copy.directory.scores())
  rows = evaluation.evaluate(copy.path, protocol=name, prior=prior)
  assert {row['protocol'] for row in rows} == {name}
  kept = copy.directory.scores()[before:]
  assert [float(row['value']) for row in kept] == pytest.approx(
      [row['value'] for row in rows], nan_ok=True), kept
  # Of memorisation tests/metrics/memorisation_test.py works out each score.
  assert (numbers.check_rows(copy, rows) or 'separability' in name
          or name == 'memorisation')
  return rows


def evaluate(run, folder):
  """By the protocol of the kind of data."""
  _evaluate(run.combination.protocol, None, run, folder)


def protocol(name):
  """Returns the verb that measures by a protocol."""
  def measure(run, folder):
    _evaluate(name, None, run, folder)
  return measure


def _density(prior, run, folder):
  rows = _evaluate(run.combination.protocol, prior, run, folder)
  assert {row['prior'] for row in rows if row['images'] == 'samples'} == {prior}
  values = {row['metric']: row['value'] for row in rows
            if row['prior'] == prior and row['images'] == 'data'}
  assert values.keys() == {'log_likelihood_train', 'log_likelihood_held_out'}


def gaussian(run, folder):
  """Scores of a Gaussian that is fitted to the latents."""
  _density('gaussian', run, folder)


def gmm(run, folder):
  """Scores of a mixture, better on the latents that it is fitted to."""
  copy = run.copied(folder)
  copy.configure('GaussianMixture.num_components = 2')
  # Another cell may have drawn from a density of its own.
  before = set((copy.path / 'densities').glob('*.npz'))
  model = copy.model(prior='gmm')
  assert model.prior.label == 'gmm_2'
  assert len(set((copy.path / 'densities').glob('*.npz')) - before) == 1
  latents = model.encode(*numbers.read(numbers.split('train'), 10000))
  mean, spread = (f(np.asarray(latents), axis=0) for f in (np.mean, np.std))
  drawn = np.asarray(model.prior.sample(4000, 1))
  assert np.all(np.abs(drawn.mean(0) - mean) < 0.1 * spread)
  np.testing.assert_allclose(drawn.std(0), spread, rtol=0.1)


# === The loaded model ===


@functools.lru_cache(maxsize=None)
def _loaded(path):
  return pgak.load(path)


def model(run):
  """Returns the loaded model; `pgak.load` clears gin, which is set again."""
  model = _loaded(run.path)
  run.configure()
  return model


def asked(run, number=5):
  """Returns a loaded model, and examples as it takes them."""
  return model(run), numbers.read(numbers.split('test'), number)


def conditions_of(run, examples):
  """What a conditional model wants besides latents."""
  return examples[1:] if run.combination.kind == 'pairs' else ()


def encode(run, folder):
  del folder
  model, examples = asked(run)
  latents = model.encode(*examples)
  assert latents.shape == (5, model.latent_dim) and np.std(latents) > 0.
  numbers.alike(latents, _encoded(model, examples))


def _encoded(model, examples):
  """An encoder's means of what users see, without the model's verbs."""
  floats = [tf.constant(numbers.floats(x, model.value_range), tf.float32)
            for x in examples]
  outputs = model.encoder(floats if len(floats) > 1 else floats[0])
  return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def _decoded(model, latents, given):
  """A decoder's mean as users see it, in NumPy."""
  inputs = [tf.constant(numbers.floats(x, model.value_range), tf.float32)
            for x in given]
  latents = tf.constant(latents)
  floats = (model.render(latents, *inputs) if inputs
            else model.decoder(latents)).numpy()
  if model.value_range is None:
    return floats
  low, high = model.value_range
  return np.rint(np.clip((floats - low) / (high - low) * 255., 0., 255.)
                 ).astype(np.uint8)


def decode(run, folder):
  del folder
  model, examples = asked(run)
  latents = np.random.default_rng(0).normal(
      size=(5, model.latent_dim)).astype(np.float32)
  given = conditions_of(run, examples)
  made = np.asarray(model.decode(latents, *given))
  assert np.any(made[0] != made[1])
  numbers.alike(made, _decoded(model, latents, given))


def _wide(run):
  """A loaded model whose latents differ more than two steps can make them.

  Else all reconstructions were one image, whatever was decoded.
  """
  model = pgak.load(run.path)
  run.configure()
  if model.has_encoder:
    for variable in model.encoder.trainable_variables:
      variable.assign(3. * variable)
  return model


def reconstruct(run, folder):
  del folder
  model, examples = _wide(run), asked(run)[1]
  made = model.reconstruct(*examples)
  assert np.std(made, axis=0).max() > 0.02
  given = conditions_of(run, examples)
  numbers.alike(made, _decoded(model, _encoded(model, examples), given))
  assert np.asarray(made).dtype == examples[0].dtype
  assert made.shape == examples[0].shape


def sample(run, folder):
  """One argument: how many, or the conditions."""
  del folder
  model, examples = asked(run)
  given = conditions_of(run, examples)
  made = np.asarray(model.sample(*(given or (5,)), seed=3))
  latents = (model.draw_latents(None, 3, model.condition(given[0])) if given
             else model.prior.sample(5, seed=3))
  numbers.alike(made, _decoded(model, latents, given))
  assert made.shape == examples[0].shape and np.any(made[0] != made[1])
  assert np.array_equal(made, model.sample(*(given or (5,)), seed=3))
  assert np.any(made != model.sample(*(given or (5,)), seed=4))


def interpolate(run, folder):
  del folder
  model, (examples, *_) = _wide(run), asked(run, 4)[1]
  lines = model.interpolate(examples[:2], examples[2:], 3)
  assert np.std(lines, axis=1).max() > 0.02
  assert lines.shape == (2, 3, *examples.shape[1:])
  latents = np.asarray(model.encode(examples))
  for place, weight in enumerate((0., 0.5, 1.)):
    numbers.alike(lines[:, place], _decoded(
        model, (1. - weight) * latents[:2] + weight * latents[2:], ()))
