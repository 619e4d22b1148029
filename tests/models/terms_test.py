"""Terms: their rows in the update table, and their weights."""
import numpy as np
import pytest
import tensorflow as tf
import tiny_models
import toy

from pgak import models
from pgak import schedules


# === Rows ===


def test_terms_of_one_row_share_one_gradient(monkeypatch):
  taken = []
  gradient = tf.GradientTape.gradient
  def counting(self, target, sources, *args):
    taken.append(sorted(sources))
    return gradient(self, target, sources, *args)
  monkeypatch.setattr(tf.GradientTape, 'gradient', counting)
  tiny_models.compiled('LPGA', data_latent_reconstruction=0.1).train_step(
      tiny_models.images())
  # Eqs. 2, 3 and 6 cannot reach the decoder: they ride with eq. 1.
  assert sorted(taken) == [['decoder'], ['decoder', 'encoder']]
  taken.clear()
  tiny_models.compiled('VPGA', data_latent_reconstruction=0.1).train_step(
      tiny_models.images())
  assert taken == [['decoder', 'encoder']]


def _phases(name):
  updates = getattr(models, name).updates
  return ((models.Phase('terms', updates),) if isinstance(updates, dict)
          else updates)


SHIPPED = [(name, phase, term) for name in tiny_models.STOCHASTIC
           for phase in _phases(name) for term in phase.updates]
SETTINGS = {
    **{name: {} for name in tiny_models.STOCHASTIC},
    'LPGA': dict(data_latent_reconstruction=0.1),
    'LVPGA': dict(data_latent_reconstruction=0.1, nll_encoder=0.1),
    'VPGA': dict(data_latent_reconstruction=0.1),
}


@pytest.mark.parametrize('name, phase, term', SHIPPED, ids=[
    f'{name}-{term}' for name, _, term in SHIPPED])
def test_a_term_reaches_its_row_and_not_what_is_declared_unreachable(
    name, phase, term):
  model = tiny_models.compiled(name, **SETTINGS[name])
  batch = tf.constant(tiny_models.images())
  of_model = next(p for p in model.table.phases if term in p.updates)
  with tf.GradientTape() as tape:
    terms = of_model.compute(model, batch, model.draw_noise(batch), {}, True)
    value = tf.reduce_mean(terms[term])
  gradients = tape.gradient(value, {
      p: [v.value for v in net.trainable_variables]
      for p, net in model.parts.items()})
  for part in phase.updates[term]:
    assert any(g is not None and np.abs(g).max() > 0. for g in gradients[part])
  for part in model.unreachable.get(term, ()):
    assert part not in phase.updates[term]
    assert all(g is None for g in gradients[part])


@pytest.mark.parametrize('name', tiny_models.STOCHASTIC)
def test_merged_rows_change_nothing(name):
  batch = tiny_models.images()
  merged = tiny_models.compiled(name, **SETTINGS[name])
  apart = tiny_models.compiled(name, **SETTINGS[name])
  apart.table.unreachable = {}
  for phase in apart.table.phases:
    rows = phase.updates
    assert len(apart.table.grouped(rows)) == len(set(rows.values()))
  merged.train_step(batch)
  apart.train_step(batch)
  toy.assert_same_weights(merged, apart)


def test_a_row_that_is_replaced_changes_only_the_parts_it_gains():
  batch = tiny_models.images()
  settings = SETTINGS['LPGA']
  usual, _ = toy.changes(tiny_models.compiled('LPGA', **settings), batch)
  for term, gains in (('latent_reconstruction', 'decoder'),
                      ('data_latent_reconstruction', 'decoder'),
                      ('nll_decoder', 'encoder')):
    model = tiny_models.compiled(
        'LPGA', updates={term: ('encoder', 'decoder')}, **settings)
    changes, _ = toy.changes(model, batch)
    for part in model.parts:
      gap = np.abs(changes[part] - usual[part]).max()
      assert gap > 1e-4 if part == gains else gap < 1e-6, (term, part)


def test_a_term_in_no_part_is_computed_and_moves_nothing():
  model = toy.compiled(toy.Toy(updates={'latent_l2': ()}))
  reference = toy.compiled(toy.Toy(weights={'latent_l2': 0.}))
  logs = model.train_step(toy.vectors())
  reference.train_step(toy.vectors())
  assert 'latent_l2' in logs
  toy.assert_same_weights(model, reference)


@pytest.mark.parametrize('setting', ['updates', 'weights'])
def test_an_unknown_term_is_an_error(setting):
  value = {'lattent_l2': ('encoder',) if setting == 'updates' else 1.}
  with pytest.raises(ValueError, match='lattent_l2.*latent_l2, reconstruction'):
    toy.Toy(**{setting: value})


