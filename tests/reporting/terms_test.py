"""Which curves share a chart, and what a chart says of its direction."""
import pathlib

import numpy as np
import pytest

from pgak.pictures import charts as charts_lib
from pgak.reporting import runs as runs_lib
from pgak.reporting import terms

CURVE = np.array([1, 2]), np.array([3., 2.])


@pytest.fixture(autouse=True)
def _no_drawing(monkeypatch):
  monkeypatch.setattr(charts_lib, 'line_chart', lambda *unused: b'')


def charts(*runs, names=('loss', 'reconstruction')):
  """Returns `{caption of a chart: its group}` of runs `(model, weight)`."""
  made = [runs_lib.Run(pathlib.Path(f'run{i}'), {
      'train.model': f'@{model}', 'train.batch_size': str(batch),
      f'{model}.weight': str(weight)}, {'data': {'name': 'mnist'}})
          for i, (model, weight, batch) in enumerate(runs)]
  section = terms.training_curves(runs_lib.cells(made), {
      run.path: {('train', name): CURVE for name in names} for run in made})
  return {p.caption: b.caption for b in section.blocks for p in b.pictures}


def test_two_models_share_no_chart():
  found = charts(('VAE', 1, 1), ('RAE', 1, 1))
  assert list(found) == [
      f'{name}, less is better: {model}' for model in ('VAE', 'RAE')
      for name in ('loss', 'reconstruction')]
  assert len(set(found.values())) == 2


def test_losses_with_other_weights_share_no_chart_and_their_terms_do():
  found = charts(('VAE', 1, 1), ('VAE', 2, 1))
  assert list(found) == [
      'loss, less is better: VAE (run0)',
      'reconstruction, less is better: VAE (run0), VAE (run1)',
      'loss, less is better: VAE (run1)']
  # Another batch size leaves the loss what it is.
  assert len(charts(('VAE', 1, 1), ('VAE', 1, 2))) == 2


def test_a_loss_of_parts_that_oppose_each_other_has_no_direction():
  found = charts(('AAE', 1, 1), names=('loss', 'adversarial', 'kl_fake'))
  assert list(found) == ['loss: AAE', 'adversarial: AAE', 'kl_fake: AAE']
