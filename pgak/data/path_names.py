"""Names of data sets after their paths, as files and scores have them."""
import hashlib
import re

__all__ = ['plain']


def plain(text):
  """Returns a text in Latin letters, digits and _ alone.

  Args:
    text: name of a file or folder. Of one without Latin letters and digits, 6
      hexadecimal digits are returned: two of them must not share a name.
  """
  found = re.sub(r'[^A-Za-z0-9]+', '_', text).strip('_')
  # Bytes of a name that is not UTF-8 are kept as they are.
  content = text.encode('utf-8', 'surrogateescape')
  return found or hashlib.sha256(content).hexdigest()[:6]
