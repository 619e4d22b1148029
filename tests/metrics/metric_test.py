"""Metrics are found by name and say which of two values is better."""
import pytest

from pgak import errors
from pgak.metrics import metric

# What version 0.4 called the values, and which way it marked the best one.
VALUES = [
    ('fid', 'lower'), ('fid_768', 'lower'), ('frechet_digits', 'lower'),
    ('kid', 'lower'), ('kid_std', 'neither'), ('kernel_digits', 'lower'),
    ('prd_f_8', 'higher'), ('prd_f_1_8', 'higher'), ('knn_recall', 'higher'),
    ('inception_score', 'higher'), ('classifier_score_std', 'neither'),
    ('confident_share', 'higher'), ('smallest_class_share', 'higher'),
    ('reconstruction_mse', 'lower'), ('psnr', 'higher'), ('ssim', 'higher'),
    ('reconstruction_mae', 'lower'), ('kl', 'neither'), ('mse', 'lower'),
    ('lpips_squeeze_v0.1', 'lower'), ('diversity_flat', 'higher'),
    ('diversity_flat_se', 'neither'), ('memorisation_ratio', 'neither'),
    ('separability_zT', 'lower'), ('separability_zT_std', 'neither'),
    ('separability_failed', 'neither'), ('attribute_accuracy', 'neither'),
    ('sliced_wasserstein', 'lower'), ('coverage', 'higher'),
    ('log_likelihood_train', 'neither'), ('something_else', '')]


@pytest.fixture(autouse=True)
def _own(monkeypatch):
  """What a test registers is gone after it."""
  metric.load()
  monkeypatch.setattr(metric, '_METRICS', dict(metric._METRICS))


@pytest.mark.parametrize('name, better', VALUES)
def test_a_values_name_says_which_is_better(name, better):
  assert metric.better_of(name, 'samples') == better


def test_real_examples_are_no_score_but_their_latents_are():
  assert metric.better_of('fid', 'data') == 'neither'
  assert metric.better_of('trustworthiness', 'data') == 'higher'


def test_one_of_your_own_is_found_like_the_others():
  @metric.register('luck', scope='model', of=('images', 'vectors'),
                   better={'luck_se': 'neither', 'luck*': 'higher'})
  def compute(context):
    yield metric.Value('luck', context)

  assert 'luck' in metric.names('images') and 'luck' in metric.names()
  assert 'luck' not in metric.names('pairs')
  found = metric.find('luck', 'vectors')
  assert found.compute is compute
  assert found.better_of('luck_se', 'samples') == 'neither'
  assert found.better_of('lucky', 'data') == 'higher'


def test_an_unknown_one_is_an_error_with_those_that_there_are():
  with pytest.raises(errors.UserError, match="no metric 'frechett' of images"
                     '.*frechet,.*did you mean'):
    metric.find('frechett', 'images')


@pytest.mark.parametrize('wrong', [
    {'scope': 'model', 'better': 'more'}, {'scope': 'world'}])
def test_a_wrong_declaration_is_an_error_where_it_stands(wrong):
  with pytest.raises(ValueError, match='The metric luck'):
    metric.register('luck', **wrong)


def test_what_is_implied_is_not_named():
  assert 'log_likelihood' not in metric.names()
  assert [m.name for m in metric.implied('vectors')] == ['log_likelihood']


def test_every_declared_direction_is_one():
  for name in metric.names():
    for of in ('images', 'vectors', 'pairs'):
      if name in metric.names(of):
        assert metric.find(name, of).better, name
