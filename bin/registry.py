"""Imports what registers the names that a configuration may hold."""
from pgak import data
from pgak import drawing
from pgak import evaluation
from pgak import models
from pgak import networks
from pgak import optimizers
from pgak import priors
from pgak import schedules
from pgak import serving
from pgak import training

__all__ = ['data', 'drawing', 'evaluation', 'models', 'networks', 'optimizers',
           'priors', 'schedules', 'serving', 'training']
