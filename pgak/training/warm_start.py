"""A new run that begins with the weights of another one."""
import re

from pgak import errors
from pgak import files
from pgak.runs import packs
from pgak.runs import run_directory
from pgak.runs import weights

__all__ = ['begin', 'source', 'take']

# Names of variables in a line; the others are counted.
_NAMED = 3


def begin(model, run, text, is_chief=True):
  """Gives a new run's model the weights of another run, and says which.

  Args:
    model: `GenerativeModel`, compiled.
    run: `RunDirectory` of the run that begins. One that has a checkpoint goes
      on with its own weights.
    text: as for `source`, or None.
    is_chief: whether this process prints.

  Returns:
    What config.json keeps of it: `{'warm_start': record}` or `{}`.

  Raises:
    errors.UserError: as `take` does.
  """
  if text is None:
    return {}
  if run.checkpoints():
    if is_chief and run.config.get('warm_start', {}).get('run') != str(text):
      print(f'{run.path} goes on with its own weights: --warm_start={text} is '
            'for a new --run_dir.')
    return {}
  record, lines = take(model, text)
  if is_chief:
    print(*lines, sep='\n')
  return {'warm_start': record}


def source(text):
  """Finds the run and the checkpoint that a warm start names.

  Args:
    text: 'RUN' or 'RUN:CHECKPOINT', where RUN is a run directory or a packed
      run, and CHECKPOINT 'latest', 'best' or a step; without it, the latest.

  Returns:
    `(RunDirectory, step)`.

  Raises:
    errors.UserError: if there is no such run or checkpoint.
  """
  path, checkpoint = files.local(text), 'latest'
  if not path.exists():
    head, colon, tail = str(text).rpartition(':')
    if colon and not re.search(r'[/\\]', tail):
      path, checkpoint = files.local(head), tail
  path = packs.folder(path)
  if not (path / 'config.gin').is_file():
    raise errors.UserError(
        f'--warm_start={text} names no run directory (there is no config.gin '
        f'in {path}): give the --run_dir of a run, and behind a colon its '
        'checkpoint, as in runs/a:best.')
  run = run_directory.RunDirectory(path)
  return run, run.resolve_checkpoint(checkpoint)


def take(model, text):
  """Gives a model the weights of another run that fit it.

  A variable is taken if its part, its path within the part and its shape are
  the same; everything else keeps the values that the seed gave it, as do the
  optimizers and the step. Where the other run averages weights (EMA) its
  averages are taken, which are what it is evaluated and sampled with. The run
  is read without its configuration: none of its code is called.

  Args:
    model: `GenerativeModel`, compiled.
    text: as for `source`.

  Returns:
    `(record, lines)`: what config.json keeps, with
    `taken`: `{part: [variables taken, variables in all]}`; and lines to print.

  Raises:
    errors.UserError: if nothing fits.
  """
  run, step = source(text)
  stored = weights.read(run, step)
  taken, lines, averaged = {}, [], set()
  for part, net in model.parts.items():
    there = stored.get(part, {})
    fitting, missing = _match(net, there)
    for variable, found in fitting:
      variable.assign(found.read())
      averaged.add(found.averaged)
    number = len(fitting) + len(missing)
    taken[part] = [len(fitting), number]
    lines.append(f'  {part}: {len(fitting)} of {number} variables'
                 + _because(missing, part, stored))
  if not any(number for number, _ in taken.values()):
    raise errors.UserError(
        f'Nothing in {run.path} at step {step} fits this model '
        f'({"; ".join(line.strip() for line in lines)}): choose the network of '
        'that run, another run, or leave out --warm_start.')
  kind = 'averaged weights' if True in averaged else 'weights'
  record = {'run': str(text), 'step': step, 'averaged': True in averaged,
            'taken': taken}
  return record, [f'Warm start: {kind} of {run.path} at step {step}', *lines]


def _match(net, there):
  """Returns `(variable, Stored)` that fit, and `(name, reason)` of the others.
  """
  fitting, missing = [], []
  variables = net.weights
  for name, variable in zip(
      weights.names([v.path for v in variables]), variables):
    found = there.get(name)
    if found is None:
      missing.append((name, 'not there'))
    elif found.shape != tuple(variable.shape):
      missing.append((name, f'{tuple(variable.shape)} here, {found.shape} '
                      'there'))
    else:
      fitting.append((variable, found))
  return fitting, missing


def _because(missing, part, stored):
  if not missing:
    return ''
  if part not in stored:
    return f'; that run has no part {part}, it has {", ".join(stored)}'
  named = ', '.join(f'{name} ({why})' for name, why in missing[:_NAMED])
  more = len(missing) - _NAMED
  return f'; not {named}' + (f' and {more} more' if more > 0 else '')
