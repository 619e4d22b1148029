"""The version of pgak."""

__all__ = ['__version__']

__version__ = '0.14.0'
