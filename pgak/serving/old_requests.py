"""Requests to exports of signatures version 1, such as those of version 0.4.

There the seed, the number of draws and the steps of a line are scalars: a
request makes `count` images of one seed, or whole lines.
"""
import numpy as np

from pgak import counts

__all__ = ['bounds', 'interpolate', 'sample_latents']


def bounds(metadata, signature):
  """Returns the bounds of a signature, `{name: [least, most]}`.

  Version 0.4 wrote down `max_count` alone, of which these follow; its graphs
  have no others.

  Args:
    metadata: what `metadata.json` holds.
    signature: string.
  """
  described = metadata.get('signatures', {}).get(signature, {})
  most = metadata['max_count']
  old = {'interpolate': {'steps': [2, most], 'batch * steps': [0, most]},
         'sample_latents': {'count': [0, 100 * most]}}
  return described.get('bounds', old.get(signature, {}))


def sample_latents(call, metadata, n, seed):
  """Returns draws `[n, H]`: the first of all those that the seed gives.

  Args:
    call: function of a signature and its inputs.
    metadata: what `metadata.json` holds.
    n: int.
    seed: int.

  Raises:
    errors.UserError: if n is out of the signature's bounds.
  """
  counts.whole(n, 'count', *bounds(metadata, 'sample_latents')['count'])
  return call('sample_latents', seed=np.int64(seed), count=np.int32(n))


def interpolate(call, metadata, start, end, steps):
  """Returns lines `[B, steps, ...]` between pairs of examples.

  Args:
    call: as for `sample_latents`.
    metadata: as there.
    start: `[B, ...]`.
    end: the same.
    steps: int.

  Raises:
    errors.UserError: if the steps are out of the signature's bounds.
  """
  allowed = bounds(metadata, 'interpolate')
  steps = int(counts.whole(steps, 'steps', *allowed['steps']))
  size = allowed['batch * steps'][1] // steps
  return np.concatenate([
      call('interpolate', steps=np.int32(steps), start=start[i:i + size],
           end=end[i:i + size])
      for i in range(0, max(len(start), 1), size)])
