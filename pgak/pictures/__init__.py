"""uint8 pictures: PNG, grids, charts and scatter plots."""

__all__ = []
