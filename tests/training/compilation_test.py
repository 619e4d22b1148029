"""XLA is left out on CPUs where its convolutions are slow."""
import types

import gin
import keras
import pytest
import tensorflow as tf

from pgak import registry
from pgak import training
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.training import compilation

registry.register()


def model_of(*files, bindings=()):
  configuration.parse(files, bindings)
  return checkpoints.build(**checkpoints.build_settings())


# Those that were timed with and without XLA, docs/speed.md.
@pytest.mark.parametrize('file, pays', [
    ('quickstart.gin', True), ('recipes/best_mnist.gin', True),
    ('papers/pga_icml2020/lpga_mnist.gin', True),
    ('recipes/best_cifar10.gin', False), ('recipes/best_faces.gin', False),
    ('papers/pga_icml2020/lpga_cifar10.gin', False),
    # Its discriminator is wrapped in spectral normalisation.
    ('papers/pga_icml2020/sn_gan_cifar10.gin', False)])
def test_the_nets_that_were_timed(file, pays):
  assert compilation.pays(model_of(file)) == pays


@pytest.mark.parametrize('filters, pays', [(45, True), (46, False)])
def test_the_pairs_of_channels_decide(filters, pays):
  # 45 * 90 = 4,050 and 46 * 92 = 4,232 pairs, where 4 x 4 places become 2 x 2.
  assert compilation.pays(model_of(
      'quickstart.gin', bindings=[f'base_filters = {filters}'])) == pays


@pytest.mark.parametrize('side, strides, pays', [
    (4, 2, False), (5, 2, True), (4, 1, True)])
def test_the_smaller_map_and_the_stride_decide(
    monkeypatch, side, strides, pays):
  decoder = keras.Sequential([
      keras.Input((side, side, 64)),
      keras.layers.Conv2DTranspose(64, 3, strides, 'same')])
  model = types.SimpleNamespace(parts={'decoder': decoder})
  assert compilation.pays(model) == pays
  monkeypatch.setattr(tf.config, 'list_logical_devices', lambda kind: [kind])
  assert compilation.pays(model)


def test_maps_of_any_size_are_not_taken_for_small_ones():
  encoder = keras.Sequential([
      keras.Input((None, None, 64)),
      keras.layers.Conv2D(64, 3, 2, 'same'),
      keras.layers.GlobalAveragePooling2D()])
  assert compilation.pays(types.SimpleNamespace(parts={'encoder': encoder}))


@pytest.mark.parametrize('binding, compiled', [
    ('', False), ('train.xla = True', True), ('train.xla = False', False)])
def test_a_run_does_as_it_is_told(tmp_path, binding, compiled):
  configuration.parse(
      ['quickstart.gin'],
      ['base_filters = 48', 'train.steps = 1', 'train.batch_size = 4',
       'train.sample_every = None', *([binding] if binding else [])],
      roots=registry.train_roots)
  try:
    model = training.train(tmp_path / 'run')
  finally:
    gin.clear_config()
  assert model.jit_compile is compiled
