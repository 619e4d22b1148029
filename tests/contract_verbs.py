"""The verbs of the contract test: each does it, and checks what it has made.

A verb takes a `contract.Run`, whose configuration gin has, and an empty folder;
it returns what it says of what is left out, if it is not printed.
"""
import contextlib
import functools
import io
import json
import pathlib
import shlex
import shutil

import contract
import contract_numbers as numbers
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

import pgak
from pgak import data
from pgak import evaluation
from pgak import reporting
from pgak import serving
from pgak import sweeping
from pgak.bin import sweep as sweep_lib
from pgak.generation import drawing
from pgak.generation import spaces
from pgak.pictures import grids
from pgak.pictures import png
from pgak.reporting import curves
from pgak.reporting import runs as runs_lib
from pgak.serving import client
from pgak.serving import exporting
from pgak.serving import pictures

__all__ = ['DRAWINGS', 'SERVED_DRAWINGS', 'protocol']

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
  assert numbers.check_rows(copy, rows) or name == 'learned_priors_separability'
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
  model = copy.model(prior='gmm')
  assert model.prior.label == 'gmm_2'
  assert len(list((copy.path / 'densities').iterdir())) == 1
  latents = model.encode(*numbers.read(numbers.split('train'), 10000))
  mean, spread = (f(np.asarray(latents), axis=0) for f in (np.mean, np.std))
  drawn = np.asarray(model.prior.sample(4000, 1))
  assert np.all(np.abs(drawn.mean(0) - mean) < 0.1 * spread)
  np.testing.assert_allclose(drawn.std(0), spread, rtol=0.1)


# === The loaded model ===


@functools.lru_cache(maxsize=None)
def _loaded(path):
  return pgak.load(path)


def _model(run):
  """Returns the loaded model; `pgak.load` clears gin, which is set again."""
  model = _loaded(run.path)
  run.configure()
  return model


def _asked(run, number=5):
  """Returns a loaded model, and examples as it takes them."""
  return _model(run), numbers.read(numbers.split('test'), number)


def _given(run, examples):
  """What a conditional model wants besides latents."""
  return examples[1:] if run.combination.kind == 'pairs' else ()


def encode(run, folder):
  del folder
  model, examples = _asked(run)
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
  model, examples = _asked(run)
  latents = np.random.default_rng(0).normal(
      size=(5, model.latent_dim)).astype(np.float32)
  given = _given(run, examples)
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
  model, examples = _wide(run), _asked(run)[1]
  made = model.reconstruct(*examples)
  assert np.std(made, axis=0).max() > 0.02
  given = _given(run, examples)
  numbers.alike(made, _decoded(model, _encoded(model, examples), given))
  assert np.asarray(made).dtype == examples[0].dtype
  assert made.shape == examples[0].shape


def sample(run, folder):
  """One argument: how many, or the conditions."""
  del folder
  model, examples = _asked(run)
  given = _given(run, examples)
  made = np.asarray(model.sample(*(given or (5,)), seed=3))
  latents = (model.draw_latents(None, 3, model.condition(given[0])) if given
             else model.prior.sample(5, seed=3))
  numbers.alike(made, _decoded(model, latents, given))
  assert made.shape == examples[0].shape and np.any(made[0] != made[1])
  assert np.array_equal(made, model.sample(*(given or (5,)), seed=3))
  assert np.any(made != model.sample(*(given or (5,)), seed=4))


def interpolate(run, folder):
  del folder
  model, (examples, *_) = _wide(run), _asked(run, 4)[1]
  lines = model.interpolate(examples[:2], examples[2:], 3)
  assert np.std(lines, axis=1).max() > 0.02
  assert lines.shape == (2, 3, *examples.shape[1:])
  latents = np.asarray(model.encode(examples))
  for place, weight in enumerate((0., 0.5, 1.)):
    numbers.alike(lines[:, place], _decoded(
        model, (1. - weight) * latents[:2] + weight * latents[2:], ()))


# === Drawings ===


def _drawn(run, folder, kind, number=6, **options):
  """Draws arrays and a picture; returns the arrays."""
  drawing.sample(run.path, str(folder / 'a.npz'), kind, number, seed=1,
                 **options)
  drawing.sample(run.path, str(folder / 'a.png'), kind, number, seed=1,
                 **options)
  assert np.ptp(png.decode((folder / 'a.png').read_bytes())) > 0
  with np.load(folder / 'a.npz') as arrays:
    found = dict(arrays)
  assert all(np.isfinite(x).all() for x in found.values()
             if x.dtype.kind == 'f')
  return found, _model(run)


