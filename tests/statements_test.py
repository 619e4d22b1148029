"""The page of the papers' statements: whole, and every file that it names."""
import collections
import pathlib
import re

ROOT = pathlib.Path(__file__).absolute().parent.parent
PAGE = (ROOT / 'docs/statements.md').read_text(encoding='utf-8')
# A cell may hold an escaped bar.
ROWS = [re.split(r'(?<!\\)\|', line)[1:-1]
        for line in PAGE.splitlines() if re.match(r'\| \d+ \|', line)]
STATES = ('not verified', 'not run', 'differs', 'n/a', 'works')


def state(row):
  text = row[4].strip()
  return next((s for s in STATES if text.startswith(s)), text)


def test_all_statements_are_there_with_a_state():
  assert [int(row[0]) for row in ROWS] == list(range(1, 225))
  assert all(len(row) == 5 for row in ROWS)
  assert {state(row) for row in ROWS} <= set(STATES)
  # What differs, or was not run, says how.
  for row in ROWS:
    if state(row) == 'differs':
      assert len(row[4].split()) > 3, row


def test_the_counts_are_those_of_the_table():
  counts = collections.Counter(map(state, ROWS))
  sentence = re.search(r'Of them.*?nothing\.', PAGE, re.S)[0]
  assert [int(n) for n in re.findall(r'\d+', sentence)] == [
      counts[s] for s in ('works', 'not run', 'differs', 'not verified', 'n/a')]


def test_every_file_that_is_named_is_there():
  named = {name for row in ROWS for name in re.findall(
      r'[\w/]+\.(?:py|gin|sweep|md|json)\b', row[3])}
  assert len(named) > 60
  assert not [n for n in named if not (ROOT / n).is_file()]
