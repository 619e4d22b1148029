"""Settings are checked where they are declared, by their annotations."""
import functools
import math
import pathlib
from typing import Annotated, Literal

import gin
import keras
import numpy as np
import pytest

from pgak import errors
from pgak import schedules
from pgak import settings


@settings.register(module='settings_test')
def machine(size: settings.Count, rate: settings.Positive = 1.,
            keep: settings.Decay = 0.9, share: settings.Fraction = 0.5,
            part: settings.Share = 0.5,
            most: settings.Positive | None = None, is_on: bool = True,
            kind: Literal['a', 'b'] = 'a', name: str = 'name',
            shape: tuple[settings.Count, settings.Count] = (1, 1),
            units: tuple[settings.Count, ...] = (),
            made_of: settings.Reference = dict,
            parts: dict[str, settings.Reference] | None = None,
            weight: schedules.Weight = 1., signed: schedules.SignedWeight = 1.,
            path: settings.Path = 'here', seed: settings.Seed = 0,
            anything=None):
  """Returns its arguments."""
  return locals()


NAN, INFINITY = math.nan, 1e400


@pytest.mark.parametrize('argument, value, sentence', [
    *[('size', wrong, 'must be a whole number of at least 1 and below 2^31.')
      for wrong in (0, -1, 1.5, NAN, INFINITY, 'x', None, True, [1], 10**30,
                    np.bool_(True), 1 + 0j)],
    *[('rate', wrong, 'must be a number above 0.')
      for wrong in (0, -1e-9, NAN, INFINITY, -INFINITY, '1', None, False, [1.],
                    10**400, 1e39)],
    *[('keep', wrong, 'must be a number of at least 0 and below 1.')
      for wrong in (1, -0.1, NAN)],
    *[('share', wrong, 'must be a number from 0 to 1.')
      for wrong in (1.1, -0.1, NAN)],
    *[('part', wrong, 'must be a number above 0 and of at most 1.')
      for wrong in (0, 1.1, NAN)],
    ('most', 0, 'must be a number above 0 or None.'),
    *[('is_on', wrong, 'must be True or False.')
      for wrong in (1, 0, 'yes', None)],
    *[('kind', wrong, "must be 'a' or 'b'.")
      for wrong in ('c', 1, None, ['a'])],
    *[('name', wrong, 'must be a string in quotes.')
      for wrong in ('', ' ', 5, None, b'x')],
    *[('shape', wrong, 'must be a tuple in brackets of 2 entries, each a whole '
                       'number of at least 1 and below 2^31.')
      for wrong in (5, (1,), (1, 2, 3), (1, 0), (1.5, 1), '11', None)],
    *[('units', wrong, 'must be a tuple in brackets, each entry a whole number '
                       'of at least 1 and below 2^31.')
      for wrong in (5, (0,), (1, None), 'ab')],
    *[('made_of', wrong, 'must be a reference without brackets, such as @sgd.')
      for wrong in ({}, 'sgd', 5, None, keras.layers.ReLU())],
    *[('parts', wrong, 'must be a dictionary in braces, a string in quotes: a '
                       'reference without brackets, such as @sgd or None.')
      for wrong in ([], {1: dict}, {'a': 1}, 'sgd')],
    *[('weight', wrong, 'must be a number or a reference with brackets, '
                        'such as @linear(), nowhere below 0.')
      for wrong in (-1, NAN, 'x', None, True, schedules.cosine,
                    schedules.linear, keras.optimizers.SGD,
                    schedules.linear(1., -1., 0, 5),
                    schedules.switch_on(-1., 5))],
    *[('signed', wrong, 'must be a number or a reference with brackets, '
                        'such as @linear().')
      for wrong in (NAN, 'x', None, schedules.switch_on)],
    *[('path', wrong, 'must be a path in quotes.') for wrong in ('', 5, None)],
    *[('seed', wrong, 'must be a whole number of at least 0 and below 2^32.')
      for wrong in (-1, 2**32, 0.5)],
])
def test_a_wrong_value_is_a_sentence(argument, value, sentence):
  with pytest.raises(settings.SettingError) as caught:
    machine(**{'size': 1, argument: value})
  assert str(caught.value).startswith(f'`machine.{argument} = ')
  assert str(caught.value).endswith(sentence)
  assert isinstance(caught.value, errors.UserError)


@pytest.mark.parametrize('argument, value, expected', [
    ('size', 1e3, 1000), ('size', np.int32(7), 7), ('size', np.float32(2.), 2),
    ('rate', 3, 3), ('rate', np.float64(0.5), 0.5), ('most', None, None),
    ('is_on', np.bool_(False), False), ('shape', [2, 1e1], (2, 10)),
    ('units', (), ()), ('keep', 0, 0), ('share', 1, 1),
    ('parts', {'a': dict}, {'a': dict}), ('signed', -1., -1.),
    ('anything', NAN, NAN)])
def test_a_right_value_is_converted(argument, value, expected):
  found = machine(**{'size': 1, argument: value})[argument]
  assert found is expected or (found == expected
                               and type(found) is type(expected))


def test_references_and_schedules_are_told_apart():
  for reference in (dict, len, lambda: 0, functools.partial(dict, a=1),
                    gin.get_configurable(schedules.cosine)):
    machine(1, made_of=reference)
  for weight in (schedules.linear(0., 1., 0, 5), lambda step: 0. * step,
                 schedules.switch_on(1., 3)):
    machine(1, weight=weight)
  machine(1, signed=schedules.linear(1., -1., 0, 5))


