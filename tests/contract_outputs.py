"""The verbs of the contract test that leave files: drawings, exports, reports.

Each is as those of `contract_verbs`.
"""
import contextlib
import functools
import io
import json
import shlex

import contract
import contract_numbers as numbers
import contract_verbs as verbs
import numpy as np
import pytest
import tensorflow as tf
import tiny_runs

from pgak import data
from pgak import reporting
from pgak import serving
from pgak import sweeping
from pgak.bin import sweep as sweep_lib
from pgak.generation import drawing
from pgak.generation import spaces
from pgak.pictures import png
from pgak.serving import client
from pgak.serving import exporting
from pgak.serving import pictures

__all__ = ['DRAWINGS', 'SERVED_DRAWINGS']

# === Drawings ===


def _drawn(run, folder, kind, number=6, **options):
  """Draws arrays and a picture of the model's own prior."""
  options = {'prior': 'own'} | options
  drawing.sample(run.path, str(folder / 'a.npz'), kind, num_samples=number,
                 seed=1, **options)
  drawing.sample(run.path, str(folder / 'a.png'), kind, num_samples=number,
                 seed=1, **options)
  assert np.ptp(png.decode((folder / 'a.png').read_bytes())) > 0
  with np.load(folder / 'a.npz') as arrays:
    found = dict(arrays)
  assert all(np.isfinite(x).all() for x in found.values()
             if x.dtype.kind == 'f')
  return found, verbs.model(run)


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
  """The ends are reconstructions, or samples of the prior, decoded."""
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
  drawing.sample(run.path, str(folder / 'a.csv'), 'log_density', num_samples=16)
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
    path = serving.export(run.path, str(folder), prior='own', verified=False)
  return path, out.getvalue()


@functools.lru_cache(maxsize=None)
def _served(run):
  return client.ServedModel(_exported(run)[0])


def _signatures(run):
  return _served(run)._loaded.signatures


def export(run, folder):
  """Its files say what it is and which signatures it has."""
  del folder
  path, printed = _exported(run)
  metadata = json.loads((path / 'metadata.json').read_text())
  model = verbs.model(run)
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
  model, examples = verbs.asked(run, 3)
  seeds = tf.constant([7, 2**40, -1], tf.int64)
  given = {'conditions': tf.constant(x)
           for x in verbs.conditions_of(run, examples)}
  if not given:
    made, = signatures['generate'](seed=seeds).values()
    numbers.alike(made, _sampled(model.sample, seeds))
    return
  pair = {'images': tf.constant(examples[0]), **given}
  latents = model.encode(*examples)
  numbers.alike(signatures['encode'](**pair)['latents'], latents)
  numbers.alike(signatures['decode'](latents=latents, **given)['images'],
                model.decode(latents, examples[1]))
  numbers.alike(signatures['reconstruct'](**pair)['images'],
                model.reconstruct(*examples))
  numbers.alike(
      signatures['generate'](seed=seeds, **given)['images'],
      np.concatenate([model.sample(y[np.newaxis], seed=int(s))
                      for s, y in zip(seeds, examples[1])]))
  with pytest.raises(tf.errors.InvalidArgumentError, match='equally many'):
    signatures['encode'](images=pair['images'],
                         conditions=pair['conditions'][:1])


def serve_encode(run, folder):
  del folder
  served, (model, examples) = _served(run), verbs.asked(run)
  numbers.alike(served.encode(examples[0]), model.encode(examples[0]))


def serve_decode(run, folder):
  del folder
  served, (model, _) = _served(run), verbs.asked(run)
  latents = np.random.default_rng(0).normal(
      size=(5, model.latent_dim)).astype(np.float32)
  numbers.alike(served.decode(latents), model.decode(latents))


def serve_reconstruct(run, folder):
  del folder
  served, (model, examples) = _served(run), verbs.asked(run)
  numbers.alike(served.reconstruct(examples[0]), model.reconstruct(examples[0]))


def serve_sample(run, folder):
  del folder
  served, (model, _) = _served(run), verbs.asked(run)
  seeds = client.seeds_of(2, 5)
  numbers.alike(served.sample(5, 2), _sampled(model.sample, seeds))
  numbers.alike(served.sample_latents(5, 2),
                _sampled(model.prior.sample, seeds))


def _sampled(sample, seeds):
  """Returns the first draw by each seed."""
  return np.concatenate([sample(1, int(seed)) for seed in seeds])


def serve_interpolate(run, folder):
  del folder
  served, (model, (examples, *_)) = _served(run), verbs.asked(run, 4)
  lines = served.interpolate(examples[:2], examples[2:], 3)
  numbers.alike(lines, model.interpolate(examples[:2], examples[2:], 3))


def _normal_density(z):
  return -0.5 * np.sum(np.asarray(z, np.float64)**2 + np.log(2. * np.pi), 1)


def serve_log_prob(run, folder):
  """A flow's is its base's and the logarithm of the volume that it keeps."""
  del folder
  served, (model, _) = _served(run), verbs.asked(run)
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
  """Checks the inverse, and that latents are samples of N(0, I), mapped."""
  del folder
  served, (model, _) = _served(run), verbs.asked(run)
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
    return arrays['images'], verbs.model(run)


def draw_served_samples(run, folder):
  images, model = _draw_served('samples', run, folder)
  numbers.alike(images, _sampled(model.sample, client.seeds_of(0, 16)))


def draw_served_interpolation(run, folder):
  """Between samples, or their reconstructions."""
  images, model = _draw_served('interpolation', run, folder)
  ends = _sampled(model.sample, client.seeds_of(0, 4))
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
