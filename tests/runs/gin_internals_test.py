"""Fails where another gin has other private names."""
import gin
import pytest

from pgak.runs import gin_internals


@gin.configurable(denylist=['denied'])
def gin_internals_target(size=1, denied=2):
  return size, denied


@pytest.fixture(autouse=True)
def _clean():
  gin.clear_config()
  yield
  gin.clear_config()


def test_files_are_found_below_the_last_folders_alone(tmp_path):
  for folder, size in (('first', 3), ('second', 4)):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / f'{folder}.gin').write_text(
        f'\N{BYTE ORDER MARK}gin_internals_target.size = {size}',
        encoding='utf-8')
    gin_internals.read_from([str(tmp_path / folder)])
    gin.parse_config_file(f'{folder}.gin')
    assert gin_internals_target() == (size, 2)
  with pytest.raises(OSError):
    gin.parse_config_file('first.gin')


def test_values_that_gin_does_not_write_are_told():
  gin.parse_config('near/gin_internals_target.size = 1e400\nmacro = 5')
  assert 'gin_internals_target.size' not in gin.config_str()
  found = {(scope, name.rpartition('.')[2], parameter): value
           for scope, name, parameter, value in gin_internals.bound_values()}
  assert found == {('near', 'gin_internals_target', 'size'): float('inf'),
                   ('macro', 'macro', 'value'): 5}


def test_names_and_what_may_be_bound():
  full, = [name for name in gin_internals.registered_names()
           if name.endswith('gin_internals_target')]
  for name in (full, 'gin_internals_target'):
    (wrapped, denied, _), = gin_internals.configurables(name)
    assert wrapped.__name__ == 'gin_internals_target'
    assert denied == ('denied',)
  assert not gin_internals.configurables('gin_internals_other')
