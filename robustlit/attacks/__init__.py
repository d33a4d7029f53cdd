"""Adversarial attacks: a model, images in [0, 1] and targets to images; torch alone. One file each, named after it."""

from robustlit.attacks.apgd import APGD
from robustlit.attacks.base import Attack, BoundedAttack
from robustlit.attacks.cos_pgd import CosPGD
from robustlit.attacks.fgsm import FGSM
from robustlit.attacks.mi_fgsm import MIFGSM
from robustlit.attacks.pgd import PGD
from robustlit.attacks.scope import searching
from robustlit.attacks.seg_pgd import SegPGD
from robustlit.attacks.square import Square

__all__ = ["APGD", "FGSM", "MIFGSM", "PGD", "Attack", "BoundedAttack", "CosPGD", "SegPGD", "Square", "searching"]
