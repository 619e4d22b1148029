"""Tests of finding, parsing and saving configurations."""
import gin
import pytest
import tiny_runs

from pgak import errors
from pgak.runs import configuration
from pgak.runs import gin_text
from pgak.runs import run_directory

SMALL = ('quickstart.gin',)


def message(files=SMALL, bindings=(), imports=(), roots=('train',), **more):
  """Returns the one sentence of the error that parsing raises."""
  with pytest.raises(errors.UserError) as caught:
    configuration.parse(files, bindings, imports, roots, **more)
  text = str(caught.value)
  assert '\n' not in text
  return text


def write(path, text):
  path.write_text(text, encoding='utf-8')
  return str(path)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)


# === Finding ===


def test_a_file_is_found_in_the_package_here_or_by_its_path(tmp_path):
  (tmp_path / 'gin' / 'models').mkdir(parents=True)
  write(tmp_path / 'gin' / 'models' / 'mine.gin', 'train.batch_size = 7')
  by_path = write(tmp_path / 'own.gin', 'train.log_every = 5')
  configuration.parse([*SMALL, 'models/mine.gin', by_path])
  assert configuration.setting('train.batch_size') == 7
  assert configuration.setting('train.log_every') == 5


def test_a_file_here_goes_before_that_of_the_package(tmp_path):
  (tmp_path / 'gin').mkdir()
  write(tmp_path / 'gin' / 'quickstart.gin',
        'include "base.gin"\ntrain.steps = 1\nimage_shape = (1, 1, 1)\n'
        'latent_dim = 1')
  configuration.parse(SMALL)
  assert configuration.setting('train.steps') == 1
  assert configuration.setting('train.model') is None


def test_a_folder_of_the_same_name_here_hides_nothing(tmp_path, monkeypatch):
  for name in ('networks', 'models', 'datasets'):
    (tmp_path / name).mkdir()
  monkeypatch.syspath_prepend(str(tmp_path))
  configuration.parse(SMALL)
  assert configuration.setting('encoder.image_shape') == (8, 8, 1)


def test_a_missing_file_is_named():
  assert 'nowhere.gin' in message([*SMALL, 'nowhere.gin'])


def test_a_missing_included_file_is_named_with_its_line(tmp_path):
  path = write(tmp_path / 'own.gin', '\ninclude "nowhere.gin"\n')
  text = message([path])
  assert 'nowhere.gin' in text and 'own.gin' in text and 'line 2' in text


# === Strictness ===


@pytest.mark.parametrize('line, named', [
    ('tarin.steps = 3', 'tarin'),
    ('train.stesp = 3', 'stesp'),
    ('train.model = @VPGAA', 'VPGAA'),
    ('train.steps = ', 'train.steps'),
    ('train.steps 3', 'train.steps 3'),
    ('import pgak.nothing', 'pgak.nothing'),
])
def test_a_wrong_line_is_named_with_its_file(tmp_path, line, named):
  text = message([*SMALL, write(tmp_path / 'own.gin', f'# Mine.\n{line}\n')])
  assert named in text
  assert 'own.gin' in text and 'line 2' in text


def test_an_open_bracket_is_named_with_its_file(tmp_path):
  path = write(tmp_path / 'own.gin', 'train.steps = (3\n')
  assert 'own.gin' in message([*SMALL, path])


def test_an_undefined_macro_is_named_with_its_file(tmp_path):
  path = write(tmp_path / 'own.gin',
               'latent_dim_of_mine = 3  # not %latent\n'
               'encoder.latent_dim = %latent_dim_of_mine\n'
               'decoder.latent_dim = %latent\n')
  text = message([*SMALL, path])
  assert '%latent ' in text and 'own.gin, line 3' in text


def test_an_undefined_macro_of_an_included_file_is_named():
  text = message(['base.gin'])
  assert '%image_shape' in text and 'base.gin, line' in text


def test_a_sign_within_a_string_is_no_macro():
  configuration.parse(
      [*SMALL, 'datasets/images.gin'], ['images.path = "photos/50%off@home/"'])
  assert configuration.setting('images.path') == 'photos/50%off@home/'


@pytest.mark.parametrize('binding, named', [
    ('train.stepz = 3', 'stepz'),
    ('nobody.steps = 3', 'nobody'),
    ('train.steps = [3', 'train.steps = [3'),
    ('train.steps = three', 'three'),
    ('LPGA.warm_up_steps = 3', 'LPGA'),  # the quickstart trains VPGA
    ('sgd.momentum = 0.5', 'sgd'),
    ('evaluate.checkpoint = "best"', 'evaluate'),
    ('my_macro = 3', 'my_macro'),
    ('train.steps = %my_macro', '%my_macro'),
])
def test_a_wrong_binding_is_named(binding, named):
  text = message(bindings=[binding])
  assert '--gin_param' in text and named in text


