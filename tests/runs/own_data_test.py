"""Data that a run is shown become examples as its own did."""
import types

import numpy as np
from PIL import Image
import pytest

from pgak.data import kinds
from pgak.runs import own_data


@pytest.mark.parametrize('recorded,wanted', [
    ({'crop': 9, 'antialias': False, 'resize': 'bicubic_tf1',
      'fractions': {}, 'background': [1, 2, 3]},
     {'crop': 9, 'antialias': False, 'resize': 'bicubic_tf1',
      'background': (1, 2, 3)}),
    # A folder of version 0.4, and a data set without transparency.
    ({'crop': None, 'resize': 'bicubic', 'antialias': True, 'fractions': {}},
     {'crop': None, 'resize': 'bicubic', 'antialias': True,
      'background': None}),
    ({}, {'crop': None, 'resize': 'bicubic', 'antialias': True,
          'background': 255})])
def test_a_run_says_how_its_pictures_were_prepared(recorded, wanted):
  assert own_data.preparation_of(recorded) == wanted


@pytest.mark.parametrize('recorded, shown', [
    ({'fractions': {}}, [200, 100, 50]),
    ({'fractions': {}, 'background': 255}, [255, 255, 255]), ({}, [255] * 3)])
def test_what_is_transparent_is_as_in_training(tmp_path, recorded, shown):
  # Version 0.4 dropped the transparency of pictures in a folder.
  levels = np.full([8, 8, 4], [200, 100, 50, 0], np.uint8)
  Image.fromarray(levels, 'RGBA').save(tmp_path / 'a.png')
  model = types.SimpleNamespace(kind=kinds.Images((8, 8, 3), (-1., 1.)),
                                name='it')
  found = own_data.opener_of(str(tmp_path), recorded)(model).split('all')
  assert (found.read([0]) == shown).all()
