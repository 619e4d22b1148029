"""Runs pytest on the files it is given; the `main` of Bazel's tests."""
import sys

import pytest

__all__ = []

if __name__ == '__main__':
  sys.exit(pytest.main(sys.argv[1:]))
