"""The gin files of models of pairs: parsed strictly, built, and stepped once.
"""
import inspect
import pathlib
import re

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from pgak import data
from pgak import models
from pgak import registry
from pgak import sweeping
from pgak.networks import vunet
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import gin_text

registry.register()

GIN = pathlib.Path(__file__).absolute().parent.parent / 'gin'
PAPER = 'papers/learned_priors'
FILES = ['datasets/pairs.gin', 'models/vunet.gin', 'models/vunet_flow.gin',
         'networks/vunet_32.gin', f'{PAPER}/common_pairs.gin',
         f'{PAPER}/common_deepfashion.gin', f'{PAPER}/vunet_pairs.gin',
         f'{PAPER}/vunet_flow_pairs.gin', f'{PAPER}/vunet_deepfashion.gin',
         f'{PAPER}/vunet_flow_deepfashion.gin']
SYNTHETIC = ['pairs.source = @synthetic',
             'synthetic.image_shape = %image_shape']
SMALL = ['base_filters = 2', 'condition_network.filters = (2,)',
         'condition_network.features = 4',
         'ConditionalFlow.hidden_units = (4,)', 'latent_channels = 1']


def build(name, bindings):
  read = [b for b in bindings if 'flow' in name or not re.match(
      'Conditional|condition_network', b)]
  configuration.parse([f'{PAPER}/{name}.gin'], read,
                      roots=registry.train_roots)
  return checkpoints.build(**checkpoints.build_settings())


def test_the_files_are_there():
  assert all((GIN / name).is_file() for name in FILES)


@pytest.mark.parametrize('name', ['vunet_pairs', 'vunet_flow_pairs'])
def test_a_small_file_steps(name):
  model = build(name, SYNTHETIC + SMALL)
  assert type(model).__name__ == (
      'VUNetFlow' if 'flow' in name else 'VUNet')
  assert model.latent_dim == 16 + 64 and model.run_steps
  array = configuration.setting('train.dataset')().split('train')
  before = [v.numpy() for v in model.trainable_variables]
  logs = model.train_step(next(iter(data.train_batches(array, 2, seed=0))))
  assert set(logs) == {'loss', *model.term_names}
  assert np.all(np.isfinite([float(v) for v in logs.values()]))
  assert any(np.any(a != v.numpy())
             for a, v in zip(before, model.trainable_variables))


def test_both_small_files_train_alike_but_for_the_model():
  """What decides the comparison is shared: data, net, steps, optimizer."""
  found = []
  for name in ('vunet_pairs', 'vunet_flow_pairs'):
    configuration.parse([f'{PAPER}/{name}.gin'])
    found.append({n: v for n, v in gin_text.bindings_of(
        gin.config_str()).items() if n.startswith((
            'train.', 'adam.', 'pairs.', 'vunet_encoder.', 'cosine.'))
                  and n != 'train.model'})
  assert found[0] == found[1] and len(found[0]) > 15


@pytest.mark.parametrize('name', ['vunet_deepfashion',
                                  'vunet_flow_deepfashion'])
def test_the_paper_s_size(name):
  """Parsed, and not built: the nets need hundreds of megabytes."""
  # Made, it would load VGG's weights, which need a network.
  configuration.parse([f'{PAPER}/{name}.gin'],
                      ["pairs.path = 'nowhere'", 'train.image_error = None'],
                      roots=registry.train_roots)
  shape = (256, 256, 3)
  assert configuration.setting('vunet_encoder.groups') == 4
  shapes = vunet.latent_shapes(shape, 7, 128, 4)
  assert sum(np.prod(s) for scale in shapes for s in scale) == 10240
  bindings = gin_text.bindings_of(gin.config_str())
  assert (bindings['base_filters'], bindings['num_scales']) == ('32', '7')
  assert bindings['train.steps'] == '100000'
  if name == 'vunet_deepfashion':
    assert float(bindings['VUNet.kl']) == 10240 / 5
    assert 'VUNet.ramp' not in bindings  # The default, as the authors have it.
    ramp = inspect.signature(models.VUNet).parameters['ramp']
    assert ramp.default == (0.5, 0.75)
  rate = configuration.setting('train.learning_rate_schedule')
  assert [float(rate(tf.constant(d))) for d in (0., 0.01, 1.)] == [1., 1., 0.]


def test_the_paper_s_size_narrow_steps():
  """Its groups and blocks; of its scales two, and no VGG."""
  narrow = ['image_shape = (16, 16, 3)', 'train.image_error = None',
            'base_filters = 2', 'num_scales = 2', 'latent_channels = 1',
            'pairs.path = None']
  model = build('vunet_deepfashion', SYNTHETIC + narrow)
  assert model.latent_dim == 64 + 256
  adam = model.optimizers['encoder']
  assert isinstance(adam, keras.optimizers.Adam)
  assert (adam.beta_1, adam.beta_2) == (0.5, 0.9)
  array = configuration.setting('train.dataset')().split('train')
  logs = model.train_step(next(iter(data.train_batches(array, 2, seed=0))))
  assert np.isfinite(float(logs['loss']))


def test_the_sweep_of_table_2():
  sweep = sweeping.read(f'{PAPER}/table2_pairs.sweep')
  assert {j.cell for j in sweep.jobs} == {'vunet', 'vunet_flow'}
  evaluation, = sweep.evaluations
  assert '--protocol=learned_priors_pairs' in evaluation.flags
  for job in sweep.jobs:
    configuration.parse(job.gin_files, job.bindings,
                        roots=registry.train_roots)


@pytest.mark.parametrize('name', [n for n in FILES if PAPER in n
                                  and 'common' not in n])
def test_the_header_of_a_paper_file(name):
  text = (GIN / name).read_text(encoding='utf-8')
  head = ' '.join(line.lstrip('# ') for line in text.splitlines()
                  if line.startswith('#'))
  assert head.startswith('Learned priors, Table 2, row VUNET+')
  assert f'--gin_file={name}' in head
  paper = ('2.70', '0.236') if 'flow' in name else ('2.63', '0.184')
  assert all(number in head for number in paper)
  assert 'not run' in head or 'Ours: ' in head
