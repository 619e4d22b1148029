"""Sweeps: many runs, trained and measured by one command.

`plan` reads a .sweep file, `progress` shows how far a sweep is, `running` calls
the train and evaluate commands, `results` records what is finished and makes
the table.
"""
from pgak.sweeping.plan import Evaluation
from pgak.sweeping.plan import Job
from pgak.sweeping.plan import parse_shard
from pgak.sweeping.plan import read
from pgak.sweeping.plan import Sweep
from pgak.sweeping.results import format_table
from pgak.sweeping.running import Runner

__all__ = ['Evaluation', 'Job', 'Runner', 'Sweep', 'format_table',
           'parse_shard', 'read']
