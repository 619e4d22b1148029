r"""Trains a generative autoencoder, or resumes the run that is there.

The model, the data and every setting come from gin files: small ones for each
model, data set, net and recipe, and one for each published result.

  train.py --run_dir=runs/digits --gin_file=quickstart.gin

  train.py --run_dir=runs/lpga --gin_file=papers/pga_icml2020/lpga_mnist.gin \
    --gin_param='train.steps = 2000' --data_dir=~/tensorflow_datasets

The later file wins: the quickstart with another model, a paper's model with
another recipe, or on a folder or zip of one's own photographs.

  train.py --run_dir=runs/vae --gin_file=quickstart.gin \
    --gin_file=models/vae.gin
  train.py --run_dir=runs/mine --gin_file=papers/pga_icml2020/lpga_celeba.gin \
    --gin_file=datasets/images.gin --gin_param='images.path = "photos/"'

The same command given again resumes after the last checkpoint, or ends at once
when the run is finished. Watch it with `tensorboard --logdir=runs`.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common()
command.define_list(
    'gin_file', 'A gin file: its path, or its path under gin/ here or in the '
    'package. It may be given many times; the later wins.')
command.define_import()


def main(argv):
  """Parses the flags and trains."""
  args = command.parse(argv)
  from pgak import errors
  if not args.gin_file:
    raise errors.UserError(
        'No --gin_file is given: begin with --gin_file=quickstart.gin.')
  command_lib.import_tensorflow()
  import gin
  from pgak import registry
  from pgak import training
  from pgak.runs import configuration
  registry.register()
  imports = args['import'].value
  configuration.parse(
      args.gin_file, command_lib.bindings_of_flags(command, args), imports,
      roots=registry.train_roots)
  try:
    training.train(args.run_dir, imports=imports)
  finally:
    gin.clear_config()


def run():
  """Entry point of the console script."""
  command_lib.run(main)


if __name__ == '__main__':
  run()
