"""Every gin file that ships: parsed strictly, built, and stepped once."""
import os
import pathlib

import gin
import keras
import made_tfds
import made_weights
import numpy as np
import pytest
import shipped_files
from shipped_files import SYNTHETIC
from shipped_files import build
from shipped_files import shipped
from shipped_files import step
import tensorflow as tf

from pgak import data
from pgak import errors
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import gin_text

REAL = os.environ.get('PGAK_TEST_DATA')


def test_the_files_are_those_that_this_test_knows():
  folders = {name.split('/')[0] for name in shipped() if '/' in name}
  assert folders == {'datasets', 'models', 'networks', 'papers', 'priors',
                     'recipes', 'settings'}
  assert [n for n in shipped() if '/' not in n] == [
      'base.gin', 'quickstart.gin']
  assert set(shipped('datasets')) == set(DATASETS) | {'datasets/pairs.gin'}
  assert set(shipped('networks')) == set(NETWORKS) | {
      'networks/conv_maps.gin', 'networks/vunet_32.gin', 'networks/mlp.gin'}
  assert set(shipped('settings')) == {name for name, *_ in SETTINGS} | {
      f'settings/{name}.gin' for name in (
          'flow_matching_prior', 'patches_and_pixel', 'perceptual',
          'perceptual_and_pixel', 'perceptual_plain')}
  best = [f'best_{name}' for name in (
      'cifar10', 'faces', 'fashion_mnist', 'mnist')]
  assert set(shipped('recipes')) == {f'recipes/{name}.gin' for name in (
      'alae', 'augmented', 'learned_priors', 'modern', 'no_prior_matching',
      'pga', 'rae', 'best_digits', *best, *(f'{name}_gpu' for name in best))}
  assert {n.split('/')[1] for n in shipped('papers')} == {
      'learned_priors', 'no_prior_matching', 'pga_icml2020',
      'pga_workshop2019', 'rae_iclr2020'}


@pytest.mark.parametrize('name', shipped())
def test_a_file_begins_with_what_it_is_for(name):
  assert (shipped_files.GIN / name).read_text(encoding='utf-8').startswith('# ')


# === Models, nets, recipes and settings ===


# What needs pairs of an image and a condition is in pairs_files_test.py.
@pytest.mark.parametrize('name', [n for n in shipped('models')
                                  if 'vunet' not in n])
def test_the_quickstart_with_each_model(name):
  model = build(['quickstart.gin', name], 'base_filters = 4')
  assert model.name == pathlib.Path(name).stem
  assert model.latent_dim == 8
  # Of few latents and draws none may be near enough for GMMN's kernel.
  step(model, 64 if name == 'models/gmmn.gin' else 4)


def test_the_quickstart_as_it_is():
  configuration.parse(['quickstart.gin'])
  assert configuration.setting('train.dataset') is data.digits or (
      configuration.setting('train.dataset')().name == 'digits')
  settings = checkpoints.build_settings()
  model = checkpoints.build(**settings)
  assert model.name == 'vpga' and settings['steps'] <= 5000
  step(model, 64)


