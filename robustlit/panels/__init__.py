"""uint8 pictures (H×W×3 arrays) out of tensors, with the text inside the picture."""

from robustlit.panels.confusion import confusion_panel
from robustlit.panels.curves import severity_curves
from robustlit.panels.example_cells import ExampleCell, worst_cells
from robustlit.panels.grid import grid, to_pictures
from robustlit.panels.heat_map import heat_map
from robustlit.panels.overlay import legend, overlay, palette
from robustlit.panels.prediction import classification_panel, multilabel_panel, segmentation_panel
from robustlit.panels.radar import radar
from robustlit.panels.text import text_strip

__all__ = [
    "ExampleCell",
    "classification_panel",
    "confusion_panel",
    "grid",
    "heat_map",
    "legend",
    "multilabel_panel",
    "overlay",
    "palette",
    "radar",
    "segmentation_panel",
    "severity_curves",
    "text_strip",
    "to_pictures",
    "worst_cells",
]
