r"""Exports a trained model for TensorFlow Serving, and verifies the export.

It writes OUTPUT/<version>/ with the signatures generate, encode, decode,
reconstruct, interpolate, generate_png, encode_image, sample_latents and, where
what generate samples from has a density, log_prob; where it is a flow, also
latent_to_base and base_to_latent. A fresh process without pgak then loads it as
TensorFlow Serving does and compares its images with the model's, before it is
put in its place. A model of pairs answers generate, encode, decode, reconstruct
and sample_latents, all given conditions. Of a GAN, which has no encoder,
encode, encode_image, reconstruct and interpolate are left out.

  export.py --run_dir=runs/digits --output=exports/digits
  export.py --run_dir=runs/digits --prior=gmm
  saved_model_cli show --dir exports/digits/1 --all

Each signature has bounds of what one request may ask for, which metadata.json
states and the graph checks; --gin_param='export.max_count = 64' sets them.

What is trusted: a run directory is opened without running its code; a module
that it was trained with is imported only where --import names it. An export is
a program: serve only what you, or someone you trust, made.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common()
command.define_import()
command.define_string('output', None, 'Folder that holds the versions; '
                      'by default the folder export in the run directory.')
command.define_integer('version', None, 'Number of the version; by default one '
                       'more than the largest there.', lower_bound=1)
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_string('prior', 'own', 'What generate samples from: own for the '
                      "model's prior; or another, fitted to the training "
                      'images if need be: standard_normal, gaussian, gmm, '
                      'bayesian_gmm, kde, real_nvp, two_stage or '
                      'flow_matching.')
command.define_boolean('verify', True, 'Whether a fresh process checks it.')
command.define_overwrite()


def main(argv):
  """Parses the flags and exports."""
  args = command.parse(argv)
  if args.overwrite and args.version is None:
    command.fail('--overwrite needs --version: without it the next number is '
                 'taken')
  command_lib.import_tensorflow()
  from pgak import priors
  from pgak import registry
  from pgak import serving
  from pgak.runs import configuration
  from pgak.runs import packs
  from pgak.runs import run_directory
  registry.register()
  flags = ('output', 'version', 'checkpoint', 'prior', 'overwrite')
  bindings = command_lib.bindings_of_flags(command, args, {
      **{flag: f'export.{flag}' for flag in flags},
      'verify': 'export.verified'})
  run_dir = str(packs.folder(args.run_dir))
  if run_dir != args.run_dir and args.output is None:
    command.fail('A packed run is not written to: give --output')
  run = run_directory.RunDirectory(run_dir)
  configuration.parse_run(run, bindings, roots=[
      'export', *priors.prior_roots(args.prior)], imports=args['import'].value)
  path = serving.export(run_dir)
  print(f'Exported to {path}.')
  command_lib.print_next('pgak_sample', f'--export_dir={path}',
                         '--output=served.png')


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