NETWORKS = {
    'networks/infogan_28.gin': ('datasets/mnist.gin', [
        'base_filters = 2', 'dense_units = 4']),
    'networks/infogan_32.gin': ('datasets/cifar10.gin', [
        'base_filters = 2', 'dense_units = 4']),
    'networks/resnet_128.gin': ('datasets/celeb_a_128.gin', [
        'base_filters = 1']),
    'networks/conv.gin': ('datasets/digits.gin', ['base_filters = 2']),
    'networks/residual.gin': ('datasets/digits.gin', ['base_filters = 2']),
    'networks/conv_digits.gin': ('datasets/digits.gin', ['base_filters = 2']),
    'networks/conv_mnist.gin': ('datasets/mnist.gin', ['base_filters = 2']),
    'networks/conv_32.gin': ('datasets/cifar10.gin', ['base_filters = 2']),
    'networks/conv_64.gin': ('datasets/celeb_a.gin', ['base_filters = 2']),
    'networks/pg_gan_28.gin': ('datasets/mnist.gin', [
        'base_filters = 1', 'max_filters = 3']),
    'networks/pg_gan_32.gin': ('datasets/cifar10.gin', [
        'base_filters = 1', 'max_filters = 3']),
    'networks/pg_gan_64.gin': ('datasets/celeb_a.gin', [
        'base_filters = 1', 'max_filters = 2']),
    'networks/pg_gan_128.gin': ('datasets/celeb_a_128.gin', [
        'base_filters = 1', 'max_filters = 2']),
    'networks/rae_32.gin': ('datasets/mnist_32.gin', ['base_filters = 2']),
    'networks/rae_64.gin': ('datasets/celeb_a_crop140.gin', [
        'base_filters = 2']),
    'networks/resnet_32.gin': ('datasets/cifar10.gin', [
        'resnet_32_encoder.filters = 4', 'resnet_32_decoder.filters = 4']),
    'networks/sngan_32.gin': ('datasets/cifar10.gin', [
        'base_filters = 2', 'decoder_filters = 2']),
    'networks/sngan_64.gin': ('datasets/celeb_a.gin', ['base_filters = 1']),
}


@pytest.mark.parametrize('name', [
    pytest.param(name, marks=[pytest.mark.slow] * ('128' in name))
    for name in NETWORKS])
@pytest.mark.parametrize('batch_norm', [True, False])
def test_each_net_on_images_of_its_size(name, batch_norm):
  dataset, small = NETWORKS[name]
  if 'pg_gan' not in name:  # They have another norm, of pixels.
    small = [*small, f'batch_norm = {batch_norm}']
  model = build(
      ['base.gin', 'models/ae.gin', dataset, SYNTHETIC, 'recipes/modern.gin',
       name], 'latent_dim = 5', *small)
  normalised = [layer for net in model.parts.values() for layer in net.layers
                if isinstance(layer, keras.layers.BatchNormalization)]
  assert bool(normalised) == (batch_norm and 'pg_gan' not in name)
  assert model.latent_dim == 5
  step(model, 2)


def test_the_recipe_of_the_authors():
  model = build(['quickstart.gin', 'recipes/pga.gin'], 'learning_rate = 0.25')
  for optimizer in model.optimizers.values():
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.momentum == 0.9 and not optimizer.nesterov
    assert not optimizer.use_ema
  step(model)


def test_the_modern_recipe_on_a_file_of_the_paper():
  model = build(['papers/pga_icml2020/vpga_mnist.gin', 'recipes/modern.gin',
                 SYNTHETIC], 'base_filters = 2', 'train.steps = 2')
  for optimizer in model.optimizers.values():
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.99)
    assert optimizer.use_ema and optimizer.ema_momentum == 0.999
    assert float(optimizer.learning_rate) == pytest.approx(1e-3)
  assert model.term_weights['variational_reconstruction'] == 1e-2
  step(model)
  for optimizer in model.optimizers.values():  # half of the run is done
    assert float(optimizer.learning_rate) == pytest.approx(0.505e-3)


# An image's side in pixels, and the TFLOP of training and of polishing that the
# file's header states.
@pytest.mark.parametrize('name, side, trained, polished', [
    ('mnist', 28, 238, 35), ('fashion_mnist', 28, 238, 35),
    ('cifar10', 32, 705, 33), ('faces', 64, 750, 30),
    ('mnist_gpu', 28, 1230, 154), ('fashion_mnist_gpu', 28, 1230, 154),
    ('cifar10_gpu', 32, 5750, 719), ('faces_gpu', 64, 7570, 946)])
