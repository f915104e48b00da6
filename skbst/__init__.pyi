# Made by .ci/stubs.py from signatures and docstrings; change those, and run it.
from skbst import audio as audio
from skbst import conformal as conformal
from skbst import curation as curation
from skbst import datasets as datasets
from skbst import ensemble as ensemble
from skbst import features as features
from skbst import library as library
from skbst import metrics as metrics
from skbst import model_selection as model_selection
from skbst import neighbors as neighbors
from skbst import neural as neural
from skbst import nn as nn
from skbst import persistence as persistence
from skbst import plotting as plotting
from skbst import sampling as sampling
from skbst import submission as submission
from skbst import systems as systems
from skbst import taxonomy as taxonomy
from skbst import text as text

__version__: str
