"""Runs the commands and the Python of README.md and of docs/.

Pages that have files to save have a test of their own: `OWN` says which.
"""
import ast
import pathlib
import shutil
import subprocess

import made_tfds
import numpy as np
import page_commands
import pages
import pytest
import tensorflow as tf
import tiny_runs

from pgak import sweeping

# Page -> the test that runs all of it.
OWN = {'data.md': 'data_page_test.py', 'keras.md': 'keras_page_test.py',
       'new_model.md': 'new_model_test.py',
       'own_measures.md': 'own_measures_test.py',
       'own_parts.md': 'own_parts_test.py', 'walks.md': 'walks_test.py'}
# In this order: a later page may go on with an earlier one's runs.
HERE = ('../README.md', 'training.md', 'python.md', 'results.md', 'sweeps.md',
        'update_tables.md', 'densities.md', 'flow_matching.md',
        'kinds_of_data.md', 'augmentation.md', 'protocols.md', 'claims.md',
        'serving/formats.md', 'serving/operating.md')
# Commands that are not pgak's, and what runs them.
OTHERS = {'make quickstart': 'quickstart_test.py', 'make test': 'this',
          '. .venv/bin/activate': 'nothing', 'pgak_list': 'catalogue_test.py',
          '.venv/bin/pip install -e .[tflite,onnx]': 'package_test.py',
          'python benchmarks/serving.py exports/digits':
              'benchmarks/serving_test.py',
          'python benchmarks/serving_clients.py exports/digits --clients=16 '
          '--seconds=120': 'benchmarks/serving_clients_test.py'}
# What a test has in the place of what a page names.
REPLACED = {'--protocol=fid768_test': '--protocol=quick', 'DIR': 'tfds',
            '--against=fashion_mnist': '--against=digits',
            'num_components = 100': 'num_components = 2',
            '--output_dir=runs/quick': '--output_dir=runs/sweep',
            # Sweeps are not run here, and so have no report.
            'runs/quick': 'runs/mine', 'runs/table1_mnist_small': 'runs/vpga'}
# Page -> the latent dimensions of the model that its Python loads.
LATENT_DIMS = {'densities.md': 8, 'flow_matching.md': 3}
RUN = ('sh', 'python', 'gin')
# What a page prints or lists, and no test runs.
LISTED = ('none', 'json', 'yaml')


def _names(page):
  return [block for block in pages.Page(page).all_blocks()
          if block.language not in LISTED]


@pytest.mark.parametrize('page', pages.every())
def test_each_block_is_run_or_says_why_not(page):
  for block in pages.Page(page).all_blocks():
    assert set(block.needs) <= set(pages.NEEDS), f'{page}: {block.needs}'
    if not block.needs and block.language not in LISTED:
      assert block.language in RUN, f'{page}: in no language:\n{block.text}'
      assert page in OWN or page in HERE, f'{page} is run by no test'


def test_the_tests_that_run_pages_are_there():
  here = pathlib.Path(__file__).parent
  assert all((here / name).exists() for name in OWN.values())
  assert set(OWN) | set(HERE) <= set(pages.every())


def _not_run():
  return [(page, block) for page in pages.every()
          for block in _names(page) if block.needs]


def test_the_marks_are_read(tmp_path, monkeypatch):
  monkeypatch.setattr(pages, 'DOCS', tmp_path)
  (tmp_path / 'a.md').write_text(
      '<!-- not run here: GPU -->\n```sh\na\n```\n\n'
      '`not run here: docker, server`\n\n```console\nb\n```\n\n'
      '- item\n\n  ```sh\n  c\n  ```\n\n```none\nd\n```\n', encoding='utf-8')
  assert pages.Page('a.md').all_blocks() == [
      ('sh', 'a\n', ('GPU',)), ('console', 'b\n', ('docker', 'server')),
      ('sh', 'c\n', ()), ('none', 'd\n', ())]


