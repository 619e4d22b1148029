"""All formats and kinds of pictures, decoded here and in a graph."""
import io
import pathlib
import struct

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

import made_pictures
from pgak.data import decoding
from pgak.data import formats
from pgak.data import graph_decoding

STORED = pathlib.Path(__file__).parent.parent / 'fixtures/0.4/pictures.npz'
BACKGROUND = (10, 200, 90)
# Levels that a decoder may be off what was encoded.
TOLERANCE = {'JPEG': 12, 'AVIF': 8}
ALL = [(form, kind) for form in made_pictures.SAVED
       for kind in made_pictures.SAVED[form]]
NOT_IN_A_GRAPH = {('BMP', 'bit')} | {
    (form, kind) for form, kind in ALL if form not in graph_decoding.FORMATS}


@pytest.fixture(scope='module', name='in_graph')
def _in_graph():
  """`in_graph(bytes, channels, background)` as an export decodes it."""
  traced = {}

  def decode(data, channels=3, background=255):
    key = channels, background
    if key not in traced:
      traced[key] = tf.function(
          lambda contents: graph_decoding.decode(
              contents, channels, background, 1 << 20),
          [tf.TensorSpec([], tf.string)], autograph=False)
    return traced[key](data).numpy()
  return decode


def apart(one, other):
  assert one.shape == other.shape
  return np.abs(np.asarray(one, int) - np.asarray(other, int)).max()


@pytest.mark.parametrize('form,kind', ALL)
@pytest.mark.parametrize('background', [
    255, pytest.param(BACKGROUND, marks=[pytest.mark.slow,
                                         pytest.mark.exhaustive])])
def test_every_kind_of_every_format(form, kind, background, in_graph):
  content = made_pictures.files(form)[kind]
  for channels in (1, 3):
    decoded = decoding.decode(content, channels, background).numpy()
    wanted = made_pictures.wanted(kind, background, channels)
    assert apart(decoded, wanted) <= TOLERANCE.get(form, 1)
    if channels == 3 and form not in TOLERANCE:
      np.testing.assert_array_equal(decoded, wanted)
    if (form, kind) not in NOT_IN_A_GRAPH:
      np.testing.assert_array_equal(
          in_graph(content, channels, background), decoded)


@pytest.mark.parametrize('form,kind', sorted(NOT_IN_A_GRAPH))
def test_what_a_graph_cannot_decode_is_refused_in_a_sentence(
    form, kind, in_graph):
  with pytest.raises(tf.errors.InvalidArgumentError,
                     match='must hold PNG, JPEG, GIF, BMP or WebP|save it as'):
    in_graph(made_pictures.files(form)[kind])


def test_what_version_0_4_decoded_right_keeps_its_pixels(in_graph):
  with np.load(STORED) as stored:
    names = [k[len('file/'):] for k in stored if k.startswith('file/')]
    assert len(names) == 20
    for name in names:
      content = stored[f'file/{name}'].tobytes()
      for channels in (1, 3):
        before = stored[f'{channels}/{name}']
        for decode in (decoding.decode, in_graph):
          # 16 bits were cut, not rounded.
          assert apart(decode(content, channels), before) <= ('16' in name)
          assert apart(decode(content, channels, None), before) == 0


def test_without_a_background_hidden_colours_are_kept(in_graph):
  for form in ('PNG', 'WEBP', 'TIFF'):
    content = made_pictures.files(form)['alpha']
    assert apart(decoding.decode(content, 3, None).numpy(),
                 made_pictures.COLOURS) == 0
    if form in graph_decoding.FORMATS:
      assert apart(in_graph(content, 3, None), made_pictures.COLOURS) == 0


# What the EXIF standard says is stored for a picture that is seen upright.
TURNED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: x.transpose(1, 0, 2)[::-1],
    7: lambda x: x.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda x: x.transpose(1, 0, 2)[:, ::-1],
}
XMP = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {}>{}'
       '</rdf:Description></rdf:RDF></x:xmpmeta>')


def xmp(orientation, as_element=False):
  if as_element:
    inner = f'<tiff:Orientation>{orientation}</tiff:Orientation>'
    return XMP.format('', inner).encode()
  return XMP.format(f'tiff:Orientation="{orientation}"', '').encode()


