"""AlexNet's errors on ImageNet-C: what mCE is measured in."""

__all__ = ["ALEXNET_CLEAN_ERROR", "ALEXNET_ERRORS"]

# Top-1 error of AlexNet, mean over severities 1 to 5 of ImageNet-C as published (Hendrycks and Dietterich, ICLR 2019);
# the figures in the evaluation scripts of AugMix (google-research/augmix) and easyrobust.
ALEXNET_ERRORS = {
    "gaussian_noise": 0.886428,
    "shot_noise": 0.894468,
    "impulse_noise": 0.922640,
    "defocus_blur": 0.819880,
    "glass_blur": 0.826268,
    "motion_blur": 0.785948,
    "zoom_blur": 0.798360,
    "snow": 0.866816,
    "frost": 0.826572,
    "fog": 0.819324,
    "brightness": 0.564592,
    "contrast": 0.853204,
    "elastic_transform": 0.646056,
    "pixelate": 0.717840,
    "jpeg_compression": 0.606500,
}

# The same weights on ImageNet's validation images: 56.522 % top-1 accuracy in torchvision's model documentation
# (AlexNet_Weights.IMAGENET1K_V1), the 43.5 % of Hendrycks and Dietterich.
ALEXNET_CLEAN_ERROR = 0.43478
