"""Names of data sets after their paths, as files and scores have them."""
import hashlib
import re

__all__ = ['plain']


def plain(text):
  """Returns a text in Latin letters, digits and _ alone.

  Args:
    text: name of a file or folder. If it has no Latin letters or digits, the
      result is 6 hexadecimal digits of its hash, so that two such names differ.
  """
  found = re.sub(r'[^A-Za-z0-9]+', '_', text).strip('_')
  # Bytes of a name that is not UTF-8 are kept as they are.
  content = text.encode('utf-8', 'surrogateescape')
  return found or hashlib.sha256(content).hexdigest()[:6]
