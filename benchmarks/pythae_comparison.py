"""Trains VAE, WAE-MMD and RAE-L2 here and in pythae, and compares them.

Same nets, same distribution of the first weights, same Adam, same batches, same
weights of the terms, the same 60,000 MNIST images; the two take turns.
It prints, for each model, images per second of both and FID-768 of samples (of
N(0, I), or for RAE-L2 of a Gaussian fitted to the latents) of some seeds.

pythae is no dependency: it needs an environment of its own.

  python -m venv pythae && pythae/bin/pip install torch pythae
  python benchmarks/pythae_comparison.py --pythae=pythae/bin/python \
    --data_dir=~/tensorflow_datasets --inception=inception_2015.npz \
    --output_dir=comparison
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

SETTINGS = dict(filters=16, units=128, latent_dim=16, batch_size=100,
                learning_rate=1e-3, kl=5e-3, mmd=0.03, latent_l2=1e-4,
                decoder_l2=1e-7)
FILES = {'vae': 'models/vae.gin', 'wae_mmd': 'models/wae_mmd.gin',
         'rae_l2': 'models/rae_l2.gin'}

# A quarter is for testing: as many to train on as MNIST has.
_MADE_UP = 80000

__all__ = ['FILES', 'SETTINGS', 'made_here', 'write_images']


def _bindings(settings):
  s = settings
  nets = [f'conv_mnist_{part}.{name} = {s[value]}'
          for part in ('encoder', 'decoder')
          for name, value in (('base_filters', 'filters'),
                              ('dense_units', 'units'))]
  weights = {
      'vae': [f'VAE.kl = {s["kl"]}'],
      'wae_mmd': [f'WAEMMD.mmd = {s["mmd"]}'],
      'rae_l2': [f'RAEL2.latent_l2 = {s["latent_l2"]}',
                 f'RAEL2.decoder_l2 = {s["decoder_l2"]}',
                 'RAEL2.dense_kernels = True'],
  }[s['model']]
  return nets + weights + [
      f'latent_dim = {s["latent_dim"]}', 'decoder.value_range = (0., 1.)',
      'train.optimizer = @adam', f'adam.learning_rate = {s["learning_rate"]}',
      f'train.seed = {s["seed"]}', 'train.steps = 1']


def made_here(settings):
  """Returns pgak's model and the split `train` that it is trained on.

  Args:
    settings: dictionary, of which 'data_dir' is where TFDS has MNIST; None for
      made-up images of its shape, which take as long.
  """
  from pgak import registry
  from pgak.runs import checkpoints, configuration
  registry.register()
  files = ['base.gin', 'datasets/mnist.gin', 'networks/conv_mnist.gin',
           FILES[settings['model']]]
  bindings = _bindings(settings)
  if settings['data_dir']:
    bindings.append(f'data_dir = {settings["data_dir"]!r}')
  else:
    files.append('datasets/synthetic.gin')
    bindings.append(f'synthetic.num_examples = {_MADE_UP}')
  configuration.parse(files, bindings)
  model = checkpoints.build(**checkpoints.build_settings(),
                            jit_compile=settings['xla'])
  return model, configuration.setting('train.dataset')().split('train')


def write_images(data_dir, path):
  """Writes the training images of `made_here` as pythae's side reads them."""
  import numpy as np

  from pgak import data
  dataset = (data.mnist(data_dir) if data_dir
             else data.synthetic((28, 28, 1), _MADE_UP))
  train = dataset.split('train')
  np.save(path, train.read(np.arange(len(train))))


def _train_here(settings):
  """Trains with pgak in this process; the counterpart of pythae_side."""
  import numpy as np

  from pgak import data, priors
  from pgak.generation import sampling
  from pgak.priors import ex_post
  model, images = made_here(settings)
  size = settings['batch_size']
  # A batch's order is a function of the seed; pythae shuffles by its own.
  batches = data.train_batches(images, size, settings['seed'],
                               value_range=model.value_range)
  # Without the first steps, which compile; pythae has nothing to compile.
  warm, steps = 20, settings['epochs'] * len(images) // size
  options = dict(verbose=0, shuffle=False)
  model.fit(batches, steps_per_epoch=warm, **options)
  begun = time.perf_counter()
  model.fit(batches, steps_per_epoch=steps - warm, **options)
  seconds = time.perf_counter() - begun
  # RAE-L2 has no prior of its own: its paper fits one to the latents.
  if not model.matches_prior:
    model.prior = priors.Gaussian(model.latent_dim).fit(
        ex_post.encode(model, images))
  made = sampling.generate(model, settings['num_samples'], settings['seed'])
  np.save(settings['samples'], np.concatenate(list(made)))
  return (steps - warm) * size / seconds


