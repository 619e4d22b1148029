"""Measures of images: features, Frechet distances, one metric a file."""

__all__ = []
