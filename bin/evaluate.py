r"""Measures a trained model and appends the scores to the run's scores.csv.

A score is printed with the whole protocol that made it: feature net, samples,
reference images, crop, resize, rounding, batch-norm mode and prior.

  evaluate.py --run_dir=runs/digits --protocol=quick

  evaluate.py --run_dir=runs/vpga --protocol=fid768_test --checkpoint=all \
    --inception=inception_2015.npz --data_dir=~/tensorflow_datasets

  evaluate.py --run_dir=me.zip --output=me_scores.csv

  evaluate.py --run_dir=runs/rae --protocol=rae_quick --prior=gmm,kde \
    --metrics=frechet,prd,neighbours

Protocols: `quick` compares features of a small classifier of the data set;
`fid768_test` compares Inception's 768 features of 5,000 samples with those of
the 10,000 test images; `pga_icml2020` is the published FID of the PGA paper.
`rae_iclr2020` is that of the RAE paper: reconstructions, interpolations, and
samples of a Gaussian (or of N(0, I), where training pulls the latents to it)
and of a mixture; `rae_fid768` and `rae_quick` are the same with the other
features. `learned_priors_separability` is the one of the learned-priors paper:
how well planes in latent space separate attributes of 20,000 samples; the data
set has attributes (`images.attributes`) or labels. `stylegan_separability` is
StyleGAN's own procedure for it, with 200,000 samples and a deep classifier for
each attribute. `learned_priors_pairs` is
for runs on pairs: the diversity of two images for one test condition, and the
inception score by a classifier of the data set. `no_prior_matching_2021` is
that of generation without prior matching: the FID of 50,000 samples against all
training images, the error of reconstructions, and whether latents keep the
neighbours of images; `no_prior_matching_fid768` is its small form, with the 768
features, 1,000 samples, and the share of the rarest class among them.
`memorisation` measures whether 5,000 samples are copies of training images, in
pixels, features and latents. `vectors` is for runs on vectors:
sliced_wasserstein and coverage of 5,000 samples by held-out points, mse and
topology.

Priors: `own` is the one that the model was trained with; standard_normal,
gaussian, gmm, bayesian_gmm, gmm_gradient, kde, real_nvp, two_stage and
flow_matching come after training, fitted to the latents of the training images;
resampled draws those latents themselves, a control that memorises.
`quick`, `fid768_test`, `memorisation` and `vectors` take `gmm` for a model that
is not trained towards its prior, such as AE or RAE, and say so; --prior=own
takes N(0, I).

Metrics: frechet, prd, precision_recall, kid, inception_score, class_shares,
class_samples (of samples given a label), reconstruction, reconstruction_mse,
neighbours, copies, authenticity, three_sample_test, separability,
stylegan_separability, latent_match (whether latents of data and of samples
agree), latent_norms (whether latents lie on a sphere), topology (of the latents
of 2,000 images, by their 10 nearest neighbours) and lpips, the distance of
reconstructions with SqueezeNet, or `--gin_param='LPIPS.net = "vgg"'` (or
"alex"), whose weights are in the folder that PGAK_PERCEPTUAL names.
`pgak_list metrics` has all.

What is trusted: a run directory is opened without running its code; a module
that it was trained with is imported only where --import names it.
"""
import contextlib
import json
import math
import sys

from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common()
command.define_import()
command.define_string('checkpoint', 'latest', 'latest, best, all or a step.')
command.define_string('protocol', 'quick', 'What is measured, and how: one of '
                      'those above, or of an --import; a recipe may bind '
                      "another in quick's place, as best_mnist does.")
command.define_string('prior', None, "Priors to sample from, with commas "
                      "between, instead of the protocol's.")
command.define_string('metrics', None, 'Metrics, with commas between, instead '
                      "of the protocol's.")
command.define_string('features', None, "Feature nets, with commas between, "
                      "instead of the protocol's: random, classifier, a level "
                      "of Inception's such as 768, or the path of a net of "
                      'your own, a .keras file or the folder of a SavedModel.')
command.define_string('output', None, "A .csv for the scores, instead of the "
                      "run's scores.csv; --run_dir may then be a packed run, "
                      'a zip.')
command.define_integer('num_samples', None, 'Images to generate, instead of '
                       "the protocol's number.", lower_bound=2)