def _run(command, settings, folder):
  path = folder / 'settings.json'
  path.write_text(json.dumps(settings))
  # The same cores for both.
  environment = os.environ | {'OMP_NUM_THREADS': str(settings['threads'])}
  with open(folder / 'log.txt', 'w', encoding='utf-8') as log:
    subprocess.run([*command, str(path)], check=True, stdout=log, stderr=log,
                   env=environment)


def _compare(args):
  import numpy as np

  from pgak import data
  from pgak.metrics import frechet, inception, reference
  output = pathlib.Path(args.output_dir).absolute()
  output.mkdir(parents=True, exist_ok=True)
  mnist = data.mnist(args.data_dir)
  write_images(args.data_dir, output / 'train.npy')
  # One net measures the samples of both sides.
  net = inception.inception('768', weights=args.inception)
  real = reference.moments(net, mnist.split('test'), 10000)
  sides = {'pgak': [sys.executable, __file__, '--side'],
           'pythae': [args.pythae, str(pathlib.Path(__file__).with_name(
               'pythae_side.py'))]}
  found = {}
  for seed in range(args.seeds):
    for name in args.models.split(','):
      for side, command in sides.items():
        folder = output / f'{name}-{seed}-{side}'
        folder.mkdir(exist_ok=True)
        settings = SETTINGS | dict(
            model=name, seed=seed, epochs=args.epochs, threads=args.threads,
            num_samples=args.num_samples, data_dir=args.data_dir,
            xla=args.xla, images=str(output / 'train.npy'), folder=str(folder),
            samples=str(folder / 'samples.npy'),
            result=str(folder / 'result.json'))
        # A comparison that was interrupted goes on where it was.
        if not (folder / 'result.json').exists():
          _run(command, settings, folder)
        result = json.loads((folder / 'result.json').read_text())
        if 'fid_768' not in result:
          fake = frechet.moments(net([np.load(folder / 'samples.npy')]))
          result['fid_768'] = frechet.distance(real, fake)
          (folder / 'result.json').write_text(json.dumps(result))
        found.setdefault(name, {}).setdefault(side, []).append(result)
        print(name, seed, side, result, flush=True)
  print(_table(found, np))


def _table(found, np):
  lines = ['| model | images/s pgak | images/s pythae | ratio | FID-768 pgak | '
           'FID-768 pythae |', '|---|---|---|---|---|---|']
  for name, sides in found.items():
    speeds = {s: np.median([r['images_per_second'] for r in rs])
              for s, rs in sides.items()}
    fids = {s: [r['fid_768'] for r in rs] for s, rs in sides.items()}
    scores = {s: f'{np.mean(v):.3f} +- '
                 f'{np.std(v, ddof=1) / len(v)**0.5 if len(v) > 1 else 0.:.3f}'
              for s, v in fids.items()}
    lines.append(
        f'| {name} | {speeds["pgak"]:.0f} | {speeds["pythae"]:.0f} | '
        f'{speeds["pgak"] / speeds["pythae"]:.2f} | {scores["pgak"]} | '
        f'{scores["pythae"]} |')
  return '\n'.join(lines)


def main():
  """Compares, or with --side trains one model and exits."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--side', help='settings of one training, as JSON')
  parser.add_argument('--pythae', help="Python that has pythae")
  parser.add_argument('--output_dir', default='comparison')
  parser.add_argument('--data_dir')
  parser.add_argument('--inception')
  parser.add_argument('--models', default=','.join(FILES))
  parser.add_argument('--epochs', type=int, default=1)
  parser.add_argument('--seeds', type=int, default=3)
  parser.add_argument('--threads', type=int, default=os.cpu_count())
  parser.add_argument('--num_samples', type=int, default=2500)
  parser.add_argument('--xla', action='store_true')
  args = parser.parse_args()
  if not args.side:
    _compare(args)
    return
  with open(args.side, encoding='utf-8') as file:
    settings = json.load(file)
  speed = _train_here(settings)
  with open(settings['result'], 'w', encoding='utf-8') as file:
    json.dump({'images_per_second': speed}, file)


if __name__ == '__main__':
  main()
