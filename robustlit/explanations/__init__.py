"""What in an image speaks for a prediction: a model and images to maps; torch alone. One file each, named after it."""

from robustlit.explanations.base import Look, Method, Part
from robustlit.explanations.cam import CAM
from robustlit.explanations.concentration import concentration
from robustlit.explanations.deconvnet import Deconvnet
from robustlit.explanations.eigen_cam import EigenCAM
from robustlit.explanations.explain import explain
from robustlit.explanations.grad_cam import GradCAM
from robustlit.explanations.grad_cam_pp import GradCAMPlusPlus
from robustlit.explanations.gradient_x_input import GradientXInput
from robustlit.explanations.guided_backprop import GuidedBackprop
from robustlit.explanations.hires_cam import HiResCAM
from robustlit.explanations.insertion_deletion import InsertionDeletion, insertion_deletion
from robustlit.explanations.integrated_gradients import IntegratedGradients
from robustlit.explanations.layer_cam import LayerCAM
from robustlit.explanations.layers import target_layers
from robustlit.explanations.mask_energy import mask_energy
from robustlit.explanations.occlusion import Occlusion
from robustlit.explanations.pointing_game import pointing_game
from robustlit.explanations.randomisation import Cascade, cascading_randomisation
from robustlit.explanations.result import Explanations
from robustlit.explanations.saliency import Saliency
from robustlit.explanations.score_cam import ScoreCAM
from robustlit.explanations.similarity import cosine, rank_correlation, top_overlap
from robustlit.explanations.smooth_grad import SmoothGrad
from robustlit.explanations.target import ClassTarget, Goal, PixelTarget, RegionTarget, Target

__all__ = [
    "CAM",
    "Cascade",
    "ClassTarget",
    "Deconvnet",
    "EigenCAM",
    "Explanations",
    "Goal",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientXInput",
    "GuidedBackprop",
    "HiResCAM",
    "InsertionDeletion",
    "IntegratedGradients",
    "LayerCAM",
    "Look",
    "Method",
    "Occlusion",
    "Part",
    "PixelTarget",
    "RegionTarget",
    "Saliency",
    "ScoreCAM",
    "SmoothGrad",
    "Target",
    "cascading_randomisation",
    "concentration",
    "cosine",
    "explain",
    "insertion_deletion",
    "mask_energy",
    "pointing_game",
    "rank_correlation",
    "target_layers",
    "top_overlap",
]