def test_what_is_not_run_can_be_read():
  """Shell by `bash -n`, Python by its parser."""
  for page, block in _not_run():
    if block.language in ('console', 'sh'):
      done = subprocess.run(['bash', '-n'], input=block.text, text=True,
                            capture_output=True, check=False)
      assert not done.returncode, f'{page}: {done.stderr}'
    elif block.language == 'python':
      ast.parse(block.text, page)


@pytest.fixture(name='here')
def _here(tmp_path, monkeypatch):
  """A folder with photographs, small sets of TFDS, and a few runs."""
  monkeypatch.chdir(tmp_path)
  generator = np.random.default_rng(0)
  (tmp_path / 'photos').mkdir()
  lines = ['file_name,Eyeglasses']
  for i in range(40):
    corners = generator.uniform(0, 255, (2, 2, 3))
    image = tf.cast(tf.image.resize(corners, [20, 18]), tf.uint8)
    (tmp_path / f'photos/{i}.png').write_bytes(tf.io.encode_png(image).numpy())
    lines.append(f'{i}.png,{i % 2}')
  shutil.copytree(tmp_path / 'photos', tmp_path / 'samples')
  (tmp_path / 'attributes.csv').write_text('\n'.join(lines), encoding='utf-8')
  for name, size in (('mnist', 28), ('fashion_mnist', 28)):
    made_tfds.write(tmp_path / 'tfds', name, {'train': 40, 'test': 24},
                    shape=(size, size, 1))
  monkeypatch.setenv('TFDS_DATA_DIR', str(tmp_path / 'tfds'))
  monkeypatch.setenv('PGAK_CACHE', str(tmp_path / 'cache'))
  return tmp_path


# Settings of densities that a run has, for Python, which gives none.
SMALL = '''
FlowMatching.steps = 20
FlowMatching.width = 8
RealNVP.max_epochs = 1
'''


def _runs(folder):
  """Trains what the pages take for granted."""
  (folder / 'small.gin').write_text(SMALL, encoding='utf-8')
  tiny_runs.train(folder / 'runs/ae', 'train.steps = 2',
                  files=('models/ae.gin', 'small.gin'))
  shutil.copytree(folder / 'runs/ae', folder / 'runs/rae')
  tiny_runs.train(
      folder / 'runs/faces', 'train.steps = 2', "images.path = 'photos'",
      "images.attributes = 'attributes.csv'", 'image_shape = (8, 8, 3)',
      files=('models/ae.gin', 'datasets/images.gin'))


PRELUDE = '''
import numpy as np
import pgak
from pgak import priors
from pgak.models.pga import PerceptualAutoencoder
'''


def _run_page(page, runner):
  names = {'__name__': page}
  names['labels'] = np.zeros(16, np.int64)
  names['latents'] = np.zeros([16, LATENT_DIMS.get(page, 1)], np.float32)
  exec(PRELUDE, names)  # pylint: disable=exec-used
  for block in _names(page):
    if block.needs:
      continue
    if block.language == 'python':
      code = page_commands.quick_code(block.text)
      exec(compile(code, page, 'exec'), names)  # pylint: disable=exec-used
    elif block.language == 'gin':
      pathlib.Path('page.sweep').write_text(block.text, encoding='utf-8')
      read = sweeping.read('page.sweep')
      assert read.jobs or read.pattern
    else:
      for words in pages.commands_of(block.text):
        known = ' '.join(words)
        assert runner.run(words) or known in OTHERS, f'{page}: {known}'


@pytest.mark.slow
# So few steps and samples are warned of.
@pytest.mark.filterwarnings('ignore::UserWarning')
def test_the_pages(here):
  _runs(here)
  runner = page_commands.Runner(here / 'tfds', REPLACED)
  for page in HERE:
    print(page)
    _run_page(page, runner)
  for made in ('samples.png', 'report.html', 'exports/vpga', 'glasses.png',
               'runs/digits/export', 'latents.png', 'sevens.png', 'roll.png',
               'ood.png'):
    assert (here / made).exists(), made
