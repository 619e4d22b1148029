"""Tests of attributes in a CSV file."""
import numpy as np
import pytest

from pgak.data import attribute_csv


@pytest.mark.parametrize('separator', [',', ';', '\t'])
def test_binary_columns_are_attributes_and_others_are_not(separator):
  lines = [separator.join(fields) for fields in (
      ['Young', 'Image_ID', 'Age', 'Male'], ['1', 'a.png', '31', 'true'],
      ['-1', 'b.png', '64', 'False'])]
  assert attribute_csv.is_csv(lines[0]) and not attribute_csv.is_csv('202599')
  names, found, others = attribute_csv.rows_of(lines)
  assert names == ('Young', 'Male') and others == ('Age',)
  np.testing.assert_array_equal(
      [found['a.png'], found['b.png']], [[True, True], [False, False]])


def test_without_a_known_name_the_first_column_has_the_files():
  names, found, _ = attribute_csv.rows_of(['picture,Male', 'a.png,1'])
  assert names == ('Male',) and list(found) == ['a.png']


@pytest.mark.parametrize('lines, number', [
    (['file,Male,Male', 'a,1,1'], 1),  # A name twice.
    (['file,Male', 'a,1', 'b'], 3),  # A field too few.
    (['file,Male', 'a,1', 'a,0'], 3),  # A file twice.
    (['file,Age', 'a,31', 'b,64'], 1),  # No attribute.
    # One of twenty is a mistake, not another kind of column.
    (['file,Male', *(f'{i},1' for i in range(19)), '19,2'], 21)])
def test_a_mistake_is_an_error_with_its_line(lines, number):
  with pytest.raises(ValueError) as caught:
    attribute_csv.rows_of(lines)
  assert caught.value.args[0] == number


@pytest.mark.parametrize('values, is_binary', [
    (['0', '1', '-1'], False), (['0.0', '1', '-1.0'], False),
    (['-1', '1', '-1.0'], True), (['0', '1', '0.0'], True)])
def test_a_column_of_0_and_minus_1_is_not_binary(values, is_binary):
  names, _, others = attribute_csv.rows_of(
      ['file,A,Male', *(f'{i}.png,{v},1' for i, v in enumerate(values))])
  assert ('A' in names) == is_binary and ('A' in others) != is_binary
