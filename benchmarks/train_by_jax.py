"""Trains a configured model on a host that has JAX and no TensorFlow.

Three steps; the first and the last need pgak, the second JAX and NumPy alone:

  python benchmarks/train_by_jax.py pack FOLDER \
    --gin_file=papers/pga_icml2020/lpga_mnist.gin --data_dir=DIR
  python benchmarks/train_by_jax.py train FOLDER --steps=560000 --output=OUT
  python benchmarks/train_by_jax.py unpack FOLDER --trained=OUT --run_dir=RUN

What runs is pgak's own train step, compiled by XLA for that host's device; and
the steps of polishing, where the configuration has any; and with `pack --fit`
those of latent flow matching, fitted to the latents of all images, which the
run then keeps as its density. Not pgak's are the order of the images and the
noise of polishing, which NumPy draws, and the first weights' last digits, which
travel as float16. Of weights with averages (EMA) the averages come back, and
the optimizer's moments stay behind: the run directory can be measured, drawn
from and exported, and is not for being trained on.
"""
import argparse
import json
import pathlib
import time

import jax_training
import numpy as np
import stablehlo

__all__ = []


# === With pgak ===


def _built(about):
  """Returns the model of a packed configuration, and its data set."""
  from pgak import registry
  from pgak.runs import checkpoints
  from pgak.runs import configuration
  from pgak.runs import polishing
  registry.register()
  configuration.parse(about['gin_files'], about['gin_params'],
                      roots=registry.run_roots)
  model = checkpoints.build(**checkpoints.build_settings() | {
      'polishing': polishing.configured()}, jit_compile=True)
  setting = configuration.setting
  images = setting('train.dataset')().split(setting('train.split', 'train'))
  return model, images


def _store(folder, about):
  """Writes a step's program, with equal keys for equal configurations."""
  model, images = _built(about)
  chunk, size = about['chunk'], about['batch_size']
  batches = np.zeros((chunk, size, *images.image_shape), np.uint8)
  stored = stablehlo.Folder(folder)
  stored.save('train', _steps(model, chunk, lambda i, batches: batches[i]),
              [batches])
  return stored, model, images


def _steps(model, chunk, batch):
  """Returns a function of a chunk's batches to the last step's terms."""
  import tensorflow as tf

  def steps(*batches):
    names = ('loss', *model.term_names)
    terms = tf.zeros([len(names)])
    for i in tf.range(chunk):
      logs = model.train_step(batch(i, *batches))
      terms = tf.stack([logs.get(name, 0.) for name in names])
    # The means of terms are state, too, and would grow without end.
    for metric in model.metrics:
      metric.reset_state()
    return terms
  return steps


def _pack(args):
  from pgak.runs import configuration
  if args.inception and not args.fit:
    raise SystemExit('--inception scores samples of a fitted flow: give --fit, '
                     'too.')
  about = {'gin_files': args.gin_file, 'chunk': args.chunk, 'gin_params': [
      *args.gin_param, *([f'data_dir = {args.data_dir!r}']
                         if args.data_dir else [])]}
  _built(about)
  about['batch_size'] = configuration.setting('train.batch_size')
  about['seed'] = configuration.setting('train.seed', 0)
  stored, model, images = _store(args.folder, about)
  nets = model.parts.values()
  about |= {'names': ('loss', *model.term_names),
            'weights': stored.keys_of([w for n in nets for w in n.variables]),
            'averages': _averages(stored, model)}
  about['polish'] = _pack_polishing(stored, about, model, images)
  if args.fit:
    about['fit'] = _pack_fit(stored, about, model, images)
  if args.fit or about['polish']['steps']:
    _pack_nets(stored, model, images)
  if args.inception:
    _pack_features(stored.path / 'features', args.inception, images)
  stored.close()
  np.savez_compressed(stored.path / 'images.npz',
                      images=images.read(np.arange(len(images))))
  (stored.path / 'about.json').write_text(json.dumps(about))


def _averages(stored, model):
  """Returns `{key of a weight: key of its average}`."""
  found = {}
  for part, optimizer in model.optimizers.items():
    if optimizer.use_ema:
      found |= dict(zip(
          stored.keys_of(model.parts[part].trainable_variables),
          stored.keys_of(optimizer._model_variables_moving_average)))
  return found


def _whole(steps, chunk, name):
  if steps % chunk:
    raise SystemExit(f'{name} = {steps} is no multiple of --chunk={chunk}.')
  return steps


