"""The tests of ``robustlit evaluate``: one class a file, one YAML of the same name in ``conf/evaluation``."""

from robustlit.evaluation.base import Evaluation, Row
from robustlit.evaluation.clean import CleanTest
from robustlit.evaluation.corruptions import CorruptionTest
from robustlit.evaluation.published import PublishedTest

__all__ = ["CleanTest", "CorruptionTest", "Evaluation", "PublishedTest", "Row"]
