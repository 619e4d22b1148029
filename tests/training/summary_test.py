"""Tests of the line that says what is trained."""
import types

import numpy as np
import pytest

from pgak.training import summary


@pytest.mark.parametrize('shape, text', [
    ((950,), '950'), ((25, 492), '12.3 k'), ((1240, 1000), '1.24 M')])
def test_parameters_of_each_part_are_counted(shape, text):
  part = types.SimpleNamespace(variables=[np.zeros(shape)])
  model = types.SimpleNamespace(parts={'encoder': part, 'decoder': part})
  line = summary.describe(model, 'mixed_bfloat16')
  assert line.startswith(f'Parameters: encoder {text}, decoder {text}; '
                         'mixed_bfloat16; ')
