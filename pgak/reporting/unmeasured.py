"""What runs were not measured for, why, and the commands that would do it."""
import re
import shlex

from pgak import errors
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib
from pgak.runs import not_measured
from pgak.runs import run_directory

__all__ = ['block', 'left_out', 'measured_commands', 'prior_flags']

_PROTOCOL = runs_lib.CHOICES.index('protocol')
# What measures a run by default, by the kind of its data.
_BY_KIND = {'vectors': 'vectors', 'pairs': 'learned_priors_pairs'}
# Labels of what a model was trained with; others are a user's own density.
_OWN = re.compile('standard_normal|uniform_sphere|latent_generator|learned_.*')
# Labels of what the protocols rae_... draw from by themselves, beside these.
_OF_RAE = ('gaussian', 'gmm_10')
# What a label says of a density: the pattern that it begins with, and what to
# bind.
_LABELLED = (
    (r'gmm_(\d+)', 'GaussianMixture.num_components = {}'),
    (r'gmm_\d+_diagonal', "GaussianMixture.covariance = 'diagonal'"),
    (r'bayesian_gmm_(\d+)', 'BayesianGaussianMixture.num_components = {}'),
    (r'bayesian_gmm_\d+_diagonal',
     "BayesianGaussianMixture.covariance = 'diagonal'"),
    (r'gmm_gradient_(\d+)', 'GradientMixture.num_components = {}'),
    (r'gmm_gradient_\d+_diagonal', "GradientMixture.covariance = 'diagonal'"),
    (r'kde_scott', "KernelDensity.bandwidth = 'scott'"),
    (r'kde_([\d.e-]+)', 'KernelDensity.bandwidth = {}'),
    (r'flow_matching_noise_([\d.e-]+)', 'FlowMatching.noise = {}'),
    (r'flow_matching(?!_noise|.*_of_samples)', 'FlowMatching.noise = 0'),
    (r'flow_matching.*_heun_(\d+)', 'FlowMatching.sampling_steps = {}'),
    (r'flow_matching.*_guidance_([\d.e+-]+)', 'FlowMatching.guidance = {}'),
    (r'.*_of_samples', "density.source = 'samples'"),
    (r'.*_of_(\d+)_latents', 'density.max_latents = {}'),
    (r'.*_round_trips_(\d+)', 'density.round_trips = {}'),
)


def block(cells):
  """Returns a table of what is not measured, or None if all of it is.

  A run is to be measured at its newest checkpoint, or its best one, by each
  protocol that a run on the same data set was measured by, and with each
  density that was fitted there to another model's latents and can be to its.

  Args:
    cells: list of `runs.Cell`.
  """
  rows = [[f'{cell.label}, seed {run.seed}', what, command]
          for _, members in runs_lib.by_dataset(cells)
          for wanted in [_wanted(members)]
          for cell in members for run in cell.runs
          if run.bindings and run.last_step
          for what, command in _missing(run, wanted)]
  return pages.Table('What was not measured, and the command that would do it',
                     ['run', 'not measured', 'command'], rows, (1, 2)
                     ) if rows else None


def left_out(cells):
  """Returns a table of what evaluations left out, and why, or None.

  Such as what needs an encoder of a model that has none, labels, or weights
  that were not there.

  Args:
    cells: list of `runs.Cell`.
  """
  rows = [[f'{cell.label}, seed {run.seed}', f'{protocol}: {what}',
           said['reason'].rstrip('.'), _command(run, protocol) + ''.join(
               f' {shlex.quote(flag)}' for flag in said['flags'])]
          for cell in cells for run in cell.runs
          for protocol, items in not_measured.read(run.path).items()
          for what, said in items.items()]
  return pages.Table(
      'What evaluations left out, why, and the command that measures it once '
      'that is there', ['run', 'left out', 'why', 'command'], rows, (1, 2, 3)
      ) if rows else None


