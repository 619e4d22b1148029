"""Recognises picture files by their first bytes."""
import re

__all__ = ['HEAD', 'LISTED', 'NAMES', 'PNG', 'SUFFIXES', 'sniff']

# Bytes of a file that `sniff` wants to see.
HEAD = 64

# As Pillow calls them.
NAMES = ('PNG', 'JPEG', 'WEBP', 'GIF', 'BMP', 'TIFF', 'AVIF', 'JPEG2000',
         'PPM')
LISTED = 'PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000 or PPM'

# A file of such a name that is no picture is a damaged one.
SUFFIXES = ('.png', '.jpg', '.jpeg', '.webp', '.gif', '.bmp', '.tif', '.tiff',
            '.avif', '.jp2', '.j2k', '.ppm', '.pgm', '.pbm')

# How a file of PNG begins.
PNG = b'\x89PNG\r\n\x1a\n'

_PATTERNS = {
    'PNG': re.escape(PNG),
    'JPEG': rb'\xff\xd8\xff',
    'WEBP': rb'RIFF....WEBP',
    'GIF': rb'GIF8[79]a',
    # The size of the second header is one of those that are in use.
    'BMP': rb'BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0',
    # 'CR' follows in a camera's raw file, of which only a thumbnail is a TIFF.
    'TIFF': rb'(II[*+]\0|MM\0[*+])(?!.{4}CR)',
    'AVIF': rb'.{4}ftyp(avi[fs]|(mif1|msf1)(.{4})+?avi[fs])',
    'JPEG2000': rb'(\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n)',
    'PPM': rb'P[1-6]\s+[#\d]',
}
_PATTERNS = {name: re.compile(pattern, re.DOTALL)
             for name, pattern in _PATTERNS.items()}


def sniff(data):
  """Returns the name of a picture's format, one of `NAMES`, or None.

  Args:
    data: bytes, at least the first `HEAD` of the file, or all of a shorter one.
  """
  head = data[:HEAD]
  return next((name for name, pattern in _PATTERNS.items()
               if pattern.match(head)), None)
