"""Networks: functions of ``in_channels`` and ``num_classes`` that return an ``nn.Module`` from images to logits."""

from robustlit.models.resnet import resnet18, resnet34, resnet50
from robustlit.models.small_cnn import small_cnn
from robustlit.models.timm_classifier import timm_classifier
from robustlit.models.torchvision_classifier import torchvision_classifier
from robustlit.models.unet import unet

__all__ = ["resnet18", "resnet34", "resnet50", "small_cnn", "timm_classifier", "torchvision_classifier", "unet"]
