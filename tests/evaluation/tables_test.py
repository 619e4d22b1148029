"""Tests of scores as text."""
import pytest

from pgak import evaluation
from pgak.runs import scores


def _row(**changes):
  row = dict.fromkeys(scores.CHOICES, 'x')
  return row | dict(step=10, metric='fid', value=1.5) | changes


def test_what_compares_stands_in_one_table_with_its_choices_once():
  table = evaluation.format_table([
      _row(), _row(metric='prd_f_8', value=0.25), _row(step=20, value=2.),
      _row(step=20, metric='prd_f_8', value=0.5)])
  lines = table.splitlines()
  assert [line.split() for line in lines[:3]] == [
      ['step', 'fid', 'prd_f_8'], ['10', '1.5', '0.25'], ['20', '2', '0.5']]
  assert table.count('protocol x') == 1 and 'images x' in table
  assert max(map(len, lines)) <= 100


@pytest.mark.parametrize('column', scores.CHOICES)
def test_another_choice_is_another_table(column):
  table = evaluation.format_table([_row(), _row(**{column: 'other'})])
  assert table.count('step') == 2 and f'{column} other' in table


def test_many_metrics_are_some_to_a_line_and_none_is_lost():
  names = [f'metric_{i}' for i in range(7)]
  table = evaluation.format_table([_row(metric=n, value=i + 0.5)
                                   for i, n in enumerate(names)])
  for i, name in enumerate(names):
    assert name in table and f'{i}.5' in table
  assert table.count('protocol x') == 1


def test_an_error_stands_beside_its_value():
  assert '1.5 ± 0.25' in evaluation.format_table([_row(error=0.25)])
  assert '±' not in evaluation.format_table([_row(error='')])


def test_a_step_without_a_metric_has_a_gap():
  lines = evaluation.format_table(
      [_row(), _row(step=20, metric='kid', value=3.)]).splitlines()
  assert lines[1].split() == ['10', '1.5'] and lines[2].split() == ['20', '3']
