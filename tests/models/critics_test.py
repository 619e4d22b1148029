"""Tests of the part that judges images."""
import numpy as np

from pgak.models import critics


class _Base:

  @property
  def parts(self):
    return {'decoder': 'a decoder'}


class _Judged(critics.JudgesImages, _Base):

  def __init__(self, image_critic):
    self.image_critic = image_critic


def test_a_critic_is_a_part_if_there_is_one():
  assert _Judged(None).parts == {'decoder': 'a decoder'}
  assert _Judged('a critic').parts == {
      'decoder': 'a decoder', 'image_critic': 'a critic'}


def test_outputs_of_one_image_are_averaged():
  judged = _Judged(lambda images, training: images)
  outputs = np.float32([[1., 3.], [-2., 0.]])
  np.testing.assert_allclose(judged._critic(outputs, False), [2., -1.])
