r"""Writes a report of any number of runs: one HTML page, and Markdown.

RUN_DIR is a run directory, or a folder that holds some at any depth, such as
the output of a sweep. The page stands alone, and opens without a network; the
Markdown and its pictures are written beside it. What an earlier report wrote
there is replaced; anything else is left alone.

  report.py --output=report.html runs/vae runs/vpga
  report.py --output=table1.html --data_dir=~/tensorflow_datasets sweeps/table1
  report.py --output=quick.html --nolatents runs

What is trusted: a run directory is opened without running its code; a module
that it was trained with is imported only where --import names it.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_arguments('RUN_DIR')
command.define_string('output', None, 'The page to write, .html.',
                      required=True)
command.define_boolean('latents', True, 'Whether to load each model and its '
                       'data, to show its latents beside samples of its prior.')
command.define_string('data_dir', None, 'Folder of the data sets that '
                      'TensorFlow Datasets prepared, instead of that in the '
                      'runs; only the latents need it.')
command.define_import()
command.define_overwrite()


def main(argv):
  """Parses the flags and writes the report."""
  args = command.parse(argv)
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  from pgak import registry
  from pgak import reporting
  registry.register()
  problems = reporting.write_report(
      args.output, command.arguments, args.latents, args.data_dir,
      args['import'].value, args.overwrite)
  for problem in problems:
    print(problem)
  print(f'Wrote {args.output}.')
  command_lib.print_next('python', '-m', 'webbrowser', args.output)


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
