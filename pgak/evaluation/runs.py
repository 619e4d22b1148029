"""Measures the checkpoints of a run, or a model during its training."""
import dataclasses

from pgak import errors
from pgak import files
from pgak import priors
from pgak import settings
from pgak.evaluation import evaluator as evaluator_lib
from pgak.evaluation import protocols
from pgak.evaluation import tables
from pgak.priors import ex_post
from pgak.runs import checkpoints
from pgak.runs import configuration
from pgak.runs import data_set
from pgak.runs import not_measured
from pgak.runs import packs
from pgak.runs import run_directory
from pgak.runs import score_files

__all__ = ['evaluate', 'frechet_scorer']


@settings.register(denylist=['dataset'])
def frechet_scorer(dataset, protocol: protocols.Spec = 'quick',
                   latents: bool = True):
  """Makes the function that measures a model during its training.

  Args:
    dataset: a `data.Dataset`.
    protocol: as for `Evaluator`, made here, before training starts; of its
      priors only the model's own is measured, or, where the protocol takes a
      density that is fitted to latents in its place, a Gaussian.
    latents: whether to measure `latent_match`, too, if the model's own prior is
      N(0, I).

  Returns:
    Function of a model and its step to rows of scores.csv.
  """
  protocol = protocols.resolve(protocol)
  stands_for_own = {protocols.OWN_OR_GAUSSIAN, protocols.OWN_OR_MIXTURE}
  chosen = ('own' if stands_for_own.isdisjoint(protocol.priors)
            else protocols.OWN_OR_MIXTURE)
  trained_on = configuration.setting('train.split', 'train')
  evaluator = evaluator_lib.Evaluator(
      dataset, dataclasses.replace(protocol, priors=(chosen,)), trained_on)
  leave_out = _leaving_out({})

  def attach(model, prior):
    # Whichever density is meant: a Gaussian is fitted in no time.
    del prior
    model.prior = priors.Gaussian(model.latent_dim).fit(
        ex_post.encode(model, dataset.split(trained_on)))

  def score(model, step):
    own = model.prior
    try:
      return evaluator.rows(model, step, latents=latents, attach=attach,
                            leave_out=leave_out)
    finally:
      model.prior = own

  return score


def _leaving_out(left_out):
  """Returns the function that notes what is left out, and prints it once."""
  def leave_out(name, reason):
    if name not in left_out:
      print(f'{name} is left out: {reason}')
    left_out[name] = reason

  return leave_out


def _steps(run, checkpoint):
  """Returns the steps that `checkpoint` stands for."""
  # For `all`, too: it raises where there is no checkpoint.
  latest = run.resolve_checkpoint(
      'latest' if checkpoint == 'all' else checkpoint)
  return run.checkpoints() if checkpoint == 'all' else [latest]


def _changed(protocol, prior, metrics, features):
  """Returns the protocol with what was given in the place of its own."""
  protocol = protocols.resolve(protocol)
  if prior is not None:
    named = tuple(prior) if isinstance(prior, (list, tuple)) else (prior,)
    protocol = dataclasses.replace(protocol, priors=named)
  if metrics is not None:
    protocol = dataclasses.replace(protocol, metrics=tuple(metrics))
  if features is not None:
    protocol = dataclasses.replace(protocol, features=tuple(features))
  for name in protocol.priors:
    # Before anything is measured, which may take long.
    if name not in (protocols.OWN_OR_GAUSSIAN, protocols.OWN_OR_MIXTURE):
      priors.resolve(name)
  return protocol


def _attach(run, step, dataset):
  """Returns the function that gives a model of that step another prior."""
  return lambda model, prior: ex_post.attach(
      model, priors.resolve(prior), run, step, dataset)


def _check_densities(evaluator, model, run, step, left_out):
  """Raises UserError where a density cannot be fitted: now, not after hours."""
  chosen = [configuration.setting('density.source', 'means'),
            configuration.setting('density.max_latents')]
  for prior in evaluator.priors_of(model):
    if prior != 'own' and str(prior) not in left_out:
      ex_post.check(model, priors.resolve(prior), run, step, *chosen)


def _print_left_out(evaluator, model, latents, chosen):
  """Prints what of the protocol is left out for a model, and why.

  Returns:
    `{name: reason}`.

  Raises:
    errors.UserError: if densities were chosen that are fitted to latents, or
      no metric is left.
  """
  protocol = evaluator.protocol
  names = evaluator.left_out(model, latents)
  for prior in protocol.priors:
    if chosen and prior in names:
      model.require(f'the density {prior}, fitted to latents,', 'encode')
  if protocol.metrics and set(protocol.metrics) <= set(names):
    name = protocol.metrics[0]
    needs = next(m.needs for m in evaluator.metrics if m.name == name)
    model.require(f'the metric {name}', *needs)
  if evaluator.is_fitted(model):
    print(f'{model.name} is not trained towards its prior: samples are of a '
          'mixture of Gaussians fitted to its latents; --prior=own takes '
          'N(0, I).')
  for reason in dict.fromkeys(names.values()):
    left = [str(n) for n, r in names.items() if r == reason]
    print(f'{reason}: {", ".join(left)} are left out.')
  return {str(name): reason for name, reason in names.items()}


