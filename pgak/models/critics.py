"""What models that have a discriminator of images share."""
import tensorflow as tf

__all__ = ['JudgesImages']


class JudgesImages:
  """The part `image_critic`, whose numbers are averaged to one an image.

  Where it is None, the model makes do without.

  It stands before a base class in a model's list of parents.
  """

  @property
  def parts(self):
    critic = {'image_critic': self.image_critic}
    return super().parts | (critic if self.image_critic is not None else {})

  def _critic(self, images, training):
    """d, one number an image, float `[B]`: the mean of the net's outputs."""
    return tf.reduce_mean(self.image_critic(images, training=training), -1)
