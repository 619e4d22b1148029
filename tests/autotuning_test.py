"""No data set that pgak reads is tuned: closing a tuned one may take as long
as reading it did.
"""
import os

import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import tiny_runs

from pgak import data
from pgak import evaluation


@pytest.fixture(name='iterated')
def _iterated(monkeypatch):
  """Notes of each data set that is read whether it is tuned."""
  notes = []
  iterate = type(tf.data.Dataset.range(1)).__iter__

  def noted(self):
    notes.append(self.options().autotune.enabled)
    return iterate(self)

  monkeypatch.setattr(tf.data.Dataset, '__iter__', noted)
  return notes


@pytest.mark.slow
@pytest.mark.filterwarnings('ignore:The classifier of digits')
def test_training_and_evaluation(iterated, tmp_path):
  tiny_runs.train(tmp_path / 'run', 'train.steps = 4', 'train.log_every = 2',
                  'train.validate_every = 2', 'train.sample_every = 4',
                  'train.checkpoint_every = 4', 'train.score_every = 4',
                  'quick.num_samples = 70', 'classifier.steps = 2')
  trained = len(iterated)
  assert trained >= 3  # Training and two validations.
  tiny_runs.parse('quick.num_samples = 70', 'classifier.steps = 2')
  evaluation.evaluate(tmp_path / 'run', protocol='quick')
  assert set(iterated) == {False}


def test_a_data_set_of_one_s_own(iterated):
  model = tiny_models.compiled('AE')
  images = np.zeros((4, *tiny_models.IMAGE_SHAPE), np.uint8)
  own = tf.data.Dataset.from_tensor_slices(images).batch(2)
  model.fit(own, validation_data=own, verbose=0)
  model.evaluate(own, verbose=0)
  assert len(iterated) >= 3 and set(iterated) == {False}


def test_public_data_sets_are_prepared_without_it(iterated):
  path = os.environ.get('PGAK_TEST_DATA')
  if not path:
    pytest.skip('PGAK_TEST_DATA names no folder of real data')
  recipe = data.mnist(f'{path}/tfds')._recipe
  _, chunks = next(iter(recipe.read()))
  next(iter(chunks))
  assert set(iterated) == {False}
