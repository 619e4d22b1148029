"""Settings: what gin may bind, with the type and range of each argument."""
from pgak.settings.declare import checked
from pgak.settings.declare import configurable
from pgak.settings.declare import made
from pgak.settings.declare import register
from pgak.settings.declare import remedy
from pgak.settings.declare import SettingError
from pgak.settings.declare import several
from pgak.settings.kinds import called
from pgak.settings.kinds import Checkpoint
from pgak.settings.kinds import Count
from pgak.settings.kinds import Decay
from pgak.settings.kinds import Fraction
from pgak.settings.kinds import Has
from pgak.settings.kinds import is_configurable
from pgak.settings.kinds import Name
from pgak.settings.kinds import NonNegative
from pgak.settings.kinds import NotEmpty
from pgak.settings.kinds import Path
from pgak.settings.kinds import Positive
from pgak.settings.kinds import Range
from pgak.settings.kinds import Reference
from pgak.settings.kinds import reference
from pgak.settings.kinds import Says
from pgak.settings.kinds import Seed
from pgak.settings.kinds import Several
from pgak.settings.kinds import Share
from pgak.settings.kinds import takes
from pgak.settings.kinds import Whole
from pgak.settings.values import described

__all__ = ['Checkpoint', 'Count', 'Decay', 'Fraction', 'Has', 'Name',
           'NonNegative', 'NotEmpty', 'Path', 'Positive', 'Range', 'Reference',
           'Says', 'Seed', 'SettingError', 'Several', 'Share', 'Whole',
           'called', 'checked', 'configurable', 'described', 'is_configurable',
           'made', 'reference', 'register', 'remedy', 'several', 'takes']