def test_the_best_recipes(name, side, trained, polished):
  configuration.parse([f'recipes/best_{name}.gin'])
  assert configuration.setting('evaluate.prior') == ('flow_matching',)
  settings = checkpoints.build_settings()
  model = checkpoints.build(**settings)
  assert model.image_shape[0] == side and model.name == 'ae'
  assert type(model.decoder.layers[-1]).__name__ == 'ClippedOutput'
  assert not normalises(model)
  operations = 3 * 2 * configuration.setting('train.batch_size') * sum(
      map(shipped_files.products, (model.encoder, model.decoder)))
  found = (operations * settings['steps'],
           operations / 2 * settings['polishing'].steps)
  assert found == pytest.approx((1e12 * trained, 1e12 * polished), rel=0.02)


def first_filters(model):
  return next(v for v in model.encoder.trainable_variables
              if len(v.shape) == 4).shape[-1]


def normalises(model):
  return any(isinstance(layer, keras.layers.BatchNormalization)
             for layer in model.encoder.layers)


BOTH = ('encoder', 'decoder')
TERMS = ('latent_reconstruction', 'data_latent_reconstruction')
# The file, a model that reads it, what it is about, before and after.
SETTINGS = [
    ('settings/batch_norm_on.gin', 'vpga', normalises, False, True),
    ('settings/batch_norm_off.gin', 'papers/pga_icml2020/lpga_cifar10.gin',
     normalises, True, False),
    ('settings/more_filters.gin', 'lpga', first_filters, 32, 128),
    ('settings/clipped_output.gin', 'lpga',
     lambda model: type(model.decoder.layers[-1]).__name__, 'Activation',
     'ClippedOutput'),
    ('settings/gaussian_perturbation.gin', 'lpga',
     lambda model: model.perturbation, 'sphere', 'gaussian'),
    ('settings/fixed_likelihood_sigma.gin', 'vpga',
     lambda model: model.likelihood_sigma, None, 1.),
    ('settings/likelihood_sigma_of_norm.gin', 'vpga',
     lambda model: model.likelihood_sigma, None, 'norm'),
    ('settings/direct_gradient.gin', 'vpga',
     lambda model: model.direct_gradient, False, True),
    ('settings/one_eta.gin', 'vpga', lambda model: model.eta, None, 2e-2),
    ('settings/mnist_encoder_of_2019.gin',
     'papers/pga_icml2020/lpga_mnist.gin',
     shipped_files.activations, 3, 2),
    ('settings/fixed_posterior_sigma.gin', 'vpga',
     lambda model: model.posterior_sigma, None, 0.1),
    ('settings/residual_latents.gin', 'no_prior_matching',
     lambda model: type(model.generator.net.layers[1]).__name__, 'Dense',
     '_ResidualBlock'),
    ('settings/rae_as_printed.gin', 'papers/rae_iclr2020/rae_mnist.gin',
     lambda model: (float(model.optimizers['decoder'].learning_rate), sum(
         isinstance(layer, keras.layers.BatchNormalization)
         for layer in model.decoder.layers)),
     pytest.approx((5e-4, 2)), pytest.approx((1e-3, 3))),
    ('settings/encoder_learns_expansion.gin', 'lpga',
     lambda model: model.table.rows['nll_decoder'], ('decoder',), BOTH),
] + [
    ('settings/no_latent_reconstruction.gin', name,
     lambda model: [t for t in TERMS if model.is_on(t)],
     ['latent_reconstruction'], [])
    for name in ('lpga', 'vpga', 'lvpga')
] + [
    ('settings/no_reconstruction.gin', name,
     lambda model: model.table.rows['reconstruction'], BOTH, ())
    for name in ('lpga', 'vpga', 'lvpga')
] + [
    ('settings/no_likelihood.gin', name,
     lambda model: sorted(model.term_names)[1:], likelihood,
     ['reconstruction'])
    for name, likelihood in (
        ('lpga', ['nll_decoder', 'nll_encoder', 'reconstruction']),
        ('vpga', ['latent_reconstruction', 'reconstruction',
                  'variational_reconstruction']),
        ('lvpga', ['latent_reconstruction', 'reconstruction',
                   'variational_nll']))
] + [
    ('settings/l1_latents.gin', name,
     lambda model: model.latent_distance, 'l2', 'l1')
    for name in ('lpga', 'vpga', 'lvpga')
] + [
    ('settings/decoder_learns_latent_reconstruction.gin', name,
     lambda model: model.table.rows[TERMS[0]], ('encoder',), BOTH)
    for name in ('lpga', 'vpga', 'lvpga')
]