def draw_samples(run, folder):
  found, model = _drawn(run, folder, 'samples')
  if run.combination.kind == 'pairs':
    assert found['images'].shape == (6, 8, 8, 1)
    made = model.sample(found['conditions'], seed=6 << 20)
    numbers.alike(found['images'][:1], made)
    return
  numbers.alike(found['images'], model.sample(6, 1))
  numbers.alike(found['latents'], model.prior.sample(6, 1))


def draw_reconstruction(run, folder):
  found, model = _drawn(run, folder, 'reconstruction')
  given = [found[n] for n in ('conditions',) if n in found]
  numbers.alike(found['images'], model.reconstruct(found['originals'], *given))


def draw_interpolation(run, folder):
  """The ends are reconstructions, or draws of the prior."""
  found, model = _drawn(run, folder, 'interpolation', 16)
  assert found['images'].shape == (16, 8, 8, 1)
  if 'latents' in found:
    latents = np.concatenate([found['latents'][::8], found['latents'][7::8]])
    numbers.alike(latents, model.encode(found['originals']))
  ends = np.concatenate([found['images'][::8], found['images'][7::8]])
  numbers.alike(ends, model.reconstruct(found['originals'])
                if 'originals' in found else model.sample(4, 1))


def draw_attribute(run, folder):
  """The vector is a difference of means."""
  found, model = _drawn(run, folder, 'attribute', 8, attribute='label=1',
                        space='zT')
  array = numbers.split('train')
  latents = np.asarray(model.encode(array.read(np.arange(len(array)))))
  has = np.asarray(array.labels) == 1
  numbers.alike(found['vector'].astype('f4'),
                (latents[has].mean(0) - latents[~has].mean(0)).astype('f4'))
  numbers.alike(found['images'][:1], model.reconstruct(found['originals'][:1]))


def draw_latents(run, folder):
  found, model = _drawn(run, folder, 'latents', 50)
  array = numbers.split('test')
  if run.combination.kind == 'images':
    assert set(found['labels']) <= set(range(10))
  latents = np.asarray(model.encode(array.read(np.arange(len(array)))))
  distances = np.abs(found['latents'][:, None] - latents).max(-1).min(-1)
  assert len(found['latents']) == 50 and distances.max() < 1e-4
  numbers.alike(found['prior'], model.prior.sample(50, 1))
  assert ('base' in found) == hasattr(model.prior, 'latent_to_base')


def draw_paths(run, folder):
  found, model = _drawn(run, folder, 'paths', 1)
  ends = found['path_zT'][:, [0, -1]].reshape(2, -1)
  numbers.alike(ends, model.encode(found['originals']))
  assert ('path_z0' in found) == spaces.has_base(model.prior)


def _densities(model, array):
  latents = model.encode(array.read(np.arange(len(array))))
  return np.asarray(model.prior.log_prob(latents), np.float64)


def draw_log_density(run, folder):
  found, model = _drawn(run, folder, 'log_density', 16)
  values = _densities(model, numbers.split('test'))
  np.testing.assert_allclose(found['log_density'], values, rtol=1e-3, atol=1e-3)
  assert values[found['shown'][-1]] == pytest.approx(values.max(), rel=1e-4)
  drawing.sample(run.path, str(folder / 'a.csv'), 'log_density', 16)
  assert len((folder / 'a.csv').read_text().splitlines()) == len(values) + 1


def draw_ood(run, folder):
  """The area under the curve is a share of pairs."""
  def other():
    return data.synthetic((8, 8, 1), 40)
  found, model = _drawn(run, folder, 'ood', 400, against=other)
  inside, outside = (_densities(model, d.split('validation')) for d in (
      contract.dataset(), other()))
  share = np.mean(inside[:, None] > outside)
  assert found['auroc'] == pytest.approx(share, abs=1e-3)


DRAWINGS = {
    'samples': draw_samples, 'interpolation': draw_interpolation,
    'reconstruction': draw_reconstruction, 'attribute': draw_attribute,
    'latents': draw_latents, 'paths': draw_paths,
    'log_density': draw_log_density, 'ood': draw_ood}


# === Exports ===


@functools.lru_cache(maxsize=None)
def _exported(run):
  """Exports a run beside it; what needs one shares it."""
  folder = run.path.parent / f'{run.name}_export'
  with contextlib.redirect_stdout(io.StringIO()) as out:
    path = serving.export(run.path, str(folder), verified=False)
  return path, out.getvalue()


