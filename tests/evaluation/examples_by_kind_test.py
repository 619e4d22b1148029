"""Each kind of data has its examples, and refuses the others' protocols."""
import pytest

from pgak import data
from pgak import errors
from pgak.evaluation import examples_by_kind
from pgak.evaluation import protocols
from pgak.evaluation import vectors

PAIRS = data.pairs(data.digits, 'edges')


def _examples(dataset, protocol):
  return examples_by_kind.examples_for(dataset, protocols.resolve(protocol))


def test_vectors_have_their_examples():
  made = _examples(data.swiss_roll(30), 'vectors')
  assert isinstance(made, vectors.VectorExamples)


@pytest.mark.parametrize('make, protocol, named', [
    (lambda: data.swiss_roll(30), 'quick',
     'quick measures images, and swiss_roll holds vectors: use --protocol=vec'),
    (lambda: PAIRS, 'vectors', 'holds pairs: use --protocol=learned_priors_p'),
    (data.digits, 'learned_priors_pairs', 'digits holds images: use another')])
def test_a_protocol_of_another_kind_is_refused(make, protocol, named):
  with pytest.raises(errors.UserError, match=named):
    _examples(make(), protocol)


def test_every_protocol_is_for_a_kind_that_there_is():
  holds = {name: protocols.resolve(name).holds for name in protocols.NAMES}
  assert set(holds.values()) == {'images', 'pairs', 'vectors'}
  assert [n for n, h in holds.items() if h == 'vectors'] == ['vectors']