@pytest.mark.parametrize('name, model, aspect, before, after', SETTINGS, ids=[
    f'{pathlib.Path(s[0]).stem}-{pathlib.Path(s[1]).stem}' for s in SETTINGS])
def test_each_setting_on_a_model_that_reads_it(
    name, model, aspect, before, after):
  files = ([model, SYNTHETIC] if model.endswith('.gin')
           else ['quickstart.gin', f'models/{model}.gin'])
  small = [] if 'filters' in name else ['base_filters = 4']
  assert aspect(build(files, *small)) == before
  changed = build([*files, name], *small)
  assert aspect(changed) == after
  step(changed, 2)


@pytest.mark.parametrize('name, pixel', [
    ('settings/perceptual.gin', 0.), ('settings/perceptual_plain.gin', 0.),
    ('settings/perceptual_and_pixel.gin', 1.)])
def test_the_perceptual_settings_replace_and_join_the_error_of_pixels(
    name, pixel, tmp_path):
  path = made_weights.npz(tmp_path / 'vgg19.npz',
                          made_weights.torch_vgg([64, 64, 128], 'features.'))
  configuration.parse(['quickstart.gin', name], [
      'base_filters = 4', f'perceptual_weights = {path!r}',
      "perceptual_layers = ('relu1_1', 'relu2_1')"])
  assert gin.query_parameter('PerceptualError.weights') is not None
  error = configuration.setting('train.image_error')
  assert (error.pixel, error.value_range) == (pixel, None)
  assert error.relative == ('plain' not in name)
  settings = checkpoints.build_settings() | {'image_error': error}
  model = checkpoints.build(**settings)
  assert error.value_range == model.value_range == (-1., 1.)
  logs = step(model)
  assert float(logs['reconstruction']) > 0.
  plain = build(['quickstart.gin'], 'base_filters = 4')
  # None of its weights are the model's, or in its checkpoints.
  shapes = [[v.shape for v in m.variables] for m in (model, plain)]
  assert shapes[0] == shapes[1]
  held = [[name for name, _ in tf.train.list_variables(
      tf.train.Checkpoint(model=m).write(str(tmp_path / f'{i}')))]
          for i, m in enumerate((model, plain))]
  assert held[0] == held[1]


def test_the_setting_of_patches():
  configuration.parse(['quickstart.gin', 'settings/patches_and_pixel.gin'],
                      ['base_filters = 4', 'patch_weight = 0.5'])
  error = configuration.setting('train.image_error')
  assert error.weights == (1., 0.5)
  model = checkpoints.build(
      **checkpoints.build_settings() | {'image_error': error})
  assert error.terms[1].value_range == model.value_range
  assert float(step(model)['reconstruction']) > 0.


def test_the_net_of_maps():
  model = build(['quickstart.gin', 'networks/conv_maps.gin'],
                'latent_dim = 12', 'base_filters = 2')
  assert model.latent_dim == 2 * 2 * 3
  step(model, 4)


def test_the_net_of_vectors():
  model = build(['base.gin', 'models/ae.gin', 'datasets/swiss_roll.gin',
                 'networks/mlp.gin', 'recipes/modern.gin'], 'latent_dim = 2',
                'hidden_units = (4,)')
  assert model.value_range is None and model.image_shape == (3,)
  step(model, 4)


# === Data sets ===

