"""Run directories made by hand, as a training and evaluations leave them."""
import numpy as np
import tensorflow as tf

from pgak.pictures import png
from pgak.runs import run_directory

__all__ = ['make', 'row']

CONFIG = """
base_filters = 2
train.batch_size = 100
train.model = @{model}
train.seed = {seed}
train.steps = 600
{model}.weight = {weight}

# Bindings that training does not read:
quick.seed = {seed}
"""


def row(metric, value, **others):
  """Returns a row of scores.csv, by default of samples in a made-up protocol.
  """
  return dict(
      step=600, metric=metric, value=value, dataset='mnist',
      features='inception_2015_pool_3', images='samples', prior='gaussian',
      ema=False, num_samples=10000, split='test', crop='none', resize='none',
      rounding='truncate', batch_norm='inference', seed=0,
      protocol='rae_iclr2020') | others


def make(path, model='AE', seed=0, weight=1., rows=(), dataset='mnist',
         events=True):
  """Writes a run of 600 steps.

  Args:
    path: `pathlib.Path` of its folder.
    model: name of the model's class.
    seed: int, `train.seed`.
    weight: number that tells configurations of one model apart.
    rows: dictionaries for scores.csv.
    dataset: name of the data set.
    events: whether it has TensorBoard events.

  Returns:
    The path.
  """
  run = run_directory.RunDirectory(path, create=True)
  run.write_config(
      CONFIG.format(model=model, seed=seed, weight=weight),
      {'seed': seed, 'imports': [], 'versions': {'pgak': '0.1.0'},
       'data': {'name': dataset, 'examples': 60000}})
  with run.writing_checkpoint(600):
    pass
  if rows:
    run.append_scores(rows)
  for kind in ('samples', 'reconstructions', 'interpolations'):
    for step in (300, 600):
      png.write(run.samples / f'{kind}_{step:08d}.png',
                           np.full((9, 9, 1), step // 4 + seed, np.uint8))
  if events:
    _write_events(run)
  return path


def _write_events(run):
  for name in ('train', 'validation'):
    writer = tf.summary.create_file_writer(str(run.events / name))
    with writer.as_default():
      for step in (300, 600):
        tf.summary.scalar('loss', 60. / step, step=step)
        tf.summary.scalar('kl', 1. / step, step=step)
      tf.summary.text('config', 'no curve', step=0)
    writer.close()
