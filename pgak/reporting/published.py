"""The papers' tables as data, and where a score's protocol is another.

RAE: Ghosh et al., From Variational to Deterministic Autoencoders, ICLR 2020,
tables 1 and 2. The row 2sVAE stands in the conference version alone.
PGA: Zhang et al., Perceptual Generative Autoencoders, ICML 2020, table 1.
Learned priors: Anonymous, Empirical Observations Pertaining to Learned Priors
for Deep Latent Variable Models, under review at ICLR 2020, tables 1 and 2. Of
their protocols it says little more than the metrics' names.
No prior matching: Geng et al., Generative Model without Prior Distribution
Matching, 2021, tables 1 and 2, which differ in one number: its own FID on
CelebA is 62 in the first and 63 in the second. Its own values on CIFAR-10
cannot be read in the text at hand. On which range an MSE is taken it does not
say ([-1, 1] would make it 4 times ours), nor which images are reconstructed.
"""
import dataclasses
import re

__all__ = ['Column', 'TABLES', 'Table', 'differences', 'is_shown', 'metric_of',
           'model_of', 'place']


@dataclasses.dataclass(frozen=True)
class Column:
  """A column of a published table: which images, and drawn from what.

  Attributes:
    title: string as in the paper.
    images: 'reconstructions', 'samples' or 'interpolations'.
    role: 'none', 'own' for the prior that the paper takes for N, or the label
      of a density.
    metric: regular expression of the metric's name in scores.csv; `<space>` in
      it is the row's space: zT, z0, or z where there is one alone.
  """
  title: str
  images: str
  role: str
  metric: str


@dataclasses.dataclass(frozen=True)
class Table:
  """A published table, for one data set.

  Attributes:
    title: string, where it stands.
    dataset: regular expression of the data set's name in scores.csv.
    columns: tuple of `Column`.
    rows: `{model as the paper names it: values}`, a value for each column: a
      number, a pair of it and its standard error, or None.
    protocol: `{choice: regular expression}` of the published protocol.
    epochs: number of passes over the training images, or `{model: number}`;
      None if the paper does not say.
    base_filters: filters of the first convolution of the published nets, or
      None.
    tells: strings, the protocol in words, by the same names.
    stand_in: `{choice: regular expression}` of scores on another data set that
      it stands beside all the same; empty for none.
  """
  title: str
  dataset: str
  columns: tuple
  rows: dict
  protocol: dict
  epochs: object
  base_filters: int
  tells: dict
  stand_in: dict = dataclasses.field(default_factory=dict)


_DISTANCE = r'fid|fid_.*|frechet_.*'
_RAE_COLUMNS = (
    Column('Rec.', 'reconstructions', 'none', _DISTANCE),
    Column('N', 'samples', 'own', _DISTANCE),
    Column('GMM', 'samples', 'gmm_10', _DISTANCE),
    Column('Interp.', 'interpolations', 'none', _DISTANCE),
)
_PRD_COLUMNS = tuple(
    Column(f'{title}, {name}', 'samples', role, metric)
    for title, role in (('N', 'own'), ('GMM', 'gmm_10'))
    for name, metric in (('precision', r'prd_(precision|f_?1_8|f_?0\.?125)'),
                         ('recall', r'prd_(recall|f_?8)')))
_RAE_PROTOCOL = {
    'features': r'inception_2015_pool_3', 'num_samples': r'10000',
    'split': r'test(\[:10000\])?', 'rounding': 'truncate',
    'batch_norm': 'inference'}
_RAE_TELLS = {
    'features': 'inception_2015_pool_3', 'num_samples': '10000',
    'split': '10,000 test images', 'rounding': 'truncate',
    'batch_norm': 'inference', 'crop': '140'}
_PGA_TELLS = {
    'features': 'inception_2015_pool_3', 'num_samples': '5000',
    'split': 'the training images', 'rounding': 'truncate',
    'batch_norm': 'train/1000', 'crop': '108'}
