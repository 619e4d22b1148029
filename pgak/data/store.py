"""Prepared data sets: decoded, cropped and resized once, then read by position.

A data set is prepared into a few files in the cache folder:

  <name>-<key>.images       the pixels, uint8, example after example
  <name>-<key>.labels       the labels, little-endian int64 (if it has any)
  <name>-<key>.attributes   0 or 1 in a byte for each attribute (if it has any)
  <name>-<key>.json         what made them, with sizes and checksums

The key is a hash of every choice that made the pixels and of the source's own
fingerprint. The JSON file is written last and each file is renamed into its
place, so that a reader sees a whole set or none; a lock lets one of several
processes do the work. Nothing here holds more than one chunk in memory.
"""
import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import shutil
import sys

from absl import logging
import numpy as np
import tensorflow as tf

from pgak import errors
from pgak import files
from pgak.data import array_labels
from pgak.data import progress

__all__ = ['Part', 'Prepared', 'Recipe', 'open_prepared']

# To be raised with the layout of the files, which prepares all sets anew.
FORMAT = 1
_CHUNK_BYTES = 1 << 20


class Recipe:
  """How one data set is made; each source of images derives its own.

  Attributes:
    name: string, also the beginning of the files' names.
    image_shape: `(height, width, channels)` of the prepared images.
    splits: names of the parts in the order in which they are written.
    choices: JSON-able dictionary of all that decides the pixels but the source.
    label_names: tuple of the classes' names, empty where they have none.
    by_name: whether examples are in the order of their files' names, which may
      be that of their classes.
    described: JSON-able dictionary of what else `preprocessing` says, which
      follows from the choices and the source.
  """

  label_names = ()
  by_name = False
  # Where what was decoded is kept until the set is whole; None for nowhere.
  scratch = None

  def __init__(self, name, image_shape, splits, choices=None):
    self.name = name
    self.image_shape = tuple(int(size) for size in image_shape)
    self.splits = tuple(splits)
    self.choices = choices or {}
    self.described = {}

  def fingerprint(self):
    """Returns a string that changes with the source, or None if it is absent.
    """
    raise NotImplementedError

  def fetch(self):
    """Makes the source present and returns its fingerprint.

    Raises:
      UserError: if it is not available; the sentence says what to put where.
    """
    return self.fingerprint()

  def read(self):
    """Yields `(split, chunks)` for each split.

    A chunk is `(images, labels)` or `(images, labels, attributes)`: uint8
    `[n, height, width, channels]`; integers `[n]` or None; a dictionary from
    each attribute's name to booleans `[n]`. What takes long may be kept in the
    folder `scratch`, where it is found again if the process is interrupted.
    """
    raise NotImplementedError

  def total(self):
    """Returns how many examples are read at most, or None."""
    return None

  def summary(self):
    """Returns one line on what was read and what was left out, or ''."""
    return ''


@dataclasses.dataclass(frozen=True)
class Part:
  """A stretch `[start, stop)` of the examples, and the SHA-256 of its pixels.
  """
  split: str
  start: int
  stop: int
  sha256: str


@dataclasses.dataclass(frozen=True)
class Prepared:
  """A prepared set on disk whose checksums were right when it was opened.

  Attributes:
    image_path: the raw pixels.
    label_path: the labels, or None.
    image_shape: `(height, width, channels)`.
    parts: list of `Part`, in the order of the file.
    preprocessing: dictionary of every choice that made the pixels.
    attribute_path: the attributes, or None.
    attribute_names: tuple of strings, in the order of the file.
    label_names: tuple of the classes' names, empty where they have none.
    by_name: as of the `Recipe`.
  """
  image_path: pathlib.Path
  label_path: pathlib.Path | None
  image_shape: tuple
  parts: tuple
  preprocessing: dict
  attribute_path: pathlib.Path | None = None
  attribute_names: tuple = ()
  label_names: tuple = ()
  by_name: bool = False


def open_prepared(recipe):
  """Opens a prepared set, which is made if it is absent or damaged.

  Where the source is gone, the newest set that was prepared with the same
  choices is opened.

  Args:
    recipe: a `Recipe`.

  Returns:
    A `Prepared`.

  Raises:
    UserError: if the source is needed and not available, or if the cache
      folder cannot be written.
  """
  # The source may be gone: what was prepared from it is used all the same.
  manifest = _find(recipe, recipe.fingerprint())
  damage = _damage(manifest) if manifest else None
  if manifest and not damage:
    return _prepared(recipe, manifest)
  if damage:
    logging.warning('The prepared data set %s is damaged (%s) and is made '
                    'again.', manifest, damage)
  source = recipe.fetch()
  manifest = _manifest_path(recipe, source)
  try:
    with files.locked(manifest.with_suffix('.lock'), '', wait=True):
      # Again, since another process may have made it while this one waited.
      if not manifest.exists() or _damage(manifest):
        _write(recipe, source, manifest)
  except OSError as error:
    raise errors.UserError(
        f'The data set {recipe.name} cannot be prepared in {manifest.parent} '
        f'({error}); make room there or set PGAK_CACHE to another folder.'
    ) from error
  return _prepared(recipe, manifest)