@functools.lru_cache(maxsize=None)
def _served(run):
  return client.ServedModel(_exported(run)[0])


def _signatures(run):
  return _served(run)._loaded.signatures  # pylint: disable=protected-access


def export(run, folder):
  """Its files say what it is and which signatures it has."""
  del folder
  path, printed = _exported(run)
  metadata = json.loads((path / 'metadata.json').read_text())
  model = _model(run)
  assert metadata['step'] == 2 and metadata['model'] == type(model).__name__
  assert tuple(metadata['image_shape']) == model.image_shape
  assert metadata['latent_dim'] == model.latent_dim
  assert metadata['value_range'] == (
      model.value_range and list(model.value_range))
  expected = run.combination.signatures
  assert metadata['signatures'].keys() == {*expected, 'serving_default'}
  assert set(_signatures(run)) == {*expected, 'serving_default'}
  return printed


def verify(run, folder):
  """In a fresh process, both ways of loading."""
  del folder
  found = exporting.verify(_exported(run)[0])
  assert found.keys() == {'object', 'session'}
  for differences in found.values():
    assert differences.keys() == {
        *run.combination.signatures, 'serving_default'}
    assert max(differences.values()) <= 1.


def serve_signatures(run, folder):
  """What a server is asked, called as TensorFlow calls it."""
  del folder
  signatures = _signatures(run)
  model, examples = _asked(run, 3)
  given = {'conditions': tf.constant(x) for x in _given(run, examples)}
  if not given:
    made = signatures['generate'](count=tf.constant(3),
                                  seed=tf.constant(7, tf.int64))['images']
    numbers.alike(made, model.sample(3, seed=7))
    return
  pair = {'images': tf.constant(examples[0]), **given}
  latents = model.encode(*examples)
  numbers.alike(signatures['encode'](**pair)['latents'], latents)
  numbers.alike(signatures['decode'](latents=latents, **given)['images'],
                model.decode(latents, examples[1]))
  numbers.alike(signatures['reconstruct'](**pair)['images'],
                model.reconstruct(*examples))
  numbers.alike(signatures['generate'](
      seed=tf.constant(7, tf.int64), **given)['images'],
                model.sample(examples[1], seed=7))
  with pytest.raises(tf.errors.InvalidArgumentError, match='equally many'):
    signatures['encode'](images=pair['images'],
                         conditions=pair['conditions'][:1])


def serve_encode(run, folder):
  del folder
  served, (model, examples) = _served(run), _asked(run)
  numbers.alike(served.encode(examples[0]), model.encode(examples[0]))


def serve_decode(run, folder):
  del folder
  served, (model, _) = _served(run), _asked(run)
  latents = np.random.default_rng(0).normal(
      size=(5, model.latent_dim)).astype(np.float32)
  numbers.alike(served.decode(latents), model.decode(latents))


def serve_reconstruct(run, folder):
  del folder
  served, (model, examples) = _served(run), _asked(run)
  numbers.alike(served.reconstruct(examples[0]), model.reconstruct(examples[0]))


def serve_sample(run, folder):
  del folder
  served, (model, _) = _served(run), _asked(run)
  numbers.alike(served.sample(5, 2), model.sample(5, 2))
  numbers.alike(served.sample_latents(5, 2), model.prior.sample(5, 2))


def serve_interpolate(run, folder):
  del folder
  served, (model, (examples, *_)) = _served(run), _asked(run, 4)
  lines = served.interpolate(examples[:2], examples[2:], 3)
  numbers.alike(lines, model.interpolate(examples[:2], examples[2:], 3))


def _normal_density(z):
  return -0.5 * np.sum(np.asarray(z, np.float64)**2 + np.log(2. * np.pi), 1)


def serve_log_prob(run, folder):
  """A flow's is its base's and the logarithm of the volume that it keeps."""
  del folder
  served, (model, _) = _served(run), _asked(run)
  latents = tf.random.stateless_normal([4, model.latent_dim], [1, 2])
  answer = served.log_prob(latents)
  expected = _normal_density(latents)
  if hasattr(model.prior, 'latent_to_base'):
    with tf.GradientTape() as tape:
      tape.watch(latents)
      base = model.prior.latent_to_base(latents)
    jacobian = tape.batch_jacobian(base, latents).numpy().astype(np.float64)
    expected = _normal_density(base) + np.linalg.slogdet(jacobian)[1]
  np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=1e-3)


