r"""Packs a run to give away: one zip that opens anywhere.

  pack.py --run_dir=runs/faces --output=faces.zip
  pack.py --run_dir=runs/faces --output=faces.zip --checkpoint=best

The zip has the configuration, one checkpoint without optimizers, the densities
that were fitted to its latents, scores.csv, and a model card. Paths are reduced
to the names of what they lead to. `pgak.load('faces.zip')` opens it, as do
sample.py, encode.py, export.py and evaluate.py with --run_dir=faces.zip; with
`unzip faces.zip -d runs/faces` it is a run directory again, without optimizers.

What is trusted: a zip may come from anyone. It is opened without running its
code, and a module that it was trained with is imported only where --import
names it; nothing is unpacked that a packed run does not have.
"""
from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_string('run_dir', None, 'The run directory.', required=True)
command.define_string('output', None, 'The zip to write.', required=True)
command.define_string('checkpoint', 'latest', 'latest, best or a step.')
command.define_overwrite()


def main(argv):
  """Parses the flags and packs."""
  args = command.parse(argv)
  command_lib.import_tensorflow()
  from pgak import functions
  functions.pack(args.run_dir, args.output, checkpoint=args.checkpoint,
                 overwrite=args.overwrite)
  command_lib.print_next('pgak_sample', f'--run_dir={args.output}',
                         '--output=samples.png')


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
