r"""Lists what there is by the names that flags take, and their settings.

  list.py                    # the lists, and how many are in each
  list.py models             # models, and a sentence on each
  list.py settings rae       # what gin may bind of one of them
  list.py settings train --json

The lists: models, networks, data, recipes, papers, priors, metrics, protocols.
A name in a list of files is that of a file that ships or lies under gin/ here;
`settings` takes a name of any list, or one that gin knows, such as RAE.
"""
import json
import shutil
import sys

from pgak import command as command_lib

command = command_lib.Command(__doc__)
command.define_arguments('list', required=False)
command.define_import()
command.define_boolean('json', False, 'Whether to print an array of objects.')


def main(argv):
  """Parses the flags and prints a list."""
  args = command.parse(argv)
  names = command.arguments
  if len(names) > 1 + (names[:1] == ['settings']):
    command.fail(f'Unexpected argument {names[-1]!r}: give one list, or '
                 'settings and one name')
  if names == ['settings']:
    command.fail('settings needs a name, such as `settings rae`')
  # Imported below, because --help must not wait for TensorFlow.
  command_lib.import_tensorflow()
  from pgak import catalogue
  from pgak import errors
  from pgak import registry
  from pgak.runs import gin_files
  registry.register()
  for module in args['import'].value:
    gin_files.import_module(module)
  try:
    rows = _rows(catalogue, names)
  except errors.UserError as e:
    command.fail(str(e))
  if args.json:
    print(json.dumps(rows, indent=2))
    return
  for line in _lines(rows):
    print(line)
  print(_ending(names, len(rows)))


def _rows(catalogue, names):
  if not names:
    return [{'name': which, 'text': f'{len(catalogue.entries(which))}'}
            for which in catalogue.LISTS]
  if names[0] == 'settings':
    return catalogue.settings(names[1])
  return catalogue.entries(names[0])


def _lines(rows):
  """Returns aligned lines, cut to a terminal's width, whole in a pipe."""
  keys = list(rows[0]) if rows else []
  widths = [max(len(row[key]) for row in rows) for key in keys]
  width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
  for row in rows:
    # Long defaults must not push the text off the screen.
    line = '  '.join(f'{row[key]:<{min(w, 40)}}'
                     for key, w in zip(keys, widths)).rstrip()
    yield line if width is None or len(line) <= width else (
        f'{line[:width - 3]}...')


def _ending(names, number):
  if not names:
    return 'Each by its name: pgak_list models.'
  if names[0] == 'settings':
    return f'{number} settings, for --gin_param or a gin file.'
  return f'{number} {names[0]}. Settings: pgak_list settings NAME'


def run():
  """Entry point of the console script."""
  command.run(main)


if __name__ == '__main__':
  run()