_NAMES = ('VAE', 'CV-VAE', 'WAE', 'RAE-GP', 'RAE-L2', 'RAE-SN', 'RAE', 'AE',
          '2sVAE')
_RAE_1 = {
    'mnist': (
        (18.26, 19.21, 17.66, 18.21), (15.15, 33.79, 17.87, 25.12),
        (10.03, 20.42, 9.39, 14.34), (14.04, 22.21, 11.54, 15.32),
        (10.53, 22.22, 8.69, 14.54), (15.65, 19.67, 11.74, 15.15),
        (11.67, 23.92, 9.81, 14.67), (12.95, 58.73, 10.66, 17.12),
        (20.31, 18.81, None, 18.35)),
    'cifar10': (
        (57.94, 106.37, 103.78, 88.62), (37.74, 94.75, 86.64, 69.71),
        (35.97, 117.44, 93.53, 76.89), (32.17, 83.05, 76.33, 64.08),
        (32.24, 80.80, 74.16, 62.54), (27.61, 84.25, 75.30, 63.62),
        (29.05, 83.87, 76.28, 63.27), (30.52, 84.74, 76.47, 61.57),
        (62.54, 109.77, None, 89.06)),
    'celeb_a': (
        (39.12, 48.12, 45.52, 44.49), (40.41, 48.87, 49.30, 44.96),
        (34.81, 53.67, 42.73, 40.93), (39.71, 116.30, 45.63, 47.00),
        (43.52, 51.13, 47.97, 45.98), (36.01, 44.74, 40.95, 39.53),
        (40.18, 48.20, 44.68, 43.67), (40.79, 127.85, 45.10, 50.94),
        (42.04, 49.70, None, 47.54)),
}
_RAE_2 = {
    'mnist': (
        (.96, .92, .95, .96), (.84, .73, .96, .89), (.93, .88, .98, .95),
        (.93, .87, .97, .98), (.92, .87, .98, .98), (.89, .95, .98, .97),
        (.92, .85, .98, .98), (.90, .90, .98, .97)),
    'cifar10': (
        (.25, .55, .37, .56), (.31, .64, .42, .68), (.38, .68, .51, .81),
        (.36, .70, .46, .77), (.41, .77, .57, .81), (.36, .73, .52, .81),
        (.45, .73, .53, .80), (.37, .73, .50, .80)),
    'celeb_a': (
        (.54, .66, .50, .66), (.25, .43, .32, .55), (.59, .68, .69, .77),
        (.38, .55, .44, .67), (.36, .64, .44, .65), (.54, .68, .55, .74),
        (.46, .59, .52, .69), (.45, .66, .47, .71)),
}
_PGA_1 = {
    'mnist': ((13.83, .06), (10.34, .15), (4.97, .07), (6.32, .16)),
    'cifar10': ((115.74, .63), (55.87, .25), (51.51, 1.16), (52.94, .89)),
    'celeb_a': ((43.60, .33), (14.53, .52), (24.73, 1.25), (13.80, .20)),
}
_DATASETS = {'mnist': ('MNIST', r'mnist(_\d+|_pad.*)?'),
             'cifar10': ('CIFAR-10', 'cifar10'),
             'celeb_a': ('CelebA', r'celeb_?a.*')}


def _with_crop(name, protocol, crop):
  if name != 'celeb_a':
    return protocol
  return protocol | {'crop': rf'.*\b{crop}\b.*'}


def _rae(title, name, columns, values):
  full_name, pattern = _DATASETS[name]
  return Table(
      f'{title}, {full_name}', pattern, columns, dict(zip(_NAMES, values)),
      _with_crop(name, _RAE_PROTOCOL, 140), 70 if name == 'celeb_a' else 100,
      128, _RAE_TELLS)