def turned_file(form, orientation, note):
  stored = Image.fromarray(np.ascontiguousarray(
      TURNED[orientation](made_pictures.COLOURS)))
  if note == 'exif':
    exif = Image.Exif()
    exif[0x0112] = orientation
    return made_pictures.encoded(stored, form, exif=exif)
  text = xmp(orientation, as_element=orientation % 2)
  if form == 'PNG':
    from PIL import PngImagePlugin
    info = PngImagePlugin.PngInfo()
    info.add_itxt('XML:com.adobe.xmp', text.decode())
    return made_pictures.encoded(stored, form, pnginfo=info)
  return made_pictures.encoded(stored, form, xmp=text)


@pytest.mark.parametrize('orientation', sorted(TURNED))
@pytest.mark.parametrize('form,note', [
    ('JPEG', 'exif'), ('PNG', 'exif'), ('WEBP', 'exif'), ('TIFF', 'exif'),
    ('AVIF', 'exif'), ('JPEG', 'xmp'), ('PNG', 'xmp'), ('WEBP', 'xmp')])
def test_every_orientation_of_every_note(form, note, orientation, in_graph):
  content = turned_file(form, orientation, note)
  decoded = decoding.decode(content, 3).numpy()
  assert apart(decoded, made_pictures.COLOURS) <= TOLERANCE.get(form, 0)
  if form in graph_decoding.FORMATS:
    np.testing.assert_array_equal(in_graph(content), decoded)
  # As Pillow turns it.
  from PIL import ImageOps
  with Image.open(io.BytesIO(content)) as opened:
    pillow = ImageOps.exif_transpose(opened).convert('RGB')
  assert apart(decoded, np.asarray(pillow)) == 0


def test_exif_goes_before_xmp(in_graph):
  exif = Image.Exif()
  exif[0x0112] = 1
  content = made_pictures.encoded(
      made_pictures.image('colour'), 'JPEG', exif=exif, xmp=xmp(6))
  for decode in (decoding.decode, in_graph):
    assert decode(content, 3).shape == (11, 7, 3)


def test_a_broken_note_is_passed_over(in_graph):
  content = turned_file('JPEG', 6, 'exif')
  place = content.find(b'Exif') + 6 + 4
  for broken in (b'\xff\xff\xff\xff', b'\0\0\0\x7f', b'\x0c\0\0\0'):
    other = content[:place] + broken + content[place + 4:]
    for decode in (decoding.decode, in_graph):
      assert decode(other, 3).shape == (7, 11, 3)


@pytest.mark.parametrize('with_adobe', [True, False])
@pytest.mark.parametrize('transform', [0, 2])
def test_all_four_inks(with_adobe, transform, in_graph):
  # CMYK and YCCK, with the marker that says that inks are inverted or without.
  content = made_pictures.encoded(made_pictures.image('inks'), 'JPEG')
  place = content.find(b'Adobe')
  content = (content[:place + 11] + bytes([transform]) + content[place + 12:]
             if with_adobe else content[:place - 4] + content[place + 12:])
  for channels in (1, 3):
    decoded = decoding.decode(content, channels).numpy()
    np.testing.assert_array_equal(in_graph(content, channels), decoded)
  if with_adobe:
    pillow = Image.open(io.BytesIO(content)).convert('RGB')
    np.testing.assert_array_equal(decoded, np.asarray(pillow))


def test_white_is_zero_in_a_tiff():
  content = made_pictures.files('TIFF')['deep']
  tag = struct.pack('<HHIH', 262, 3, 1, 1)
  assert tag in content
  inverted = content.replace(tag, struct.pack('<HHIH', 262, 3, 1, 0))
  decoded = decoding.decode(inverted, 1).numpy()
  assert apart(decoded, 255 - made_pictures.wanted('deep', 255, 1)) <= 1


@pytest.mark.parametrize('dtype', [np.float32, np.int32])
def test_numbers_without_a_range_are_refused(dtype):
  numbers = Image.fromarray(made_pictures.DEEP.astype(dtype))
  with pytest.raises(ValueError, match='range it does not state'):
    decoding.decode(made_pictures.encoded(numbers, 'TIFF'), 3)


@pytest.mark.parametrize('form', ['GIF', 'WEBP', 'TIFF', 'PNG', 'AVIF'])
def test_the_first_of_several_frames_is_taken(form, in_graph):
  kind = 'palette' if form == 'GIF' else 'colour'
  first = made_pictures.image(kind)
  second = Image.fromarray(255 - made_pictures.COLOURS)
  content = made_pictures.encoded(first, form, save_all=True,
                                  append_images=[second, second])
  decoded = decoding.decode(content, 3).numpy()
  assert apart(decoded, np.asarray(first.convert('RGB'))) <= TOLERANCE.get(
      form, 0)
  if form in ('GIF', 'PNG'):
    np.testing.assert_array_equal(in_graph(content), decoded)
  elif form == 'WEBP':
    with pytest.raises(tf.errors.InvalidArgumentError, match='animated'):
      in_graph(content)


