"""Tests of the script that checks an export, in this process."""
import sys
import types

import keras
import numpy as np
import pytest

from pgak import errors
from pgak import models
from pgak.serving import check
from pgak.serving import exporting

SHAPE = (4, 4, 3)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  keras.utils.set_random_seed(0)
  images = keras.Input(SHAPE)
  latents = keras.layers.Dense(2)(keras.layers.Flatten()(images))
  drawn = keras.Input((2,))
  decoded = keras.layers.Reshape(SHAPE)(keras.layers.Dense(48)(drawn))
  decoded = keras.layers.Activation('sigmoid')(decoded)
  model = models.AE(keras.Model(images, latents), keras.Model(drawn, decoded))
  output = tmp_path_factory.mktemp('export')
  return exporting.export_model(model, output, verified=False)


@pytest.fixture(scope='module')
def call(folder):
  return check.load_object(str(folder))


@pytest.fixture
def calls(folder):
  return check.read_expected(folder)


def test_every_signature_passes_both_loaders(folder):
  differences = check.check(str(folder))
  assert set(differences) == {'object', 'session'}
  for found in differences.values():
    assert set(found) == {
        'decode', 'encode', 'encode_image', 'generate', 'generate_png',
        'interpolate', 'interpolate_spherical', 'log_prob', 'reconstruct',
        'sample_latents', 'serving_default'}
    assert max(found.values()) <= 1.


@pytest.mark.parametrize('signature, name', [
    ('decode', 'images'), ('generate', 'images'), ('interpolate', 'images'),
    ('generate_png', 'image_bytes')])
def test_two_grey_levels_are_too_many(call, calls, signature, name):
  inputs, outputs = calls[signature]
  outputs[name] ^= 2  # Every level moves by two.
  with pytest.raises(check.Mismatch, match='differs .* by 2, more'):
    check.check_call(call, signature, inputs, outputs)


@pytest.mark.parametrize('signature', [
    'encode', 'encode_image', 'log_prob', 'sample_latents'])
@pytest.mark.parametrize('factor', [1.02, np.nan])
def test_other_latents_are_found(call, calls, signature, factor):
  inputs, outputs = calls[signature]
  (name,) = outputs
  outputs[name] *= np.float32(factor)
  with pytest.raises(check.Mismatch, match='differs from the model'):
    check.check_call(call, signature, inputs, outputs)


@pytest.mark.parametrize('signature, outputs', [
    ('encode', {'latents': np.zeros((4, 2), np.float64)}),
    ('decode', {'images': np.zeros((4, 4, 4, 1), np.uint8)}),
    ('decode', {'pictures': np.zeros((4, *SHAPE), np.uint8)})])
def test_other_names_types_and_shapes_are_found(call, calls, signature,
                                                outputs):
  with pytest.raises(check.Mismatch):
    check.check_call(call, signature, calls[signature][0], outputs)


class FakeExport:
  """Answers with sums of rows, but for one fault."""

  def __init__(self, fault):
    self.fault = fault
    self.number_of_calls = 0

  def __call__(self, signature, inputs):
    self.number_of_calls += 1
    self._refuse(**inputs)
    latents = inputs['latents']
    if self.fault == 'something' and not len(latents):
      latents = np.ones([1, 2], np.float32)
    images = np.tile(np.nan_to_num(latents).sum(1)[:, None, None, None], SHAPE)
    images = images.astype(np.uint8)
    if self.fault == 'seed':
      images += np.uint8(20 * self.number_of_calls)
    if self.fault == 'others':
      images += np.uint8(20 * len(latents))
    if self.fault == 'place' and len(latents):
      images[0] += np.uint8(20)
    return {'images': images}

  def _refuse(self, latents, weight):
    faults = {'shape': latents.shape[1:] != (2,),
              'rows': len(latents) != len(weight),
              'batch': len(latents) > 8,
              'weight': np.any((weight < 0) | (weight > 1)),
              'NaN': np.isnan(latents).any() or np.isnan(weight).any()}
    for fault, is_there in faults.items():
      if is_there and fault != self.fault:
        raise ValueError(fault)


LATENTS = np.float32([[1, 2], [30, 4], [5, 60]])
WEIGHT = np.float32([0., 0.5, 1.])
CALLS = {'decode': ({'latents': LATENTS, 'weight': WEIGHT}, {})}
BOUNDS = {'decode': {'batch': [0, 8], 'weight': [0, 1]}}


@pytest.mark.parametrize('fault, message', [
    ('others', 'rows without the others'), ('seed', 'decode of rows'),
    ('place', 'in the other order'), ('something', 'something of nothing'),
    ('shape', 'takes an input of a wrong shape'),
    ('rows', 'takes fewer rows of')])
def test_an_answer_that_depends_on_what_it_must_not(fault, message):
  check.check_properties(FakeExport(None), CALLS)
  with pytest.raises(check.Mismatch, match=message):
    check.check_properties(FakeExport(fault), CALLS)


@pytest.mark.parametrize('fault, message', [
    ('batch', 'more than 8 rows'), ('weight', '-1 for weight'),
    ('NaN', 'NaN for latents')])
def test_a_request_that_should_be_refused(fault, message):
  check.check_bounds(FakeExport(None), CALLS, BOUNDS)
  with pytest.raises(check.Mismatch, match=message + '$'):
    check.check_bounds(FakeExport(fault), CALLS, BOUNDS)


def test_a_request_larger_than_memory_is_not_made():
  check.check_bounds(FakeExport(None), CALLS, {
      'decode': {'batch': [0, 2**40], 'weight': [0, 1]}})


def test_a_check_that_the_system_ended_has_its_status(folder, monkeypatch):
  monkeypatch.setattr(exporting.subprocess, 'run', lambda *_, **unused: (
      types.SimpleNamespace(returncode=-9, stderr='', stdout='')))
  with pytest.raises(errors.UserError, match='ended with status -9 and says'):
    exporting.verify(folder)


def test_main_says_what_differs(monkeypatch, capsys):
  # `main` makes pgak impossible to import.
  monkeypatch.setitem(sys.modules, 'pgak', sys.modules['pgak'])

  def differs(folder):
    raise check.Mismatch(f'{folder} differs')

  monkeypatch.setattr(check, 'check', differs)
  with pytest.raises(SystemExit, match='^there differs.$'):
    check.main(['check.py', 'there'])
  assert sys.modules['pgak'] is None
  monkeypatch.setattr(check, 'check', lambda folder: {'object': {}})
  check.main(['check.py', 'there'])
  assert capsys.readouterr().out == '{"object": {}}\n'
