"""Every setting of pgak declares its type, and refuses what is not of it."""
import inspect

import gin
import pytest
import wrong_settings

from pgak import settings
from pgak.settings import values

# Tensors, which a net is called with and gin never gives.
GIVEN = ('images', 'latents', 'points')
ALL = list(wrong_settings.of_all())


@pytest.mark.parametrize('name, function, argument, annotation', [
    pytest.param(*s, id=f'{s[1]}.{s[2]}') for s in ALL if s[2] not in GIVEN])
def test_it_refuses_wrong_values(name, function, argument, annotation):
  assert annotation is not inspect.Parameter.empty, 'it declares no type'
  wrong = wrong_settings.wrong_values(annotation)
  assert wrong
  for text in wrong:
    gin.clear_config()
    gin.parse_config(f'{name}.{argument} = {text}')
    with pytest.raises(settings.SettingError) as caught:
      gin.get_configurable(name)()
    sentence = str(caught.value).split('\n')[0]
    assert sentence.startswith(f'`{function}.{argument} = '), text
    assert sentence.endswith(f'must be {values.described(annotation)}.'), text


def test_every_default_is_of_its_type():
  for name, _, argument, annotation in ALL:
    found = wrong_settings.parameter(name, argument).default
    if found not in (inspect.Parameter.empty, gin.REQUIRED):
      values.converted(found, annotation)
