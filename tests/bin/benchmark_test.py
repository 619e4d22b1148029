"""The benchmark command, with all that it times, small."""
import functools
import re

import ratios
import tiny_commands

from pgak.bin import benchmark


def test_it_prints_a_ratio_of_everything(capsys, monkeypatch):
  monkeypatch.setattr(ratios, 'train_step_ratios', functools.partial(
      ratios.train_step_ratios, names=('ae',)))
  monkeypatch.setattr(ratios, 'mixture_ratio', functools.partial(
      ratios.mixture_ratio, latent_dim=3, iterations=2, repeats=1))
  monkeypatch.setattr(ratios, 'sampling_ratio', functools.partial(
      ratios.sampling_ratio, number=4, latent_dim=3, repeats=1))
  result = tiny_commands.call(
      benchmark, capsys, '--batch_size=2', '--steps=1', '--repeats=1',
      '--mixture_latents=60')
  assert result.status == 0, result.err
  assert re.search(r'\| ae \| [\d.]+ \| [\d.]+ \| 1.00 \| 1.00 \|', result.out)
  assert 'on 60 latents' in result.out
  found = re.findall(r': (\d+\.\d\d)$', result.out, re.M)
  assert len(found) == 3 and all(float(r) > 0. for r in found)
