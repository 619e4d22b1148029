"""What is said of the sides of a comparison, and statistics that are kept."""
import json

import numpy as np
from PIL import Image
import pytest
import tiny_evaluation

import pgak
from pgak import errors
from pgak.data import survey
from pgak.evaluation import comparison
from pgak.evaluation import evaluator
from pgak.evaluation import sides


def _noise(number, seed, high=256):
  return np.random.default_rng(seed).integers(
      0, high, (number, 8, 8, 1), np.uint8)


@pytest.fixture
def flat(monkeypatch):
  monkeypatch.setattr(evaluator, 'feature_net', tiny_evaluation.flat_net)


def test_a_survey_knows_formats_and_sizes(tmp_path):
  for name, size in (('a.png', (9, 4)), ('b.jpg', (12, 30)),
                     ('c.jpg', (2, 3))):
    Image.new('RGB', size).save(tmp_path / name)
  seen = survey.survey(tmp_path)
  assert seen.formats == {'JPEG': 2, 'PNG': 1}
  assert seen.sizes == ((2, 3), (12, 30))


@pytest.mark.parametrize('one, other, warned', [
    ({'JPEG': 9}, {'PNG': 5}, True), ({'JPEG': 9}, {'JPEG': 5}, False),
    ({'JPEG': 5, 'PNG': 5}, {'JPEG': 50, 'PNG': 51}, False),
    ({'WEBP': 3}, {'BMP': 3}, True), ({'JPEG': 9}, {}, False),
    ({'GIF': 2}, {'PNG': 2}, False)])
def test_formats_that_lose_details_are_warned_about(one, other, warned):
  found = sides.warnings_of(*(
      sides.Side(name, _noise(2, 0), formats=formats)
      for name, formats in (('one', one), ('other', other))))
  assert bool(found) == warned
  assert not warned or '100% of one and 0% of other are in' in found[0]


@pytest.mark.filterwarnings('ignore:A Frechet distance')
def test_pictures_are_said_with_their_sizes_and_resize(tmp_path, capsys):
  for folder, ending, size in (('photos', 'jpg', (20, 12)),
                               ('made', 'png', (8, 8))):
    (tmp_path / folder).mkdir()
    for i, image in enumerate(_noise(6, 0)):
      Image.fromarray(image[..., 0]).resize(size).save(
          tmp_path / folder / f'{i}.{ending}')
  found = pgak.compare(tmp_path / 'photos', tmp_path / 'made', size=8,
                       features=['random'])
  text = comparison.format_table(found).splitlines()
  assert text[0].endswith('photos: 6 images of 8x8x1 by bicubic_antialias, '
                          'from JPEG 6 of 20x12 pixels')
  assert text[1].endswith('made: 6 images of 8x8x1, from PNG 6 of 8x8 pixels')
  assert text[2] == ('features random_net_0: of the size of the images, values '
                     'in [-1, 1]')
  assert text[-1].startswith('Note: 100% of ')
  json.dumps([distance._asdict() for distance in found])
  capsys.readouterr()


@pytest.mark.usefixtures('flat')
def test_statistics_give_the_same_distance(tmp_path, capsys):
  one, other = _noise(300, 0), _noise(200, 1, 100)
  path = tmp_path / 's.npz'
  names = ['64', '192']
  whole = pgak.compare(one, other, features=names, save_statistics=path)
  assert 'statistics are in' in capsys.readouterr().out
  with np.load(path) as arrays:
    np.testing.assert_allclose(
        arrays['covariance_0'], np.cov(evaluator.feature_net(
            '64', None).network(one / 255.).numpy(), rowvar=False), atol=1e-8)
    assert arrays['count_1'] == 300
  kept = pgak.compare(path, other)
  assert [d.metric for d in kept] == ['frechet_flat_64', 'frechet_flat_192']
  for distance in kept:
    same, = (d for d in whole if d.metric == distance.metric)
    assert distance.value == pytest.approx(same.value, rel=1e-9)
    assert distance.error is None and distance.numbers == (300, 200)
  assert 'kernel distance and standard errors need' in kept[0].warnings[0]
  both = pgak.compare(path, path, features=['192'])
  assert both[0].value == pytest.approx(0., abs=1e-9)


@pytest.mark.usefixtures('flat')
def test_wrong_statistics_are_told(tmp_path, capsys):
  path = tmp_path / 's.npz'
  images = _noise(20, 0)
  pgak.compare(images, features=['64'], save_statistics=path)
  with pytest.raises(errors.UserError, match='exists: give --overwrite'):
    pgak.compare(images, features=['64'], save_statistics=path)
  with pytest.raises(errors.UserError, match='flat_64 and none of flat_192'):
    pgak.compare(path, images, features=['192'])
  with pytest.raises(errors.UserError, match='give --size'):
    pgak.compare(path, np.zeros((9, 4, 4, 1), np.uint8))
  with np.load(path) as arrays:
    changed = dict(arrays)
  del changed['mean_0']
  np.savez(path, **changed)
  with pytest.raises(errors.UserError, match='are damaged: save them'):
    pgak.compare(path, images)
  capsys.readouterr()


def test_a_file_for_statistics_is_refused_before_images_are_read(tmp_path):
  absent = tmp_path / 'absent'
  with pytest.raises(errors.UserError, match='--save_statistics=a.npz'):
    pgak.compare(absent, save_statistics='a')
  (tmp_path / 'file').touch()
  with pytest.raises(errors.UserError, match='a.npz cannot be written .*ch'):
    pgak.compare(absent, save_statistics=tmp_path / 'file' / 'a.npz')


@pytest.mark.parametrize('vectors', [
    np.zeros([9, 2], np.float32), np.zeros([9, 4, 4, 1], np.float32),
    np.zeros([9, 16], np.uint8)])
def test_what_are_no_images_is_refused(tmp_path, vectors):
  with pytest.raises(errors.UserError, match='array holds .*images are compar'):
    pgak.compare(vectors, vectors)
  if vectors.ndim == 2 and vectors.dtype == np.float32:
    np.save(tmp_path / 'a.npy', vectors)
    with pytest.raises(errors.UserError, match='a.npy holds float32 .* images'):
      pgak.compare(tmp_path / 'a.npy', tmp_path / 'a.npy')


@pytest.mark.usefixtures('flat')
def test_statistics_of_other_weights_are_told(tmp_path, capsys):
  path = tmp_path / 's.npz'
  images = _noise(20, 0)
  pgak.compare(images, features=['64'], save_statistics=path)
  with np.load(path) as arrays:
    changed = dict(arrays)
  about = json.loads(str(changed['pgak_statistics']))
  about['nets'][0]['fingerprint'] = '0' * 16
  np.savez(path, **changed | {'pgak_statistics': json.dumps(about)})
  with pytest.raises(errors.UserError, match='are of another flat_64'):
    pgak.compare(path, images)
  capsys.readouterr()
