"""benchmarks/sweep_cost.py counts what a sweep's training takes."""
import sys

import pytest
import sweep_cost


def test_a_row_for_each_cell_and_their_sum(tmp_path, monkeypatch, capsys):
  sweep = tmp_path / 'two.sweep'
  sweep.write_text("""
sweep.gin_files = ['quickstart.gin', 'models/ae.gin']
sweep.bindings = ['train.steps = 10']
sweep.cells = {'few': ['train.batch_size = 4'],
               'many': ['train.batch_size = 8', 'train.steps = 20']}
sweep.seeds = [3, 4, 5]
sweep.evaluations = [{'protocol': 'quick'}]
""", encoding='utf-8')
  monkeypatch.setattr(sys, 'argv', ['sweep_cost.py', str(sweep)])
  sweep_cost.main()
  _, _, *rows, total = (
      [cell.strip() for cell in row.split('|')[1:5]]
      for row in capsys.readouterr().out.splitlines())
  (few, a, ten, x), (many, b, twenty, y) = rows
  assert (few, ten, many, twenty) == ('few', '10', 'many', '20')
  # Twice the images take twice the operations, but for the optimizer's.
  assert 1. < float(b) / float(a) < 2.01
  assert float(x) == pytest.approx(3 * 10 * 1e-3 * float(a), rel=0.01)
  assert float(y) == pytest.approx(3 * 20 * 1e-3 * float(b), rel=0.01)
  assert total[0] == 'all'
  assert float(total[3]) == pytest.approx(float(x) + float(y), rel=0.01)