def _pack_polishing(stored, about, model, images):
  """Stores the steps of polishing; returns their settings."""
  from pgak.models import polished
  from pgak.runs import polishing
  chosen = polishing.configured()
  if chosen.steps and chosen.density:
    raise SystemExit('Steps of polishing by a density are not copied: add '
                     "--gin_param='polish.density = None'.")
  if chosen.steps:
    chunk, size = about['chunk'], about['batch_size']
    _whole(chosen.steps, chunk, 'polish.steps')
    model.enter_stage(polished.POLISH)
    stored.save('polish', _steps(
        model, chunk, lambda i, batches, latents:
        (model.to_model(batches[i]), latents[i])),
        [np.zeros((chunk, size, *images.image_shape), np.uint8),
         np.zeros((chunk, size, model.latent_dim), np.float32)])
  return {'steps': chosen.steps, 'noise': chosen.noise}


def _pack_nets(stored, model, images):
  stored.save('encode', lambda batch: model.encode_mean(
      model.to_model(batch)),
      [np.zeros((stablehlo.MANY, *images.image_shape), np.uint8)],
      full_precision=True)
  stored.save('decode', lambda latents: model.kind.to_users(
      model.render(latents)),
      [np.zeros((stablehlo.MANY, model.latent_dim), np.float32)],
      full_precision=True)


def _pack_features(folder, weights, images):
  """Stores Inception and the moments of what `fid768_test` compares with."""
  from pgak.metrics import inception
  from pgak.metrics import reference
  from pgak.runs import configuration
  net = inception.inception('768', weights)
  held_out = configuration.setting('train.dataset')().split(
      configuration.setting('fid768_test.split', 'test'))
  moments = reference.moments(net, held_out, 10000)
  stored = stablehlo.Folder(folder)
  stored.save('features', lambda batch: net.network(
      inception.preprocess(batch), training=False),
      [np.zeros((stablehlo.FEW, *images.image_shape), np.uint8)],
      full_precision=True)
  stored.close(mean=moments.mean, covariance=moments.covariance)


def _pack_fit(stored, about, model, images):
  """Stores the steps of latent flow matching; returns what the fit needs."""
  from pgak import priors
  from pgak.priors import continuous_flow
  from pgak.priors import net_fitting
  from pgak.priors import velocity_fitting
  from pgak.priors import velocity_net
  import tensorflow as tf
  prior = priors.resolve('flow_matching')(model)
  if prior.conditional:
    raise SystemExit('Labels are not learned here: bind '
                     'FlowMatching.conditional = False.')
  # Each point is its own number, so that one sees which are held out.
  numbers = np.arange(len(images))
  regression = velocity_fitting.Regression(
      np.repeat(numbers[:, np.newaxis], model.latent_dim, 1).astype(np.float32),
      np.zeros(len(images), np.int32), prior.seed, prior.batch_size,
      prior.times, prior.noise, prior.unlabelled, prior.coupling)
  steps = _whole(prior.steps or regression.usual_steps, about['chunk'],
                 'FlowMatching.steps')
  trained, averages = (velocity_net.VelocityNet(
      prior.latent_dim, prior.width, prior.blocks, seed=prior.seed,
      dtype='float32') for _ in range(2))
  descend, _ = net_fitting.averaged_descent(
      lambda step: regression.loss(trained, step),
      trained.trainable_variables, averages.trainable_variables, steps,
      prior.learning_rate, prior.average_decay)

  def unlabelled(points):
    # Made in the graph: what it captures must be a variable.
    return (points, tf.zeros([len(points)], tf.int32),
            tf.zeros([len(points), 0], tf.int32))

  # A variable: the noise of a constant seed would be stored as numbers.
  seed = tf.Variable(prior.seed, dtype=tf.int64)
  step = tf.Variable(0, dtype=tf.int64)

  def fit(points):
    regression.train = unlabelled(points)
    # No loop that begins at the step: XLA would make that a constant.
    for _ in tf.range(about['chunk']):
      descend(step.assign_add(1))
    return tf.zeros([])

  def measure(points):
    regression.seed, regression.watched = seed, unlabelled(points)
    return regression.held_out_loss(averages)

  train, watched = (x[0].numpy() for x in (regression.train,
                                           regression.watched))

  def flow(base):
    return continuous_flow.transport(averages, base, prior.sampling_steps,
                                     False)

  own = stablehlo.Folder(stored.path / 'fit')
  own.save('fit', fit, [train])
  some = np.zeros((stablehlo.MANY, model.latent_dim), np.float32)
  own.save('flow', flow, [some], full_precision=True)
  own.save('measure', measure, [watched])
  keys = [own.keys_of(net.weights) for net in (averages, trained)]
  own.close(omitted=keys[0], train=train[:, 0].astype(int),
            watched=watched[:, 0].astype(int))
  return {'steps': steps, 'averages': keys[0], 'trained': keys[1]}