def test_one_string_is_a_list_with_one_entry():
  @settings.several('names', 'paths')
  def call(names=(), *, paths=None, other='ab'):
    return names, paths, other

  assert call('ab') == (('ab',), None, 'ab')
  assert call(['a', 'b'], paths=pathlib.Path('c')) == (
      ('a', 'b'), ('c',), 'ab')
  assert call([pathlib.Path('a'), 3]) == (('a', 3), None, 'ab')


def test_the_macro_is_named():
  gin.parse_config('n = -1\nmachine.size = %n\nmachine.units = (1, %n)\n'
                   'a/machine.size = 0')
  call = gin.get_configurable('settings_test.machine')
  with pytest.raises(settings.SettingError,
                     match=r'size = -1` \(bound as %n\) must'):
    call()
  with pytest.raises(settings.SettingError,
                     match=r'units = \(1, -1\)` \(bound as \(1, %n\)\) must'):
    call(size=1)
  with gin.config_scope('a'), pytest.raises(settings.SettingError,
                                            match='size = 0` must'):
    call()


def test_what_is_missing_is_told_with_the_way_out():
  @settings.checked
  def two(first: settings.Count, second, third=3):
    return first, second, third
  with pytest.raises(settings.SettingError, match=(
      '`two.first` and `two.second` are not set: give `first`, a whole number '
      'of at least 1 and below 2.31 and give `second`, a value.')):
    two()
  gin.parse_config('other = 1')
  with pytest.raises(settings.SettingError, match=(
      '`two.first` and `two.second` are not set: bind two.first to a whole '
      'number of at least 1 and below 2.31 and bind two.second to a value.')):
    two()
  hinted = settings.checked(two, hints={'second': '--gin_file=second.gin'})
  with pytest.raises(settings.SettingError,
                     match='`two.second` is not set: add --gin_file=sec'):
    hinted(1)


def test_a_wrong_call_is_pythons_own_error():
  with pytest.raises(TypeError, match="unexpected keyword argument 'nope'"):
    machine(1, nope=1)
  with pytest.raises(TypeError, match='cannot be a size'):
    @settings.checked
    def faulty(size: settings.Count):
      raise TypeError(f'{size} cannot be a size')
    faulty(1)


class Parent:

  def __init__(self, size: settings.Count):
    self.size = size


def test_a_class_checks_what_it_was_given_alone():
  parent = settings.checked(type('Parent', (Parent,), {}))
  assert parent(2).size == 2
  with pytest.raises(settings.SettingError, match='`Parent.size = 0`'):
    parent(0)
  @settings.checked
  class Child(parent):
    def __init__(self, side: settings.Count):
      super().__init__(-side)
  assert Child(3).size == -3
  with pytest.raises(settings.SettingError, match='`Child.side = 0`'):
    Child(0)
  @settings.checked
  class Heir(parent):
    pass
  with pytest.raises(settings.SettingError, match='`Heir.size = 0`'):
    Heir(0)


@settings.register(module='settings_test')
@keras.saving.register_keras_serializable('settings_test')
class Layer(keras.layers.Layer):
  """A Keras layer with a checked argument."""

  def __init__(self, factor: settings.Positive = 2., **kwargs):
    super().__init__(**kwargs)
    self.factor = factor

  def call(self, inputs):
    return self.factor * inputs

  def get_config(self):
    return super().get_config() | {'factor': self.factor}


def test_keras_makes_and_restores_a_checked_layer():
  with pytest.raises(settings.SettingError, match='`Layer.factor = -1`'):
    Layer(-1)
  layer = Layer(3., name='mine')
  again = keras.saving.deserialize_keras_object(
      keras.saving.serialize_keras_object(layer))
  assert (again.factor, again.name) == (3., 'mine')
  gin.parse_config('Layer.factor = 5.')
  assert gin.get_configurable('settings_test.Layer')().factor == 5.
  gin.parse_config('Layer.factor = "x"')
  with pytest.raises(settings.SettingError, match="`Layer.factor = 'x'`"):
    gin.get_configurable('settings_test.Layer')()


def test_what_a_reference_makes_is_checked():
  assert settings.made(lambda: 5, 'a.b', int) == 5
  with pytest.raises(settings.SettingError, match='`a.b = @dict` makes {}; it '
                     'must make a whole number.'):
    settings.made(dict, 'a.b', int)
  with pytest.raises(settings.SettingError, match='does not take'):
    settings.made(lambda: 5, 'a.b', int, 1)
  def faulty():
    raise TypeError('my own')
  with pytest.raises(TypeError, match='my own'):
    settings.made(faulty, 'a.b', int)
  @gin.register(module='settings_test')
  def others(needed):
    return needed
  with pytest.raises(settings.SettingError, match=r'without \[.needed.\]'):
    settings.made(gin.get_configurable(others), 'a.b', int)
  assert settings.made(
      lambda: Parent(1), 'a.b',
      Annotated[object, settings.Has(('size',), 'a thing')]).size == 1


def test_the_operative_configuration_is_what_was_bound():
  gin.parse_config('machine.size = 1e3\nmachine.most = 2')
  assert gin.get_configurable('settings_test.machine')()['size'] == 1000
  text = gin.operative_config_str()
  assert 'machine.size = 1000.0' in text and 'machine.keep = 0.9' in text
