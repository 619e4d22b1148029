"""What a run that is given away says of itself, as Markdown."""
import numpy as np

from pgak import version
from pgak.runs import gin_text

__all__ = ['text']


def text(run, config_gin, config, step, parts, name):
  """Returns a model card, written from the run.

  Args:
    run: `RunDirectory`.
    config_gin: its configuration as it is given away.
    config: the content of config.json as it is given away.
    step: int, the checkpoint.
    parts: `{part: {name: weights.Stored}}`.
    name: of the file that the card is in.
  """
  bound = gin_text.bindings_of(config_gin)
  data = config.get('data', {})
  lines = [
      f'# {bound.get("train.model", "A model").strip("@()")} of '
      f'{data.get("name", "unknown data")}', '',
      f'A generative model, trained with pgak '
      f'{config.get("versions", {}).get("pgak", version.__version__)}. Open it '
      'without running code of its own:', '',
      '```python', 'import pgak', f'model = pgak.load({name!r})',
      'examples = model.sample(16, seed=1)', '```', '', '## Training', '',
      f'- data: {data.get("name", "unknown")}, split '
      f'{data.get("split", "unknown")}, {data.get("examples", "?")} examples '
      f'of {data.get("kind", "images")}',
      f'- checkpoint: step {step} of {bound.get("train.steps", "?")}'
      f'{_polished(bound.get("polish.steps", "0"))}, '
      f'{_kind(parts)}; optimizers are not in it',
      f'- batch size {bound.get("train.batch_size", "64")}, seed '
      f'{config.get("seed", 0)}',
      f'- shape {bound.get("image_shape", "of the data")}, latents '
      f'{bound.get("latent_dim", "as in config.gin")}',
      f'- parameters: {_parameters(parts)}',
      f'- code of others: {", ".join(config.get("imports") or ["none"])}', '',
      '`config.gin` has every setting that was read.', '', '## Scores', '',
      *_scores(run, step), '', '## Limits', '',
      'The model makes what is like its training data, with their biases, and '
      'may repeat single examples of small data sets. A log-density is of '
      'latents, not of images. Nobody but its maker has checked it.', '']
  return '\n'.join(lines)


def _polished(steps):
  return '' if steps == '0' else f' and {steps} of polishing'


def _kind(parts):
  averaged = any(stored.averaged for variables in parts.values()
                 for stored in variables.values())
  return 'averaged weights (EMA)' if averaged else 'weights'


def _parameters(parts):
  return ', '.join(
      f'{part} {sum(int(np.prod(s.shape)) for s in variables.values()):,}'
      for part, variables in parts.items())


def _scores(run, step):
  rows = [row for row in run.scores() if row['step'] == str(step)]
  if not rows:
    return ['None were measured at this step.']
  shown = ('metric', 'value', 'images', 'prior', 'features', 'num_samples',
           'protocol')
  return [' | '.join(['', *shown, '']).strip(),
          '|' + '---|' * len(shown),
          *(' | '.join(['', *(row[c] for c in shown), '']).strip()
            for row in rows)]
