"""Tests of the protocols."""
import gin
import pytest

from pgak import errors
from pgak.metrics import protocols


def test_pga_icml2020_is_the_authors():
  protocol = protocols.resolve('pga_icml2020')
  assert protocol == protocols.Protocol(
      'pga_icml2020', ('pool_3',), num_samples=5000, split='train',
      num_references=None, rounding='truncate', batch_norm='train',
      batch_size=1000, seed=0)


def test_fid768_test_is_what_the_readme_says():
  protocol = protocols.resolve(protocols.fid768_test)
  assert protocol == protocols.Protocol(
      'fid768_test', ('768',), num_samples=5000, split='test',
      num_references=10000, rounding='nearest', batch_norm='inference')


@pytest.mark.parametrize('name', protocols.NAMES)
def test_each_has_its_name(name):
  protocol = protocols.resolve(name)
  assert protocol.name == name
  assert protocols.resolve(protocol) is protocol


def test_gin_changes_a_protocol_that_is_named():
  gin.parse_config("pga_icml2020.batch_norm = 'inference'")
  assert protocols.resolve('pga_icml2020').batch_norm == 'inference'


def test_an_unknown_name_is_told():
  with pytest.raises(errors.UserError, match="'fid'; choose one of fid768"):
    protocols.resolve('fid')
