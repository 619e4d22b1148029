"""Sweeps: many runs, trained and measured by one command.

`plan` reads a .sweep file, `progress` shows how far a sweep is, `running` calls
the train and evaluate commands, `results` records what is finished and makes
the table. Of a search, `search_plan` holds what is varied, and `searching`
which cell comes next.
"""
from pgak.sweeping.plan import Evaluation
from pgak.sweeping.plan import Job
from pgak.sweeping.plan import parse_shard
from pgak.sweeping.plan import read
from pgak.sweeping.plan import Sweep
from pgak.sweeping.results import format_table
from pgak.sweeping.running import Runner
from pgak.sweeping.search_plan import Search
from pgak.sweeping.searching import Searcher

__all__ = ['Evaluation', 'Job', 'Runner', 'Search', 'Searcher', 'Sweep',
           'format_table', 'parse_shard', 'read']
