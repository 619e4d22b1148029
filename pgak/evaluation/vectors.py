"""The examples that a protocol measures of a data set of vectors."""
import numpy as np

from pgak.evaluation import examples

__all__ = ['VectorExamples']


class VectorExamples(examples.Examples):
  """Vectors, such as points of the Swiss roll.

  Samples are compared with equally many points of the protocol's split, and so
  are points of the split `train`, as `images` = 'data': the best values that a
  model can be expected to reach.
  """

  of = 'vectors'
  advice = '--protocol=vectors'
  rounds = False

  def __init__(self, dataset, protocol):
    super().__init__(dataset, protocol)
    self.train = dataset.split('train')
    # Sliced Wasserstein needs equally many points on both sides.
    number = min(self.num_samples, self.num_references, len(self.train),
                 len(self.encoded))
    self.num_samples = self.num_references = self.num_encoded = number
    self.real = self.array.read(np.arange(number))  # [N, D]

  def make(self, images, model, latents_of):
    if images == 'data':
      points = self.train.read(np.arange(self.num_samples))
    else:
      points = np.concatenate(list(examples.images_of(
          images, model, self.protocol, self.array, self.num_samples,
          latents_of)))
    # One batch, all kept: points are small, and metrics need each.
    return examples.First([points], len(points))

  def write(self, files, images, model, made):
    if images == 'samples':
      files.write_cloud(self.real, made, self.prior_of(images, model))
