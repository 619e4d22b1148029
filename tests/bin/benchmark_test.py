"""The benchmark command, with all that it times, small."""
import functools
import re

import flag_tables
import pytest
import ratios
import tiny_commands

from pgak.bin import benchmark
from pgak.metrics import features
from pgak.metrics import inception


@pytest.mark.slow
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


# === Its flags ===


@pytest.fixture(name='timed')
def _timed(monkeypatch):
  """Replaces all that the benchmark times by recorders."""
  found = {name: flag_tables.Recorder(answer=dict(ratio=2.5))
           for name in ('mixture_ratio', 'sampling_ratio')}
  found['train_step_ratios'] = flag_tables.Recorder(answer=[])
  for name, recorder in found.items():
    monkeypatch.setattr(ratios, name, recorder)
  found['inception'] = flag_tables.Recorder(answer='the net')
  found['measure_overhead'] = flag_tables.Recorder(answer=dict(ratio=1.5))
  monkeypatch.setattr(inception, 'inception', found['inception'])
  monkeypatch.setattr(features, 'measure_overhead', found['measure_overhead'])
  return found


def test_flags_of_benchmark(capsys, timed):
  flag_tables.check_table(benchmark, [
      'batch_size', 'steps', 'repeats', 'mixture_latents', 'inception'])
  flag_tables.call(benchmark, capsys, '--batch_size=3', '--steps=4',
                   '--repeats=5', '--mixture_latents=6', '--inception=w.npz')
  assert timed['train_step_ratios'].calls == [
      ((), dict(batch_size=3, steps=4, repeats=5))]
  assert timed['mixture_ratio'].calls == [((6,), {})]
  assert timed['inception'].calls == [(('768', 'w.npz'), {})]
  assert timed['measure_overhead'].calls == [(('the net',), {})]


def test_benchmark_leaves_out_what_is_not_asked_for(capsys, timed):
  out = flag_tables.call(benchmark, capsys, '--mixture_latents=0')
  assert not timed['mixture_ratio'].calls and not timed['inception'].calls
  assert timed['train_step_ratios'].calls == [
      ((), dict(batch_size=64, steps=100, repeats=5))]
  assert [a for a, _ in timed['sampling_ratio'].calls] == [('real_nvp',),
                                                           ('maf',)]
  assert 'A train step' in out and 'maf prior of 8 dimensions' in out
