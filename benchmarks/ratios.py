"""Times pgak against what bounds it, as ratios within one run.

Absolute times say little on a shared machine. Here the two sides of a ratio
take turns in one process, and the ratio of their medians is printed:

* a train step through `fit`, against a hand-written compiled step of the same
  mathematics on the same nets;
* the steps of the PGA family, against a plain autoencoder's, beside the ratio
  that counting floating-point operations predicts;
* a Gaussian mixture's iterations, against scikit-learn's on the same latents;
* new images through a flow prior, against decoding as many latents.
"""
import statistics
import time
import warnings

import keras
import numpy as np
from sklearn import exceptions
from sklearn import mixture
import tensorflow as tf

from pgak import data
from pgak import models
from pgak import networks
from pgak import noise
from pgak import priors

__all__ = ['MODELS', 'format_table', 'mixture_ratio', 'operations',
           'sampling_ratio', 'train_step_ratios']

MODELS = {
    'ae': (models.AE, dict()),
    'vae': (models.VAE, dict()),
    'lpga': (models.LPGA, dict(warm_up_steps=0)),
    'vpga': (models.VPGA, dict()),
    'lvpga': (models.LVPGA, dict(warm_up_steps=0)),
}
SHAPE = (28, 28, 1)
LATENT_DIM = 32
# What a model calls the noise on its latents, where it is not `perturbation`.
NOISE = {'vae': 'posterior'}


def _nets(name):
  stochastic = name in ('vae', 'vpga', 'lvpga')
  return (networks.encoder(networks.conv_mnist_encoder, SHAPE, LATENT_DIM,
                           log_variance=stochastic),
          networks.decoder(networks.conv_mnist_decoder, SHAPE, LATENT_DIM))


def _model(name):
  make, settings = MODELS[name]
  model = make(*_nets(name), **settings)
  model.compile({part: keras.optimizers.SGD(1e-3, 0.9)
                 for part in model.parts}, jit_compile=True)
  return model


# === The same steps by hand ===


def _mean_square(x):
  return tf.reduce_mean(tf.square(x))


def _frozen(net, x):
  weights = [tf.stop_gradient(v) for v in net.trainable_variables]
  # Gradients reach x but not the weights.
  outputs, _ = net.stateless_call(weights, [], x)
  return outputs


def _kl(mean, log_variance):
  return 0.5 * tf.reduce_mean(
      tf.square(mean) + tf.exp(log_variance) - 1. - log_variance)


def _log_ratio(a, b, norm2):
  moved = tf.reduce_sum(tf.square(a - b), -1)
  return 0.5 * tf.reduce_mean(tf.math.log(moved) - tf.math.log(norm2))


def _losses_by_hand(name, encode, decode, x, prior, normal):
  """Returns (loss of both parts, loss of the decoder alone or None)."""
  if name == 'ae':
    return _mean_square(decode(encode(x)) - x), None
  if name == 'vae':
    mean, log_variance = encode(x)
    latents = mean + tf.exp(0.5 * log_variance) * normal
    return (_mean_square(decode(latents) - x)
            + 1e-2 * _kl(mean, log_variance), None)
  if name == 'lpga':
    z = encode(x)
    both = (_mean_square(decode(z) - x) + 3e-2 * _mean_square(
        encode(tf.stop_gradient(decode(prior))) - prior)
            + 1.5e-2 * 0.5 * _mean_square(z))
    # Eq. 7 of the PGA paper, which only the decoder descends.
    z = tf.stop_gradient(z)
    delta = 1e-2 * LATENT_DIM**0.5 * tf.math.l2_normalize(normal, -1)
    norm2 = tf.reduce_sum(tf.square(delta), -1)
    return both, 1.5e-2 * _log_ratio(
        encode(decode(z + delta)), encode(decode(z)), norm2)
  mean, log_variance = encode(x)
  both = (_mean_square(decode(mean) - x) + 3e-2 * _mean_square(
      encode(tf.stop_gradient(decode(prior)))[0] - prior)
          + 2e-2 * _kl(mean, log_variance))
  z, sigma = tf.stop_gradient(mean), tf.exp(0.5 * log_variance)
  if name == 'lvpga':
    sigma += 1e-2  # The authors' floor of the perturbation.
  delta = sigma * normal
  h = _frozen(encode, decode(z))[0]
  h_perturbed = _frozen(encode, decode(z + delta))[0]
  if name == 'lvpga':
    norm2 = tf.stop_gradient(tf.reduce_sum(tf.square(delta), -1))
    return both + 2e-2 * _log_ratio(h_perturbed, h, norm2), None
  # Relative to the root mean square of each latent dimension in the batch.
  scale = tf.sqrt(tf.reduce_mean(tf.square(z), 0))  # [H]
  return both + 1e-2 * _mean_square((h_perturbed - h) / scale), None


