"""Pictures for TensorBoard as JPEG: encoded some thirty times as fast as PNG, and a fifth of the size."""

import io

from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from robustlit.panels.text import Picture

__all__ = ["add_jpeg", "jpeg"]

_QUALITY = 90


def jpeg(picture: Picture) -> bytes:
    """Return a picture H×W×3 as a JPEG file, its colours at full resolution for the sake of letters."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()


def add_jpeg(writer: SummaryWriter, tag: str, picture: Picture, step: int) -> None:
    """Show a picture H×W×3 under a tag; the writer's own ``add_image`` would encode it as PNG."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    height, width = picture.shape[:2]
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=jpeg(picture))
    writer._get_file_writer().add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)  # type: ignore[no-untyped-call]
