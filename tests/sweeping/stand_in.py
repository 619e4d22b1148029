"""Stands in for the train and evaluate commands, in milliseconds.

A binding tells it what to do: `fail = 'word'` ends with status 1 at that verb
(or that flag), `sleep = seconds` first sleeps, `early = 1` has scores of steps
1 and 2 while it trains, 1 and 0.5 above the value.
"""
import pathlib
import sys
import time

from pgak.runs import run_directory


def main(verb, *flags):
  print('calls', verb, *flags, flush=True)
  path = pathlib.Path(flags[0].removeprefix('--run_dir='))
  settings = [f.removeprefix('--gin_param=') for f in flags]
  saved = path / 'config.gin'
  if verb == 'evaluate':
    settings += saved.read_text().splitlines()
  told = dict(s.replace("'", '').split(' = ') for s in settings if ' = ' in s)
  time.sleep(float(told.get('sleep', 0)))
  if told.get('fail') in (verb, *flags):
    sys.exit(f'It cannot {verb}.')
  if '--dry_run' in flags:
    return
  run = run_directory.RunDirectory(path, create=True)
  value = float(told.get('value', 1.)) + float(told.get('train.seed', 0))
  if verb == 'train':
    train(run, '\n'.join(settings), {
        1: value + 1., 2: value + 0.5} if 'early' in told else {})
  else:
    run.append_scores([row(4, 'frechet', value) | {
        'images': 'samples', 'prior': flags[1].split('=')[1]}])


def row(step, metric, value):
  return dict.fromkeys(run_directory.SCORE_COLUMNS, 'none') | {
      'step': step, 'metric': metric, 'value': value}


def train(run, settings, scores):
  with run.locked():
    if run.has_config and run.config_gin != settings:
      sys.exit('It was trained with other settings.')
    run.write_config(settings, {})
    run.append_scores([row(s, 'early', v) for s, v in scores.items()])
    with run.writing_checkpoint(4):
      pass


if __name__ == '__main__':
  main(*sys.argv[1:])
