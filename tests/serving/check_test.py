"""Tests of the script that checks an export, in this process."""
import sys

import keras
import numpy as np
import pytest

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
        'interpolate', 'log_prob', 'reconstruct', 'sample_latents',
        'serving_default'}
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
  """Answers as a good export does, but for one fault."""

  def __init__(self, fault):
    self.fault = fault
    self.number_of_calls = 0

  def __call__(self, signature, inputs):
    self.number_of_calls += 1
    (array, *_) = inputs.values()
    if signature == 'generate':
      images = np.zeros((inputs['count'], *SHAPE), np.uint8)
      if self.fault == 'seed':
        images += np.uint8(20 * self.number_of_calls)
      if self.fault == 'count':
        images += np.uint8(20 * inputs['count'])
      return {'images': images}
    if array.shape[1:] != (2,) and self.fault != 'shape':
      raise ValueError('wrong shape')
    images = np.zeros((len(array), *SHAPE), np.uint8)
    if self.fault == 'batch':
      images += np.uint8(20 * len(array))
    return {'images': images}


@pytest.mark.parametrize('fault, message', [
    ('batch', 'one latent of a batch'), ('seed', 'the same seed'),
    ('count', 'a smaller count'), ('shape', 'takes an input of a wrong shape')])
def test_an_answer_that_depends_on_what_it_must_not(fault, message):
  latents = np.zeros((4, 2), np.float32)
  calls = {'decode': ({'latents': latents}, {}),
           'encode': ({'images': latents}, {}),
           'generate': ({'seed': np.int64(1)}, {})}
  check.check_properties(FakeExport(None), calls)
  with pytest.raises(check.Mismatch, match=message):
    check.check_properties(FakeExport(fault), calls)


BOUNDS = {'count': [0, 8], 'batch': [0, 8], 'batch * steps': [0, 8],
          'steps': [2, 8]}
# An export that looks at one thing too few.
UNSEEN = {'count': 'more than 8 for count', 'batch': 'more than 8 for batch',
          'batch * steps': 'more than 8 for batch . steps',
          'steps': 'more than 8 for steps', 'NaN': 'NaN'}


@pytest.mark.parametrize('unseen', [None, *UNSEEN])
def test_a_request_that_should_be_refused(unseen):
  def call(signature, inputs):
    rows = next((len(a) for a in inputs.values() if a.ndim), 1)
    steps = int(inputs.get('steps', 2))
    asked = {'count': int(inputs.get('count', 0)), 'batch': rows,
             'steps': steps,
             'batch * steps': rows * steps if rows < 9 and steps < 9 else 0,
             'NaN': 9 * any(np.isnan(a).any() for a in inputs.values())}
    if any(n > 8 for name, n in asked.items() if name != unseen):
      raise ValueError('refused')

  latents = np.ones([2, 3], np.float32)
  calls = {'decode': ({'latents': latents}, {}),
           'generate': ({'count': np.int32(3)}, {}),
           'interpolate': ({'start': latents, 'steps': np.int32(3)}, {})}
  bounds = {'decode': ['batch'], 'generate': ['count'],
            'interpolate': ['batch', 'steps', 'batch * steps']}
  bounds = {s: {n: BOUNDS[n] for n in names} for s, names in bounds.items()}
  if unseen is None:
    check.check_bounds(call, calls, bounds)
    return
  with pytest.raises(check.Mismatch, match=UNSEEN[unseen] + '$'):
    check.check_bounds(call, calls, bounds)


def test_bounds_are_read_where_they_are_stated(folder, tmp_path):
  bounds = check.read_bounds(folder)
  assert bounds['generate'] == {'count': [0, 1024]}
  (tmp_path / 'metadata.json').write_text('{"signatures": {"decode": {}}}')
  assert check.read_bounds(tmp_path) == {'decode': {}}


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
