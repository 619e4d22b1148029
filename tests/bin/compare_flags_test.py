"""Every flag of the compare command reaches the function, and what it prints.
"""
import json

import flag_tables
import pytest
import tiny_commands

from pgak import functions
from pgak.bin import compare
from pgak.evaluation import comparison

# Flag -> its value, and what the function gets.
COMPARE = {
    'number': (77, 77), 'size': ('48x64', '48x64'),
    'features': ('random,net.keras', ['random', 'net.keras']), 'seed': (5, 5),
    'inception': ('w.npz', 'w.npz'), 'data_dir': ('prepared', 'prepared'),
    'save_statistics': ('s.npz', 's.npz'), 'overwrite': ('true', True),
}
SIDE = {'name': 'a', 'number': 9, 'shape': [8, 8, 1], 'resize': 'none',
        'formats': {}, 'sizes': None, 'holds': 'images'}
FOUND = [comparison.Distance('fid', 1.5, None, 'net', (9, 9), 'seen as is',
                             (SIDE, SIDE), ('Beware.',))]


@pytest.mark.parametrize('flag', COMPARE)
def test_flags_of_compare(capsys, monkeypatch, flag):
  flag_tables.check_table(compare, COMPARE, ['import', 'json'])
  value, expected = COMPARE[flag]
  recorder = flag_tables.Recorder(answer=FOUND)
  monkeypatch.setattr(functions, 'compare', recorder)
  out = flag_tables.call(compare, capsys, 'a', 'b', f'--{flag}={value}')
  (arguments, named), = recorder.calls
  assert arguments == ('a', 'b') and named[flag] == expected
  assert out.splitlines() == ['a: 9 images of 8x8x1'] * 2 + [
      'features net: seen as is', 'fid  1.5', 'Note: Beware.']


def test_json_says_what_the_text_does(capsys, monkeypatch):
  monkeypatch.setattr(functions, 'compare', flag_tables.Recorder(answer=FOUND))
  told, = json.loads(flag_tables.call(compare, capsys, 'a', 'b', '--json'))
  assert told['metric'] == 'fid' and told['preprocessing'] == 'seen as is'
  assert told['sides'] == [SIDE, SIDE] and told['warnings'] == ['Beware.']


def test_one_side_is_enough_to_save_statistics(capsys, monkeypatch):
  recorder = flag_tables.Recorder(answer=[])
  monkeypatch.setattr(functions, 'compare', recorder)
  flag_tables.call(compare, capsys, 'a', '--save_statistics=s.npz')
  assert recorder.calls[0][0] == ('a',)
  for sides in (['a'], ['a', 'b', 'c'], ['a', 'b', 'c', '--overwrite']):
    assert 'two sides' in tiny_commands.refused(
        compare, capsys, *sides, status=2)
