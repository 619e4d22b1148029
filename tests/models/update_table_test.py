"""The update table by itself: rows, replacements, groups."""
import pytest

from pgak import schedules
from pgak.models import update_table

PGA = {'reconstruction': ('encoder', 'decoder'), 'latent': ('encoder',),
       'nll_decoder': ('decoder',), 'kl': ('encoder',)}


class Model:
  """Has the methods that the tables below name."""

  def terms(self, batch, noise, training=True):
    return {'of': 'terms'}

  critic = main = first = second = terms


class Other(Model):
  """Has a method of its own for the turn of the critic."""

  def critic_terms(self, batch, noise, training=True, handed=None):
    return {'handed': handed}


def _table(updates=None, weights=None, replaced=None, unreachable=None,
           owner=Model):
  return update_table.UpdateTable(owner, updates or PGA, weights or {},
                                  replaced or {}, unreachable or {})


def test_a_dictionary_is_one_phase():
  table = _table()
  assert table.phases == (update_table.Phase(Model.terms, PGA, 1),)
  assert table.rows == PGA
  assert table.slices == 1


def test_phases_keep_their_order_and_repeats():
  phases = (update_table.Phase('critic', {'a': ('critic',)}, 5),
            update_table.Phase('main', {'b': ('encoder',)}))
  table = _table(phases)
  assert [p.updates for p in table.phases] == [p.updates for p in phases]
  assert table.rows == {'a': ('critic',), 'b': ('encoder',)}
  assert table.slices == 5


def test_a_subclass_s_own_method_takes_the_place_of_the_one_that_is_stated():

  def critic_terms(self, batch, noise, training=True):
    raise AssertionError('the parent is asked')

  rows = {'a': ('critic',)}
  for stated in (critic_terms, 'critic_terms'):
    phase, = _table((update_table.Phase(stated, rows, hands_on=True),),
                    owner=Other).phases
    assert phase.compute(Other(), None, None, 'that', True) == {
        'handed': 'that'}
  phase, = _table((update_table.Phase(Model.terms, rows),)).phases
  assert phase.compute(Model(), None, None, 'that', True) == {'of': 'terms'}


def test_the_number_0_takes_a_term_out_and_a_schedule_does_not():
  table = _table(weights={'kl': 0, 'latent': 0., 'nll_decoder': -1.,
                          'reconstruction': schedules.linear(0., 0., 0, 1)})
  assert set(table.rows) == {'reconstruction', 'nll_decoder'}


def test_a_row_is_replaced_and_the_models_table_is_not():
  before = dict(PGA)
  table = _table(replaced={'kl': ['encoder', 'decoder']})
  assert table.rows == PGA | {'kl': ('encoder', 'decoder')}
  assert PGA == before


@pytest.mark.parametrize('setting', ['weights', 'replaced'])
def test_an_unknown_term_is_an_error(setting):
  with pytest.raises(ValueError, match='nll_deocder.*kl, latent, nll_decoder'):
    _table(**{setting: {'nll_deocder': ('decoder',)}})


def test_a_term_of_two_phases_is_an_error():
  phases = (update_table.Phase('first', {'kl_fake': ('encoder',)}),
            update_table.Phase('second', {'kl_fake': ('decoder',)}))
  with pytest.raises(ValueError, match='two names.*kl_fake, kl_fake'):
    _table(phases)


def test_equal_rows_are_one_group():
  assert _table().grouped(PGA) == {
      ('encoder', 'decoder'): ['reconstruction'],
      ('encoder',): ['latent', 'kl'], ('decoder',): ['nll_decoder']}


def test_a_term_rides_with_a_larger_row_whose_rest_it_cannot_reach():
  table = _table(unreachable={'latent': ('decoder',), 'kl': ('decoder',)})
  assert table.grouped(PGA) == {
      ('encoder', 'decoder'): ['reconstruction', 'latent', 'kl'],
      ('decoder',): ['nll_decoder']}


def test_it_rides_with_no_row_that_it_could_reach_or_that_lacks_a_part():
  table = _table(unreachable={'kl': ('critic',), 'latent': ('decoder',)})
  updates = PGA | {'critics': ('critic', 'prior')}
  groups = table.grouped(updates)
  assert groups[('encoder',)] == ['kl']
  assert groups[('critic', 'prior')] == ['critics']
  assert sorted(t for names in groups.values() for t in names) == sorted(
      updates)


def test_the_order_of_the_parts_does_not_matter():
  groups = _table().grouped({'a': ('encoder', 'decoder'),
                             'b': ('decoder', 'encoder')})
  assert list(groups.values()) == [['a', 'b']]