# File: name, image shape.
DATASETS = {
    'datasets/digits.gin': ('digits', (8, 8, 1)),
    'datasets/mnist.gin': ('mnist', (28, 28, 1)),
    'datasets/fashion_mnist.gin': ('fashion_mnist', (28, 28, 1)),
    'datasets/mnist_32.gin': ('mnist_pad2', (32, 32, 1)),
    'datasets/fashion_mnist_32.gin': ('fashion_mnist_pad2', (32, 32, 1)),
    'datasets/cifar10.gin': ('cifar10', (32, 32, 3)),
    'datasets/celeb_a.gin': ('celeb_a_crop108', (64, 64, 3)),
    'datasets/celeb_a_crop140.gin': ('celeb_a_crop140', (64, 64, 3)),
    'datasets/celeb_a_tf1.gin': ('celeb_a_crop108', (64, 64, 3)),
    'datasets/celeb_a_128.gin': ('celeb_a_crop128', (128, 128, 3)),
    'datasets/synthetic.gin': ('synthetic_8x8x1', (8, 8, 1)),
    'datasets/images.gin': ('images_photos_crop7', (8, 8, 1)),
    'datasets/arrays.gin': ('arrays_x', (8, 8, 1)),
    'datasets/tfds.gin': ('tfds_mnist', (8, 8, 1)),
    'datasets/swiss_roll.gin': ('swiss_roll', (3,)),
}


@pytest.fixture(name='photos', scope='module')
def _photos(tmp_path_factory):
  """A folder of 12 made pictures."""
  folder = tmp_path_factory.mktemp('pictures') / 'photos'
  folder.mkdir()
  generator = np.random.default_rng(0)
  for i in range(12):
    pixels = generator.integers(0, 256, (9 + i, 12, 3), np.uint8)
    (folder / f'{i}.png').write_bytes(tf.io.encode_png(pixels).numpy())
  return folder


@pytest.mark.parametrize('name', DATASETS)
def test_each_data_set(name, photos, tmp_path):
  bindings = []
  if 'tfds' in name:
    made_tfds.write(tmp_path, 'mnist', {'train': 9, 'test': 2})
    bindings = [f'data_dir = {str(tmp_path)!r}', "tfds.name = 'mnist'",
                'image_shape = (8, 8, 1)']
  elif 'images' in name:
    bindings = [f'images.path = {str(photos)!r}', 'images.crop = 7']
  elif 'arrays' in name:
    np.save(photos.parent / 'x.npy', np.zeros([40, 9, 9], np.uint8))
    bindings = [f'arrays.path = {str(photos.parent / "x.npy")!r}',
                'image_shape = (8, 8, 1)']
  elif 'mnist' in name or 'cifar10' in name:
    bindings = [f'data_dir = "{REAL or "nowhere"}/tfds"']
  configuration.parse(['quickstart.gin', name], bindings)
  dataset = configuration.setting('train.dataset')()
  expected_name, shape = DATASETS[name]
  assert dataset.name == expected_name
  assert dataset.image_shape == shape
  assert configuration.setting('encoder.image_shape') == shape
  assert {'train', 'test', 'all'} <= set(dataset.splits)
  if shape == (8, 8, 1):  # The tests of the data sets prepare the others.
    assert dataset.split('train').read([0]).shape == (1, *shape)


@pytest.mark.parametrize('name', [
    n for n in DATASETS if n.split('/')[1] in (
        'mnist.gin', 'fashion_mnist.gin', 'cifar10.gin', 'celeb_a.gin')])
def test_data_dir_reaches_each_data_set(name, tmp_path):
  configuration.parse(['quickstart.gin', name], [f'data_dir = "{tmp_path}"'])
  key = f'{pathlib.Path(name).stem}.data_dir'
  assert gin_text.bindings_of(gin.config_str())[key] == '%data_dir'
  assert configuration.setting(key) == str(tmp_path)


def test_a_paper_model_on_photographs_of_ones_own(photos):
  model = build(
      ['papers/pga_icml2020/lpga_celeba.gin', 'datasets/images.gin'],
      f'images.path = {str(photos)!r}', 'train.split = "train"',
      'base_filters = 4')
  assert model.image_shape == (64, 64, 3) and model.name == 'lpga'
  step(model)


def test_images_without_a_path_say_what_to_set():
  configuration.parse(['quickstart.gin', 'datasets/images.gin'])
  with pytest.raises(errors.UserError, match='`images.path` is not set'):
    configuration.setting('train.dataset')()
