"""Methods of adversarial training: what the training step sees and what is added to its loss. One file each."""

from robustlit.methods.awp import AWP
from robustlit.methods.base import Method
from robustlit.methods.grad_align import GradAlign
from robustlit.methods.logit_pairing import LogitPairing
from robustlit.methods.mart import MART
from robustlit.methods.plain import Plain
from robustlit.methods.scene import Scene
from robustlit.methods.trades import TRADES

__all__ = ["AWP", "MART", "TRADES", "GradAlign", "LogitPairing", "Method", "Plain", "Scene"]