def test_a_gif_that_begins_with_a_part_of_the_picture(in_graph):
  content = bytearray(made_pictures.files('GIF')['palette'])
  content[6:10] = struct.pack('<HH', 9, 13)
  assert decoding.decode(bytes(content), 3).shape == (13, 9, 3)
  with pytest.raises(tf.errors.InvalidArgumentError, match='does not fill'):
    in_graph(bytes(content))


@pytest.mark.parametrize('form', list(made_pictures.SAVED))
def test_a_file_that_is_cut_short_is_damaged(form, in_graph):
  content = made_pictures.files(form)
  content = content.get('colour') or content['palette']
  for length in (len(content) - 30, len(content) // 2):
    with pytest.raises(ValueError, match='it is damaged|it is no PNG|0 pixels'):
      decoding.decode(content[:length], 3)
    if form in graph_decoding.FORMATS:
      with pytest.raises(tf.errors.InvalidArgumentError):
        in_graph(content[:length])


def claim(form, side):
  """Returns a small file whose header claims a square of so many pixels."""
  files = made_pictures.files(form)
  content = bytearray(files.get('colour') or files['palette'])
  places = {'PNG': (16, '>I'), 'GIF': (6, '<H'), 'BMP': (18, '<i'),
            'TIFF': None, 'WEBP': (21, '<I')}
  if form == 'WEBP':
    content[21:25] = struct.pack('<I', (side - 1) | ((side - 1) << 14))
  elif form == 'JPEG':
    place = content.find(b'\xff\xc0') + 5
    content[place:place + 4] = struct.pack('>HH', side, side)
  elif form == 'PPM':
    content = content.replace(b'7 11', b'%d %d' % (side, side))
  elif form == 'TIFF':
    for tag, old in ((256, 7), (257, 11)):
      content = content.replace(struct.pack('<HHIH', tag, 3, 1, old),
                                struct.pack('<HHIH', tag, 3, 1, side))
      content = content.replace(struct.pack('<HHII', tag, 4, 1, old),
                                struct.pack('<HHII', tag, 4, 1, side))
  else:
    place, code = places[form]
    size = struct.calcsize(code)
    content[place:place + 2 * size] = 2 * struct.pack(code, side)
  return bytes(content)


@pytest.mark.parametrize('form', ['PNG', 'JPEG', 'GIF', 'BMP', 'WEBP', 'TIFF',
                                  'PPM'])
# Pillow itself refuses the larger.
@pytest.mark.parametrize('side', [9000, 16000])
def test_a_claim_of_too_many_pixels_is_refused_before_decoding(
    form, side, in_graph, monkeypatch):
  content = claim(form, side)
  def loaded(*_):
    raise AssertionError('it was decoded')
  monkeypatch.setattr(Image.Image, 'load', loaded)
  with pytest.raises(ValueError, match=f'{side} x {side} pixels|more than'):
    decoding.decode(content, 3)
  if form in graph_decoding.FORMATS:
    with pytest.raises(tf.errors.InvalidArgumentError,
                       match='at most 1048576'):
      in_graph(content)


@pytest.mark.parametrize('data', [
    b'', b'BM', b'BM is how this note begins, and it is long enough to sniff',
    b'%!PS-Adobe-3.0 EPSF-3.0\n', b'\0\0\1\0icon', b'P5', b'Pictures\n',
    b'II*\0\x10\0\0\0CR\2\0a camera', b'\0\0\0\x18ftypmp42\0\0\0\0mp42isom',
    b'\0\0\0\x18ftypmif1\0\0\0\0mif1heic', b'RIFF\0\0\0\0WAVEfmt '])
def test_other_files_are_no_pictures(data):
  assert formats.sniff(data) is None
  with pytest.raises(ValueError, match='it is no PNG, JPEG, WebP'):
    decoding.decode(data, 3)


def test_the_beginning_of_a_file_tells_its_format():
  for form in made_pictures.SAVED:
    for content in made_pictures.files(form).values():
      assert formats.sniff(content[:formats.HEAD]) == form
  assert set(made_pictures.SAVED) == set(formats.NAMES)
