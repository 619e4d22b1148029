"""Tests of the kinds of images."""
import dataclasses

import numpy as np
import pytest
import tiny_evaluation

from pgak import data
from pgak.evaluation import examples
from pgak.evaluation import protocols
from pgak.generation import sampling
from pgak.models import lines

PROTOCOL = protocols.Protocol('mine', (), 5, 'test', batch_size=4)


@pytest.mark.parametrize('number', [2, 3, 500])
def test_pairs_are_of_different_images_and_repeatable(number):
  first, second = examples.pairs(number, 2)
  for part in (first, second):
    assert part.shape == (number,)
    assert part.min() >= 0 and part.max() < number
  assert (first != second).all()
  np.testing.assert_array_equal(examples.pairs(number, 2), (first, second))
  if number == 500:
    assert not np.array_equal(examples.pairs(number, 3)[0], first)


def test_one_image_is_a_pair_with_itself():
  np.testing.assert_array_equal(examples.pairs(1, 0), [[0], [0]])


def test_first_passes_all_and_keeps_some():
  rows = np.arange(10)
  first = examples.First(np.split(rows, [0, 3, 7]), 5)
  np.testing.assert_array_equal(np.concatenate(list(first)), rows)
  np.testing.assert_array_equal(first.examples, rows[:5])


def test_interpolations_decode_midpoints_of_random_pairs(monkeypatch):
  calls = []
  monkeypatch.setattr(sampling, 'generate', tiny_evaluation.generator(calls))
  array, model = data.digits().split('train'), tiny_evaluation.Model()
  protocol = dataclasses.replace(PROTOCOL, interpolation_seed=7)
  batches = list(examples.images_of(
      'interpolations', model, protocol, array, 9,
      lambda number: model.encode_split(array, np.arange(number))))
  assert [len(b) for b in batches] == [4, 4, 1]
  latents = model.encode_split(array, np.arange(9))
  np.testing.assert_allclose(
      latents, array.read(np.arange(9)).reshape(9, 64)[:, :3] / 255., rtol=1e-6)
  first, second = examples.pairs(9, 7)
  np.testing.assert_array_equal(
      calls[0]['latents'], lines.midpoints(latents[first], latents[second]))


def test_real_images_are_themselves():
  array = data.digits().split('train')
  found = np.concatenate(list(examples.images_of(
      'data', tiny_evaluation.Model(), PROTOCOL, array, 600, None)))
  np.testing.assert_array_equal(found, array.read(np.arange(600)))