def _step_by_hand(name):
  """A train step as one would write it for this model alone.

  It draws the model's own noise, so that both make the same steps.
  """
  encoder, decoder = _nets(name)
  optimizers = [keras.optimizers.SGD(1e-3, 0.9) for _ in range(2)]
  parts = [encoder.trainable_variables, decoder.trainable_variables]
  for optimizer, variables in zip(optimizers, parts):
    optimizer.build(variables)
  counter = tf.Variable(0, dtype=tf.int64)

  def step(x):
    shape = [x.shape[0], LATENT_DIM]
    draws = [noise.normal(shape, noise.seed(0, counter, f'train/{n}'))
             for n in ('prior', NOISE.get(name, 'perturbation'))]
    # Persistent, because the second loss has a gradient of its own.
    with tf.GradientTape(persistent=True) as tape:
      both, of_decoder = _losses_by_hand(name, encoder, decoder, x, *draws)
    values = [[v.value for v in variables] for variables in parts]
    gradients = tape.gradient(both, values)
    if of_decoder is not None:
      more = tape.gradient(of_decoder, values[1])
      gradients[1] = [a + b for a, b in zip(gradients[1], more)]
    for optimizer, gradient, variables in zip(optimizers, gradients, parts):
      optimizer.apply(gradient, variables)
    # The step counts in the noise's seed, as in a model.
    counter.assign_add(1)
    return both

  return step


def operations(step, shape):
  """Returns the floating-point operations of a step, as TensorFlow counts them.

  Args:
    step: function of float32 images.
    shape: ints, the shape of a batch of them.
  """
  graph = tf.function(step).get_concrete_function(tf.TensorSpec(shape)).graph
  options = tf.compat.v1.profiler.ProfileOptionBuilder
  options = options(options.float_operation()).with_empty_output().build()
  with graph.as_default():
    return tf.compat.v1.profiler.profile(
        graph, cmd='scope', options=options).total_float_ops


# === Timing ===


def _seconds(run):
  begun = time.perf_counter()
  run()
  return time.perf_counter() - begun


def train_step_ratios(names=tuple(MODELS), batch_size=64, steps=100,
                      repeats=5):
  """Times every model's step on the MNIST nets.

  Args:
    names: models out of `MODELS`; the others are compared with the first.
    batch_size: images in a batch.
    steps: steps in one timing.
    repeats: timings of each side, taken in turn.

  Returns:
    List of dictionaries: 'model', 'ms' a step through `fit`, 'by_hand' (the
    ratio to the hand-written step), 'to_first' (the ratio to the first model's
    step) and 'predicted' (that ratio in floating-point operations).
  """
  images = np.random.RandomState(0).uniform(-1, 1, (batch_size,) + SHAPE)
  # With autotuning the end of a pass would be timed, too.
  batches = data.without_autotuning(
      tf.data.Dataset.from_tensors(images.astype(np.float32)).repeat())
  sides, counted = {}, {}
  for name in names:
    step = _step_by_hand(name)
    counted[name] = operations(step, (batch_size,) + SHAPE)
    sides[name] = (_fit_runner(_model(name), batches, steps),
                   _loop_runner(step, batches, steps))
  times = {name: ([], []) for name in names}
  for repeat in range(repeats + 1):  # The first one compiles.
    for name in names:
      for run, seconds in zip(sides[name], times[name]):
        taken = _seconds(run)
        if repeat:
          seconds.append(taken / steps)
  first = statistics.median(times[names[0]][0])
  rows = []
  for name in names:
    ours, by_hand = (statistics.median(t) for t in times[name])
    rows.append(dict(model=name, ms=1e3 * ours, by_hand=ours / by_hand,
                     to_first=ours / first,
                     predicted=counted[name] / counted[names[0]]))
  return rows


def _fit_runner(model, batches, steps):
  # As a run trains: not the model's own `fit`, which checks its input.
  return lambda: keras.Model.fit(model, batches, steps_per_epoch=steps,
                                 verbose=0, shuffle=False)


