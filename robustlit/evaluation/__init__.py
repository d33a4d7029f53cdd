"""The tests of ``robustlit evaluate``: one class a file, one YAML of the same name in ``conf/evaluation``."""

from robustlit.evaluation.adversarial import AdversarialTest
from robustlit.evaluation.auto_attack import AutoAttackTest
from robustlit.evaluation.background import BackgroundTest
from robustlit.evaluation.base import Evaluation, Row
from robustlit.evaluation.calibration import CalibrationTest
from robustlit.evaluation.clean import CleanTest
from robustlit.evaluation.corruptions import CorruptionTest
from robustlit.evaluation.ood import OODTest
from robustlit.evaluation.operating_point import OperatingPointTest
from robustlit.evaluation.published import PublishedTest
from robustlit.evaluation.records import Record
from robustlit.evaluation.shape_bias import ShapeBiasTest
from robustlit.evaluation.shift import ShiftTest
from robustlit.evaluation.slices import SlicesTest
from robustlit.evaluation.transfer import TransferTest

__all__ = [
    "AdversarialTest",
    "AutoAttackTest",
    "BackgroundTest",
    "CalibrationTest",
    "CleanTest",
    "CorruptionTest",
    "Evaluation",
    "OODTest",
    "OperatingPointTest",
    "PublishedTest",
    "Record",
    "Row",
    "ShapeBiasTest",
    "ShiftTest",
    "SlicesTest",
    "TransferTest",
]
