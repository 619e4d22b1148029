"""The mechanism that every model shares: parts, terms and the update table.

A model of pgak is a set of parts (an encoder, a decoder, sometimes a prior or
a discriminator), a method that computes its loss terms, and a table that says
which part descends which term. `GenerativeModel` owns all the rest, and
`GenerativeAutoencoder` adds an encoder. What a trained model is asked to do is
in `verbs`.
"""
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf

from pgak import losses
from pgak import networks
from pgak import noise as noise_lib
from pgak import priors
from pgak import replicas as replicas_lib
from pgak import schedules
from pgak import settings
from pgak.data import kinds
from pgak.models import batch_norm
from pgak.models import compiling
from pgak.models import keras_data
from pgak.models import keras_verbs
from pgak.models import parts as parts_lib
from pgak.models import polished
from pgak.models import saving
from pgak.models import update_table
from pgak.models import value_ranges
from pgak.models import verbs

__all__ = ['GenerativeAutoencoder', 'GenerativeModel', 'Net', 'Updates']

Net = Annotated[keras.Model, settings.Says(
    'a network, such as @encoder() or @decoder() with brackets')]
Updates = Annotated[
    dict[str, tuple[str, ...]], settings.NotEmpty(), settings.Says(
        'rows of the update table, such as {"kl": ("encoder",)}')]


def _batch_size(batch):
  first = tf.nest.flatten(batch)[0]  # All have one batch size.
  return first.shape[0] or tf.shape(first)[0]