def _pga(name, values):
  full_name, pattern = _DATASETS[name]
  epochs = {'mnist': 600, 'cifar10': 400,
            'celeb_a': {'VAE': 100, 'LPGA': 100, 'VPGA': 60, 'LVPGA': 100}}
  protocol = {
      'features': r'inception_2015_pool_3', 'num_samples': '5000',
      'split': 'all' if name == 'celeb_a' else 'train',
      'rounding': 'truncate', 'batch_norm': 'train/1000'}
  return Table(
      f'PGA (ICML 2020) Table 1, FID, {full_name}', pattern,
      (Column('FID', 'samples', 'own', _DISTANCE),),
      {m: (v,) for m, v in zip(('VAE', 'LPGA', 'VPGA', 'LVPGA'), values)},
      _with_crop(name, protocol, 108), epochs[name], 64, _PGA_TELLS)


# "Proposed" in the paper, in two rows: FP-VAE with beta = 0.
_LEARNED_1 = {'VAE': (2.14, 41.4), 'beta-VAE': (2.09, None),
              'FP-VAE (z_0)': (2.82, 33.1), 'FP-VAE (z_T)': (1.67, None)}
_LEARNED_2 = {'VUNet': (2.63, .184), 'VUNet, flow': (2.70, .236)}
_LEARNED = (
    Table('Learned priors Table 1, linear separability and FID, CelebA',
          r'celeb_?a.*|images_img_align_celeba.*',
          (Column('Separability', 'samples', '.*', r'separability_<space>'),
           Column('FID', 'samples', 'own', _DISTANCE)), _LEARNED_1,
          {'features': r'inception_2015_pool_3|.*attribute.*',
           'dataset': r'celeb_?a.*', 'crop': r'.*\b128\b.*'}, None, None,
          {'features': 'inception_2015_pool_3', 'dataset': 'CelebA',
           'crop': '128'}),
    Table('Learned priors Table 2, inception score and LPIPS, DeepFashion',
          r'deepfashion.*|.*pairs.*|.*_(edges|coarse)',
          (Column('IS', 'translations', '.*', r'(inception|classifier)_score'),
           Column('LPIPS', 'translations', '.*',
                  r'diversity_lpips_.*(?<!_se)')),
          _LEARNED_2,
          {'features': r'inception_2015_pool_3', 'dataset': r'deepfashion.*'},
          None, None,
          {'features': 'inception_2015_pool_3', 'dataset': 'DeepFashion'}),
)


_GENG_NAMES = ('VAE', 'AAE', 'WAE', 'IntroVAE', 'AGE', 'no prior matching')
_GENG = (
    ('Table 1, FID', 'celeb_a', (80, 101, 115, 120, 116, 62)),
    ('Table 1, MSE', 'celeb_a', (.0383, .0255, .0626, .0562, .0889, .0165)),
    ('Table 2, FID', 'cifar10', (189, 120, 173, 133, 271, None)),
    ('Table 2, MSE', 'cifar10', (.0626, .0245, .0607, .0492, .0608, None)),
    ('Table 2, FID', 'celeb_a', (80, 101, 115, 120, 116, 63)),
    ('Table 2, MSE', 'celeb_a', (.0383, .0255, .0626, .0562, .0889, .0165)),
)
_GENG_COLUMNS = {
    'FID': Column('FID', 'samples', 'own', 'fid.*'),
    'MSE': Column('MSE (range not said)', 'reconstructions', 'none',
                  'reconstruction_mse')}
_GENG_PROTOCOLS = {
    'FID': {'features': 'inception_2015_pool_3', 'num_samples': '50000',
            'split': 'train'},
    'MSE': {}}


