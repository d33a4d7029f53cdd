"""uint8 pictures (H×W×3 arrays) out of tensors, with the text inside the picture."""

from robustlit.panels.confusion import confusion_panel
from robustlit.panels.grid import grid, to_pictures
from robustlit.panels.overlay import legend, overlay, palette
from robustlit.panels.prediction import classification_panel, multilabel_panel, segmentation_panel
from robustlit.panels.text import text_strip

__all__ = [
    "classification_panel",
    "confusion_panel",
    "grid",
    "legend",
    "multilabel_panel",
    "overlay",
    "palette",
    "segmentation_panel",
    "text_strip",
    "to_pictures",
]
