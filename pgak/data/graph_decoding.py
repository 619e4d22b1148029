"""Picture files to pixels inside a graph, where there is no Pillow.

The pixels are those of `decoding.decode`. Formats that TensorFlow's ops read
wrongly, or not at all, are refused in a sentence (see `LIMITS`).
"""
import tensorflow as tf

from pgak.data import formats
from pgak.data import graph_orientation
from pgak.data import orientation
from pgak.data import pixels

__all__ = ['FORMATS', 'LIMITS', 'decode']

FORMATS = ('PNG', 'JPEG', 'GIF', 'BMP', 'WEBP')

# What `encode_image` refuses though the data set `images` reads it.
LIMITS = (
    'TIFF, AVIF, JPEG 2000 and PPM',
    'GIF whose first frame does not fill the picture',
    'BMP that is compressed or has other than 8, 24 or 32 bits a pixel',
    'WebP that is animated',
)

# Of all but the last, in the order of `FORMATS`.
_MAGICS = (formats.PNG, b'\xff\xd8\xff', b'GIF8', b'BM')
# Zeros behind a file that is cut short, so that its header can still be read.
_PADDING = b'\0' * 64


def decode(contents, channels, background, max_pixels):
  """Decodes one picture in a graph and rotates it upright.

  Args:
    contents: scalar string tensor, the bytes of a file.
    channels: 1 for grey, 3 for colour.
    background: as of `decoding.decode`.
    max_pixels: the most that a picture may have; its header is read before it
      is decoded.

  Returns:
    uint8 tensor `[height, width, channels]`.

  Raises:
    tf.errors.InvalidArgumentError: when it runs, with a sentence, if the file
      is none of `FORMATS`, is of `LIMITS` or too large; with TensorFlow's own
      words if it is damaged.
  """
  form = _form(contents)
  contents = _after(contents, [tf.debugging.Assert(
      form < len(FORMATS), ['`image_bytes` must hold PNG, JPEG, GIF, BMP or '
                            'WebP files.'])])
  readers = [_PNG, _JPEG, _GIF, _BMP, _WebP]
  # From the header, before a decoder allocates what a small file may claim.
  size = tf.switch_case(form, [
      lambda r=r: r.size(contents) for r in readers])
  number = tf.reduce_prod(tf.cast(size, tf.int64))
  contents = _after(contents, [tf.debugging.Assert(
      (number > 0) & (number <= max_pixels),
      ['`image_bytes` must hold pictures of at least 1 and at most '
       f'{max_pixels} pixels, but one has height and width', size])])
  image = tf.switch_case(form, [
      lambda r=r: r.decode(contents, channels, background) for r in readers])
  return tf.ensure_shape(image, [None, None, channels])


def _form(contents):
  """Returns the position in `FORMATS`, or their number."""
  def starts(magic, place=0):
    return tf.equal(
        tf.strings.substr(_head(contents), place, len(magic)), magic)
  # The first that matches; the last is always true, for none of them.
  return tf.argmax(tf.cast(tf.stack([
      *map(starts, _MAGICS), starts(b'RIFF') & starts(b'WEBP', 8), True
  ]), tf.int32), output_type=tf.int32)


def _padded(contents):
  """Appends zeros, so that the header of a truncated file can be read."""
  return tf.strings.join([contents, _PADDING])


def _head(contents):
  """Returns the first 64 bytes."""
  return tf.strings.substr(
      _padded(tf.strings.substr(contents, 0, len(_PADDING))), 0, len(_PADDING))


def _after(contents, checks):
  # Without it a graph would drop the checks, which nothing reads.
  with tf.control_dependencies(checks):
    return tf.identity(contents)


def _refuse_unless(condition, contents, what):
  return _after(contents, [tf.debugging.Assert(
      condition, [f'`image_bytes` holds a {what}, which this signature does '
                  'not read: save it as PNG or JPEG.'])])


def _integer(contents, start, size, little=True, mask=None):
  """Reads an unsigned number of 1 to 4 bytes, as int32 (so below 2^31)."""
  raw = tf.io.decode_raw(
      tf.strings.substr(_head(contents), start, size), tf.uint8)
  weights = [1 << (8 * i) for i in range(size)]
  weights = tf.constant(weights if little else weights[::-1], tf.int64)
  value = tf.reduce_sum(tf.cast(raw, tf.int64) * weights)
  return tf.cast(value if mask is None else value & mask, tf.int32)