# === With JAX ===


def _train(args):
  output = pathlib.Path(args.output)
  output.mkdir(parents=True, exist_ok=True)
  trained = jax_training.Trained(args.folder, args.log_every)
  about, result = trained.about, trained.result
  flow, latents, start = {}, None, time.perf_counter()
  result['steps'] = trained.descend('train', args.steps, args.seconds)
  if 'fit' in about or about['polish']['steps']:
    latents = trained.encode()
  if 'fit' in about:
    flow = trained.fit(latents)
    trained.score(latents, 'trained')
  if about['polish']['steps']:
    trained.polish(latents)
    if flow:
      trained.score(latents, 'polished')
  arrays = trained.averaged()
  arrays = {key: arrays[key] for key in about['weights'] if key in arrays}
  arrays |= {f'fit_{k}': v for k, v in flow.items()}
  if args.float16:
    arrays = {k: stablehlo.travelling(v) for k, v in arrays.items()}
  result['seconds'] = time.perf_counter() - start
  np.savez(output / 'trained.npz', **arrays)
  (output / 'trained.json').write_text(json.dumps(result))


# === With pgak, again ===


def _unpack(args):
  from pgak import data
  from pgak.runs import checkpoints
  from pgak.runs import run_directory
  from pgak.training import resuming
  about = json.loads((pathlib.Path(args.folder) / 'about.json').read_text())
  trained = pathlib.Path(args.trained)
  steps = json.loads((trained / 'trained.json').read_text())['steps']
  about['gin_params'] = [*about['gin_params'], f'train.steps = {steps}']
  stored, model, images = _store(args.run_dir + '.program', about)
  arrays = {k: stablehlo.full(v) for k, v in np.load(
      trained / 'trained.npz').items()}
  stored.assign(arrays, model.variables)
  # The step is no trained variable, and names the checkpoint.
  step = steps + about['polish']['steps']
  model.step.assign(step)
  run = run_directory.RunDirectory(args.run_dir, create=True)
  resuming.describe(run, (), about['seed'], steps, images, True)
  checkpoints.save(model, run, step)
  flow = {k.removeprefix('fit_'): v for k, v in arrays.items()
          if k.startswith('fit_')}
  if flow:
    _keep(model, run, step, flow)
  print(f'{run.path} holds the model of step {step}; {data.ORDER = } is not '
        'the order of its data.')


def _keep(model, run, step, arrays):
  """Makes a fitted flow the run's, as if it had been fitted there."""
  from pgak import priors
  from pgak.priors import conditions
  from pgak.priors import ex_post
  from pgak.runs import data_set
  prior = priors.resolve('flow_matching')(model)
  prior.fit = lambda *_, **__: prior.load_state(
      arrays | conditions.Conditions().state())
  ex_post.attach(model, prior, run, step, data_set.configured)


def main():
  """Packs, trains or unpacks."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  verbs = parser.add_subparsers(required=True)
  pack, train, unpack = (verbs.add_parser(v) for v in (
      'pack', 'train', 'unpack'))
  for verb, function in ((pack, _pack), (train, _train), (unpack, _unpack)):
    verb.add_argument('folder')
    verb.set_defaults(function=function)
  pack.add_argument('--gin_file', action='append', required=True)
  pack.add_argument('--gin_param', action='append', default=[])
  pack.add_argument('--data_dir')
  pack.add_argument('--chunk', type=int, default=100,
                    help='Train steps in one call.')
  pack.add_argument('--fit', action='store_true',
                    help='Also fit latent flow matching to the latents.')
  pack.add_argument('--inception',
                    help='Weights; with --fit, samples are scored, too.')
  train.add_argument('--steps', type=int, required=True)
  train.add_argument('--seconds', type=float, default=float('inf'),
                     help='Ends after so many, if that is sooner.')
  train.add_argument('--log_every', type=int, default=2000)
  train.add_argument('--output', required=True)
  train.add_argument('--float16', action='store_true',
                     help='Write large arrays in half the bytes.')
  unpack.add_argument('--trained', required=True)
  unpack.add_argument('--run_dir', required=True)
  args = parser.parse_args()
  args.function(args)


if __name__ == '__main__':
  main()
