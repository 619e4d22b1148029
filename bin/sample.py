r"""Draws new images, reconstructions or interpolations from a trained model.

The model is that of a run directory or of an export. The output is a picture,
or an array of uint8 images by its name `images` in a NumPy .npz file.

  sample.py --run_dir=runs/digits --output=samples.png --num_samples=64
  sample.py --run_dir=runs/digits --output=lines.png --kind=interpolation
  sample.py --export_dir=runs/digits/export --output=images.npz \
    --num_samples=5000 --seed=1

A density other than the model's own is fitted to the latents of the training
images when it is first asked for, and kept in the run directory.

  sample.py --run_dir=runs/digits --output=gmm.png --prior=gmm \
    --gin_param='GaussianMixture.num_components = 20'
"""
from pgak.bin import command as command_lib

command = command_lib.Command(__doc__)
command.define_common(run_dir_required=False)
command.define_string('export_dir', None, 'An export to draw from, instead of '
                      'a run directory.')
command.define_string('output', None, 'The file to write, .png or .npz.',
                      required=True)
command.define_choice('kind', 'samples',
                      ['samples', 'interpolation', 'reconstruction'],
                      'What is drawn: samples of the prior; lines of 8 between '
                      'images; or images, each beside its reconstruction.')
command.define_integer('num_samples', 64, 'How many images.', lower_bound=1)
command.define_integer('seed', 0, 'Decides what is drawn.')
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_string('prior', 'own', 'What is sampled from: own for the '
                      "model's prior; or another, fitted to the training "
                      'images if need be: standard_normal, gaussian, gmm, '
                      'bayesian_gmm, kde, real_nvp or two_stage.')


def main(argv):
  """Parses the flags and draws."""
  args = command.parse(argv)
  if bool(args.run_dir) == bool(args.export_dir):
    command.fail('Give either --run_dir or --export_dir')
  if args.export_dir and args.prior != 'own':
    command.fail('An export has the density that it was made with: give '
                 '--prior to export, or --run_dir')
  command_lib.import_tensorflow()
  from pgak import drawing
  if args.export_dir:
    drawing.sample_export(args.export_dir, args.output, args.kind,
                          args.num_samples, args.seed)
    return
  from pgak import configuration
  from pgak import priors
  from pgak import run_directory
  from pgak import registry
  registry.register()
  bindings = command_lib.bindings_of_flags(args)
  for flag in ('kind', 'num_samples', 'seed', 'checkpoint', 'prior'):
    bindings.append(f'sample.{flag} = {args[flag].value!r}')
  run = run_directory.RunDirectory(args.run_dir)
  configuration.parse_run(run, bindings, roots=[
      'sample', *priors.prior_roots(args.prior)])
  drawing.sample(args.run_dir, args.output)


def run():
  """Entry point of the console script."""
  command_lib.run(main)


if __name__ == '__main__':
  run()
