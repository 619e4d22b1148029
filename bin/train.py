r"""Trains a generative autoencoder, or resumes the run that is there.

On a folder, zip or array file of one's own, or a data set by its name:

  train.py --run_dir=runs/mine --data=photos/
  train.py --run_dir=runs/digits --data=mnist --model=rae --steps=5000

What is not given is chosen from the data, and printed. `list.py` has the names
of data sets, models, networks and recipes. Where every choice matters, as for a
published result, it stands in gin files, and then nothing is chosen:

  train.py --run_dir=runs/digits --gin_file=quickstart.gin
  train.py --run_dir=runs/lpga --gin_file=papers/pga_icml2020/lpga_mnist.gin \
    --gin_param='train.steps = 2000' --data_dir=~/tensorflow_datasets

The later file wins, and a flag wins over all files: the quickstart with another
model, or a paper's model on photographs.

  train.py --run_dir=runs/vae --gin_file=quickstart.gin --model=vae
  train.py --run_dir=runs/mine --data=photos/ \
    --gin_file=papers/pga_icml2020/lpga_celeba.gin

A new run may begin with the weights of another one, for other data, another
prior, batch size or number of latents; what fits is taken, and told by part:

  train.py --run_dir=runs/mine --data=photos/ --warm_start=runs/faces:best

The same command given again resumes after the last checkpoint, or ends at once
when the run is finished; so does --run_dir alone. Watch it with
`tensorboard --logdir=runs`.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common()
command.define_list(
    'gin_file', 'A gin file: its path, or its path under gin/ here or in the '
    'package. It may be given many times; the later wins.')
command.define_import()
command.define_string(
    'data', None, 'A folder, zip or tar of pictures, an array file (.npy, '
    '.npz), a data set by its name, or tfds:NAME of TensorFlow Datasets.',
    once=True)
command.define_string('model', None, 'A model by its name, such as rae.',
                      once=True)
command.define_string('network', None, 'Networks by their name, such as conv.',
                      once=True)
command.define_string('recipe', None, 'How it is trained, such as modern.',
                      once=True)
command.define_string('size', None, 'Pixels of a side of the images, such as '
                      '64, or height and width, such as 48x64.', once=True)
command.define_integer('latent_dim', None, 'Number of latent dimensions.',
                       lower_bound=1)
command.define_integer('steps', None, 'Train steps in all.', lower_bound=1)
command.define_integer('seed', None, 'Decides weights, noise and order.',
                       lower_bound=0)
command.define_string(
    'warm_start', None, 'A run whose weights a new run begins with, where they '
    'fit: RUN, or RUN:CHECKPOINT with latest, best or a step.', once=True)
command.define_string('attributes', None, 'A list of binary attributes of the '
                      'pictures: CSV, or in the format of CelebA.', once=True)
command.define_boolean('download', False, 'Whether TensorFlow Datasets may '
                       'download the data set, into --data_dir.')
command.define_boolean('dry_run', False, 'Whether to print what would be '
                       'trained, and write nothing.')


def main(argv):
  """Parses the flags, composes the configuration, and trains."""
  args = command.parse(argv)
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  import gin
  from pgak import registry
  from pgak.training import bindings
  from pgak.training import composition
  from pgak.training import strategies
  registry.register()
  imports = args['import'].value
  # Only what was given: a default would count as a choice.
  flags = {name: args[name].value for name in composition.FLAGS
           if args[name].present}
  made = composition.composed(args.run_dir, flags, args.gin_file, imports)
  # After the composition, which knows the setting of each flag.
  twice = bindings.twice(made.settings, args.gin_param)
  if twice:
    command.fail(twice)
  made.params += args.gin_param
  try:
    made.parse(imports, registry.train_roots)
    for line in made.summary():
      print(line)
    if args.dry_run:
      print(made.text, end='')
      return
    trained = composition.train(args.run_dir, made, imports)
    if strategies.is_chief(trained.distribute_strategy):
      name = composition.protocol_of(trained)
      command_lib.print_next(
          'pgak_evaluate', f'--run_dir={args.run_dir}',
          *([f'--protocol={name}'] if name else []), imports=imports)
  finally:
    gin.clear_config()


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
