"""The lists that pgak_list prints, and the settings of a name."""
import json

import pytest
import tiny_commands

from pgak import catalogue
from pgak import errors
from pgak import registry
from pgak.bin import list as list_command

registry.register()


@pytest.mark.parametrize('which, name, text', [
    ('models', 'ae', 'Plain autoencoder: reconstruction alone'),
    ('models', 'cv_vae', 'VAE of constant variance (RAE paper, eqs. 13 and 14)'
     ', the standard deviation CVVAE.posterior_sigma'),
    ('data', 'digits', 'The 1,797 handwritten digits inside scikit-learn; '
     'nothing to download'),
    ('protocols', 'fid768_test', 'FID-768: 5,000 samples against the first '
     '10,000 test images'),
    ('priors', 'standard_normal', 'N(0, I) on the latent space'),
    ('metrics', 'coverage', 'How much of the data has a sample near it')])
def test_a_name_has_its_first_sentence(which, name, text):
  found = {e['name']: e['text'] for e in catalogue.entries(which)}
  assert found[name] == text


@pytest.mark.parametrize('which', catalogue.LISTS)
def test_every_entry_says_something(which):
  found = catalogue.entries(which)
  assert found and all(len(e['text']) > 5 for e in found), [
      e for e in found if len(e['text']) <= 5]


@pytest.mark.parametrize('name, setting, default', [
    ('rae', 'RAE.latent_l2', '0.0001'), ('RAE', 'RAE.latent_l2', '0.0001'),
    ('mnist', 'mnist.download', 'False'), ('gmm', 'GaussianMixture.num_compon'
     'ents', '10'), ('quick', 'quick.seed', '0'), ('train', 'train.steps', ''),
    ('density', 'density.round_trips', '0'),
    ('modern', 'adam.beta_1', '0.9'), ('lpips', 'LPIPS.net', "'squeeze'")])
def test_the_settings_of_a_name(name, setting, default):
  found = {row['setting']: row for row in catalogue.settings(name)}
  assert found[setting]['default'] == default
  assert found[setting]['type']


@pytest.mark.parametrize('which', catalogue.LISTS)
def test_every_entry_is_known_by_its_name(which):
  # Some have none, such as metrics.
  none = [entry['name'] for entry in catalogue.entries(which)
          if not catalogue.settings(entry['name'])]
  assert not none or which in ('data', 'priors', 'metrics')


def test_what_gin_may_not_bind_is_no_setting():
  names = [row['setting'] for row in catalogue.settings('density')]
  assert names == ['density.source', 'density.max_latents',
                   'density.round_trips']
  assert 'train.run_dir' not in [
      row['setting'] for row in catalogue.settings('train')]


def test_an_unknown_name_is_an_error():
  with pytest.raises(errors.UserError, match="no list 'modles'.*mean models"):
    catalogue.entries('modles')
  with pytest.raises(errors.UserError, match="has the name 'vpgaa'"):
    catalogue.settings('vpgaa')


def test_the_command_prints_columns_and_json(capsys):
  out = tiny_commands.call(list_command, capsys, 'models').out
  assert 'vpga ' in out and '30 models. Settings: ' in out.splitlines()[-1]
  found = json.loads(
      tiny_commands.call(list_command, capsys, 'priors', '--json').out)
  assert {'name': 'gaussian', 'text': 'N(m, C), fitted by maximum likelihood: '
          "the `N` of the RAE paper's tables"} in found
  refused = tiny_commands.refused(list_command, capsys, 'modles', status=2)
  assert 'did you mean models' in refused
