"""The contracts every other part relies on; torch only.

Names, random numbers, pixels, adapter, training-step pipeline and neutral scope, one file each.
"""

from robustlit.core.adapter import Adapter, Task
from robustlit.core.neutral import neutral_scope, private
from robustlit.core.pipeline import Pipeline, Step
from robustlit.core.pixels import check_pixels, exact_arithmetic

__all__ = ["Adapter", "Pipeline", "Step", "Task", "check_pixels", "exact_arithmetic", "neutral_scope", "private"]
