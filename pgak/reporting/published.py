"""The papers' tables, and where a score's protocol is another.

Their numbers stand in published.json.

RAE: Ghosh et al., From Variational to Deterministic Autoencoders, ICLR 2020,
tables 1 and 2. The row 2sVAE stands in the conference version alone.
PGA: Zhang et al., Perceptual Generative Autoencoders, ICML 2020, table 1, and
the paper of that name at an ICLR workshop, 2019, table 1, which differs in its
column MNIST and states no number of epochs.
Learned priors: Anonymous, Empirical Observations Pertaining to Learned Priors
for Deep Latent Variable Models, under review at ICLR 2020, tables 1 and 2. Of
their protocols it says little more than the metrics' names.
No prior matching: Geng et al., Generative Model without Prior Distribution
Matching, 2021, tables 1 and 2, which differ in one number: its own FID on
CelebA is 62 in the first and 63 in the second. Its own values on CIFAR-10
cannot be read in the text that we have. On which range an MSE is taken it does
not say ([-1, 1] would make it 4 times ours), nor which images are
reconstructed.
"""
import dataclasses
import json
import pathlib
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
    in_words: strings, the protocol in words, by the same names.
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
  in_words: dict
  stand_in: dict = dataclasses.field(default_factory=dict)


def _read():
  """Reads published.json: columns and protocols by name, and the tables."""
  path = pathlib.Path(__file__).with_suffix('.json')
  content = json.loads(path.read_text(encoding='utf-8'))
  columns = {name: tuple(Column(*fields) for fields in rows)
             for name, rows in content['columns'].items()}
  return tuple(_table(table, columns, content['protocols'])
               for table in content['tables'])


def _table(fields, columns, protocols):
  protocol = protocols[fields['protocol']]
  return Table(
      fields['title'], fields['dataset'], columns[fields['columns']],
      {model: tuple(tuple(v) if isinstance(v, list) else v for v in values)
       for model, values in fields['rows'].items()},
      protocol['choices'], fields['epochs'], fields['base_filters'],
      protocol['in words'], protocol.get('beside', {}))


TABLES = _read()

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
                     f'{table.in_words[name]}')
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
