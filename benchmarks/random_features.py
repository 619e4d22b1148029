"""Which random net's distance ranks models as FID-768 does.

A protocol that needs neither labels nor a download compares features of a net
that nobody trained, and there are many such nets. This trains four models on
MNIST and on photographs of faces, and stops each at three lengths: 24
checkpoints. 1,000 samples of each are compared with as many real images by
Inception's 768 features and by three designs of a random net, and Spearman's
rank correlation [1] between FID-768 and each design's Frechet distance is
printed, for the twelve checkpoints of either data set.

What is made is kept in --output, so the same command goes on where one was
stopped: samples, Inception's features of them, 500 at a time, and
`scores.json`. --number=500 takes half the time, and 1,000 afterwards goes on.

The budget, on two cores: four times 1,600 train steps of 64 images for each
data set (about 5 minutes), and Inception's features of 26,000 images (about 25
minutes of one core).

  python benchmarks/random_features.py --output=random_features \
    --data_dir=~/tensorflow_datasets --faces=img_align_celeba.zip --crop=108 \
    --inception=inception-2015-12-05.tgz

#### References

[1]: Charles Spearman. The Proof and Measurement of Association between Two
     Things. The American Journal of Psychology, 1904.
"""
import argparse
import functools
import json

import keras
from keras import layers
import numpy as np
from scipy import stats
import tensorflow as tf

from pgak import capabilities
from pgak import data
from pgak import files
from pgak import models
from pgak import networks
from pgak.generation import sampling
from pgak.metrics import features
from pgak.metrics import fitted_nets
from pgak.metrics import frechet
from pgak.metrics import inception
from pgak.metrics import random_net

__all__ = ['DESIGNS', 'LENGTHS', 'MODELS', 'SETS', 'add_features',
           'balanced_net', 'correlations', 'format_table', 'measure',
           'quarters_net', 'train']

# Name -> the class, whether its encoder is stochastic, and its settings.
MODELS = {
    'vae': (models.VAE, True, dict(kl=5e-3)),
    'vpga': (models.VPGA, True, {}),
    'rae': (models.RAE, False, {}),
    'wae_mmd': (models.WAEMMD, False, dict(mmd=0.12)),
}
LENGTHS = (100, 400, 1600)
# Latent dimensions of each data set.
SETS = {'mnist': 16, 'faces': 64}
_BATCH = 64
_FILTERS = 16
# Samples of a checkpoint, and how many get features at once.
_MOST = 1000
_PART = 500


# === The designs ===


def _net(build, name):
  def preprocess(images):
    images = fitted_nets.preprocess(images)
    return tf.repeat(images, 3, -1) if images.shape[-1] == 1 else images
  return features.FeatureNet(
      build, preprocess, name=name, metric=f'frechet_{name}', resize='none',
      batch_size=100)


def _convolutions(x, seed, widths, activation, gain=1.):
  """Yields the activations of 3x3 convolutions, all but the first of stride 2.
  """
  for i, width in enumerate(widths):
    initializer = keras.initializers.VarianceScaling(
        2. * gain, 'fan_in', seed=1000 * seed + i)
    x = layers.Conv2D(
        width, 3, strides=2 if i else 1, padding='same', activation=activation,
        kernel_initializer=initializer, dtype='float32')(x)
    yield x


def quarters_net(seed=0):
  """Means over each quarter of the image, of the last two of four layers.

  Unlike means over the whole image they say where something is. 768 features.

  Args:
    seed: int.
  """
  inputs = keras.Input((None, None, 3), dtype='float32')
  pooled = []
  found = _convolutions(inputs, seed, (16, 32, 64, 128), 'leaky_relu')
  for x in list(found)[2:]:
    pooled += _quarters(x)
  outputs = layers.Concatenate(dtype='float32')(pooled)
  return _net(keras.Model(inputs, outputs), f'random_quarters_{seed}')


