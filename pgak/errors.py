"""The one exception that pgak raises for what a user can put right."""

__all__ = ['NoEncoderError', 'UserError']


class UserError(Exception):
  """A bad input, told in one sentence that names the thing and the way out.

  The binaries print it on stderr and exit with status 1, without a traceback.
  """


class NoEncoderError(UserError):
  """A model that makes images and encodes none was asked for what needs it."""
