r"""Trains every model at one small budget, and draws from each.

  python docs/site/gallery.py --output=docs/images/gallery --runs=runs/gallery

The digits inside scikit-learn, the quickstart's nets and optimizer, 500 steps,
seed 0: a quarter of an hour on two idle cores. What is there is kept, so that
it goes on where it was stopped. `gallery.csv` holds the scores, by which
docs/gallery.md is written.
"""
import argparse
import csv
import pathlib

import pgak
from pgak import catalogue
from pgak.pictures import grids
from pgak.pictures import png

# They need pairs of images.
LEFT_OUT = ('vunet', 'vunet_flow')
STEPS = 500
# What a model needs besides its own file, at so few steps on 1,500 images.
MORE = {
    'gmmn': ('train.batch_size = 250', 'GMMN.autoencoder_steps = 250'),
}
COMMON = (f'train.steps = {STEPS}', 'train.scorer = None',
          f'train.sample_every = {STEPS}', f'train.validate_every = {STEPS}',
          f'train.checkpoint_every = {STEPS}')


def train(name, run_dir):
  """Trains one model."""
  pgak.train(run_dir, gin_file=['quickstart.gin', f'models/{name}.gin'],
             gin_param=[*COMMON, *MORE.get(name, ())])


def prior_of(run_dir):
  """Returns the density that a model's samples are drawn from."""
  model = pgak.load(run_dir)
  pulled = (model.matches_prior or model.learns_prior
            or 'encode' not in model.can)
  return 'own' if pulled else 'gmm'


def scores(run_dir, prior):
  """Returns the rows of a model's scores, `{column: value}`."""
  return [dict(score) for score in pgak.evaluate(
      run_dir, 'quick', prior=prior, metrics=['frechet', 'reconstruction'])]


def draw(run_dir, prior, picture):
  """Writes 32 samples in rows of 8."""
  images = pgak.load(run_dir, prior=prior).sample(32, seed=1)
  png.write(picture, grids.picture(images, 8))


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument('--output', type=pathlib.Path, required=True)
  parser.add_argument('--runs', type=pathlib.Path, required=True)
  flags = parser.parse_args()
  flags.output.mkdir(parents=True, exist_ok=True)
  for entry in catalogue.entries('models'):
    name, picture = entry['name'], flags.output / f'{entry["name"]}.png'
    if name in LEFT_OUT or picture.exists():
      continue
    train(name, flags.runs / name)
    run_dir = flags.runs / name
    prior = prior_of(run_dir)
    append(flags.output / 'gallery.csv', name, scores(run_dir, prior))
    draw(run_dir, prior, picture)


def append(path, name, rows):
  """Adds a model's scores to the table."""
  new = not path.exists()
  with open(path, 'a', newline='', encoding='utf-8') as file:
    writer = csv.writer(file)
    if new:
      writer.writerow(['model', 'metric', 'images', 'prior', 'value'])
    writer.writerows([name, row['metric'], row['images'], row['prior'],
                      row['value']] for row in rows)


if __name__ == '__main__':
  main()
