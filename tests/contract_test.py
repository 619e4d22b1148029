"""Every verb on every kind of data and model, as a table.

A cell works, and what it makes is checked by value; or it ends in a sentence
that says why not; or it leaves out what it cannot have, and says so.
"""
from typing import NamedTuple

import contract
import contract_outputs as outputs
import contract_verbs as verbs
import gin
import pytest
import tiny_evaluation

from pgak import errors
from pgak.evaluation import evaluator
from pgak.evaluation import protocols
from pgak.generation import drawing

IMAGES = ('images_vae', 'images_rae', 'images_gan', 'images_flow',
          'images_velocity', 'images_gmmn')
VECTORS = ('vectors_vae', 'vectors_gan')
PAIRS = ('pairs_vunet', 'pairs_flow')
GANS = ('images_gan', 'vectors_gan')
# As `images_vae` to most verbs, and so left to the slow part.
ALIKE = ('images_rae', 'images_flow', 'images_velocity', 'images_gmmn')
# As others of their kind to most verbs, and so left to `make test-all`.
FURTHER = (*ALIKE[1:], 'pairs_vunet', 'vectors_gan')
# A density, but not of pairs, whose prior draws given a condition.
NO_DENSITY = ('images_gmmn',)
NO_FLOW = tuple(n for n in (*IMAGES, *VECTORS) if n not in (
    'images_flow', 'images_velocity'))


class Works(NamedTuple):
  """What it makes is right; it says this of what is left out."""
  says: str = ''


class Refused(NamedTuple):
  """It ends with an error of which this is a part."""
  sentence: str


class Row(NamedTuple):
  """A verb, `{combination: outcome}`, and the combinations that are slow.

  Of these, `further` are left to `make test-all`.
  """
  verb: object
  outcomes: dict
  slow: tuple
  further: tuple = ()


def row(verb, *exceptions, slow=(), further=()):
  """Works for all combinations but those of `(names, outcome)`; last wins."""
  outcomes = dict.fromkeys(contract.COMBINATIONS, Works())
  for names, outcome in exceptions:
    outcomes.update(dict.fromkeys(names, outcome))
  return Row(verb, outcomes, (*slow, *PAIRS), further)


def no_encoder(what):
  return Refused(f'sn_gan has no encoder, which {what} needs')


def of_pairs(kind):
  return Refused('makes images given conditions, of which there is no --kind='
                 f'{kind}: choose samples or reconstruction.')


def of_vectors(kind):
  return Refused(f'makes vectors, of which there is no --kind={kind}: choose '
                 'samples, reconstruction or latents.')


def left_out(names):
  return Works(f'sn_gan has no encoder: {names} are left out.')


# === The table ===

# Here the verbs give none.
CONDITIONAL_EXPORT = Refused('makes images given conditions, and')
# An export that reads pictures takes long to trace; so does a U-Net.
SLOW_EXPORTS = ('images_vae', *ALIKE, *PAIRS)


def served(verb, *exceptions):
  return row(verb, *exceptions, (PAIRS, CONDITIONAL_EXPORT), slow=SLOW_EXPORTS)


def served_without(what):
  return Refused(f'is of a model without an encoder, which {what} needs')