def _geng(title, name, values):
  full_name, pattern = _DATASETS[name]
  metric = title[-3:]
  # What it says of CelebA twice need not stand twice beside another data set.
  stand_in = {} if (title[:7], name) == ('Table 2', 'celeb_a') else {
      'dataset': '.*mnist.*|images.*', 'protocol': 'no_prior_matching_.*'}
  return Table(
      f'No prior matching {title}, {full_name}', pattern,
      (_GENG_COLUMNS[metric],), {m: (v,) for m, v in zip(_GENG_NAMES, values)},
      {'dataset': pattern} | _GENG_PROTOCOLS[metric], 25, None,
      {'dataset': full_name, 'features': 'inception_2015_pool_3',
       'num_samples': '50000', 'split': 'the training images'}, stand_in)


TABLES = (
    *(_rae('RAE (ICLR 2020) Table 1, FID', n, _RAE_COLUMNS, v)
      for n, v in _RAE_1.items()),
    *(_rae('RAE (ICLR 2020) Table 2, precision and recall', n, _PRD_COLUMNS, v)
      for n, v in _RAE_2.items()),
    *(_pga(n, v) for n, v in _PGA_1.items()),
    *_LEARNED,
    *(_geng(*table) for table in _GENG),
)

# Where the RAE paper fits no Gaussian: they were trained towards N(0, I).
_MATCHES_PRIOR = ('VAE', 'beta-VAE', 'WAE', 'AAE', 'IntroVAE', 'LPGA', 'VPGA',
                  'LVPGA')
# Those whose own prior is another one.
_OWN = {'FP-VAE': '(learned_)?(real_nvp|maf)', 'AGE': 'uniform_sphere',
        'no prior matching': 'latent_generator'}
# Rows that are of a model under another name, and in which of its spaces.
_SPACE_OF = {'FP-VAE (z_0)': 'z0', 'FP-VAE (z_T)': 'zT'}


def is_shown(table, choices):
  """Returns whether scores of these choices may stand beside a table."""
  return bool(re.fullmatch(table.dataset, choices['dataset'])) or (
      bool(table.stand_in) and all(
          re.fullmatch(pattern, choices[name])
          for name, pattern in table.stand_in.items()))


def model_of(row):
  """Returns the model of a row as `runs.model_name` names it."""
  return 'VAE' if row == '2sVAE' else row.split(' (')[0]


def metric_of(row, column):
  """Returns the regular expression of the metric that a row has in a column."""
  return column.metric.replace('<space>', _SPACE_OF.get(row, 'z'))


def place(row, column):
  """Returns the model and the prior label of a published cell in our words.

  Args:
    row: the paper's name of the model.
    column: a `Column`.

  Returns:
    Pair of our name of the model and the `prior` of its row in scores.csv, as
    a regular expression.
  """
  model = model_of(row)
  if column.role != 'own':
    return model, column.role
  if model in _OWN:
    return model, _OWN[model]
  if row == '2sVAE':
    return model, 'two_stage'
  return model, ('standard_normal' if model in _MATCHES_PRIOR else 'gaussian')


def differences(table, choices, model, epochs=None, base_filters=None):
  """Returns where a measurement differs from the published protocol.

  Args:
    table: `Table`.
    choices: `{name: value}` of the measurement.
    model: the paper's name of the model.
    epochs: passes over the training images of our runs, or None.
    base_filters: of our nets, or None where they have no such setting.

  Returns:
    `{name of what differs: phrase}`, empty if nothing is known to differ.
  """
  found = {}
  for name, pattern in table.protocol.items():
    if not re.fullmatch(pattern, str(choices.get(name))):
      found[name] = (f'{name} {choices.get(name)}, published '
                     f'{table.tells[name]}')
  published = table.epochs
  if isinstance(published, dict):
    published = published.get(model)
  if epochs is not None and published and abs(epochs / published - 1) > 0.05:
    found['epochs'] = f'{epochs:.3g} epochs, published {published}'
  if None not in (base_filters, table.base_filters) and (
      base_filters != table.base_filters):
    found['base filters'] = (
        f'{base_filters} base filters, published {table.base_filters}')
  return found