def _folder():
  folder = files.cache_directory() / 'data'
  try:
    folder.mkdir(exist_ok=True)
  except OSError as error:
    raise errors.UserError(
        f'The folder {folder} for prepared data cannot be made ({error}); '
        'clear the way or set PGAK_CACHE to another folder.') from error
  return folder


def _all_choices(recipe, source):
  return {'format': FORMAT, 'name': recipe.name, 'source': source,
          'image_shape': list(recipe.image_shape),
          'splits': list(recipe.splits), **recipe.choices}


def _manifest_path(recipe, source):
  # JSON alone: the key must be the same in every process.
  choices = json.dumps(_all_choices(recipe, source), sort_keys=True)
  key = hashlib.sha256(choices.encode()).hexdigest()[:16]
  return _folder() / f'{recipe.name}-{key}.json'


def _find(recipe, source):
  """Returns the manifest's path, or None if nothing fits."""
  if source is not None:
    path = _manifest_path(recipe, source)
    return path if path.exists() else None
  fitting = [path for path in _folder().glob(f'{recipe.name}-*.json')
             if _fits(recipe, path)]
  return max(fitting, key=lambda path: path.stat().st_mtime, default=None)


def _fits(recipe, path):
  try:
    choices = files.load_json(path)['choices']
  except (OSError, ValueError, KeyError, TypeError):
    return False
  # Through JSON, which turns tuples into lists.
  wanted = json.loads(json.dumps(_all_choices(recipe, choices.get('source'))))
  return choices == wanted


def _damage(manifest):
  """Returns the damage of a prepared set in words, or None."""
  try:
    found = _read_manifest(manifest)
    stats = [os.stat(path) for path in _paths(manifest, found).values()]
  except (ValueError, KeyError, TypeError, OSError) as error:
    return str(error) or 'a file is missing'
  # Checksums of gigabytes take seconds: once for each state of the files.
  stamp = tuple((s.st_ino, s.st_size, s.st_mtime_ns) for s in stats)
  return _checksum_damage(manifest, stamp)


@functools.lru_cache(maxsize=64)
def _checksum_damage(manifest, stamp):
  """As `_damage`; computed once in a process for each state of the files."""
  del stamp
  found = _read_manifest(manifest)
  paths = _paths(manifest, found)
  image_path = paths.pop('images')
  size = int(np.prod(found['image_shape']))
  end = found['parts'][-1]['stop'] * size
  if image_path.stat().st_size != end:
    return f'{image_path.stat().st_size} bytes where {end} were written'
  for part in found['parts']:
    stretch = (part['start'] * size, part['stop'] * size)
    if _sha256(image_path, *stretch) != part['sha256']:
      return f'the checksum of the split {part["split"]} is wrong'
  for kind, path in paths.items():
    if _sha256(path, 0, path.stat().st_size) != found[f'{kind}_sha256']:
      return f'the checksum of the {kind} is wrong'
  return None


def _read_manifest(manifest):
  found = files.load_json(manifest)
  for name in ('choices', 'image_shape', 'parts', 'labels_sha256'):
    found[name]  # A KeyError means a damaged file.
  return found


def _paths(manifest, found):
  """Returns the paths of what there is of 'images', 'labels', 'attributes'."""
  kinds = ['images'] + [kind for kind in ('labels', 'attributes')
                        if found.get(f'{kind}_sha256')]
  return {kind: manifest.with_suffix(f'.{kind}') for kind in kinds}


def _sha256(path, start, stop):
  digest = hashlib.sha256()
  with open(path, 'rb') as file:
    file.seek(start)
    while start < stop:
      chunk = file.read(min(_CHUNK_BYTES, stop - start))
      if not chunk:
        break
      digest.update(chunk)
      start += len(chunk)
  return digest.hexdigest()


