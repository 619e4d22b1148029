"""Capabilities of models, priors and kinds of data, and what is lacking.

`can` is a set of names; `needs` is a tuple of those that a metric, a signature,
a drawing or a verb requires:

  models: encode, sample (all of them do), condition
  priors: log_density, base (it is a flow of N(0, I)), fit, condition (it
    samples given labels or attributes), standard_normal (it is N(0, I))
  kinds of data: pixels, condition

If a protocol or a default needs what is lacking, that part is left out and the
reason is printed. If a user named it, the same reason is an error.
"""
import re

from pgak import errors

__all__ = ['NAMES', 'is_unmatched', 'label_of', 'lacks', 'name_of', 'of_prior',
           'require']

# Name -> the reason why it is lacking, and the way out.
_REASONS = {
    'encode': ('{model} has no encoder',
               'leave that out, or take a model with an encoder'),
    'condition': ('{model} is given nothing to make images of',
                  'take a model of pairs, such as models/vunet.gin, or, for '
                  'labels and attributes, a density fitted to latents with '
                  'these, --prior=flow_matching'),
    'log_density': ('{prior} has no density that can be computed',
                    'choose another with --prior, such as real_nvp or gmm'),
    'base': ('{prior} has no z_0 to map latents to',
             'take --space=zT, or a prior that is a flow, such as '
             '--prior=real_nvp'),
    'standard_normal': ('{prior} is not N(0, I)',
                        'leave that out, or take a model of that prior, such '
                        'as models/vae.gin'),
    'fit': ('{prior} is not fitted to latents', 'choose another with --prior'),
    'pixels': ('{data} are no images', 'leave that out'),
}
NAMES = tuple(_REASONS)

# Method -> capability, for priors without `can`, as those of version 0.4.
_METHODS = {'log_prob': 'log_density', 'latent_to_base': 'base', 'fit': 'fit'}


def of_prior(prior):
  """Returns the capabilities of a prior, or of a class of priors, a set."""
  stated = getattr(prior, 'can', None)
  if stated is not None:
    return frozenset(stated)
  found = {name for method, name in _METHODS.items() if hasattr(prior, method)}
  # By its name. `RoundTrips` has the name of the prior that it wraps, but has
  # an attribute `can`.
  if getattr(prior, 'name', None) == 'standard_normal':
    found.add('standard_normal')
  return frozenset(found)


def label_of(prior):
  """Returns what scores and sentences call a prior: its label, or its name."""
  # A prior of one's own may have either alone.
  return prior.label if hasattr(prior, 'label') else prior.name


def name_of(prior):
  """Returns what a prior is called whatever its settings are: its name."""
  return prior.name if hasattr(prior, 'name') else prior.label


def is_unmatched(model):
  """Whether nothing trains a model's latents and its N(0, I) to match.

  So it is with AE and RAE: their decoders never saw samples of N(0, I), and new
  images are sampled from a density of their latents.

  Args:
    model: `GenerativeModel`.
  """
  return (name_of(model.prior) == 'standard_normal'
          and not model.matches_prior and not model.learns_prior
          and not model.lacks('encode') and 'condition' not in model.kind.can)


def lacks(needs, can, model='the model', prior='the prior', data='the data'):
  """Returns the reason why a capability in `needs` is lacking, or ''.

  Args:
    needs: names out of those above.
    can: set of names, of all that takes part.
    model: string, the model's name in the reason.
    prior: the same of the prior.
    data: the same of the data, in the plural.
  """
  # The first alone is named: one sentence has one remedy.
  missing = [name for name in needs if name not in can]
  if not missing:
    return ''
  return _REASONS[missing[0]][0].format(model=model, prior=prior, data=data)


def require(what, needs, can, **names):
  """Raises UserError if a capability that a user's request needs is lacking.

  Args:
    what: string, the request that the user named.
    needs: as for `lacks`.
    can: as there.
    **names: as there.

  Raises:
    NoEncoderError: where the model would have to encode; or
    UserError: where anything else is lacking.
  """
  reason = lacks(needs, can, **names)
  if reason:
    missing = next(name for name in needs if name not in can)
    error = errors.NoEncoderError if missing == 'encode' else errors.UserError
    # A model's own name begins as it is written.
    reason = re.sub('^the', 'The', reason)
    raise error(f'{reason}, which {what} needs: {_REASONS[missing][1]}.')