def _replaced(contents, place, new):
  """Writes bytes over those at a place."""
  after = tf.maximum(tf.strings.length(contents) - place - len(new), 0)
  padded = _padded(contents)
  return tf.strings.join([tf.strings.substr(padded, 0, place), new,
                          tf.strings.substr(padded, place + len(new), after)])


def _opaque_or_mixed(rgba, opaque, channels, background):
  """`opaque()` where nothing is transparent, else the colours on a background.
  """
  if background is None:
    return opaque()
  return tf.cond(
      tf.reduce_min(rgba[..., 3]) < 255,
      lambda: pixels.to_channels(pixels.composite(rgba, background), channels),
      opaque)


class _PNG:
  """See `decoding._decode_png`."""

  @staticmethod
  def size(contents):
    return tf.stack([_integer(contents, 20, 4, little=False),
                     _integer(contents, 16, 4, little=False)])

  @classmethod
  def decode(cls, contents, channels, background):
    if background is None:
      return tf.io.decode_png(contents, channels)
    read = cls._reader(contents)
    # Byte 25 is the colour type; 4 and 6 have an alpha channel.
    may_be = tf.reduce_any(_integer(contents, 25, 1) == tf.constant([4, 6]))
    may_be |= graph_orientation.after(contents, b'tRNS')[0]
    image = tf.cond(
        may_be, lambda: _opaque_or_mixed(
            read(4), lambda: read(channels), channels, background),
        lambda: read(channels))
    return orientation.upright(
        image, graph_orientation.stated(contents, 'PNG'))

  @staticmethod
  def _reader(contents):
    # Byte 24 is the bit depth.
    deep = tf.equal(_integer(contents, 24, 1), 16)
    return lambda channels: tf.cond(
        deep, lambda: pixels.eight_bits(
            tf.io.decode_png(contents, channels, tf.uint16)),
        lambda: tf.io.decode_png(contents, channels))


class _JPEG:
  """See `decoding._decode_jpeg`."""

  @staticmethod
  def size(contents):
    return tf.image.extract_jpeg_shape(contents)[:2]

  @staticmethod
  def decode(contents, channels, background):
    def read(channels):
      return tf.io.decode_jpeg(contents, channels,
                               dct_method='INTEGER_ACCURATE')
    image = tf.cond(
        # TensorFlow brings the four inks of CMYK to three colours, and to no
        # grey.
        tf.equal(tf.image.extract_jpeg_shape(contents)[2], 4),
        lambda: pixels.to_channels(read(3), channels), lambda: read(channels))
    return orientation.upright(image, graph_orientation.stated(
        contents, 'JPEG', xmp=background is not None))


class _GIF:
  """The first frame alone; its transparent colour becomes the background."""

  @staticmethod
  def size(contents):
    return tf.stack([_integer(contents, 8, 2), _integer(contents, 6, 2)])

  @classmethod
  def decode(cls, contents, channels, background):
    raw = tf.cast(tf.io.decode_raw(_padded(contents), tf.uint8), tf.int32)
    frame, control = cls._first_frame(raw, 13 + 3 * cls._colours(raw, 10))
    own = cls._colours(raw, frame + 9)
    whole = tf.reduce_all(tf.equal(
        raw[frame + 1:frame + 9], tf.concat([[0] * 4, raw[6:10]], 0)))
    contents = _refuse_unless(whole, contents,
                              'GIF whose first frame does not fill the picture')
    end = cls._after_blocks(raw, frame + 11 + 3 * own)
    # Cut after the first frame: the op would decode all of an animation.
    single = tf.strings.join(
        [tf.strings.substr(_padded(contents), 0, end), b';'])
    # The frame's own table of colours, or else the picture's, at byte 13.
    table = tf.where(own > 0, frame + 10, 13)
    single = tf.cond(
        control > 0, lambda: cls._opaque(
            single, control, table + 3 * raw[control + 6], background),
        lambda: single)
    return pixels.to_channels(tf.io.decode_gif(single)[0], channels)

  @staticmethod
  def _colours(raw, position):
    """Returns how many colours the table has that a byte of flags states."""
    flags = raw[position]
    return tf.where(flags >= 128, tf.bitwise.left_shift(2, flags & 7), 0)

  @classmethod
  def _first_frame(cls, raw, start):
    """Returns its place, and that of the note of a transparent colour, or 0."""
    last = tf.size(raw) - len(_PADDING)

    def skip(place, control):
      clear = tf.where(tf.equal(raw[place + 3] & 1, 1), place, 0)
      return (cls._after_blocks(raw, place + 2),
              # Blocks of the kind F9 hold the note of a transparent colour.
              tf.where(tf.equal(raw[place + 1], 0xF9), clear, control))
    return tf.while_loop(
        # 0x21 begins a note; a frame begins with 0x2C.
        lambda place, control: tf.equal(raw[place], 0x21) & (place < last),
        skip, [tf.minimum(start, last), 0])

  @staticmethod
  def _after_blocks(raw, start):
    """Returns the end of a chain of blocks, each with its length before it."""
    last = tf.size(raw) - len(_PADDING)
    end, = tf.while_loop(
        lambda position: raw[position] > 0,
        lambda position: [tf.minimum(position + 1 + raw[position], last)],
        [tf.minimum(start, last)], parallel_iterations=1)
    return end + 1

  @staticmethod
  def _opaque(contents, control, colour, background):
    """Gives the transparent colour that of the background, and its note up."""
    if background is not None:
      levels = (background if isinstance(background, (list, tuple))
                else (background,) * 3)
      contents = _replaced(contents, colour, bytes(levels))
    # The lowest bit says that there is a transparent colour.
    return _replaced(contents, control + 3, b'\0')


