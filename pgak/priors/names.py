"""Priors by their names, as the flag --prior of the commands gives them."""
import copy
import dataclasses
from typing import Annotated

import gin

from pgak import capabilities
from pgak import errors
from pgak.priors.bayesian_gaussian_mixture import BayesianGaussianMixture
from pgak.priors.flow_matching import FlowMatching
from pgak.priors.gaussian import Gaussian
from pgak.priors.gaussian_mixture import GaussianMixture
from pgak.priors.gradient_mixture import GradientMixture
from pgak.priors.kernel_density import KernelDensity
from pgak.priors.real_nvp import RealNVP
from pgak.priors.resampled import Resampled
from pgak.priors.standard_normal import StandardNormal
from pgak.priors.two_stage import TwoStageVAE

__all__ = ['NAMES', 'Choice', 'Spec', 'prior_class', 'prior_roots', 'resolve']

NAMES = {prior.name: prior for prior in (
    StandardNormal, Gaussian, GaussianMixture, BayesianGaussianMixture,
    GradientMixture, KernelDensity, RealNVP, TwoStageVAE, FlowMatching,
    Resampled)}


class _Prior:
  """A name, or what has a prior's method `sample`."""

  def holds(self, value):
    return isinstance(value, str) or hasattr(value, 'sample')

  def text(self, base):
    del base
    return "'own', or a prior's name in quotes or class, such as 'gmm'"


Spec = Annotated[object, _Prior()]


@dataclasses.dataclass(frozen=True)
class Choice:
  """A prior that was chosen: a factory, since there may be no model yet.

  Args:
    chosen: a prior or its class; None for the model's own.
  """

  chosen: object = None

  @property
  def is_own(self):
    """Whether the model keeps the prior that it has."""
    return self.chosen is None

  def __call__(self, model):
    """Returns the prior of a model, made for its latents where need be.

    Of a prior that is to be fitted it is another one with the same settings in
    each call, so that the fit to one model's latents is not taken for the next.

    Raises:
      errors.UserError: if the prior is learned with a model.
    """
    if self.is_own:
      return model.prior
    if not isinstance(self.chosen, type):
      return _unfitted(self.chosen)
    # By gin, so that bindings of the class count.
    made = _configured(self.chosen)(model.latent_dim)
    if getattr(made, 'trainable_variables', None) and not _can_fit(made):
      raise errors.UserError(
          f'{self.chosen.__name__} is trained with a model, and a new one has '
          'learned nothing: --prior=own takes that of the model.')
    return made


def _can_fit(prior):
  return 'fit' in capabilities.of_prior(prior)


def _unfitted(prior):
  """Returns the prior itself if it is fitted, or never is; else a new one."""
  if not _can_fit(prior) or prior.is_fitted:
    return prior
  if hasattr(type(prior), 'from_config'):
    return type(prior).from_config(prior.get_config())
  return copy.copy(prior)  # One of a user's own.


def _configured(prior):
  try:
    return gin.get_configurable(prior)
  except ValueError:  # A class that is not registered has no settings.
    return prior


def resolve(prior):
  """Turns a prior as a user gives it into a factory.

  Args:
    prior: 'own' for the model's; a name out of `NAMES`, or of a class that gin
      knows; a prior, or its class; or a `Choice`, which is returned as it is.

  Returns:
    A `Choice`: a function of a model to its prior.

  Raises:
    errors.UserError: if no prior has that name.
  """
  if isinstance(prior, Choice):
    return prior
  found = prior_class(prior)
  return Choice(None if isinstance(found, str) else found)


def prior_class(prior):
  """Returns the class of a prior given by name; anything else as it is.

  Args:
    prior: a name out of `NAMES`, the name of a class that gin knows, or 'own';
      or a prior or its class, which is returned as it is.

  Raises:
    errors.UserError: if no prior has that name.
  """
  # 'own' stays text: only the model knows its prior.
  if not isinstance(prior, str) or prior == 'own':
    return prior
  found = NAMES.get(prior)
  if found is None:
    try:
      found = gin.get_configurable(prior)
    except ValueError:
      pass
  if not hasattr(found, 'sample'):
    raise errors.UserError(
        f'There is no prior {prior!r}: choose one of own, {", ".join(NAMES)}, '
        'or the name of a class of your own'
        f'{errors.similar(prior, ["own", *NAMES]) or "."}')
  return found


def prior_roots(prior):
  """Returns the gin names that a command with this prior reads.

  Args:
    prior: as for `prior_class`; what is no prior has no names of its own.

  Returns:
    List of names of functions and classes, for `configuration.parse_run`.
  """
  found = NAMES.get(prior, prior) if isinstance(prior, str) else prior
  if isinstance(found, type):
    return ['density', found.__name__]
  # A class of one's own may be given with its module.
  own = isinstance(found, str) and found != 'own'
  return ['density', *([found.split('.')[-1]] if own else [])]
