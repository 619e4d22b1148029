r"""Measures how far two sets of images are apart.

A side is a folder, zip or tar of pictures, a .npy or .npz file, a data set by
its name (mnist, mnist:train), a run directory, or the folder of an export, of
which samples are taken; or statistics that --save_statistics kept.

  compare.py photos/ generated/
  compare.py mnist:test runs/digits --number=5000 --inception=inception.npz
  compare.py samples.npz cifar10 --features=random,768
  compare.py photos/ --save_statistics=photos.npz --size=64
  compare.py photos.npz generated/

The features are those of a net with random weights and, where its weights are
found, of Inception-2015, or of a net of your own, by its path. The Frechet
distance has a standard error, from the standard deviation over five parts of
both sides, if there are enough images. Pictures in files are brought to the
size of the other side, or to --size. What each side was, how it was resized and
what the nets make of images is printed, since a distance depends on it, and a
note where one side is in a format that loses details, such as JPEG, and the
other is not. Statistics are a mean and a covariance: they give the Frechet
distance alone.
"""
import contextlib
import json
import sys

from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_arguments('side')
command.define_import()
command.define_integer('number', 10000, 'The most images of each side.',
                       lower_bound=2)
command.define_string('size', None, 'Pixels of a side, such as 64 or 48x64.')
command.define_string('features', None, 'Feature nets, with commas between: '
                      "random, 768, pool_3 or another level of Inception's, "
                      'or the path of a .keras file or of the folder of a '
                      'SavedModel.')
command.define_string('save_statistics', None, 'An .npz file for mean and '
                      'covariance of the features of the first side; it may '
                      'then be the only one.')
command.define_overwrite()
command.define_integer('seed', 0, 'Decides samples.', lower_bound=0)
command.define_string('inception', None, 'Weights of Inception-2015.')
command.define_string('data_dir', None, 'Folder of TensorFlow Datasets.')
command.define_boolean('json', False, 'Whether to print an array of objects.')


def main(argv):
  """Parses the flags, compares, and prints the distances."""
  args = command.parse(argv)
  if len(command.arguments) not in (2 - bool(args.save_statistics), 2):
    command.fail('Give two sides, such as photos/ generated/')
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  from pgak import functions
  from pgak.evaluation import comparison
  with contextlib.redirect_stdout(sys.stderr if args.json else sys.stdout):
    found = functions.compare(
        *command.arguments, number=args.number, size=args.size,
        features=args.features and args.features.split(','), seed=args.seed,
        inception=args.inception, data_dir=args.data_dir,
        imports=args['import'].value, save_statistics=args.save_statistics,
        overwrite=args.overwrite)
  if args.json:
    print(json.dumps([distance._asdict() for distance in found], indent=2))
  elif found:
    print(comparison.format_table(found))


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