# The verbs stand before `keras.Model`, whose `compile`, `fit` and others they
# replace.
class GenerativeModel(verbs.Generation, compiling.Compiled, saving.Saved,
                      keras_verbs.KerasVerbs, keras.Model,
                      metaclass=value_ranges.TakesRange):
  """Base class of pgak's models.

  A subclass gives the table `updates`, the method `terms` and, if it draws
  random numbers, the property `noise_shapes`. One train step draws the noise,
  computes the terms under one `tf.GradientTape`, sums the weighted terms that
  update the same parts, takes one gradient for each such row of the table and
  applies each part's own optimizer.

  A model whose parts are updated alternately gives a tuple of `Phase`s as
  `updates`; each phase has a tape of its own and sees the weights that the
  phase before it left.

  Args:
    decoder: `keras.Model`, latents `[B, H]` to images.
    weights: `{term: weight}`, each a number or a schedule of the step (see
      `pgak.schedules`); 1 where a term is not named. A term whose weight is the
      number 0 gets no gradient and is not logged.
    updates: `{term: parts}`, rows that replace those of the model's table.
    prior: distribution of the latents; N(0, I) by default.
    **nets: further parts, kept as attributes of their names.

  Every model takes `value_range=(low, high)`, too: the range of the images that
  its decoder makes, for one whose last layer has no tanh or sigmoid.

  Attributes:
    image_error: function `(images, reconstructed) -> [B]` of float images in
      the value range, `losses.reconstruction` (the mean squared error) by
      default; set another before `compile`. A file keeps one that is
      registered with Keras.
  """

  updates = {}
  # `{term: parts that its gradient cannot reach}`: such a term may share the
  # backward pass of a larger row. Tests compare it with the gradients.
  unreachable = {}
  # `{part: 'images' or 'latents'}`: what it is called with, as far as known.
  takes = {}
  # `{argument: gin text}`: what a configuration gives the model where it binds
  # nothing; a subclass adds to what its parents name, or replaces it.
  nets = {'decoder': '@decoder()'}
  # For models with a difference of nearly equal numbers, as in the PGA family:
  # a GPU's TensorFloat-32, whose products are rounded, is then turned off.
  needs_full_precision = False
  # Static, as it is called by `self` and is no method.
  image_error = staticmethod(losses.reconstruction)
  # The last steps of all stages of training but the last.
  stage_ends = ()
  # What batch norm has within `averaged_weights`, and in checkpoints.
  batch_norm_statistics = batch_norm.Statistics()
  # Whether training pulls the latents to N(0, I), or the prior to the latents.
  matches_prior = False
  learns_prior = False
  # Whether a term is `image_error`, and whether something follows `run_steps`.
  compares_images = True
  follows_run = False

  def __init__(self, decoder, weights=None, updates=None, prior=None,
               name=None, **nets):
    super().__init__(name=name)
    for part, net in nets.items():
      setattr(self, part, net)
    self.decoder = decoder
    self.latent_dim = decoder.inputs[0].shape[-1]
    self.image_shape = tuple(decoder.outputs[0].shape[1:])
    self.prior = prior or priors.StandardNormal(self.latent_dim)
    self.made_with = saving.MadeWith(self.prior, value_ranges.given())
    # Before anything is computed: a wrong range would train without an error.
    value_ranges.check(self)
    self.term_weights = dict(weights or {})
    self.table = update_table.UpdateTable(
        type(self), self.updates, self.term_weights, updates or {},
        self.unreachable)
    self.term_names = tuple(self.table.rows)
    self.seed = 0
    self.clip_norm = None
    self.run_steps = None
    self.stage = None
    self.optimizers = {}
    self._averages = {t: keras.metrics.Mean(name=t)
                      for t in ('loss',) + self.term_names}
    self.step = self._counter('step', ())
    # The first step at which each term was not finite; -1 for none.
    self.faults = self._counter('faults', (len(self.term_names),), -1)
    # The nets come built: nothing is left to do before it is saved or loaded.
    self.built = True

  # === Description ===

  @property
  def parts(self):
    """`{name: keras.Model or Layer}`: the parts, each with an optimizer."""
    return {'decoder': self.decoder}

  @property
  def noise_shapes(self):
    """`{name: (draw, shape of one example)}`, `draw` from `pgak.noise`."""
    return {}

  def terms(self, batch, noise, training=True):
    """Computes the loss terms of a batch.

    Args:
      batch: what the data set yields: float images `[B, h, w, C]` in the
        model's value range, vectors `[B, D]`, or a structure of such.
      noise: `{name: samples [B, ...]}`, as `draw_noise` gives it.
      training: False for inference-mode batch norm.

    Returns:
      `{term: [B] or scalar}`, unweighted.
    """
    raise NotImplementedError

  @property
  def value_range(self):
    """`(low, high)` of the images, as the decoder's last activation has it."""
    return self.made_with.value_range or kinds.value_range_of(self.decoder)

  @property
  def kind(self):
    """The `pgak.data.kinds.Kind` of the model's inputs and outputs."""
    return kinds.of_shape(self.image_shape, self.value_range)

  def is_on(self, term):
    """Whether a term is computed: not where its weight is the number 0."""
    return term in self.term_names

  def if_updated(self, term, part, tensor):
    """Passes gradient to a part only if the table lets the term update it.

    Args:
      term: name of a term.
      part: name of the part behind `tensor`.
      tensor: the part's output.
    """
    # Where it does not, the backward pass through the part is spared, too.
    reaches = part in self.table.rows.get(term, ())
    return tensor if reaches else tf.stop_gradient(tensor)

  def frozen(self, part, inputs, training=True):
    """Calls a part as a constant: gradient goes through, not into its weights.

    The PGA authors' `no_enc_grad`, for eqs. 7 and 12. Batch-norm statistics
    that this call would update are left as they are.
    """
    net = self.parts[part]
    # The authors' code cancels the weights' gradient by two more encoder passes
    # for each h; with constants in the weights' place one pass is enough.
    weights = [tf.stop_gradient(v) for v in net.trainable_variables]
    state = [tf.convert_to_tensor(v) for v in net.non_trainable_variables]
    outputs, _ = net.stateless_call(weights, state, inputs, training=training)
    return outputs

  # === Training ===

  def enter_stage(self, stage):
    """Restricts training to one stage, an int or `polished.POLISH`."""
    self.stage = stage
    self.train_function = None  # `fit` would go on with the one it has traced.

  def draw_noise(self, batch, counter=None, stream='train'):
    """Draws a batch's noise: `{name: [B, ...]}` for all of `noise_shapes`.

    The draws are a function of the run's seed, the step and the name. They are
    made for the global batch, of which each replica takes its slice.
    """
    counter = self.step if counter is None else counter
    return {name: replicas_lib.draw(
        draw, _batch_size(batch), shape,
        noise_lib.seed(self.seed, counter, f'{stream}/{name}'),
        # `pgak.noise` makes float32 or float64, also under a bfloat16 policy.
        tf.as_dtype(keras.config.floatx()))
            for name, (draw, shape) in self.noise_shapes.items()}

  def train_step(self, batch):
    batch = keras_data.as_floats(batch, self)
    noise = self.draw_noise(batch)
    # One dictionary for each slice, since each has latents of its own.
    handed = [{} for _ in range(self.table.slices)]
    terms = {}
    for phase in self.table.phases_of(self.stage):
      for i in range(phase.repeats):
        terms.update(self._run_phase(phase, self._slice(batch, i),
                                     self._slice(noise, i), handed[i]))
    logs = self._log(terms, _batch_size(batch))
    # Last, as noise, weights and faults are those of the step that was taken.
    self.step.assign(self.step + 1)
    return logs

  def test_step(self, batch):
    batch = keras_data.as_floats(batch, self)
    # The number of batches since the last reset: every pass draws the same.
    counter = self._averages['loss'].count // _batch_size(batch)
    noise = self.draw_noise(batch, counter, 'validation')
    # Nothing is updated, so each phase sees the whole batch, and sees it once.
    handed, terms = {}, {}
    for phase in self.table.phases:
      terms.update(self._means(
          phase.compute(self, batch, noise, handed, training=False), phase))
    return self._log(terms, _batch_size(batch))

  def _slice(self, tensors, i):
    if self.table.slices == 1:
      return tensors
    # Strided, so that replicas and one device take the same examples; a short
    # last batch gives some slices the same ones, since none may be empty.
    return tf.nest.map_structure(
        lambda t: t[i % _batch_size(t)::self.table.slices], tensors)

  def _run_phase(self, phase, batch, noise, handed):
    rows = self.table.grouped(phase.updates)
    # Before each phase, so that the power iteration keeps up with a part that
    # is updated several times a step.
    for part in sorted(set().union(*rows)):
      networks.update_spectral_norms(self.parts[part])
    # A persistent tape holds all activations until the last gradient is taken.
    with tf.GradientTape(persistent=len(rows) > 1) as tape:
      terms = self._means(
          phase.compute(self, batch, noise, handed, training=True), phase)
      # Replicas' gradients are added up: each counts its share of the mean.
      replicas = tf.distribute.get_strategy().num_replicas_in_sync
      sums = {row: sum(self.weight(t) * terms[t] for t in names) / replicas
              for row, names in rows.items()}
    # A part that stands in several rows gets the sum of their gradients, and
    # one optimizer step: the update is simultaneous, as in the authors' code.
    gradients = {}
    for row, loss in sums.items():
      variables = {part: [v.value for v in self.parts[part].trainable_variables]
                   for part in row}
      for part, values in tape.gradient(loss, variables).items():
        gradients[part] = update_table.summed(gradients.get(part), values)
    for part, values in gradients.items():
      self._descend(part, values)
    return terms

  def weight(self, term):
    """Returns a term's weight at the present step, a float scalar tensor."""
    value = schedules.value_at(self.term_weights.get(term, 1.), self.step)
    return tf.cast(value, keras.config.floatx())

  def _descend(self, part, gradients):
    variables = self.parts[part].trainable_variables
    if not variables:  # Frozen by Keras's `trainable = False`.
      return
    if all(g is None for g in gradients):
      raise ValueError(f'No term of the update table of {self.name} reaches '
                       f'the part {part!r}, which it says is updated.')
    # Keras would warn and skip the variable; 0 lets its moments decay.
    gradients = [tf.zeros_like(v) if g is None else g
                 for g, v in zip(gradients, variables)]
    if self.clip_norm:
      # Keras would clip each replica's share before they are added up.
      replicas = tf.distribute.get_strategy().num_replicas_in_sync
      gradients, _ = tf.clip_by_global_norm(
          [g * replicas for g in replicas_lib.mean(gradients)], self.clip_norm)
      gradients = [g / replicas for g in gradients]
    self.optimizers[part].apply(gradients, variables)

  def _means(self, terms, phase):
    missing = set(phase.updates) - set(terms)
    if missing:
      raise ValueError(
          f'`{phase.terms.__name__}` of {self.name} does not compute the terms '
          f'{sorted(missing)} of its update table.')
    return {t: tf.reduce_mean(terms[t]) for t in phase.updates}

  def _log(self, terms, size):
    values = replicas_lib.mean(tf.stack(list(terms.values())))
    named = dict(zip(terms, tf.unstack(values)))
    # A term of another phase's stage is not computed, and so is not at fault.
    faulty = tf.stack([~tf.math.is_finite(named.get(t, 0.))
                       for t in self.term_names])
    self.faults.assign(tf.where((self.faults < 0) & faulty, self.step.value,
                                self.faults.value))
    # For display: no part descends the sum of all terms.
    named['loss'] = sum(self.weight(t) * v for t, v in named.items())
    for name, value in named.items():
      self._averages[name].update_state(value, sample_weight=size)
    return replicas_lib.logs(
        {t: m.result() for t, m in self._averages.items() if t in named})

  @property
  def metrics(self):
    return list(self._averages.values())

  def fault(self):
    """Names the terms that were the first not to be finite.

    Returns:
      `(step, [terms])`, or None if every term was finite so far.
    """
    faults = self.faults.numpy()
    if np.all(faults < 0):
      return None
    step = faults[faults >= 0].min()
    return int(step), [t for t, f in zip(self.term_names, faults) if f == step]

  def averaged_weights(self):
    """Context of the averaged weights, if any, and their batch statistics."""
    return batch_norm.averaged_weights(self)

  def _counter(self, name, shape, initial=0):
    # A weight, so that checkpoints keep it; replicas count alike.
    return self.add_weight(
        name=name, shape=shape, dtype='int64', trainable=False,
        initializer=keras.initializers.Constant(initial),
        aggregation='only_first_replica')