def _loop_runner(step, batches, steps):
  compiled = tf.function(step, jit_compile=True)

  def run():
    for batch in batches.take(steps):
      loss = compiled(batch)
    return float(loss)  # Waits for the last step.

  return run


# === Latent densities ===


class _StartedMixture(mixture.GaussianMixture):
  """scikit-learn's mixture, started from given responsibilities."""

  def _initialize_parameters(self, latents, *unused, **also_unused):
    self._initialize(latents, self.start)


def mixture_ratio(number=50000, latent_dim=64, components=10, iterations=20,
                  repeats=3):
  """Times EM iterations of `priors.GaussianMixture` and of scikit-learn's.

  Args:
    number: latents.
    latent_dim: their dimensions.
    components: of the mixture.
    iterations: of both, from the same responsibilities.
    repeats: timings of each side, taken in turn.

  Returns:
    Dictionary: 'seconds' of ours, 'scikit_learn' seconds, 'ratio' of the first
    to the second, and 'difference' of the mean log-likelihoods, in nats.
  """
  generator = np.random.default_rng(0)
  groups = generator.integers(0, components, number)
  # Clusters that overlap, so that EM has work in every iteration.
  latents = (generator.normal(size=(number, latent_dim))
             + 2. * generator.normal(size=(components, latent_dim))[groups])
  start = generator.dirichlet(np.ones(components), number)
  ours = priors.GaussianMixture(latent_dim, components, tolerance=0.,
                                max_iterations=iterations)
  theirs = _StartedMixture(
      components, max_iter=iterations, tol=0.,
      # Ours is relative to the variance of the latents.
      reg_covar=ours.regularisation * latents.var(0).mean())
  theirs.start = start
  times = [], []
  for repeat in range(repeats + 1):  # The first one compiles.
    for run, seconds in zip((lambda: ours.fit(latents, start),
                             lambda: _fit_quietly(theirs, latents)), times):
      taken = _seconds(run)
      if repeat:
        seconds.append(taken)
  mine, other = (statistics.median(t) for t in times)
  found = np.mean(ours.log_prob(tf.constant(latents)))
  return dict(seconds=mine, scikit_learn=other, ratio=mine / other,
              difference=float(abs(found - theirs.score(latents))))


def _fit_quietly(model, latents):
  with warnings.catch_warnings():
    # With no tolerance, it never converges.
    warnings.simplefilter('ignore', exceptions.ConvergenceWarning)
    model.fit(latents)


def sampling_ratio(flow='real_nvp', number=1024, latent_dim=8, repeats=9):
  """Times new images through a flow prior against decoding as many latents.

  The decoder is InfoGAN's for 28x28 images, the flow of `FlowPrior`'s own size.

  Args:
    flow: as for `priors.FlowPrior`.
    number: images.
    latent_dim: latent dimensions.
    repeats: timings of each side, taken in turn.

  Returns:
    Dictionary: 'sampling' and 'decoding' seconds, and their 'ratio'.
  """
  decoder = networks.decoder(
      lambda x, channels: networks.conv_mnist_decoder(
          x, channels, batch_norm=True, kernel_size=4, first_batch_norm=True),
      SHAPE, latent_dim)
  prior = priors.FlowPrior(latent_dim, flow, seed=0)
  decode = tf.function(lambda z: decoder(z, training=False))
  sample = tf.function(lambda seed: decoder(prior.sample(number, seed),
                                            training=False))
  latents = prior.sample(number)
  times = [], []
  for repeat in range(repeats + 1):  # The first one traces.
    for run, seconds in zip((lambda: sample(tf.constant(repeat)).numpy(),
                             lambda: decode(latents).numpy()), times):
      taken = _seconds(run)
      if repeat:
        seconds.append(taken)
  sampling, decoding = (statistics.median(t) for t in times)
  return dict(sampling=sampling, decoding=decoding, ratio=sampling / decoding)


def format_table(rows):
  """Returns `train_step_ratios` as a Markdown table."""
  lines = ['| model | ms a step | against by hand | against AE | predicted | '
           'measured / predicted |', '|---|---|---|---|---|---|']
  for r in rows:
    lines.append(
        f'| {r["model"]} | {r["ms"]:.1f} | {r["by_hand"]:.2f} | '
        f'{r["to_first"]:.2f} | {r["predicted"]:.2f} | '
        f'{r["to_first"] / r["predicted"]:.2f} |')
  return '\n'.join(lines)
