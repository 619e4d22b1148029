"""What samples are to have, as flags say it."""
import pytest

from pgak import errors
from pgak.generation import asked


@pytest.mark.parametrize('text, expected', [
    ('Smiling', {'Smiling': 1}),
    ('Smiling,Male=0', {'Smiling': 1, 'Male': 0}),
    (' 5_o_Clock_Shadow = 1 , Big Nose=0', {'5_o_Clock_Shadow': 1,
                                            'Big Nose': 0})])
def test_attributes_of_a_flag(text, expected):
  assert asked.attributes_of(text) == expected
  assert asked.given(4, attributes=text) == expected
  assert asked.given(4, 7, text) == {'label': 7, **expected}
  assert asked.given(2, 7).tolist() == [7, 7] and asked.given(2) is None


@pytest.mark.parametrize('text', ['', 'A,', 'A,A=0', 'A=2', 'A=', '=1'])
def test_what_names_no_attributes(text):
  with pytest.raises(errors.UserError, match=f'--attributes={text} is no list'):
    asked.attributes_of(text)