FROM = 'samples from a distribution '
TABLE = {
    'train': row(verbs.train),
    'resume': row(verbs.resume, slow=(*ALIKE, 'pairs_flow')),
    'resume_finished': row(verbs.resume_finished),
    'validate': row(verbs.validate),
    'score': row(verbs.score),
    'gallery': row(
        verbs.gallery,
        (['images_gan'], left_out(
            'reconstructions and interpolations between images')),
        (['vectors_gan'], left_out('reconstructions'))),
    'evaluate': row(
        verbs.evaluate, (['images_gan'], left_out('reconstruction_mse')),
        (['vectors_gan'], left_out('mse, topology'))),
    'gaussian': row(
        verbs.gaussian,
        (GANS, no_encoder('the density gaussian, fitted to latents,')),
        (PAIRS, Refused('draws from its own prior, given a condition: leave '
                        'out --prior.'))),
    'gmm': row(
        verbs.gmm, (GANS, no_encoder('the density gmm, fitted to latents,')),
        (PAIRS, Refused('draws latents given conditions, which no other '
                        'density of latents can: leave out --prior.')),
        slow=ALIKE),
    'encode': row(verbs.encode, (GANS, no_encoder('encode'))),
    'decode': row(verbs.decode),
    'reconstruct': row(verbs.reconstruct, (GANS, no_encoder('reconstruct'))),
    'sample': row(verbs.sample),
    'interpolate': row(
        verbs.interpolate,
        (GANS, no_encoder('interpolate')),
        (PAIRS, Refused('decode the latents between theirs with the '
                        'conditions that you want'))),
    'export': row(
        outputs.export, slow=SLOW_EXPORTS, *[
            (['images_gan'], left_out('the signatures encode, encode_image, '
                                      'reconstruct, interpolate, '
                                      'interpolate_spherical')),
            (VECTORS[:1], Works('are no images: the signatures generate_png, '
                                'encode_image are left out.')),
            (VECTORS[1:], Works('are no images: the signatures generate_png '
                                'are left out.'))]),
    'serve_encode': served(
        outputs.serve_encode, (GANS, served_without('encode'))),
    'serve_decode': served(outputs.serve_decode),
    'serve_reconstruct': served(
        outputs.serve_reconstruct, (GANS, served_without('reconstruct'))),
    'serve_sample': served(outputs.serve_sample),
    'serve_interpolate': served(
        outputs.serve_interpolate, (GANS, served_without('interpolate'))),
    'serve_log_prob': row(
        outputs.serve_log_prob,
        (NO_DENSITY, Refused(f'{FROM}without a density')),
        (PAIRS, CONDITIONAL_EXPORT), slow=SLOW_EXPORTS),
    'serve_base': row(
        outputs.serve_base, (NO_FLOW, Refused(f'{FROM}that is no flow')),
        (PAIRS, CONDITIONAL_EXPORT), slow=SLOW_EXPORTS),
    'serve_signatures': row(
        outputs.serve_signatures, slow=SLOW_EXPORTS),
    'report': row(
        outputs.report,
        (GANS, Works('Left out, because they have no encoder: SN-GAN.')),
        (VECTORS[:1], Works('## Manifolds')),
        (PAIRS, Works('because their latents are drawn given conditions')),
        slow=ALIKE),
    'sweep': row(outputs.sweep),
}

ALL = tuple(contract.COMBINATIONS)
SLOW = {
    'verify': row(outputs.verify, further=('images_rae', 'images_gan')),
    # What a sweep starts is the commands: one of each kind of data is enough.
    'sweep_run': Row(outputs.sweep_run, dict.fromkeys(
        ('images_vae', 'vectors_vae', 'pairs_flow'), Works()), (),
                     further=('vectors_vae', 'pairs_flow')),
    'draw_reconstruction': row(
        outputs.DRAWINGS['reconstruction'],
        (GANS, no_encoder('--kind=reconstruction'))),
    'draw_interpolation': row(
        outputs.DRAWINGS['interpolation'],
        (VECTORS, of_vectors('interpolation')),
        (PAIRS, of_pairs('interpolation'))),
    'draw_latents': row(
        outputs.DRAWINGS['latents'], (PAIRS, of_pairs('latents')),
        (GANS, no_encoder('--kind=latents'))),
    **{f'draw_{kind}': row(
        outputs.DRAWINGS[kind], (VECTORS, of_vectors(kind)),
        (PAIRS, of_pairs(kind)), (GANS, no_encoder(f'--kind={kind}')),
        (NO_DENSITY if kind in ('log_density', 'ood') else (),
         Refused('has no density that can be computed, which a log-density '
                 'needs: choose another with --prior')))
       for kind in ('attribute', 'paths', 'log_density', 'ood')},
    'served_samples': row(
        outputs.SERVED_DRAWINGS['samples'], (PAIRS, CONDITIONAL_EXPORT)),
    'served_interpolation': row(
        outputs.SERVED_DRAWINGS['interpolation'], (PAIRS, CONDITIONAL_EXPORT),
        (VECTORS, Refused('makes vectors, of which there is no '
                          '--kind=interpolation: use --kind=samples'))),
    'served_reconstruction': row(
        outputs.SERVED_DRAWINGS['reconstruction'],
        (ALL, Refused('An export holds no images of its data set'))),
}
TABLE['draw_samples'] = row(outputs.DRAWINGS['samples'], slow=PAIRS)

