"""What a metric is given, by its scope; see `pgak.metrics.metric`."""
import functools

from pgak import capabilities
from pgak.generation import sampling
from pgak.metrics import reference

__all__ = ['Context', 'ExamplesContext', 'FeaturesContext', 'PriorContext']


class Context:
  """The scope 'model', and what all scopes have.

  Attributes:
    model: the model that is measured.
    dataset: a `data.Dataset`.
    protocol: a `protocols.Protocol`.
    seed: int, decides what is drawn.
    train: the split that the model was trained on.
    held_out: a split of which training saw nothing; None if there is none.
    encoded: the split whose first `num_encoded` examples are encoded.
    num_encoded: int.
    prepared: what the metric's `prepare` returned.
    defaults: attributes of a score where the `metric.Value` has None.
  """

  def __init__(self, model, source, latents):
    """Makes one.

    Args:
      model: the model.
      source: an `examples.Examples`.
      latents: dictionary from a number to the latents of so many examples, and
        from names to what else all contexts of a model share.
    """
    self.model = model
    self.source = source
    self.dataset = source.dataset
    self.protocol = source.protocol
    self.seed = source.protocol.seed
    self.encoded = source.encoded
    self.num_encoded = source.num_encoded
    self.prepared = None
    self._latents = latents
    self._found = {}

  @property
  def train(self):
    return self.source.seen

  @property
  def held_out(self):
    return self.source.unseen

  def once(self, name, make, of_model=False):
    """Returns what a function makes, made once for all metrics of the context.

    Args:
      name: string, what it is.
      make: function of the context.
      of_model: whether all contexts of the model share it.
    """
    found = self._latents if of_model else self._found
    if name not in found:
      found[name] = make(self)
    return found[name]

  def latents(self, number=None):
    """Returns the latents of the first encoded examples, float32 `[N, ...]`.

    A stochastic encoder counts by its mean. They are made once for all metrics.

    Args:
      number: int N, `num_encoded` by default; fewer if there are fewer.
    """
    number = reference.count(self.encoded, number or self.num_encoded)  # N
    if number not in self._latents:
      self._latents[number] = self.source.latents(self.model, number)
    return self._latents[number]

  @property
  def defaults(self):
    return dict(images='data', prior='none', num_samples=self.num_encoded,
                split=reference.span(self.encoded, self.num_encoded),
                made=False)


class PriorContext(Context):
  """The scope 'prior': a density of the latents, which the model samples from.

  Attributes:
    prior: the prior, see `pgak.priors`.
    num_samples: int, how many samples the protocol asks for.
  """

  def __init__(self, model, source, latents):
    super().__init__(model, source, latents)
    self.prior = model.prior
    self.num_samples = source.num_samples

  def generate(self, latents):
    """Yields what the model decodes latents to, uint8 `[b, h, w, C]`.

    Args:
      latents: float `[N, ...]`.
    """
    return sampling.generate(
        self.model, len(latents), self.seed, latents=latents,
        batch_size=self.protocol.batch_size,
        batch_norm=self.protocol.batch_norm, rounding=self.protocol.rounding)

  @property
  def defaults(self):
    return dict(images='samples', prior=capabilities.label_of(self.prior),
                num_samples=self.num_samples, split='train', made=False)


class ExamplesContext(Context):
  """The scope 'examples': those of one kind that a model made, or real ones.

  Attributes:
    images: string, their kind, one of `protocols.IMAGES`.
    examples: those that are kept: of images the first 1,000, or more where a
      metric keeps 'examples'.
    drawn: float `[N, ...]`, the latents of samples, where a metric keeps
      'examples'; else None.
    collected: list of `feature_sets.Collected`, their features by each net.
    nets: list of `features.FeatureNet`.
  """

  def __init__(self, model, source, latents, images, made, collected):
    super().__init__(model, source, latents)
    self.images = images
    self.examples = made.examples
    self.drawn = made.latents
    self.collected = collected
    self.nets = [found.net for found in collected]

  @functools.cached_property
  def real(self):
    """Real examples to compare with, as many as were made."""
    return self.source.real

  @functools.cached_property
  def others(self):
    """Second draws for the same conditions, of a model of pairs."""
    return self.source.others(self.model)  # [N, h, w, C]

  @property
  def defaults(self):
    return dict(images=self.images,
                prior=self.source.prior_of(self.images, self.model),
                num_samples=self.source.number(self.images),
                split=reference.span(self.source.array,
                                     self.source.number(self.images)),
                # Real images are uint8 already, and vectors are never rounded.
                made=self.source.rounds and self.images != 'data')


class FeaturesContext(Context):
  """The scope 'features': examples as one net sees them.

  Attributes:
    images: string, as in `ExamplesContext`.
    real: `feature_sets.Collected` of the reference.
    fake: the same of what the model made.
  """

  def __init__(self, model, source, latents, images, real, fake):
    super().__init__(model, source, latents)
    self.images = images
    self.real = real
    self.fake = fake

  def compared(self, number):
    """Returns what scores say of the reference: its first `number` examples."""
    return self.source.compared(self.images, number)

  @property
  def defaults(self):
    return dict(images=self.images, features=self.fake.net,
                prior=self.source.prior_of(self.images, self.model),
                num_samples=self.fake.moments.count,
                split=self.compared(self.real.moments.count),
                made=self.images != 'data')