def _quarters(x):
  """Returns the means over the four quarters, each `[B, C]`."""
  def mean(x, i, j):
    h, w = tf.shape(x)[1], tf.shape(x)[2]
    # Where a side is odd, both halves have the middle.
    rows = x[:, h // 2:] if i else x[:, :(h + 1) // 2]
    part = rows[:, :, w // 2:] if j else rows[:, :, :(w + 1) // 2]
    return tf.reduce_mean(part, [1, 2])
  return [layers.Lambda(functools.partial(mean, i=i, j=j), dtype='float32',
                        output_shape=x.shape[-1:])(x)
          for i in range(2) for j in range(2)]


def balanced_net(seed=0):
  """Means and standard deviations of four layers whose variance is kept.

  With He's weights no layer's activations are smaller than another's, so that
  each takes part in the distance, and a standard deviation is in the unit of a
  mean. 480 features.

  Args:
    seed: int.
  """
  inputs = keras.Input((None, None, 3), dtype='float32')
  pooled = []
  for x in _convolutions(inputs, seed, (16, 32, 64, 128), 'relu'):
    pooled += [layers.GlobalAveragePooling2D(dtype='float32')(x),
               layers.Lambda(_deviation, dtype='float32',
                             output_shape=x.shape[-1:])(x)]
  outputs = layers.Concatenate(dtype='float32')(pooled)
  return _net(keras.Model(inputs, outputs), f'random_balanced_{seed}')


def _deviation(x):
  return tf.sqrt(tf.math.reduce_variance(x, [1, 2]) + 1e-6)


# Name -> function without arguments that makes a `features.FeatureNet`.
DESIGNS = {'moments': random_net.random_net, 'quarters': quarters_net,
           'balanced': balanced_net}


# === Checkpoints ===


def _model(name, image_shape, latent_dim, seed):
  make, stochastic, settings = MODELS[name]
  keras.utils.set_random_seed(seed)
  options = dict(base_filters=_FILTERS, batch_norm=False)
  encoder = networks.encoder(
      functools.partial(networks.conv_encoder, **options), image_shape,
      latent_dim, log_variance=stochastic)
  decoder = networks.decoder(
      functools.partial(networks.conv_decoder, image_shape=image_shape,
                        **options), image_shape, latent_dim)
  model = make(encoder, decoder, **settings)
  model.compile('adam', seed=seed)
  return model


def train(name, images, latent_dim, number, folder, lengths=LENGTHS, seed=0):
  """Trains a model and keeps samples of it after each number of steps.

  They are drawn from N(0, I), and for a model that is not trained towards it,
  RAE, from a Gaussian fitted to its latents.

  Args:
    name: one of `MODELS`.
    images: `data.ImageArray`, the training images.
    latent_dim: int.
    number: int, how many samples.
    folder: `pathlib.Path` where `NAME-STEPS.npy` is written.
    lengths: increasing ints, train steps.
    seed: int.
  """
  paths = [folder / f'{name}-{steps}.npy' for steps in lengths]
  if all(path.exists() for path in paths):
    return
  model = _model(name, images.image_shape, latent_dim, seed)
  for path, steps, before in zip(paths, lengths, (0, *lengths)):
    batches = data.train_batches(images, _BATCH, seed, start_step=before,
                                 value_range=model.value_range)
    model.fit(batches, steps_per_epoch=steps - before, verbose=0, shuffle=False)
    if capabilities.is_unmatched(model):
      model.prior = sampling.gaussian(model, images)
    made = np.concatenate(list(sampling.generate(model, number, seed)))
    with files.replacing(path) as part, part.open('wb') as file:
      np.save(file, made)
    print(f'{path.name}: {number} samples after {steps} steps', flush=True)


# === Distances ===


def add_features(path, net, part):
  """Keeps Inception's features of a part of the images in a file, made once.

  Args:
    path: `pathlib.Path` of a `.npy` file.
    net: function without arguments that returns the net of FID-768.
    part: int, which 500 images.
  """
  kept = _kept(path, part)
  images = np.load(path)[part * _PART:(part + 1) * _PART]
  if len(images) and not kept.exists():
    rows = np.concatenate(list(net()([images])))
    kept.parent.mkdir(exist_ok=True)
    with files.replacing(kept) as new, new.open('wb') as file:
      np.save(file, rows)
    print(f'{path}: features {part * _PART} to {part * _PART + len(rows)}',
          flush=True)


def _kept(path, part):
  return path.parent / 'features' / f'{path.stem}-{part}.npy'


def measure(folder, number, designs=None):
  """Measures the samples of a folder, whose features are kept.

  Args:
    folder: `pathlib.Path` with `real.npy` and samples, as `train` writes them.
    number: int, how many images of each side.
    designs: `{name: function that makes a FeatureNet}`; by default `DESIGNS`.

  Returns:
    `{name of the samples: {'fid_768' or design: distance}}`.
  """
  nets = {name: make() for name, make in (designs or DESIGNS).items()}
  def moments(path):
    images = np.load(path)[:number]
    found = {name: frechet.moments(net([images]), net.size)
             for name, net in nets.items()}
    rows = np.concatenate([np.load(_kept(path, part))
                           for part in range(-(-number // _PART))])[:number]
    return found | {'fid_768': frechet.moments([rows])}
  reference = moments(folder / 'real.npy')
  return {path.stem: {name: frechet.distance(reference[name], found)
                      for name, found in moments(path).items()}
          for path in _samples(folder)}


def _samples(folder):
  """Returns the files of samples, by model and then by steps."""
  return sorted(folder.glob('*-*.npy'), key=lambda path: (
      path.stem.rpartition('-')[0], int(path.stem.rpartition('-')[2])))


def correlations(scores):
  """Returns Spearman's correlation of each design's distance with FID-768.

  Args:
    scores: what `measure` returned.
  """
  columns = {name: [row[name] for row in scores.values()]
             for name in next(iter(scores.values()))}
  return {name: float(stats.spearmanr(column, columns['fid_768']).statistic)
          for name, column in columns.items() if name != 'fid_768'}


def format_table(scores):
  """Returns scores of data sets, and the correlations, as Markdown.

  Args:
    scores: `{data set: what `measure` returned}`.
  """
  designs = [name for name in next(iter(next(iter(scores.values())).values()))
             if name != 'fid_768']
  lines = ['| data | checkpoint | FID-768 | ' + ' | '.join(designs) + ' |',
           '|---|---|' + '---|' * (1 + len(designs))]
  for data_set, rows in scores.items():
    lines += [f'| {data_set} | {name} | ' + ' | '.join(
        f'{row[c]:.4g}' for c in ('fid_768', *designs)) + ' |'
        for name, row in rows.items()]
  for data_set, rows in scores.items():
    found = correlations(rows)
    lines.append(f'| {data_set} | Spearman with FID-768 | 1 | ' + ' | '.join(
        f'{found[name]:.3f}' for name in designs) + ' |')
  return '\n'.join(lines)


# === The command ===


def _data(args):
  """Yields `(name, training images, held-out images)`."""
  mnist = data.mnist(args.data_dir)
  yield 'mnist', mnist.split('train'), mnist.split('test')
  faces = data.images(args.faces, (32, 32, 3), crop=args.crop,
                      test_fraction=0.2)
  yield 'faces', faces.split('train'), faces.split('test')


def main():
  """Trains, measures, and prints the table."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--output', required=True, help='Folder for what is made')
  parser.add_argument('--data_dir', help='Folder of TensorFlow Datasets')
  parser.add_argument('--faces', required=True, help='Folder or zip')
  parser.add_argument('--crop', type=int, help='Side of the square in the '
                      'middle of a photograph; by default the largest')
  parser.add_argument('--inception', help='Weights of Inception-2015')
  parser.add_argument('--number', type=int, default=_MOST, choices=range(
      2, _MOST + 1), metavar=f'2-{_MOST}', help='Images of each side')
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  output = files.local(args.output)
  for name, images, held_out in _data(args):
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / 'real.npy', held_out.read(np.arange(_MOST)))
    for model in MODELS:
      train(model, images, SETS[name], _MOST, folder, seed=args.seed)
  net = functools.lru_cache(
      lambda: inception.inception('768', weights=args.inception))
  for part in range(-(-args.number // _PART)):
    for name in SETS:
      for path in [output / name / 'real.npy', *_samples(output / name)]:
        add_features(path, net, part)
  scores = {name: measure(output / name, args.number) for name in SETS}
  (output / 'scores.json').write_text(json.dumps(scores, indent=2) + '\n')
  print(format_table(scores))


if __name__ == '__main__':
  main()
