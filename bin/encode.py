r"""Writes the latents of your pictures by a trained model, with their names.

  encode.py --run_dir=runs/faces --data=photos/ --output=latents.npz
  encode.py --run_dir=runs/faces --data=photos.zip --output=latents.csv \
    --prior=gmm
  encode.py --export_dir=exports/faces --data=photos/ --output=latents.npz

The data are a folder, zip or tar of pictures, a .npy or .npz file, the name of
a data set, or tfds:NAME. Pictures are cropped and resized as those that the
model was trained on; damaged ones are passed over with a warning.

An .npz has `names`, paths of files or places in the data set; `latents`,
float32; `labels` and `label_names` where the data have labels; and `log_prob`,
the log-density of the latents in nats, where the prior has one; with
`density.round_trips` that of the prior before its samples make them. A .csv has
the same, a row an example. A model that is not trained towards its prior, such
as AE or RAE, needs --prior for a log-density: another one, fitted to the
latents of the training images when it is first asked for, and kept in the run.
An export encodes without its run, and has the density that it was made with.

What is trusted: a run directory is opened without running its code; a module
that it was trained with is imported only where --import names it. An export is
a program: give --export_dir only what you, or someone you trust, made.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common(run_dir_required=False)
command.define_import()
command.define_string('export_dir', None, 'An export for TensorFlow that '
                      'encodes, instead of a run directory.')
command.define_string('data', None, 'A folder, zip or tar of pictures, a .npy '
                      'or .npz file, the name of a data set, or tfds:NAME.',
                      required=True)
command.define_string('output', None, 'The file to write, .npz or .csv.',
                      required=True)
command.define_overwrite()
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_string('prior', None, 'Whose log-density is written: own for '
                      "the model's prior; or another, fitted to the training "
                      'images if need be: standard_normal, gaussian, gmm, '
                      'bayesian_gmm, gmm_gradient, kde, real_nvp, two_stage, '
                      'flow_matching or resampled.')


def main(argv):
  """Parses the flags and encodes."""
  args = command.parse(argv)
  if bool(args.run_dir) == bool(args.export_dir):
    command.fail('Give either --run_dir or --export_dir')
  if args.export_dir:
    _encode_by_export(args)
    return
  command_lib.import_tensorflow()
  from pgak import functions
  imports = args['import'].value
  functions.encode(
      args.run_dir, args.data, args.output, checkpoint=args.checkpoint,
      prior=args.prior, data_dir=args.data_dir, overwrite=args.overwrite,
      gin_param=args.gin_param, imports=imports)
  command_lib.print_next(
      'pgak_sample', f'--run_dir={args.run_dir}', f'--data={args.data}',
      '--kind=reconstruction', '--output=reconstructions.png', imports=imports)


def _encode_by_export(args):
  command.refuse_with_export(args, 'checkpoint', 'prior', 'gin_param', 'import')
  command_lib.import_tensorflow()
  from pgak import registry
  from pgak import serving
  registry.register()
  number = serving.encode_export(args.export_dir, args.data, args.output,
                                 args.data_dir, args.overwrite)
  print(f'Wrote latents of {number} examples to {args.output}.')


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