def test_a_table_that_cannot_be_followed_is_an_error():
  model = toy.compiled(toy.Toy(updates={'latent_l2': ('decoder',),
                                 'reconstruction': ('encoder',)}))
  with pytest.raises(ValueError, match='decoder'):
    model.train_step(toy.vectors())
  class Forgetful(toy.Toy):
    def terms(self, batch, noise, training=True):
      return {'latent_l2': super().terms(batch, noise)['latent_l2']}
  with pytest.raises(ValueError, match='reconstruction'):
    toy.compiled(Forgetful()).train_step(toy.vectors())


# === Weights ===


def test_the_logged_loss_is_the_weighted_sum():
  model = toy.compiled(toy.Toy(weights={
      'reconstruction': 0.5, 'latent_l2': schedules.linear(0., 1., 0, 4)}))
  for step in range(3):
    expected = {t: float(tf.reduce_mean(v))
                for t, v in model.terms(toy.vectors(), {}).items()}
    model.reset_metrics()
    logs = {t: float(v) for t, v in model.train_step(toy.vectors()).items()}
    loss = logs.pop('loss')
    assert logs == pytest.approx(expected, rel=1e-5)
    assert loss == pytest.approx(
        0.5 * logs['reconstruction'] + step / 4 * logs['latent_l2'], rel=1e-5)


def test_a_scheduled_weight_scales_the_step_without_retracing():
  class Counting(toy.Toy):
    updates = {'reconstruction': ('decoder',), 'latent_l2': ('encoder',)}
    traces = []

    def terms(self, batch, noise, training=True):
      self.traces.append(1)
      return super().terms(batch, noise, training)

  model = toy.compiled(Counting(weights={
      'latent_l2': schedules.linear(0., 1., 0, 4)}))
  reference = Counting()
  data = tf.data.Dataset.from_tensors(toy.vectors()).repeat()
  traces = []
  for step in range(6):
    start = toy.values(model)['encoder']
    for v, w in zip(reference.trainable_variables, model.trainable_variables):
      v.assign(w)
    toy.descend(reference, lambda: tf.reduce_mean(
        reference.terms(toy.vectors(), {})['latent_l2']), 'encoder')
    reference.traces.clear()
    model.fit(data, steps_per_epoch=1, verbose=0)
    traces.append(len(model.traces))
    full = toy.values(reference)['encoder'] - start
    np.testing.assert_allclose(
        toy.values(model)['encoder'] - start, min(1., step / 4) * full,
        1e-4, 1e-6)
  # `reference` shares the list and clears it; a trace would leave a mark.
  assert traces[0] > 0 and traces[1:] == [0] * 5


@pytest.mark.parametrize('name, settings, off', [
    ('LPGA', {}, 'data_latent_reconstruction'),
    ('LPGA', dict(latent_reconstruction=0.), 'latent_reconstruction'),
    ('LPGA', dict(nll_decoder=0, nll_encoder=0.), 'nll_decoder'),
    ('LVPGA', {}, 'nll_encoder'),
    ('VPGA', dict(kl=0.), 'kl'),
    ('VAE', dict(kl=0.), 'kl')])
def test_a_term_of_weight_0_is_absent(name, settings, off):
  model = tiny_models.compiled(name, **settings)
  logs = model.train_step(tiny_models.images())
  assert off not in logs
  assert not model.is_on(off)
  assert 'reconstruction' in logs
  assert all(np.isfinite(v) for v in logs.values())


@pytest.mark.parametrize('name, term', [
    ('LPGA', 'nll_decoder'), ('VPGA', 'variational_reconstruction'),
    ('LVPGA', 'variational_nll')])
def test_h_is_not_computed_for_a_term_of_weight_0(name, term, monkeypatch):
  model, calls = tiny_models.compiled(name, **{term: 0.}), []
  monkeypatch.setattr(model, 'h', lambda *_: calls.append(1))
  model.train_step(tiny_models.images())
  assert not calls


def test_logs_are_means_over_the_examples_of_an_epoch():
  model = toy.compiled(toy.Toy(), learning_rate=0.)
  model.train_step(toy.vectors(6))
  logs = model.train_step(toy.vectors(2, seed=9))
  both = tf.concat([toy.vectors(6), toy.vectors(2, seed=9)], 0)
  for term, values in model.terms(both, {}).items():
    assert float(logs[term]) == pytest.approx(float(tf.reduce_mean(values)))
