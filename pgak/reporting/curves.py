"""Curves over steps: a run's TensorBoard events, and its scores."""
import numpy as np

__all__ = ['read_events', 'read_precision_recall', 'read_vectors']

STREAMS = ('train', 'validation', 'scores', 'diagnostics')
# How training names what is a vector at each step.
_VALUES = '/values'


def read_events(run):
  """Reads the scalars of a run's event files.

  Args:
    run: `runs.Run`; what cannot be read is added to its `problems`.

  Returns:
    `{(stream, name): (steps, values)}`, arrays sorted by step; of two points of
    one step the later written counts.
  """
  found = {}
  for stream in STREAMS:
    folder = run.path / 'events' / stream
    try:
      if folder.is_dir():
        points = _scalars(folder)
        found.update({(stream, name): p for name, p in points.items()})
        if not points:  # The reader stops at a broken record, and is silent.
          run.problems.append(f'events/{stream} holds no point that can be '
                              'read.')
    # Whatever a damaged file makes TensorBoard's reader raise.
    except Exception as e:
      run.problems.append(
          f'events/{stream} is damaged ({" ".join(str(e).split())[:200]}).')
  if not found:
    run.problems.append('It has no training curves in events/.')
  return found


def read_vectors(run):
  """Reads the newest vectors among a run's diagnostics.

  Args:
    run: `runs.Run`; what cannot be read, `read_events` names.

  Returns:
    `{name: (step, float [H])}`.
  """
  folder = run.path / 'events' / 'diagnostics'
  try:
    events = _accumulated(folder) if folder.is_dir() else None
    return {} if events is None else {
        name.removesuffix(_VALUES): _last(events.Tensors(name))
        for name in events.Tags()['tensors'] if name.endswith(_VALUES)}
  # Whatever a damaged file makes TensorBoard's reader raise.
  except Exception:
    return {}


def _last(points):
  from tensorboard.util import tensor_util
  # The later written of one step: files come by name, and not always by time.
  point = max(points, key=lambda p: (p.step, p.wall_time))
  return point.step, tensor_util.make_ndarray(point.tensor_proto)


def _scalars(folder):
  # Imported here: it takes TensorFlow with it.
  from tensorboard.util import tensor_util
  events = _accumulated(folder)
  found = {}
  for name in events.Tags()['tensors']:
    if events.SummaryMetadata(name).plugin_data.plugin_name == 'scalars':
      points = {e.step: float(tensor_util.make_ndarray(e.tensor_proto))
                for e in sorted(events.Tensors(name),
                                key=lambda e: e.wall_time)}
      steps = np.array(sorted(points))
      found[name] = (steps, np.array([points[s] for s in steps]))
  return found


def _accumulated(folder):
  from tensorboard.backend.event_processing import event_accumulator
  events = event_accumulator.EventAccumulator(str(folder), {
      event_accumulator.TENSORS: 0, event_accumulator.SCALARS: 0,
      event_accumulator.IMAGES: 1})
  events.Reload()
  return events


def read_precision_recall(run):
  """Reads the precision and recall curves that evaluations saved.

  Args:
    run: `runs.Run`; what cannot be read is added to its `problems`.

  Returns:
    `{name: (recall, precision)}`, arrays of one length.
  """
  found = {}
  for name, file in run.curve_files.items():
    try:
      with np.load(file) as arrays:
        recall, precision = arrays['recall'], arrays['precision']
      if recall.ndim != 1 or recall.shape != precision.shape:
        raise ValueError('its arrays are no curve')
      found[name] = (recall, precision)
    # A file that is no .npz raises one of a dozen errors.
    except Exception as e:
      run.problems.append(f'prd/{file.name} is damaged '
                          f'({" ".join(str(e).split())[:200]}).')
  return found