class GenerativeAutoencoder(polished.Polished, verbs.Encoding, GenerativeModel):
  """Base class of the models that have an encoder.

  Args:
    encoder: `keras.Model`, images `[B, h, w, C]` to latents `[B, H]` or to
      `[mean, log_variance]`.
    decoder: as for `GenerativeModel`, as are all others.

  Example:

  ```python
  class Autoencoder(pgak.models.GenerativeAutoencoder):
    updates = {'reconstruction': ('encoder', 'decoder')}

    def terms(self, images, noise, training=True):
      reconstructed = self.decoder(self.encoder(images, training=training),
                                   training=training)
      return {'reconstruction': self.image_error(images, reconstructed)}
  ```
  """

  takes = {'encoder': 'images'}
  nets = {'encoder': '@encoder()'}
  # Whether the encoder must give a Gaussian; None if it may be either.
  stochastic = None

  def __init__(self, encoder, decoder, weights=None, updates=None, prior=None,
               name=None):
    if self.stochastic is not None:
      parts_lib.check_stochastic(encoder, type(self).__name__, self.stochastic)
    super().__init__(decoder, weights, updates, prior, name, encoder=encoder)

  @property
  def parts(self):
    return {'encoder': self.encoder} | super().parts

  @property
  def is_stochastic(self):
    """Whether the encoder gives a Gaussian, `[mean, log_variance]`."""
    return len(self.encoder.outputs) == 2
