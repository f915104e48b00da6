"""Named systems: builders that return unfitted estimators, from clips to class codes."""

from skbst.systems._baseline import baseline
from skbst.systems._make_system import make_system
from skbst.systems._system_1 import system_1
from skbst.systems._system_2 import system_2
from skbst.systems._system_3 import system_3
from skbst.systems._system_4 import system_4
from skbst.systems._system_pipeline import SystemPipeline

__all__ = ["SystemPipeline", "baseline", "make_system", "system_1", "system_2", "system_3", "system_4"]