# Protocol -> what it leaves out of a GAN of images.
OF_IMAGES = {
    'fid768_test': 'reconstruction_mse', 'pga_icml2020': 'reconstruction_mse',
    'quick': 'reconstruction_mse', 'learned_priors_separability': '',
    'stylegan_separability': '', 'memorisation': '',
    'no_prior_matching_2021': 'reconstruction_mse, topology',
    'no_prior_matching_fid768': 'reconstruction_mse, topology',
    **dict.fromkeys(
        ('rae_quick', 'rae_fid768', 'rae_iclr2020'),
        'reconstructions, interpolations, reconstruction, gmm')}


def measured(name, holds, *exceptions):
  """A protocol for one kind of data, refused for the others."""
  others = tuple(n for n, c in contract.COMBINATIONS.items() if c.kind != holds)
  return row(verbs.protocol(name),
             (others, Refused(f'{name} measures {holds}, and')), *exceptions)


SLOW.update({f'protocol_{name}': measured(
    name, 'images', (['images_gan'], left_out(names) if names else Works()))
             for name, names in OF_IMAGES.items()})
SLOW['protocol_vectors'] = measured(
    'vectors', 'vectors', (['vectors_gan'], left_out('mse, topology')))
SLOW['protocol_learned_priors_pairs'] = measured(
    'learned_priors_pairs', 'pairs')


def cells(table, slow):
  """Yields a parameter for each cell."""
  for name, (verb, outcomes, slow_ones, further) in table.items():
    for combination, outcome in outcomes.items():
      marks = [pytest.mark.slow] * (
          slow or combination in (*ALIKE, *GANS, *VECTORS, *slow_ones))
      marks += [pytest.mark.exhaustive] * (
          combination in (*FURTHER, *further))
      yield pytest.param(combination, verb, outcome, marks=marks,
                         id=f'{name}-{combination}')


@pytest.fixture(name='runs', scope='session')
def _runs(tmp_path_factory):
  """Returns a function that trains a combination when it is first asked for.

  A cell that adds to a run works on a copy.
  """
  folder, made = tmp_path_factory.mktemp('contract'), {}

  def run(name):
    if name not in made:
      made[name] = contract.train(name, folder / name)
    return made[name]

  return run


@pytest.fixture(name='features', autouse=True)
def _features(monkeypatch):
  """Means of pixels in the place of nets that take seconds or a download."""
  monkeypatch.setattr(evaluator, 'feature_net', tiny_evaluation.flat_net)


@pytest.mark.filterwarnings('ignore:The attribute classifiers')
@pytest.mark.parametrize('combination, verb, outcome', [
    *cells(TABLE, False), *cells(SLOW, True)])
def test_cell(combination, verb, outcome, runs, tmp_path, capsys):
  run = runs(combination)
  run.configure()
  capsys.readouterr()
  if isinstance(outcome, Refused):
    with pytest.raises(errors.UserError) as raised:
      verb(run, tmp_path)
    assert outcome.sentence in str(raised.value)
    return
  said = verb(run, tmp_path) or ''
  said += capsys.readouterr().out
  assert outcome.says in said
  assert outcome.says or 'left out' not in said.lower()


def test_the_table_has_every_protocol_and_every_kind_of_drawing():
  assert {n.removeprefix('protocol_') for n in SLOW
          if n.startswith('protocol_')} == set(protocols.NAMES)
  assert {n.removeprefix('draw_') for n in (*TABLE, *SLOW)
          if n.startswith('draw_')} == set(drawing.KINDS)
  assert {k for c in contract.COMBINATIONS.values() for k in [c.kind]} == {
      'images', 'vectors', 'pairs'}
  assert not gin.config_str()
