"""Batch norm's statistics of a model in training; what they are estimated by is
in sampling_test.
"""
import keras
import numpy as np
import pytest
import tiny_models

from pgak.models import batch_norm


class Images:
  """Uint8 images in memory."""
  pixels = np.random.default_rng(0).integers(
      0, 256, (12, *tiny_models.IMAGE_SHAPE), np.uint8)

  def __len__(self):
    return len(self.pixels)

  def read(self, indices):
    return self.pixels[indices]


def averaging():
  model = tiny_models.make('AE', batch_norm=True)
  model.compile({part: keras.optimizers.SGD(
      0.5, use_ema=True, ema_momentum=0.5) for part in model.parts})
  for _ in range(2):
    model.train_step(tiny_models.images())
  return model


def state(model):
  return [v.numpy() for part in model.parts.values() for v in part.variables]


def moving(model):
  return [v.numpy() for v in model.decoder.non_trainable_variables]


def same(found, expected):
  return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.fixture(name='calls')
def _calls(monkeypatch):
  """Returns the steps at which statistics were re-estimated."""
  found, reestimate = [], batch_norm.reestimate

  def record(model, *arguments):
    found.append(int(model.step.numpy()))
    reestimate(model, *arguments)

  monkeypatch.setattr(batch_norm, 'reestimate', record)
  return found


def test_they_are_of_the_averaged_weights_and_leave_no_trace(calls):
  model = averaging()
  before = state(model)
  own = moving(model)
  with model.averaged_weights():  # Outside of a run they are the user's.
    assert same(moving(model), own)
  assert not calls
  model.batch_norm_statistics = batch_norm.Statistics(Images())
  with pytest.raises(KeyboardInterrupt), model.averaged_weights():
    evaluated = moving(model)
    assert not same(evaluated, own)
    batch_norm.reestimate(model, Images())
    assert same(moving(model), evaluated)
    raise KeyboardInterrupt
  assert same(state(model), before)
  with model.batch_norm_statistics.in_place(model):
    assert same(moving(model), evaluated)
  assert same(state(model), before)


def test_they_are_estimated_once_unless_the_weights_change(calls):
  model = averaging()
  model.batch_norm_statistics = batch_norm.Statistics(Images())
  for _ in range(2):
    with model.averaged_weights():
      first = moving(model)
  assert calls == [2]
  # By a callback of the user, at the same step.
  for optimizer in model.optimizers.values():
    optimizer.use_ema = False
  with model.averaged_weights():
    assert not same(moving(model), first)
  model.train_step(tiny_models.images())
  with model.averaged_weights():
    pass
  assert calls == [2, 2, 3]