def measured_commands(run):
  """Returns the commands that made a run's scores of samples."""
  measured = dict.fromkeys(
      (s.choices[_PROTOCOL], s.column.prior, s.step) for s in run.scores
      if s.column.images == 'samples')
  return list(dict.fromkeys(
      _command(run, protocol, prior, f' --checkpoint={step}')
      for protocol, prior, step in measured))


def _command(run, protocol, prior=None, checkpoint=''):
  run_dir = shlex.quote(f'--run_dir={run.path}')
  return (f'pgak_evaluate {run_dir}{run.import_flags}{checkpoint} --protocol='
          f'{shlex.quote(protocol)}{prior_flags(protocol, prior)}')


def prior_flags(protocol, prior):
  """Returns the flags that make an evaluation draw from a density.

  Args:
    protocol: string; some take several densities in turn by themselves.
    prior: string, the density's label in scores.csv; None for what the protocol
      takes by itself.
  """
  if prior is None:
    return ''
  label, trips, _ = prior.partition('_round_trips_')
  is_usual = prior in _OF_RAE or (_OWN.fullmatch(label) and not trips)
  if is_usual and protocol.startswith('rae_'):
    return ''
  # 'own', too: a protocol's own choice may be a mixture, where latents match no
  # prior.
  fitted = runs_lib.FITTED.fullmatch(label)
  name = (fitted['name'] if fitted else 'own' if _OWN.fullmatch(label)
          else shlex.quote(label))
  bindings = [binding.format(*found.groups())
              for pattern, binding in _LABELLED
              if (found := re.match(pattern, prior))]
  return f' --prior={name}' + ''.join(
      f' --gin_param={shlex.quote(binding)}' for binding in bindings)


def _wanted(cells):
  """Returns `{protocol: fitted densities}` of a data set's scores."""
  found = {}
  for cell in cells:
    for run in cell.runs:
      for score in run.scores:
        fitted = found.setdefault(score.choices[_PROTOCOL], {})
        if runs_lib.FITTED.fullmatch(prior := _drawn_from(score)):
          fitted[prior] = None
  return found


def _drawn_from(score):
  """Returns the label of what a score's examples are drawn from, or 'none'."""
  # A log-likelihood is that of data, under the density before round trips.
  if score.column.images == 'data':
    return 'none'
  label, trips, number = score.column.prior.partition('_round_trips_')
  # Each model calls its own otherwise.
  return (f'own{trips}{number}' if trips and _OWN.fullmatch(label)
          else score.column.prior)


def _missing(run, wanted):
  """Yields `(what is not measured, command)` of a run."""
  done = {}
  for score in run.scores:
    done.setdefault(score.choices[_PROTOCOL], []).append(score)
  for protocol in wanted or [_BY_KIND.get(run.holds, 'quick')]:
    scores = done.get(protocol)
    if not scores:
      yield f'{protocol}', _command(run, protocol)
      continue
    newest = max(score.step for score in scores)
    checkpoint = ''
    if newest < run.last_step and newest == _best_step(run):
      checkpoint = ' --checkpoint=best'
    elif newest < run.last_step:
      yield (f'{protocol} at step {run.last_step}; the scores are of step '
             f'{newest}', _command(run, protocol))
    known = {_drawn_from(s) for s in scores if s.step == newest}
    for prior in wanted[protocol]:
      # No flags name what the protocol draws from by itself.
      if prior not in known and prior_flags(protocol, prior) and (
          _can_have(run, prior)):
        yield (f'{protocol} with {prior}',
               _command(run, protocol, prior, checkpoint))


def _best_step(run):
  try:
    return run_directory.RunDirectory(run.path).resolve_checkpoint('best')
  except (errors.UserError, KeyError, OSError, TypeError, ValueError):
    return None  # None was kept, or what names it is damaged.


def _can_have(run, prior):
  """Whether a density can be fitted to the latents of a run's model."""
  # Without an encoder there are samples and no reconstructions.
  if 'samples' in run.pictures and 'reconstructions' not in run.pictures:
    return False
  return '_of_samples' not in prior or any(
      name.endswith('encoder.log_variance') and value == 'True'
      for name, value in run.bindings.items())