def _prepared(recipe, manifest):
  found = _read_manifest(manifest)
  paths = _paths(manifest, found)
  return Prepared(
      image_path=paths['images'],
      label_path=paths.get('labels'),
      image_shape=tuple(found['image_shape']),
      parts=tuple(Part(**part) for part in found['parts']),
      preprocessing={**found['choices'], **recipe.described,
                     'made_with': found['made_with']},
      attribute_path=paths.get('attributes'),
      attribute_names=tuple(found.get('attribute_names', ())),
      label_names=tuple(found.get('label_names', ())),
      by_name=recipe.by_name)


@contextlib.contextmanager
def _whole_file(path):
  """Opens a file that appears under its name when all of it is written."""
  with files.replacing(path) as part, part.open('wb') as file:
    yield file


def _write(recipe, source, manifest):
  print(f'Preparing the data set {recipe.name} once in {manifest.parent} ...',
        file=sys.stderr)
  parts, labels, attributes = [], [], {}
  with _scratch(recipe, manifest), progress.bar(recipe) as bar, _whole_file(
      manifest.with_suffix('.images')) as file:
    for split, chunks in recipe.read():
      start = parts[-1].stop if parts else 0
      parts.append(_write_part(file, recipe, split, start, bar.counted(chunks),
                               labels, attributes))
  if not parts or not parts[-1].stop:
    raise errors.UserError(f'The data set {recipe.name} holds no image.')
  found = {'choices': _all_choices(recipe, source),
           'image_shape': recipe.image_shape,
           'parts': [dataclasses.asdict(part) for part in parts],
           'labels_sha256': _write_rows(manifest, '.labels', labels),
           **_write_attributes(manifest, attributes),
           'label_names': list(recipe.label_names),
           'summary': recipe.summary(),
           # Decoders may differ from version to version.
           'made_with': {'tensorflow': tf.__version__}}
  with _whole_file(manifest) as file:
    file.write(json.dumps(found, indent=2).encode())
  if found['summary']:
    print(f'Prepared {found["summary"]}.', file=sys.stderr)
  _tell_lacking(recipe, parts, labels)


@contextlib.contextmanager
def _scratch(recipe, manifest):
  """Gives a recipe its folder, which an interruption alone leaves behind."""
  recipe.scratch = manifest.with_suffix('.decoded')
  try:
    yield
  except Exception:
    shutil.rmtree(recipe.scratch, ignore_errors=True)
    raise
  else:
    shutil.rmtree(recipe.scratch, ignore_errors=True)
  finally:
    recipe.scratch = None


def _tell_lacking(recipe, parts, labels):
  """Says on stderr which classes training lacks."""
  if labels:
    every = np.concatenate(labels)
    lacking = array_labels.lacking(
        {p.split: every[p.start:p.stop] for p in parts}, recipe.label_names)
    if lacking:
      print(f'{recipe.name}: {lacking}.', file=sys.stderr)


def _write_part(file, recipe, split, start, chunks, labels, attributes):
  """Appends one split to an open file; its labels and attributes to lists."""
  digest, stop = hashlib.sha256(), start
  for images, chunk_labels, *chunk_attributes in chunks:
    # A wrong shape would shift every image that follows in the file.
    if images.dtype != np.uint8 or images.shape[1:] != recipe.image_shape:
      raise errors.UserError(
          f'{recipe.name} holds images {images.dtype} {images.shape[1:]} '
          f'where uint8 {recipe.image_shape} is expected; its source is not '
          'the set of that name.')
    pixels = np.ascontiguousarray(images)
    # Here, so that the file need not be read again.
    digest.update(pixels)
    file.write(pixels)
    stop += len(images)
    if chunk_labels is not None:
      # Of one byte order, so that a cache may be copied to another machine.
      labels.append(np.asarray(chunk_labels, '<i8'))
    for name, values in (chunk_attributes or [{}])[0].items():
      attributes.setdefault(name, []).append(np.asarray(values, np.uint8))
  return Part(split, start, stop, digest.hexdigest())


def _write_rows(manifest, suffix, rows):
  """Writes arrays one after the other and returns their checksum, or None."""
  if not rows:
    return None
  data = np.concatenate(rows).tobytes()
  with _whole_file(manifest.with_suffix(suffix)) as file:
    file.write(data)
  return hashlib.sha256(data).hexdigest()


def _write_attributes(manifest, attributes):
  """Writes lists of arrays by name; returns what the manifest says of them."""
  if not attributes:
    return {}
  columns = [np.concatenate(values) for values in attributes.values()]
  return {'attribute_names': list(attributes), 'attributes_sha256':
          _write_rows(manifest, '.attributes', [np.stack(columns, 1)])}
