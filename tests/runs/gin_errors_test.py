"""What gin says of a file or a binding, in one sentence for its author."""
import gin
import pytest

from pgak.runs import gin_errors


@gin.configurable(denylist=['folder'])
def gin_errors_target(size=1, folder=None):
  return size, folder


def sentence_of(text, parse=gin.parse_config):
  with pytest.raises(Exception) as caught:
    parse(text)
  return gin_errors.sentence(caught.value)


@pytest.mark.parametrize('text, expected', [
    ('gin_errors_target.size = five',
     'five is no value: a string stands in quotes, a reference begins with @ '
     'and a macro with %, and a number is no NaN.'),
    ('gin_errors_target.size = gin_errors_target',
     'gin_errors_target is no value: a string stands in quotes, a reference '
     'begins with @ and a macro with %, and a number is no NaN; did you mean '
     '@gin_errors_target?'),
    ('gin_errors_target.sise = 5',
     'gin_errors_target has no setting sise: did you mean size?'),
    # What the command gives is none of its settings.
    ('gin_errors_target.x = 5', 'gin_errors_target has no setting x: it has '
                                'size.'),
    ('gin_error_target.size = 5',
     'there is no gin_error_target: did you mean gin_errors_target?'),
    ('gin_errors_target.size = @gin_error_target()',
     'there is no gin_error_target: did you mean gin_errors_target?'),
    ('gin_errors_target.folder = 5',
     'gin_errors_target.folder is given by the command, not by gin.'),
    ("include 'no_such.gin'", 'there is no gin file no_such.gin: check the '
                              'path.'),
    ('gin_errors_target.size = ' + '[' * 500,
     'its brackets are nested too deeply.')])
def test_what_is_wrong_and_the_way_out(text, expected):
  assert sentence_of(text) == expected


def test_a_bracket_that_stays_open():
  found = sentence_of('gin_errors_target.size = (1,\n')
  assert found.endswith(': a bracket or string is never closed.')


def test_a_file_is_named_with_the_line(tmp_path):
  path = tmp_path / 'mine.gin'
  path.write_text('gin_errors_target.size = 1\ngin_errors_target.sise = 2\n')
  assert sentence_of(str(path), gin.parse_config_file) == (
      'gin_errors_target has no setting sise: did you mean size? '
      f'(in {path}, line 2).')


def test_what_is_long_is_cut():
  found = gin_errors.sentence(ValueError('word ' * 100))
  assert len(found) == 304 and found.endswith(' ...')
