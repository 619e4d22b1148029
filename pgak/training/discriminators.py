"""Whether a discriminator is at chance, or has won, by its loss and outputs.

#### References

[1]: Ian Goodfellow, Jean Pouget-Abadie, Mehdi Mirza, Bing Xu, David
     Warde-Farley, Sherjil Ozair, Aaron Courville, Yoshua Bengio. Generative
     Adversarial Nets. NIPS, 2014.
[2]: Martin Arjovsky, Soumith Chintala, Leon Bottou. Wasserstein Generative
     Adversarial Networks. ICML, 2017.
"""
import numpy as np

__all__ = ['accuracy', 'loss_at_chance', 'means_apart', 'numbers', 'warning']

# It is at chance from this share of its loss at chance, and has won from this
# accuracy.
NEAR_CHANCE, WON = 0.95, 0.99
# A critic is at chance if its means are fewer standard deviations apart; of 500
# examples each, their difference has a standard error of 0.063.
APART = 0.1


def accuracy(positive, negative):
  """Mean of the shares of both sets that the sign of an output classifies well.

  Args:
    positive: float array, outputs for what is to have a positive one.
    negative: float array, for what is to have a negative one.

  Returns:
    float in [0, 1]; 0.5 is chance, [1, prop. 1].
  """
  return 0.5 * float(np.mean(np.asarray(positive) > 0.)
                     + np.mean(np.asarray(negative) < 0.))


def loss_at_chance(loss):
  """The least loss of a discriminator whose output is the same for all inputs.

  The loss of a constant c is convex and even in c, so it is that of 0:
  `log 2 + log 2` of the logistic loss, [1, thm. 1]; `1 + 1` of the hinge loss.

  Args:
    loss: function of the outputs for both sets, such as
      `losses.discrimination`.

  Returns:
    float.
  """
  return float(np.mean(loss(np.zeros(1), np.zeros(1))))


def means_apart(positive, negative):
  """Difference of the mean outputs for two sets in their standard deviation.

  `(mean p - mean n) / sqrt((var p + var n) / 2)`. The numerator estimates a
  Wasserstein distance, [2, eq. 3], up to the scale of the critic, by which it
  is divided.

  Args:
    positive: float array.
    negative: float array.

  Returns:
    float; 0 is chance.
  """
  apart = float(np.mean(positive)) - float(np.mean(negative))
  sigma = float(np.sqrt(0.5 * (np.var(positive) + np.var(negative))))
  # Of two constants the standard deviation is 0; the result stays finite.
  return apart / max(sigma, 1e-12)


def numbers(judged, loss):
  """Returns `{name: float}` of a discriminator's outputs for two sets.

  Args:
    judged: `(positive, negative)`, float arrays.
    loss: as for `loss_at_chance`; None for a Wasserstein critic, whose loss at
      chance is 0 on any scale.
  """
  if loss is None:
    return {'critic_means_apart': means_apart(*judged)}
  positive, negative = (np.asarray(outputs, np.float32) for outputs in judged)
  return {'discriminator_accuracy': accuracy(positive, negative),
          'discriminator_loss': float(np.mean(loss(positive, negative))),
          'discriminator_loss_at_chance': loss_at_chance(loss)}


def warning(measured, is_matched):
  """Returns a sentence with the number that decided it, or ''.

  Args:
    measured: what `numbers` gives.
    is_matched: whether the two sets are known to be alike, so that chance is
      what training aims at.
  """
  if 'critic_means_apart' in measured:
    apart = measured['critic_means_apart']
    return '' if apart >= APART or is_matched else _at_chance(
        'critic', f'the means of its outputs for both sets are {apart:.2g} '
        'standard deviations apart (0 is guessing)')
  share, value, chance = (measured[f'discriminator_{name}'] for name in (
      'accuracy', 'loss', 'loss_at_chance'))
  is_near = value >= NEAR_CHANCE * chance
  if share >= WON and not is_near:
    return ('The discriminator wins outright: its accuracy is '
            f'{share:.3g}, and little gradient is left for its opponent; lower '
            'its learning rate or its size, or regularise it.')
  # With outputs near 0 the loss is that of chance, whatever their signs.
  if not is_near or is_matched or share >= WON:
    return ''
  return _at_chance('discriminator', f'its loss is {value:.3g}, and guessing '
                    f'has {chance:.3g} (accuracy {share:.3g})')


def _at_chance(name, number):
  return (f'The {name} is at chance: {number}, so it gives no direction unless '
          'both sets are really alike; raise its learning rate, its size or '
          'its number of steps.')