command.define_integer('seed', None, "Seed of the samples, instead of the "
                       "protocol's.")
command.define_boolean('latents', False, 'Whether to measure how well the '
                       'latents of data and of samples match, too.')
command.define_string('inception', None, "Weights of Inception-2015: an .npz, "
                      'classify_image_graph_def.pb, or the .tgz that holds it.')
command.define_boolean('json', False, 'Whether to print an array of objects, '
                       'one per score, and everything else on standard error.')


def main(argv):
  """Parses the flags, measures, and prints the scores."""
  args = command.parse(argv)
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  from pgak import errors
  from pgak import evaluation
  from pgak import priors
  from pgak import registry
  from pgak.evaluation import protocols
  from pgak.runs import checkpoints
  from pgak.runs import configuration
  from pgak.runs import gin_files
  from pgak.runs import gin_text
  from pgak.runs import packs
  from pgak.runs import run_directory
  registry.register()
  for module in args['import'].value:
    gin_files.import_module(module)  # It may register a protocol.
  if args.protocol not in protocols.names():
    command.fail(f'There is no protocol {args.protocol!r}: choose one of '
                 f'{", ".join(protocols.names())}'
                 f'{errors.similar(args.protocol, protocols.names())}')
  def listed(flag):
    return args[flag].value and args[flag].value.split(',')
  bindings = command_lib.bindings_of_flags(command, args, {
      **{flag: f'evaluate.{flag}'
         for flag in ('checkpoint', 'protocol', 'latents', 'output')},
      **{flag: (f'evaluate.{flag}', listed(flag))
         for flag in ('prior', 'metrics', 'features')},
      **{flag: f'{args.protocol}.{flag}' for flag in ('num_samples', 'seed')},
      'inception': 'inception.weights'}, own=['output'])
  run_dir = str(packs.folder(args.run_dir))
  run = run_directory.RunDirectory(run_dir)
  def roots():
    # A run's recipe may say which protocol and prior it is for.
    given = listed('prior') or configuration.setting('evaluate.prior', ())
    protocol = configuration.setting('evaluate.protocol') or args.protocol
    for flag in ('num_samples', 'seed'):
      if args[flag].present and protocol != args.protocol:
        command.fail(f'--{flag} is that of --protocol, and the run or a '
                     '--gin_param binds evaluate.protocol: give --protocol, or '
                     f'bind the {flag} of the protocol itself')
    # What is no protocol has no priors, and is refused when it is measured by.
    names = (given if isinstance(given, (list, tuple)) else [given]) or getattr(
        protocols.resolve(protocol), 'priors', ())
    # What gin refers to, it reaches by itself.
    named = [protocol] if isinstance(protocol, str) else []
    # What may stand for the model's own is read where the model has none.
    usual = {protocols.OWN_OR_GAUSSIAN: ['gaussian'],
             protocols.OWN_OR_MIXTURE: checkpoints.usual_priors()}
    return ['evaluate', *named, *registry.metric_roots(),
            *(root for p in names
              for one in (usual.get(p, [p]) if isinstance(p, str) else [p])
              for root in priors.prior_roots(one))]
  imports = args['import'].value
  with contextlib.redirect_stdout(sys.stderr if args.json else sys.stdout):
    configuration.parse_run(run, bindings, roots, imports)
    # By the user's bindings alone: anyone may have made the packed ones.
    if run_dir != args.run_dir and not gin_text.is_bound('evaluate.output',
                                                         bindings):
      command.fail('A packed run is not written to: give --output, a .csv for '
                   'the scores')
    scores = evaluation.evaluate(args.run_dir)
  if args.json:
    print(json.dumps([_plain(score) for score in scores], indent=2))
    return
  print(evaluation.format_table(scores))
  output = configuration.setting('evaluate.output') or run.scores_file
  print(f'The scores are in {output}.')
  command_lib.print_next('pgak_sample', f'--run_dir={args.run_dir}',
                         '--output=samples.png', imports=imports)


def _plain(score):
  """Returns a score as JSON, in which NaN and infinity become null."""
  plain = {name: value.item() if hasattr(value, 'item') else value
           for name, value in dict(score).items()}
  return {name: None if value in ('', None) or (
      isinstance(value, float) and not math.isfinite(value)) else value
          for name, value in plain.items()}


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
