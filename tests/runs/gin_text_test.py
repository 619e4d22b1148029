"""Tests of reading gin text without its code."""
import pytest

from pgak.runs import gin_text


def test_bindings_of_reads_text_without_its_code():
  found = gin_text.bindings_of(
      'import not_here\nwidth = 3\nscope/a.b.net.size = %width\n'
      'net.kind = @other()\nnet.names = {"a": (1, 2.)}')
  assert found == {'width': '3', 'scope/a.b.net.size': '%width',
                   'net.kind': '@other()', 'net.names': "{'a': (1, 2.0)}"}


def test_read_bindings_are_those_before_the_line():
  text = f'a.b = 1\n{gin_text.NOT_READ}\na.c = 2'
  assert gin_text.read_bindings(text) == {'a.b': '1'}
  assert gin_text.bindings_of(text) == {'a.b': '1', 'a.c': '2'}


def test_read_bindings_of_a_config_without_the_line_are_all():
  assert gin_text.read_bindings('a.b = 1') == {'a.b': '1'}


def test_the_last_binding_says_whether_there_is_a_value():
  assert gin_text.is_bound('a.b', ['a.b = 1  # c', 'a.c = None'])
  assert not gin_text.is_bound('a.c', ['a.b = 1', 'a.c = None'])
  assert not gin_text.is_bound('a.d', ['a.b = 1'])
  assert not gin_text.is_bound('a.b', ['a.b = 1\na.b = None'])


def test_what_is_no_gin_text_raises():
  with pytest.raises(SyntaxError):
    gin_text.statements('a.b 1')


@pytest.mark.parametrize('rest', ['', 'a.c = 2'])
def test_two_parts_of_a_config_are_one_text_and_come_apart(rest):
  text = gin_text.in_one('a.b = 1', rest)
  assert text.endswith('\n') and not text.endswith('\n\n')
  assert [part.strip() for part in gin_text.in_two(text)] == ['a.b = 1', rest]
