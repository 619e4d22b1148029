r"""Exports a trained model for TensorFlow Serving, and verifies the export.

It writes OUTPUT/<version>/ with the signatures generate, generate_png,
sample_latents, decode, encode, encode_image, reconstruct, interpolate and
interpolate_spherical; where what generate samples from has a density, log_prob;
where it is a flow, latent_to_base and base_to_latent; where it has learned
labels, generate_class and log_prob_class; and where it has learned attributes,
generate_attributes. Every input has rows, a seed for each
of them, so that a server may merge requests. A fresh process without pgak then
loads it as TensorFlow Serving does and compares its images with the model's,
before it is put in its place. A model of pairs answers generate, generate_png,
encode, decode, reconstruct and sample_latents, all given conditions. Of a GAN,
which has no encoder, what needs one is left out.

  export.py --run_dir=runs/digits --output=exports/digits
  export.py --run_dir=runs/digits --prior=gmm
  saved_model_cli show --dir exports/digits/1 --all

For a phone or another runtime, decode and encode alone as files, compared with
the model by LiteRT's interpreter or ONNX Runtime before they are put in place:

  export.py --run_dir=runs/digits --format=tflite
  export.py --run_dir=runs/digits --format=onnx

For GPUs, nets compute in 16 bits, and XLA compiles them:

  export.py --run_dir=runs/digits --precision=bfloat16 --xla

Each signature has bounds of what one request may ask for, which metadata.json
states and the graph checks; --gin_param='export.max_batch = 64' sets how many
rows.

What is trusted: a run directory is opened without running its code; a module
that it was trained with is imported only where --import names it. An export is
a program: serve only what you, or someone you trust, made.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common()
command.define_import()
command.define_string('output', None, 'Folder that holds the versions; '
                      'by default the folder export in the run directory, or '
                      'one named as the format.')
command.define_integer('version', None, 'Number of the version; by default one '
                       'more than the largest there.', lower_bound=1)
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_string('prior', None, 'What generate samples from: own for the '
                      "model's prior; or another, fitted to the training "
                      'images if need be: standard_normal, gaussian, gmm, '
                      'bayesian_gmm, gmm_gradient, kde, real_nvp, two_stage, '
                      'flow_matching or resampled. By default own, or gmm '
                      'for a model that is not trained towards its prior, '
                      'such as rae.')
command.define_choice('format', 'saved_model',
                      ['saved_model', 'tflite', 'onnx'],
                      'What is written: saved_model for TensorFlow Serving; '
                      'or files of decode and encode, tflite or onnx, which '
                      'need the extra of that name.')
command.define_choice('precision', 'float32',
                      ['float32', 'bfloat16', 'float16'],
                      'What encoder and decoder compute in, but for their last '
                      'layers; metadata.json has the difference.')
command.define_boolean('xla', False, 'Whether XLA compiles them, for the batch '
                       'sizes that metadata.json names.')
command.define_boolean('verify', True, 'Whether its answers are compared with '
                       "the model's; those of a SavedModel by a fresh process.")
command.define_overwrite()


def main(argv):
  """Parses the flags and exports."""
  args = command.parse(argv)
  if args.overwrite and args.version is None:
    command.fail('--overwrite needs --version: without it the next number is '
                 'taken')
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  from pgak import priors
  from pgak import registry
  from pgak import serving
  from pgak.runs import checkpoints
  from pgak.runs import configuration
  from pgak.runs import gin_text
  from pgak.runs import packs
  from pgak.runs import run_directory
  registry.register()
  flags = ('output', 'version', 'checkpoint', 'prior', 'precision', 'xla',
           'overwrite', 'format')
  bindings = command_lib.bindings_of_flags(command, args, {
      **{flag: f'export.{flag}' for flag in flags},
      'verify': 'export.verified'},
      own=('output', 'version', 'overwrite', 'verify'))
  run_dir = str(packs.folder(args.run_dir))
  run = run_directory.RunDirectory(run_dir)
  def roots():
    # A run's recipe, or a --gin_param, may say which prior it is for.
    prior = configuration.setting('export.prior')
    names = [prior] if prior else checkpoints.usual_priors()
    return ['export', *(r for name in names for r in priors.prior_roots(name))]
  configuration.parse_run(run, bindings, roots, imports=args['import'].value)
  # By the user's bindings alone: anyone may have made the packed ones.
  if run_dir != args.run_dir and not gin_text.is_bound('export.output',
                                                       bindings):
    command.fail('A packed run is not written to: give --output')
  path = serving.export(run_dir)
  print(f'Exported to {path}.')
  if configuration.setting('export.format', args.format) == 'saved_model':
    command_lib.print_next('pgak_sample', f'--export_dir={path}',
                           '--output=served.png')


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
