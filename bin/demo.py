r"""Shows a trained model on a page in your browser.

Samples, sliders over principal directions of the latents, and reconstructions
of and interpolations between pictures of your own; the density that latents are
drawn from is chosen from a list. The model is that of a run directory or of an
export.

  demo.py --run_dir=runs/digits
  demo.py --export_dir=runs/digits/export --port=8000

The page is for this machine alone, unless --host says otherwise; there is no
password. It needs no network, counts nobody, and keeps no picture.

It needs the extra demo: pip install 'pgak[demo]'.
"""
import os

from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_common(run_dir_required=False)
command.define_import()
command.define_string('export_dir', None, 'An export, in the place of a run: '
                      'the folder of a version, or the one that holds them.')
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_string('prior', None, 'The density that comes first in the '
                      "list: own for the model's, or another by its name. By "
                      'default own, or gmm for a model that is not trained '
                      'towards its prior, such as rae.')
command.define_string('host', '127.0.0.1', 'The address to listen on; 0.0.0.0 '
                      'shows the page to everyone who reaches this machine.')
command.define_integer('port', 7860, 'The port to listen on.', lower_bound=1)


def main(argv):
  """Parses the flags and serves the page."""
  args = command.parse(argv)
  if bool(args.run_dir) == bool(args.export_dir):
    command.fail('Give either --run_dir or --export_dir')
  if args.export_dir:
    command.refuse_with_export(args, 'checkpoint', 'prior', 'gin_param',
                               'import', 'data_dir')
  command_lib.import_tensorflow()
  from pgak.serving import demo
  from pgak.serving import demo_page
  demo_page.require()
  if args.export_dir:
    shown = demo.of_export(args.export_dir)
  else:
    shown = _of_run(args)
  folder = os.path.abspath(args.run_dir or args.export_dir)
  demo_page.serve(shown, os.path.basename(folder), args.host, args.port)


def _of_run(args):
  from pgak import priors
  from pgak import registry
  from pgak.runs import configuration
  from pgak.runs import run_directory
  from pgak.serving import demo
  registry.register()
  bindings = command_lib.bindings_of_flags(command, args)
  names = dict.fromkeys([args.prior or 'own', *priors.NAMES])
  configuration.parse_run(
      run_directory.RunDirectory(args.run_dir), bindings,
      roots=[root for name in names for root in priors.prior_roots(name)],
      imports=args['import'].value)
  return demo.of_run(args.run_dir, args.checkpoint, args.prior)


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
