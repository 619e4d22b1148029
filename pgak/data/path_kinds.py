"""What a path holds, told by its content."""

__all__ = ['kind_of_path']


def kind_of_path(path):
  """Returns 'images' or 'arrays'."""
  return 'arrays' if path.suffix in ('.npy', '.npz') else 'images'
