"""A run as one file to give away, and such a file opened, whoever made it.

```
me.zip
  config.gin  config.json            as in the run; paths reduced to names
  checkpoints/step-00001000/weights.npz   the averages where it keeps some
  densities/  scores.csv  MODEL_CARD.md   what there is of them
```

What is in a zip is untrusted: only these names are taken, no member may be a
link or larger than it says, nothing is unpickled, and the configuration is
parsed as that of any run, whose code is not called.
"""
import atexit
import json
import pathlib
import re
import shutil
import stat
import tempfile
import zipfile
import zlib

from pgak import errors
from pgak import files
from pgak.runs import model_card
from pgak.runs import plain_paths
from pgak.runs import weights

__all__ = ['folder', 'pack']

_NAMES = re.compile(
    r'config\.gin|config\.json|scores\.csv|MODEL_CARD\.md'
    r'|checkpoints/step-\d{1,18}/weights\.npz|densities/\w[\w.-]*\.npz')
_NEEDED = ('config.gin', 'config.json')
# Bounds on what a zip may claim.
MAX_MEMBERS = 1000
MAX_BYTES = 1 << 34
_DAMAGED = (EOFError, NotImplementedError, OSError, RuntimeError, ValueError,
            zipfile.BadZipFile, zlib.error)
# What has been opened: path and time of change -> folder.
_opened: dict = {}


def pack(run, output, checkpoint='latest', overwrite=False):
  """Writes a run with one checkpoint as a zip.

  Optimizers stay behind; where they average weights, the averages are packed.
  None of the run's code is called.

  Args:
    run: `RunDirectory`.
    output: path of the zip.
    checkpoint: 'latest', 'best' or a step.
    overwrite: whether a file that is there is replaced.

  Returns:
    int, the step of the checkpoint.

  Raises:
    errors.UserError: if there is no such checkpoint, or the zip cannot be
      written.
  """
  path = files.local(output)
  if path.suffix != '.zip' or path.is_dir():
    raise errors.UserError(f'{output} must be a file that ends with .zip.')
  if path.exists() and not overwrite:
    raise errors.UserError(f'{output} exists: give --overwrite, choose another '
                           '--output, or move it away.')
  step = run.resolve_checkpoint(checkpoint)
  parts = weights.read(run, step)
  config_gin = plain_paths.bindings(run.config_gin)
  config = _config(run, config_gin)
  scores = run.path / 'scores.csv'
  try:
    with files.replacing(path) as part, zipfile.ZipFile(
        part, 'w', zipfile.ZIP_DEFLATED) as archive:
      archive.writestr('config.gin', config_gin)
      archive.writestr('config.json', json.dumps(config, indent=2))
      archive.writestr('MODEL_CARD.md', model_card.text(
          run, config_gin, config, step, parts, path.name))
      if scores.is_file():
        archive.write(scores, 'scores.csv')
      for density in _densities(run, step):
        if _NAMES.fullmatch(f'densities/{density.name}'):
          archive.write(density, f'densities/{density.name}')
      with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        packed = pathlib.Path(scratch, 'weights.npz')
        weights.write(packed, parts)
        archive.write(packed, f'checkpoints/step-{step:08d}/weights.npz',
                      zipfile.ZIP_STORED)
  except OSError as e:
    raise errors.UserError(
        f'{output} cannot be written ({e.strerror}): choose another --output.'
    ) from e
  return step


def _densities(run, step):
  """Returns the files of the densities that fit the latents of a step."""
  # Polishing leaves the latents as they are: its density is of the step at
  # which it began.
  begun = min(step, run.config.get('steps', step))
  found = {}
  for fitted in (begun, step):
    for path in sorted((run.path / 'densities').glob(f'*-step{fitted}-*')):
      label, _, digest = path.name.rsplit('-', 2)
      found[label, digest] = path  # Of both steps it is the same.
  return list(found.values())


def _config(run, config_gin):
  """Returns the content of config.json, without what is of the machine."""
  config = {name: value for name, value in run.config.items()
            if name != 'devices'}
  return plain_paths.reduced(config) | {'config_keys': [files.key(config_gin)]}


def folder(path):
  """Returns a run directory: the path itself, or what a packed run holds.

  A zip is checked and unpacked to a folder that goes when the process ends.

  Args:
    path: of a run directory, or of a zip that `pack` made.

  Returns:
    `pathlib.Path`, or `path` as it is if it is no file.

  Raises:
    errors.UserError: if it is a file, and no packed run, or a damaged one.
  """
  file = files.local(path)
  if not file.is_file():
    return path
  stamp = file.resolve(), file.stat().st_mtime_ns, file.stat().st_size
  if stamp not in _opened:
    place = pathlib.Path(tempfile.mkdtemp(prefix='pgak_run_'))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    try:
      with zipfile.ZipFile(file) as archive:
        _unpack(archive, _checked(archive), place)
    except _DAMAGED as e:
      raise errors.UserError(
          f'{path} is no run directory, and no whole zip that pgak_pack made '
          f'({errors.reason(e)}): give the --run_dir of a run, or have it '
          'packed again.') from e
    _opened[stamp] = place
  return _opened[stamp]


def _checked(archive):
  """Returns the members of a zip; ValueError for what `pack` never writes."""
  members = archive.infolist()
  names = [member.filename for member in members]
  if len(members) > MAX_MEMBERS or len(set(names)) < len(names):
    raise ValueError('it has too many members, or one twice')
  for member in members:
    if not _NAMES.fullmatch(member.filename):
      raise ValueError(f'it has the member {member.filename[:80]!r}, which no '
                       'packed run has')
    if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
      raise ValueError(f'its member {member.filename} is a link or encrypted')
  if sum(member.file_size for member in members) > MAX_BYTES:
    raise ValueError(f'it unpacks to more than {MAX_BYTES} bytes')
  missing = [name for name in _NEEDED if name not in names]
  if missing or not any('weights.npz' in name for name in names):
    raise ValueError(f'it has no {(missing or ["weights.npz"])[0]}')
  return members


def _unpack(archive, members, place):
  """Writes members, whose names are known, below a folder."""
  for member in members:
    target = place / member.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    # zipfile stops at the size that was checked, and compares the CRC.
    with archive.open(member) as packed, target.open('wb') as file:
      shutil.copyfileobj(packed, file)
