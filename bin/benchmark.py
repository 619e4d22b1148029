"""Times pgak against a hand-written step and against what counting predicts.

It prints tables of ratios; each ratio's two sides took turns in this process.
Run it in a checkout, on a machine that does nothing else.

  benchmark.py
  benchmark.py --steps=200 --repeats=9 --inception=inception_2015.npz
"""
import importlib
import pathlib
import sys

from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_integer('batch_size', 64, 'Images in a batch.', lower_bound=1)
command.define_integer('steps', 100, 'Train steps in one timing.',
                       lower_bound=1)
command.define_integer('repeats', 5, 'Timings of each side.', lower_bound=1)
command.define_integer('mixture_latents', 50000, 'Latents that a Gaussian '
                       'mixture is fitted to, beside scikit-learn; 0 for none.',
                       lower_bound=0)
command.define_string('inception', None, 'Weights of Inception-2015, to time '
                      'the features of an evaluation, too.')


def _ratios():
  """Imports the module of the timings, which only a checkout has."""
  folder = pathlib.Path(__file__).absolute().parent.parent / 'benchmarks'
  if not folder.is_dir():
    command.fail('The benchmarks are in a checkout of pgak, and not in what '
                 'pip installs')
  # Benchmarks import each other by their bare names.
  sys.path.insert(1, str(folder))
  return importlib.import_module('ratios')


def main(argv):
  """Parses the flags, times, and prints."""
  args = command.parse(argv)
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  ratios = _ratios()
  print('A train step on the MNIST nets, through fit:')
  print(ratios.format_table(ratios.train_step_ratios(
      batch_size=args.batch_size, steps=args.steps, repeats=args.repeats)))
  if args.mixture_latents:
    found = ratios.mixture_ratio(args.mixture_latents)
    print(f'EM for 10 components on {args.mixture_latents} latents of 64 '
          f'dimensions, against scikit-learn: {found["ratio"]:.2f}')
  for flow in ('real_nvp', 'maf'):
    ratio = ratios.sampling_ratio(flow)['ratio']
    print(f'1,024 new images through a {flow} prior of 8 dimensions, against '
          f'decoding 1,024 latents: {ratio:.2f}')
  if args.inception:
    from pgak.metrics import features
    from pgak.metrics import inception
    net = inception.inception('768', args.inception)
    ratio = features.measure_overhead(net)['ratio']
    print(f'Features a second against the bare forward pass: {ratio:.2f}')


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
