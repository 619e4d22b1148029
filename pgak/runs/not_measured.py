"""What evaluations of a run left out, and why, for its report.

```
not_measured.json   {protocol: {what: {'reason': sentence, 'flags': [...]}}}
```

The flags are those that the command had beside --run_dir and --protocol.
"""
import json

from pgak import files

__all__ = ['FILE', 'read', 'record']

FILE = 'not_measured.json'


def record(run, protocol, left_out, tried, flags=()):
  """Replaces what is known of a protocol, for what was tried.

  Args:
    run: `RunDirectory`; one that cannot be written to stays as it is.
    protocol: string.
    left_out: `{name of a metric, of a kind of examples or of a prior: why}`.
    tried: names of all that was asked for.
    flags: strings.
  """
  if not run.is_writable:
    return
  # Read and replaced under one lock, or one of two evaluations loses its own.
  with files.locked(run.path / '.not_measured.lock', '', wait=True):
    _record(run.path, protocol, left_out, tried, flags)


def _record(path, protocol, left_out, tried, flags):
  known = read(path)
  kept = {what: said for what, said in known.get(protocol, {}).items()
          if what not in tried}
  kept |= {what: {'reason': reason, 'flags': list(flags)}
           for what, reason in left_out.items()}
  new = {**known, protocol: kept}
  if kept != known.get(protocol, {}):
    files.write_text(path / FILE, json.dumps(
        new, indent=1, sort_keys=True) + '\n')


def read(path):
  """Returns the content of a run's file; empty if absent or damaged.

  Args:
    path: `pathlib.Path` of the run.
  """
  try:
    found = files.load_json(path / FILE)
    return {str(protocol): {
        str(what): {'reason': str(said['reason']),
                    'flags': [str(flag) for flag in said['flags']]}
        for what, said in items.items()} for protocol, items in found.items()}
  except (AttributeError, KeyError, OSError, TypeError, ValueError):
    return {}