def serve_base(run, folder):
  """There and back, and samples are of draws of N(0, I)."""
  del folder
  served, (model, _) = _served(run), _asked(run)
  served.latent_to_base(np.zeros([2, model.latent_dim], np.float32))
  latents = served.sample_latents(400, 1)
  base = served.latent_to_base(latents)
  numbers.alike(served.base_to_latent(base), latents)
  assert abs(base.mean()) < 0.15 and base.std() == pytest.approx(1., abs=0.1)


def _draw_served(kind, run, folder):
  for name in ('a.npz', 'a.png'):
    pictures.sample_export(str(_exported(run)[0]), str(folder / name), kind, 16)
  assert np.ptp(png.decode((folder / 'a.png').read_bytes())) > 0
  with np.load(folder / 'a.npz') as arrays:
    return arrays['images'], _model(run)


def draw_served_samples(run, folder):
  images, model = _draw_served('samples', run, folder)
  numbers.alike(images, model.sample(16))


def draw_served_interpolation(run, folder):
  """Between samples, or their reconstructions."""
  images, model = _draw_served('interpolation', run, folder)
  ends = model.sample(4)
  ends = model.reconstruct(ends) if model.has_encoder else ends
  numbers.alike(np.concatenate([images[::8], images[7::8]]), ends)


def draw_served_reconstruction(run, folder):
  _draw_served('reconstruction', run, folder)


SERVED_DRAWINGS = {'samples': draw_served_samples,
                   'interpolation': draw_served_interpolation,
                   'reconstruction': draw_served_reconstruction}


# === Reports and sweeps ===


def report(run, folder):
  """The page holds the run's scores and pictures; nothing is not shown."""
  page = folder / 'report.html'
  problems = reporting.write_report(str(page), [run.path])
  # See `contract.VECTORS`: runs on vectors have no galleries today.
  assert problems == [] or run.combination.kind == 'vectors'
  text = page.with_suffix('.md').read_text()
  assert 'Not shown' not in text, text[text.index('Not shown'):][:500]
  assert text.count('# Training curves') == 1
  assert page.read_text().count('<img') == text.count('![')
  names = [p.name for p in (folder / 'report_files').iterdir()]
  assert any(n.startswith('manifold') for n in names) == (
      run.combination.kind == 'vectors')
  assert any(n.startswith('curve') for n in names)
  value = run.directory.scores()[0]
  assert value['metric'].replace('_', '\\_') in text
  return text


def _sweep(run, folder):
  path = folder / 'it.sweep'
  bindings = [b for b in run.combination.bindings
              if not b.startswith(('train.score', 'frechet_scorer'))]
  if run.combination.kind != 'vectors':
    bindings.append('classifier.steps = 20')
  path.write_text(f'''
sweep.cells = {{{run.name!r}: {[*run.combination.files, *bindings]!r}}}
sweep.evaluations = [{{'protocol': {run.combination.protocol!r}}}]
''')
  return sweeping.Runner(sweeping.read(str(path)), str(folder / 'out'),
                         sweep_lib.BIN_DIR)


def sweep(run, folder):
  """What it would run: a training and an evaluation, of this combination."""
  commands = [shlex.split(line)
              for line in _sweep(run, folder).pending_commands()]
  assert [c[0] for c in commands] == ['pgak_train', 'pgak_evaluate']
  where = f'--run_dir={folder}/out/{run.name}/seed-0'
  assert all(where in c for c in commands)
  assert f'--protocol={run.combination.protocol}' in commands[1]
  files = [w for w in commands[0] if w.startswith('--gin_file=')]
  assert [f.removeprefix('--gin_file=') for f in files] == [
      *run.combination.files]
  assert not (folder / 'out').exists()


def sweep_run(run, folder):
  """The sweep itself, with commands of its own."""
  runner = _sweep(run, folder)
  assert runner.run() == {}
  path = folder / 'out' / run.name / 'seed-0'
  swept = run._replace(path=path)
  assert swept.directory.checkpoints() == [1, 2]
  rows = swept.directory.scores()
  assert {row['protocol'] for row in rows} == {run.combination.protocol}
  assert all(np.isfinite(float(row['value'])) for row in rows)
  assert runner.pending_commands() == []
  whole = tiny_runs.saved(run.path, 2)
  for name, value in tiny_runs.saved(path, 2).items():
    np.testing.assert_allclose(value, whole[name], rtol=1e-3, atol=1e-4,
                               err_msg=name)
