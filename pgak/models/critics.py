"""What models that have a discriminator of images share."""
import tensorflow as tf

__all__ = ['JudgesImages']


class JudgesImages:
  """Adds the part `image_critic`, whose outputs are averaged to one per image.

  Where `image_critic` is None, the model has no such part. This class stands
  before a base class in a model's list of parents.
  """

  @property
  def parts(self):
    critic = {'image_critic': self.image_critic}
    return super().parts | (critic if self.image_critic is not None else {})

  def _critic(self, images, training):
    """d, one number per image, float `[B]`: the mean of the net's outputs."""
    # ACAI's critic is shaped like an encoder, whose outputs it averages.
    return tf.reduce_mean(self.image_critic(images, training=training), -1)
