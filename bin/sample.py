r"""Draws from a trained model: images, or a look into its latents.

The model is that of a run directory or of an export. The output is a picture,
or all that is in it by name in a NumPy .npz file, such as `images`, uint8.

  sample.py --run_dir=runs/digits --output=samples.png --num_samples=64
  sample.py --run_dir=runs/digits --output=lines.png --kind=interpolation
  sample.py --export_dir=runs/digits/export --output=images.npz \
    --num_samples=5000 --seed=1

With a slash at its end the output is a folder: a PNG per image, by number, and
`images.npz` with all of them as RGB, as programs that compute an FID read them.

  sample.py --run_dir=runs/digits --output=images/ --num_samples=50000

A density other than the model's own is fitted to the latents of the training
images when it is first asked for, and kept in the run directory. A model that
is not trained towards its prior, such as AE or RAE, gets a mixture of Gaussians
so where --prior is not given; --prior=own is N(0, I) all the same.

  sample.py --run_dir=runs/digits --output=gmm.png --prior=gmm \
    --gin_param='GaussianMixture.num_components = 20'

Where the data have labels or attributes, flow_matching learns them, for any
autoencoder; of attributes several may be given, and the others are left open:

  sample.py --run_dir=runs/ae --output=sevens.png --prior=flow_matching \
    --label=7
  sample.py --run_dir=runs/faces --output=women.png --prior=flow_matching \
    --attributes=Smiling,Male=0

Where the prior is a flow, the latents z_T have a second space z_0, in which the
prior is N(0, I). Paths go straight in z_T or along arcs in z_0, between two
images, or towards an attribute's vector: the mean latent of the training images
that have it less that of those that do not.

  sample.py --run_dir=runs/flow --output=both.png --kind=interpolation \
    --space=both
  sample.py --run_dir=runs/faces --output=glasses.png --kind=attribute \
    --attribute=Eyeglasses --prior=real_nvp
  sample.py --run_dir=runs/flow --output=paths.png --kind=paths

Straight or along an arc is a choice of its own, --line, and in z_T no density
plays a part. The figures of the RAE paper go along arcs between test images:

  sample.py --run_dir=runs/rae --output=arcs.png --kind=interpolation \
    --line=spherical --split=test

Pictures of your own take the place of the run's with --data, in any form that
the train command takes:

  sample.py --run_dir=runs/faces --output=mine.png --kind=reconstruction \
    --data=photos/

A model of pairs draws rows of a condition, its image and samples, or, with
--kind=reconstruction, the reconstruction. A GAN, which has no encoder, draws
samples, and as interpolation lines between samples of its prior.

The latents themselves are drawn in two dimensions, by class and beside the
prior; and images are ranked by the density of their latents, within their set
(`log_density`; .csv for a line per image) or against another one (`ood`).

  sample.py --run_dir=runs/flow --output=latents.png --kind=latents
  sample.py --run_dir=runs/flow --output=ranked.png --kind=log_density
  sample.py --run_dir=runs/flow --output=ood.png --kind=ood \
    --against=fashion_mnist

What is trusted: a run directory is opened without running its code; a module
that it was trained with is imported only where --import names it. An export is
a program: give --export_dir only what you, or someone you trust, made.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common(run_dir_required=False)
command.define_import()
command.define_string('export_dir', None, 'An export to draw from, instead of '
                      'a run directory.')
command.define_string('output', None, 'The file to write, .png or .npz, or a '
                      'folder of images, ending with a slash.', required=True)
command.define_overwrite()
command.define_choice('kind', 'samples',
                      ['samples', 'interpolation', 'reconstruction',
                       'attribute', 'latents', 'paths', 'log_density', 'ood'],
                      'What is drawn: samples of the prior; lines of 8 between '
                      'images; images, each beside its reconstruction; images '
                      'that are given an attribute; latents beside the prior; '
                      'paths over the plane of the latents; the least and the '
                      'most likely images; or two sets by their likelihood.')
command.define_integer('num_samples', None, 'How many images, by default 64; '
                       'or vectors (2000), points in a cloud of latents '
                       '(10000), or paths (1).',
                       lower_bound=1)
command.define_integer('seed', 0, 'Decides what is drawn.')
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_string('prior', None, 'What is sampled from: own for the '
                      "model's prior; or another, fitted to the training "
                      'images if need be: standard_normal, gaussian, gmm, '
                      'bayesian_gmm, gmm_gradient, kde, real_nvp, two_stage, '
                      'flow_matching or resampled. By default own, or gmm '
                      'for a model that is not trained towards its prior, '
                      'such as rae.')
command.define_integer('label', None, 'The class that samples are drawn of, '
                       'with --prior=flow_matching, which learns labels where '
                       'the data have some.', lower_bound=0)
command.define_string('attributes', None, 'Attributes that samples have, or '
                      'lack with =0, such as Smiling,Male=0, with '
                      '--prior=flow_matching, which learns those of the data.')
command.define_choice('space', None, ['zT', 'z0', 'both', 'all'], 'Where paths '
                      'go: straight in zT, along arcs in z0, or a row of each; '
                      "all is one more behind each of a flow's couplings. By "
                      'default zT between images, and both towards an '
                      'attribute.')
command.define_choice('line', None, ['straight', 'spherical'], 'How '
                      'interpolations go, in each space; by default as --space '
                      'says.')
command.define_string('split', None, 'The split of the data set whose images '
                      'are drawn, such as test; by default the one that '
                      'training validated on.')
command.define_string('data', None, 'Other data whose images are drawn: a '
                      'folder, zip or tar of pictures, a .npy or .npz file, '
                      'the name of a data set, or tfds:NAME; all of them, or '
                      'their --split.')
command.define_string('attribute', None, "An attribute of the data set's "
                      "images, such as Eyeglasses, or label=7 for a class.")
command.define_string('against', None, 'The other data set of ood: '
                      'fashion_mnist, say, or a gin file that binds '
                      'train.dataset.')


# A flag that another kind ignores would be a silent mistake.
_KINDS_OF = {'label': ('samples',), 'attributes': ('samples',),
             'space': ('interpolation', 'attribute'),
             'line': ('interpolation',),
             'attribute': ('attribute',), 'against': ('ood',),
             'data': ('interpolation', 'reconstruction', 'latents', 'paths',
                      'log_density', 'ood')}


def main(argv):
  """Parses the flags and draws."""
  args = command.parse(argv)
  if bool(args.run_dir) == bool(args.export_dir):
    command.fail('Give either --run_dir or --export_dir')
  if args.export_dir and args.prior is not None:
    command.fail('An export has the density that it was made with: give '
                 '--prior to export, or --run_dir')
  for flag, kinds in _KINDS_OF.items():
    if args[flag].value is not None and args.kind not in kinds:
      command.fail(f'--{flag} belongs to --kind={" or ".join(kinds)}')
  if args.export_dir and (args.space not in (None, 'zT')
                          or args.line == 'spherical'):
    command.fail('An export goes straight in zT: give --run_dir for --space '
                 'and --line')
  if args.export_dir and (args.split or args.data):
    command.fail('An export is drawn from without data: give --run_dir for '
                 '--split and --data')
  if args.export_dir:
    command.refuse_with_export(args, 'checkpoint', 'gin_param', 'import',
                               'data_dir')
  command_lib.import_tensorflow()
  if args.export_dir:
    from pgak.serving import pictures
    pictures.sample_export(args.export_dir, args.output, args.kind,
                          args.num_samples, args.seed, args.overwrite,
                          args.label, args.attributes)
    return
  from pgak import priors
  from pgak import registry
  from pgak.generation import drawing
  from pgak.runs import configuration
  from pgak.runs import data_set
  from pgak.runs import own_data
  from pgak.runs import packs
  from pgak.runs import run_directory
  from pgak.runs import second_data_set
  registry.register()
  flags = ('kind', 'num_samples', 'seed', 'checkpoint', 'prior', 'label',
           'attributes', 'space', 'attribute', 'line', 'overwrite')
  bindings = command_lib.bindings_of_flags(
      command, args, {flag: f'sample.{flag}' for flag in flags} | (
          {} if args.data else {'split': 'train.validation_split'}),
      # What is drawn is asked for, as the output is: flags belong to a kind.
      own=('kind', 'overwrite'))
  imports = args['import'].value
  run_dir = str(packs.folder(args.run_dir))
  run = run_directory.RunDirectory(run_dir)
  data = args.data and own_data.split_opener(
      args.data, run, args.data_dir, args.split)
  if args.split and not args.data:
    def data(model):
      del model
      return data_set.split('validation')  # Bound to --split above.
  if args.data and not own_data.reads_data_dir(run):
    bindings = [b for b in bindings if not b.startswith('data_dir =')]
  if args.against:
    # After the flags of the run: these are in a scope of their own.
    bindings += second_data_set.bindings(run, args.against, imports)
  def roots():
    # A run's recipe, or a --gin_param, may say which prior it is for.
    prior = configuration.setting('sample.prior')
    names = [prior] if prior else drawing.usual_priors(
        configuration.setting('sample.kind', args.kind))
    return ['sample', *(r for name in names for r in priors.prior_roots(name))]
  configuration.parse_run(run, bindings, roots, imports)
  prior = (drawing.sample(run_dir, args.output, data=data)
           or configuration.setting('sample.prior'))
  is_other = isinstance(prior, str) and prior != 'own'
  same = [f'--prior={prior}'] if is_other else []
  if args['checkpoint'].present:
    same.append(f'--checkpoint={args.checkpoint}')
  if args.data_dir and own_data.reads_data_dir(run):
    same.append(f'--data_dir={args.data_dir}')
  # With other settings the density would be another one, and fitted anew.
  same += [f'--gin_param={binding}' for binding in args.gin_param
           if not binding.lstrip().startswith('sample.')]
  same += ['--output=export'] if run_dir != args.run_dir else []
  command_lib.print_next('pgak_export', f'--run_dir={args.run_dir}', *same,
                         imports=imports)


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
