r"""Measures a trained model and appends the numbers to the run's scores.csv.

A number is printed with the whole protocol that made it: feature net, samples,
reference images, crop, resize, rounding, batch-norm mode and prior.

  evaluate.py --run_dir=runs/digits --protocol=quick

  evaluate.py --run_dir=runs/vpga --protocol=fid768_test --checkpoint=all \
    --inception=inception_2015.npz --data_dir=~/tensorflow_datasets

Protocols: `quick` compares features of a small classifier of the data set;
`fid768_test` compares Inception's 768 features of 5,000 samples with those of
the 10,000 test images; `pga_icml2020` is the published FID of the PGA paper.
"""
from pgak.bin import command as command_lib

command = command_lib.Command(__doc__)
command.define_common()
command.define_string('checkpoint', 'latest', 'latest, best, all or a step.')
command.define_choice('protocol', 'quick',
                      ['quick', 'fid768_test', 'pga_icml2020'],
                      'What is measured, and how.')
command.define_string('prior', 'own', 'What is sampled from: own for the '
                      "model's prior, or the name of another.")
command.define_integer('num_samples', None, 'Images to generate, instead of '
                       "the protocol's number.", lower_bound=2)
command.define_integer('seed', None, "Seed of the samples, instead of the "
                       "protocol's.")
command.define_boolean('latents', False, 'Whether to measure how well the '
                       'latents of data and of samples match, too.')
command.define_string('inception', None, "Weights of Inception-2015: an .npz, "
                      'classify_image_graph_def.pb, or the .tgz that holds it.')


def main(argv):
  """Parses the flags, measures, and prints the table."""
  args = command.parse(argv)
  command_lib.import_tensorflow()
  from pgak import configuration
  from pgak import evaluation
  from pgak import run_directory
  from pgak import registry
  registry.register()
  bindings = command_lib.bindings_of_flags(args)
  for flag in ('checkpoint', 'protocol', 'prior', 'latents'):
    bindings.append(f'evaluate.{flag} = {args[flag].value!r}')
  for flag in ('num_samples', 'seed'):
    if args[flag].value is not None:
      bindings.append(f'{args.protocol}.{flag} = {args[flag].value}')
  if args.inception:
    bindings.append(f'inception.weights = {args.inception!r}')
  run = run_directory.RunDirectory(args.run_dir)
  configuration.parse_run(run, bindings, roots=[
      'evaluate', args.protocol, args.prior, 'inception', 'classifier'])
  print(evaluation.format_table(evaluation.evaluate(args.run_dir)))


def run():
  """Entry point of the console script."""
  command_lib.run(main)


if __name__ == '__main__':
  run()