@settings.configurable(denylist=['run_dir'])
def evaluate(run_dir: settings.Path, checkpoint: settings.Checkpoint = 'latest',
             protocol: protocols.Spec = 'quick',
             prior: priors.Spec | tuple[priors.Spec, ...] | None = None,
             metrics: tuple[str, ...] | None = None, latents: bool = False,
             features: tuple[str, ...] | None = None,
             output: settings.Path | None = None):
  """Measures checkpoints of a run and appends the scores to its `scores.csv`.

  Gin's configuration must be the run's, with what is to be changed (see
  `configuration.parse_run`).

  Args:
    run_dir: path of the run directory; nothing else is needed. Or of a packed
      run, which is not written to.
    checkpoint: 'latest', 'best', 'all' or a step.
    protocol: a name out of `protocols.names()`, a `Protocol`, or a function
      that returns one.
    prior: instead of the protocol's: 'own' for the model's, the name or class
      of another one, or a list of those; one that can be fitted is fitted to
      the latents of the training images, unless the run has it already.
    metrics: instead of the protocol's: names out of `metric.names()`.
    latents: whether to measure `latent_match`, too, if the model's own prior is
      N(0, I).
    features: instead of the protocol's, as `Protocol.features`.
    output: path of another .csv for the scores; None for the run's, or none of
      a packed run. Pictures and curves are kept in a run directory alone.

  Returns:
    List of `scores.Score`, for each checkpoint.

  Raises:
    UserError: if the run, the checkpoint, the data set, the prior or the
      features are not available, or if the scores cannot be kept, which are
      printed then.
  """
  run = run_directory.RunDirectory(packs.folder(run_dir))
  kept = _scores_file(run, run_dir, output)
  steps = _steps(run, checkpoint)
  protocol = _changed(protocol, prior, metrics, features)
  dataset = data_set.configured()
  record = _recorder(run if kept == run.scores_file else None, protocol,
                     prior=prior, metrics=metrics, features=features)
  try:
    evaluator = evaluator_lib.Evaluator(dataset, protocol,
                                        run.config['data']['split'])
  except errors.UnavailableError as e:
    record({', '.join(map(str, protocol.metrics)): str(e)})
    raise
  rows, too_few = [], {}
  for step in steps:
    model = checkpoints.load_configured(run, step)
    # What a model can do is the same at each step.
    if step == steps[0]:
      left_out = _print_left_out(evaluator, model, latents, prior is not None)
      record(left_out)
      _check_densities(evaluator, model, run, step, left_out)
    measured = evaluator.rows(model, step, latents=latents,
                              attach=_attach(run, step, dataset),
                              folder=run.path if kept == run.scores_file
                              and run.is_writable else None,
                              # What was asked for by name is an error.
                              leave_out=_leaving_out(too_few)
                              if metrics is None else None)
    record(left_out | too_few)
    if too_few and not measured:
      raise errors.UserError(next(iter(too_few.values())))
    # After each checkpoint, so that an interrupted command loses one at the
    # most.
    if kept:
      _keep(kept, measured)
    rows += measured
  return rows


def _scores_file(run, run_dir, output):
  """Returns the path of the scores, or None for nowhere."""
  if output is not None and not str(output).endswith('.csv'):
    raise errors.UserError(f'{output} must end with .csv: the scores.')
  # What a packed run was unpacked to goes when the process ends.
  is_packed = files.local(run_dir).is_file()
  path = (files.local(output) if output is not None
          else None if is_packed else run.scores_file)
  if path:
    score_files.read(path)  # A damaged file is an error now, not after hours.
  return path


def _recorder(run, protocol, **chosen):
  """Returns the function that records what is left out, for the report.

  Args:
    run: `RunDirectory`, or None to record nothing.
    protocol: `Protocol`.
    **chosen: what was given in the place of the protocol's, or None.
  """
  def said(value):
    if isinstance(value, (list, tuple)):
      return ','.join(map(said, value))
    return getattr(value, '__name__', str(value))

  flags = [f'--{name}={said(value)}' for name, value in chosen.items()
           if value is not None]
  asked = [str(name) for names in (protocol.metrics, protocol.priors,
                                   protocol.images) for name in names]
  tried = {*asked, ', '.join(map(str, protocol.metrics))}

  def record(left_out):
    if run:
      not_measured.record(run, protocol.name, left_out, tried, flags)

  return record


def _keep(path, rows):
  """Appends scores to a file, or prints them where that cannot be."""
  try:
    score_files.append(path, rows)
  except OSError as e:
    # They may have taken hours: they go to the screen before the error.
    print(tables.format_table(rows))
    raise errors.UserError(
        f'The scores above cannot be kept in {path} ({errors.reason(e)}): '
        'make its folder writable, or give another --output.') from e