def test_a_flag_that_is_never_read_is_named_as_it_was_given():
  text = message(bindings=['LPGA.warm_up_steps = 3'],
                 flags={'LPGA.warm_up_steps': '--warm_up'})
  assert text.startswith('--warm_up is never read')


@pytest.mark.parametrize('binding', [
    'VPGA.kl = 1.', 'adam.beta_1 = 0.', 'decoder/adam.learning_rate = 1.',
    'gaussian/encoder.initial_sigma = 1.', 'base_filters = 3',
    'conv_digits_encoder.dense_units = 3', 'pgak.training.train.steps = 3',
    'cosine.final = 1.', 'frechet_scorer.latents = False'])
def test_a_binding_that_is_read_is_taken(binding):
  configuration.parse(SMALL, [binding])
  name, value = binding.split(' = ')
  assert gin_text.bindings_of(gin.config_str())[
      name.removeprefix('pgak.training.')] == str(eval(value))


def test_a_binding_of_another_root_is_read_by_its_command():
  configuration.parse(SMALL, ['evaluate.checkpoint = "best"'],
                      roots=['train', 'evaluate'])


def test_a_binding_that_only_a_file_leaves_unused_is_taken(tmp_path):
  path = write(tmp_path / 'own.gin', 'LPGA.warm_up_steps = 3')
  configuration.parse([*SMALL, path])


def test_a_module_that_cannot_be_imported_is_named():
  text = message(imports=['no_such_module'])
  assert 'no_such_module' in text and 'PYTHONPATH' in text


def test_a_failed_parse_leaves_nothing_to_the_next():
  message(bindings=['train.stepz = 3'])
  message(bindings=['train.steps = 7', 'train.stepz = 3'])
  configuration.parse(SMALL)
  assert configuration.setting('train.steps') > 7


# === Order ===


def test_the_later_file_and_binding_win(tmp_path):
  path = write(tmp_path / 'own.gin', 'train.steps = 5\ntrain.log_every = 5')
  configuration.parse(
      [*SMALL, path], ['train.steps = 6', 'train.seed = 1', 'train.steps = 7'])
  assert configuration.setting('train.steps') == 7
  assert configuration.setting('train.log_every') == 5
  configuration.parse([path, *SMALL])
  assert configuration.setting('train.steps') > 7


def test_setting_resolves_references_and_macros():
  configuration.parse(SMALL)
  assert configuration.setting('train.model').__name__ == 'VPGA'
  assert configuration.setting('encoder.image_shape') == (8, 8, 1)
  assert configuration.setting('train.clip_norm') is None
  assert configuration.setting('train.clip_norm', 3.) == 3.
  assert configuration.setting('no.such_thing', 'absent') == 'absent'


# === Runs ===


def test_a_run_is_parsed_with_its_imports_and_what_is_added(tmp_path):
  (tmp_path / 'mine.py').write_text(
      'import gin\n\n@gin.register\ndef my_model():\n  return 5\n')
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('import mine\ntrain.model = @my_model\n',
                   {'imports': ['mine']})
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(tmp_path))
    configuration.parse_run(run, ['sample.seed = 3'], ['sample'], ['mine'])
  assert configuration.setting('train.model')() == 5
  assert configuration.setting('sample.seed') == 3


@pytest.mark.parametrize('binding', ['a = [', 'a = "', 'a b', '= 3', 'a'])
def test_a_damaged_binding_for_a_run_is_one_sentence(tmp_path, binding):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('train.batch_size = 3\n', {})
  with pytest.raises(errors.UserError, match='is not a binding that gin can'):
    configuration.parse_run(run, [binding])


@pytest.mark.parametrize('text', [
    'train.steps = = 3', '\x00\x01', 'train.nothing = 3'])
def test_a_damaged_configuration_is_named(tmp_path, text):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(text, {})
  with pytest.raises(errors.UserError) as caught:
    configuration.parse_run(run)
  assert 'config.gin' in str(caught.value)


def test_what_gin_would_save_parses_again(tmp_path):
  tiny_runs.parse(files=())
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(gin.config_str(), {})
  before = gin_text.bindings_of(gin.config_str())
  configuration.parse_run(run)
  assert gin_text.bindings_of(gin.config_str()) == before


@pytest.mark.parametrize('file', [
    'recipes/best_faces.gin', 'papers/pga_icml2020/lpga_celeba.gin',
    'papers/pga_icml2020/vae_celeba_crop140.gin',
    'papers/no_prior_matching/celeba.gin', 'papers/learned_priors/celeba.gin'])
def test_a_file_for_celeba_on_ones_own_pictures_opens_again(tmp_path, file):
  """What its data set alone reads is kept, and is of no older version."""
  configuration.parse([file, 'models/ae.gin', 'datasets/images.gin'],
                      ['images.path = "photos"'])
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(configuration.as_text(), {})
  assert 'celeb_a.image_shape' in run.config_gin
  configuration.parse_run(run)
  assert configuration.setting('images.path') == 'photos'