class _BMP:
  """Without compression: 8 bits with a table of colours, 24 bits or 32."""

  @staticmethod
  def size(contents):
    height = _integer(contents, 22, 4)  # Negative where the top is first.
    return tf.stack([tf.abs(height), tf.abs(_integer(contents, 18, 4))])

  @classmethod
  def decode(cls, contents, channels, background):
    header, bits = _integer(contents, 14, 4), _integer(contents, 28, 2)
    # Byte 30 is the compression, 0 for none.
    plain = (header >= 40) & tf.equal(_integer(contents, 30, 4), 0) & (
        tf.reduce_any(bits == tf.constant([8, 24, 32])))
    contents = _refuse_unless(
        plain, contents,
        'BMP that is compressed or has other than 8, 24 or 32 bits a pixel')
    image = tf.cond(
        tf.equal(bits, 8), lambda: cls._coloured(contents, header),
        lambda: tf.io.decode_bmp(contents)[..., :3])
    return pixels.to_channels(image, channels)

  @staticmethod
  def _coloured(contents, header):
    """Looks the numbers of the colours up in the table after the header."""
    number = _integer(contents, 46, 4)
    # 0 stands for all 256.
    number = tf.clip_by_value(
        tf.where(tf.equal(number, 0), 256, number), 1, 256)
    table = tf.io.decode_raw(tf.strings.substr(tf.strings.join(
        [contents, b'\0' * 1024]), 14 + header, 4 * number), tf.uint8)
    colours = tf.reshape(table, [number, 4])[:, 2::-1]  # BGRX to RGB
    index = tf.cast(tf.io.decode_bmp(contents)[..., 0], tf.int32)
    return tf.gather(colours, tf.minimum(index, number - 1))


class _WebP:
  """One picture; TensorFlow's op finds by itself whether there is alpha."""

  @classmethod
  def size(cls, contents):
    kind = tf.strings.substr(_head(contents), 12, 4)
    extended = tf.stack([_integer(contents, 27, 3) + 1,
                         _integer(contents, 24, 3) + 1])
    bits = _integer(contents, 21, 4, mask=(1 << 28) - 1)
    lossless = tf.stack([bits // 0x4000 + 1, bits % 0x4000 + 1])
    lossy = tf.stack([_integer(contents, 28, 2, mask=0x3FFF),
                      _integer(contents, 26, 2, mask=0x3FFF)])
    # Each layout has the size at another place.
    return tf.where(tf.equal(kind, b'VP8X'), extended,
                    tf.where(tf.equal(kind, b'VP8L'), lossless, lossy))

  @staticmethod
  def decode(contents, channels, background):
    kind = tf.strings.substr(_head(contents), 12, 4)
    flags = tf.where(tf.equal(kind, b'VP8X'), _integer(contents, 20, 1), 0)
    contents = _refuse_unless(tf.equal(flags & 2, 0), contents,
                              'WebP that is animated')
    image = tf.io.decode_webp(contents)[0]
    opaque = tf.fill(tf.concat([tf.shape(image)[:2], [1]], 0),
                     tf.constant(255, tf.uint8))
    rgba = tf.ensure_shape(tf.concat([image, opaque], -1)[..., :4],
                           [None, None, 4])
    mixed = pixels.composite(rgba, background)
    turn = tf.cond(flags > 0, lambda: graph_orientation.stated(
        contents, 'WEBP'), lambda: 1)
    return orientation.upright(pixels.to_channels(mixed, channels), turn)
