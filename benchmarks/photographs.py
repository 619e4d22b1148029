"""Writes photographs as people have them, to try pgak on: docs/walks.md.

500 files of mixed sizes: JPEG, every tenth WebP; one that EXIF data rotate, one
that is damaged. They are parts of the pictures in a folder or zip, such as
CelebA, or of the two photographs that come with scikit-learn.

  python benchmarks/photographs.py --output=photos/
  python benchmarks/photographs.py --output=photos/ --source=celeba.zip
"""
import argparse
import io
import itertools
import pathlib
import zipfile

import numpy as np
from PIL import Image

__all__ = ['write']

_ROTATED, _DAMAGED = 11, 7
_ORIENTATION = 0x0112  # The EXIF tag.


def _of_source(path):
  """Yields pictures of a folder or zip, in the order of their names, again."""
  path = pathlib.Path(path).expanduser()
  if path.is_dir():
    names = sorted(p for p in path.rglob('*') if p.suffix.lower() in
                   ('.jpg', '.jpeg', '.png', '.webp'))
    read = pathlib.Path.read_bytes
  else:
    archive = zipfile.ZipFile(path)
    names = sorted(n for n in archive.namelist()
                   if n.lower().endswith(('.jpg', '.jpeg', '.png')))
    read = archive.read
  for name in itertools.cycle(names):
    yield Image.open(io.BytesIO(read(name))).convert('RGB')


def _of_scikit_learn(generator):
  """Yields parts of two photographs of 640 x 427 pixels."""
  from sklearn import datasets
  for array in itertools.cycle(datasets.load_sample_images().images):
    picture = Image.fromarray(array)
    side = int(generator.integers(120, 360))
    left, top = (int(generator.integers(0, whole - side))
                 for whole in picture.size)
    yield picture.crop((left, top, left + side, top + side))


def write(output, source=None, number=500, seed=0):
  """Writes them as 0000.jpg and so on.

  Args:
    output: folder, made if absent.
    source: folder or zip of pictures; None for scikit-learn's.
    number: int.
    seed: int, decides sizes, and parts of scikit-learn's photographs.
  """
  output = pathlib.Path(output).expanduser()
  output.mkdir(parents=True, exist_ok=True)
  generator = np.random.default_rng(seed)
  pictures = _of_source(source) if source else _of_scikit_learn(generator)
  for i, picture in enumerate(itertools.islice(pictures, number)):
    factor = generator.uniform(0.8, 2.)
    picture = picture.resize([round(factor * side) for side in picture.size])
    path = output / f'{i:04d}{".webp" if i % 10 == 0 else ".jpg"}'
    exif = Image.Exif()
    if i == _ROTATED:
      picture, exif[_ORIENTATION] = picture.transpose(Image.ROTATE_90), 6
    picture.save(path, quality=90, exif=exif)
    if i == _DAMAGED:
      path.write_bytes(path.read_bytes()[:200])


def main():
  """Parses the flags and writes."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('--output', required=True, help='A folder')
  parser.add_argument('--source', help='A folder or zip of pictures')
  parser.add_argument('--number', type=int, default=500)
  args = parser.parse_args()
  write(args.output, args.source, args.number)


if __name__ == '__main__':
  main()
