"""What a run directory holds, and a model built from its configuration."""

__all__ = []
