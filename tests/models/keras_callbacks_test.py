"""Each of Keras's callbacks, on parts that move at once and by turns."""
import csv

import keras
import numpy as np
import pytest
import tiny_models

ONE_ROW, BY_TURNS = 'AE', 'AAE'
# Without a server or a package that they need.
LEFT_OUT = {'Callback', 'CallbackList', 'OrbaxCheckpoint', 'RemoteMonitor'}
EPOCHS = 3


def _callbacks(folder):
  """Returns `{name: callback}` of all that Keras has."""
  made = dict(
      BackupAndRestore=keras.callbacks.BackupAndRestore(
          folder / 'backup', delete_checkpoint=False),
      CSVLogger=keras.callbacks.CSVLogger(folder / 'log.csv'),
      EarlyStopping=keras.callbacks.EarlyStopping(
          patience=9, restore_best_weights=True),
      History=keras.callbacks.History(),
      LambdaCallback=keras.callbacks.LambdaCallback(
          on_epoch_end=lambda epoch, logs: (folder / str(epoch)).touch()),
      LearningRateScheduler=keras.callbacks.LearningRateScheduler(
          lambda epoch, rate: 0.5 * rate),
      ModelCheckpoint=keras.callbacks.ModelCheckpoint(folder / 'last.keras'),
      ProgbarLogger=keras.callbacks.ProgbarLogger(),
      ReduceLROnPlateau=keras.callbacks.ReduceLROnPlateau(patience=9),
      SwapEMAWeights=keras.callbacks.SwapEMAWeights(),
      TensorBoard=keras.callbacks.TensorBoard(folder / 'events',
                                              histogram_freq=1),
      TerminateOnNaN=keras.callbacks.TerminateOnNaN())
  known = {name for name in dir(keras.callbacks) if not name.startswith('_')}
  assert set(made) == known - LEFT_OUT
  return made


def _model(name):
  model = tiny_models.make(name)
  model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
                run_eagerly=True)
  return model


def _fit(model, callbacks, epochs=EPOCHS):
  images = tiny_models.images(8)
  return model.fit(images, batch_size=4, epochs=epochs, shuffle=False,
                   verbose=0, validation_data=images, callbacks=callbacks)


@pytest.mark.slow
@pytest.mark.parametrize('name', [ONE_ROW, BY_TURNS])
def test_each_callback_of_keras_works(name, tmp_path):
  model, plain = _model(name), _model(name)
  callbacks = _callbacks(tmp_path)
  history = _fit(model, list(callbacks.values())).history
  _fit(plain, [])
  assert len(history['val_loss']) == EPOCHS
  assert int(model.step) == int(plain.step) == 2 * EPOCHS
  rates = [float(o.learning_rate) for o in model.optimizer.optimizers]
  assert rates == pytest.approx([0.1 * 0.5**EPOCHS] * len(model.parts))
  with (tmp_path / 'log.csv').open() as file:
    rows = list(csv.DictReader(file))
  assert len(rows) == EPOCHS and 'val_reconstruction' in rows[0]
  assert [(tmp_path / str(e)).exists() for e in range(EPOCHS)] == [True] * 3
  assert list((tmp_path / 'events' / 'train').iterdir())
  again = keras.models.load_model(tmp_path / 'last.keras')
  assert int(again.step) == 2 * EPOCHS
  assert not model.stop_training


@pytest.mark.parametrize('name', [
    ONE_ROW, pytest.param(BY_TURNS, marks=pytest.mark.slow)])
def test_a_plateau_lowers_the_rates_of_all_parts(name):
  model = _model(name)
  _fit(model, [keras.callbacks.ReduceLROnPlateau(
      factor=0.1, patience=1, min_delta=1e9)])
  # The first of three epochs is the best for ever.
  assert [float(o.learning_rate) for o in model.optimizer.optimizers] == (
      pytest.approx([1e-3] * len(model.parts)))


@pytest.mark.slow
def test_averages_are_there_in_validation_and_gone_in_training():
  swapped, plain = _model(ONE_ROW), _model(ONE_ROW)
  found = _fit(swapped, [keras.callbacks.SwapEMAWeights()]).history
  usual = _fit(plain, []).history
  assert found['val_loss'][0] != pytest.approx(usual['val_loss'][0], rel=1e-6)
  for ours, theirs in zip(swapped.variables, plain.variables, strict=True):
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4,
                               atol=1e-5)
  with plain.averaged_weights():
    averaged = plain.evaluate(tiny_models.images(8), batch_size=4, verbose=0,
                              return_dict=True)
  assert averaged['loss'] == pytest.approx(found['val_loss'][-1], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('name', [ONE_ROW, BY_TURNS])
def test_a_backup_is_gone_on_from(name, tmp_path):

  class Killed(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
      if epoch == 2:
        raise KeyboardInterrupt

  def backup():
    return keras.callbacks.BackupAndRestore(tmp_path / 'backup')

  whole, killed, resumed = (_model(name) for _ in range(3))
  _fit(whole, [])
  with pytest.raises(KeyboardInterrupt):
    _fit(killed, [backup(), Killed()])
  _fit(resumed, [backup()])
  assert int(resumed.step) == 2 * EPOCHS
  for ours, theirs in zip(whole.variables, resumed.variables, strict=True):
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4,
                               atol=1e-5, err_msg=ours.path)


def test_training_stops_early_and_on_nan():
  model = _model(ONE_ROW)
  history = _fit(model, [keras.callbacks.EarlyStopping(
      patience=1, min_delta=1e9, restore_best_weights=True)], epochs=9).history
  assert len(history['loss']) == 2 and model.stop_training
  model.encoder.trainable_variables[0].assign(
      model.encoder.trainable_variables[0] * np.nan)
  _fit(model, [keras.callbacks.TerminateOnNaN()])
  # The step of the best epoch, which is a weight as the others, and one more.
  assert int(model.step) == 2 + 1


def test_fit_leaves_the_weights_and_not_their_averages():
  model, stepped = _model(ONE_ROW), _model(ONE_ROW)
  _fit(model, [], epochs=1)
  for i in range(2):
    stepped.train_step(tiny_models.images(8)[4 * i:4 * i + 4])
  for ours, theirs in zip(model.variables, stepped.variables, strict=True):
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5,
                               atol=1e-6)
