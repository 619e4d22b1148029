r"""Trains and measures many runs: every cell of a table with every seed.

A .sweep file names the cells, each a few gin files and bindings, and how they
are measured; docs/sweeps.md shows one.

  sweep.py --sweep=quick.sweep --output_dir=runs/quick

  sweep.py --sweep=papers/rae_iclr2020/table1_mnist.sweep \
    --output_dir=runs/table1 --parallel=2 --data_dir=~/tensorflow_datasets \
    --gin_param='base_filters = 32' --gin_param='sweep.seeds = [0, 1, 2]'

The same command given again goes on: what is finished is not run again. A cell
that fails does not stop the others and is named at the end; its log is
OUTPUT_DIR/CELL/seed-N.log. --dry_run prints the commands that are left.

On several machines with one shared folder, each gives its part: --shard=0/4,
--shard=1/4, --shard=2/4, --shard=3/4.

A .sweep file may search in the place of naming its cells: over ranges of
bindings, by Optuna (pip install 'pgak[search]'). It ends with a table of the
trials and with the best bindings.

  sweep.py --sweep=search_digits.sweep --output_dir=runs/search

What is trusted: a .sweep file, and the gin files that it names, may import
modules, so sweep only what you, or someone you trust, wrote. The runs are
opened without running their code, unless --import names the module.
"""
import pathlib
import shlex
import sys

from pgak import command as command_lib

# The other commands lie beside this one: in a checkout, in a wheel, and in
# what Bazel lays out.
BIN_DIR = pathlib.Path(__file__).absolute().parent

command = command_lib.Command(__doc__)
command.define_string('sweep', None, 'A .sweep file: its path, or its path '
                      'under gin/ here or in the package.', required=True)
command.define_string('output_dir', None, 'The folder of all runs.',
                      required=True)
command.define_integer('parallel', 1, 'How many runs at a time.',
                       lower_bound=1)
command.define_string('shard', '0/1', 'I/N: run the I-th of N parts, I from 0 '
                      'to N - 1.')
command.define_list('gin_param', 'A setting that is added to every cell, such '
                    "as 'train.steps = 200'; one of sweep.* is a setting of "
                    'the sweep itself. It may be given many times.')
command.define_string('data_dir', None, 'Folder of the data sets that '
                      'TensorFlow Datasets prepared; by default TFDS_DATA_DIR '
                      'or ~/tensorflow_datasets.')
command.define_string('inception', None, 'Weights of Inception-2015 for the '
                      'evaluations: see evaluate.py.')
command.define_list('import', 'A module to import first in every run, such as '
                    'one with a model of your own.')
command.define_boolean('dry_run', False, 'Print the commands that are left '
                       'and run none.')


def main(argv):
  """Parses the flags, runs the sweep, and prints its table."""
  args = command.parse(argv)
  # Without TensorFlow: each stage is a process of its own, which imports it.
  from pgak import errors
  from pgak import sweeping
  from pgak.evaluation import protocols
  from pgak.runs import gin_files
  try:
    shard = sweeping.parse_shard(args.shard)
  except errors.UserError as e:
    command.fail(str(e))
  for module in args['import'].value:
    gin_files.import_module(module)  # It may register a protocol.
  # Settings of the sweep are read with the file; the others go to each run.
  own = [b for b in args.gin_param if b.strip().startswith('sweep.')]
  sweep = sweeping.read(args.sweep, own,
                        [b for b in args.gin_param if b not in own],
                        protocols.names())
  data = [f'--data_dir={args.data_dir}'] if args.data_dir is not None else []
  imports = [f'--import={m}' for m in args['import'].value]
  runner = sweeping.Runner(
      sweep, args.output_dir, BIN_DIR, shard, args.parallel,
      train_flags=[*data, *imports],
      evaluate_flags=[*data, *imports, *(
          [f'--inception={args.inception}'] if args.inception else [])])
  searcher = _searcher(runner, args.shard) if sweep.search else None
  if args.dry_run:
    print('\n'.join((searcher or runner).pending_commands()))
    return
  failures = (searcher or runner).run()
  print('\n' + sweeping.format_table(runner.sweep, args.output_dir))
  if searcher:
    print(searcher.table())
  print(f'The report: {report_command(args.output_dir)}')
  if failures:
    for name, reason in failures.items():
      log = f'{args.output_dir}/{name.split()[0]}.log'
      print(f'{name} failed: {reason} See {log}.', file=sys.stderr)
    sys.exit(1)


def _searcher(runner, shard):
  # Metrics say which way their values are better.
  command_lib.import_tensorflow()
  from pgak import errors
  from pgak import sweeping
  from pgak.metrics import metric
  if runner.shard != (0, 1):
    raise errors.UserError(
        f'--shard={shard} is not for a search, whose trials depend on those '
        'before: leave it out, and take --parallel for several at a time.')
  return sweeping.Searcher(runner, metric.better_of)


def report_command(output_dir):
  """Returns the line that makes a report of a sweep."""
  return shlex.join(
      ['pgak_report', f'--output={output_dir}/report.html', output_dir])


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
