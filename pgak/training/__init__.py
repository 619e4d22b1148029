"""Training: the loop, and what happens every N steps of it."""
from pgak.training.loop import train

__all__ = ['train']
