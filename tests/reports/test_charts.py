"""Charts put values where the axes say they are, and escape every name."""

import re
from xml.etree import ElementTree

import pytest

from robustlit.reports.charts import Dot, Line, Range, line_chart, range_chart, reliability_chart, scatter_chart
from robustlit.reports.charts.scatter import front
from robustlit.reports.charts.svg import nice_ticks

BAD = "<script>&\"'"
NAMESPACE = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    return ElementTree.fromstring(svg)


def places(root, words):
    """Where a text of an axis stands."""
    node = next(node for node in root.iter(f"{NAMESPACE}text") if node.text == words)
    return float(node.get("x")), float(node.get("y"))


def test_points_lie_at_their_ticks():
    root = parsed(line_chart([Line("a", [0, 1, 2], [0.2, 0.6, 0.4])], x_label="severity", y_label="accuracy"))
    marks = [(float(node.get("cx")), float(node.get("cy"))) for node in root.iter(f"{NAMESPACE}circle")]
    assert len(marks) == 3
    for (x, y), value, share in zip(marks, ("0", "1", "2"), ("20 %", "60 %", "40 %"), strict=True):
        assert x == pytest.approx(places(root, value)[0], abs=0.11)
        assert y == pytest.approx(places(root, share)[1] - 4, abs=0.11)


def test_a_range_lies_between_its_ends():
    root = parsed(range_chart([Range("fog", -0.2, -0.3, -0.1, "−20")], label="points", reference=0.0, signed=True))
    whisker = next(node for node in root.iter(f"{NAMESPACE}line") if node.get("class") == "whisker")
    dot = next(root.iter(f"{NAMESPACE}circle"))
    left, right = float(whisker.get("x1")), float(whisker.get("x2"))
    assert float(dot.get("cx")) == pytest.approx((left + right) / 2, abs=0.11)
    assert left == pytest.approx(places(root, "−30")[0], abs=0.11) and right == pytest.approx(
        places(root, "−10")[0], abs=0.11
    )


def test_reliability_leaves_empty_bins_out():
    root = parsed(reliability_chart([("clean", [0.25, None, 0.75], [0.5, None, 0.75], [3, 0, 9])]))
    data = list(root.iter(f"{NAMESPACE}circle"))
    assert len(data) == 2 + 1  # and the key
    bars = [node for node in root.iter(f"{NAMESPACE}path") if node.get("class") == "bar"]
    assert len(bars) == 3


def test_the_front_is_what_nothing_beats_in_both():
    dots = [Dot("a", 0.9, 0.2), Dot("b", 0.8, 0.5), Dot("c", 0.7, 0.4), Dot("d", 0.8, 0.3), Dot("e", 0.6, 0.6)]
    assert [dots[place].label for place in front(dots)] == ["a", "b", "e"]
    root = parsed(scatter_chart(dots, x_label="clean", y_label="robust"))
    kinds = [node.get("class") for node in root.iter() if "s" in (node.get("class") or "").split(" ")[-1][:1]]
    assert sum(kind.startswith("hollow") for kind in kinds) == 2


@pytest.mark.parametrize(
    "svg",
    [
        line_chart(
            [Line(BAD, [0, 1], [0, 1], [0, 0], [1, 1]), Line("b", [0, 1], [1, 0])], x_label=BAD, y_label=BAD, title=BAD
        ),
        range_chart([Range(BAD, 0.5, words=BAD)], label=BAD, title=BAD),
        scatter_chart([Dot(BAD, 0.5, 0.5), Dot("b", 0.4, 0.6, 0.1, 0.1)], x_label=BAD, y_label=BAD, title=BAD),
        reliability_chart([(BAD, [0.5], [0.5], [1])], BAD),
    ],
)
def test_names_are_escaped(svg):
    assert "<script" not in svg
    assert any(node.text and "<script>" in node.text for node in parsed(svg).iter())
    assert not re.search(r"\b(nan|inf)\b", svg)


def test_ticks_are_round_and_inside():
    for low, high in ((0.0, 1.0), (0.13, 0.92), (-0.031, 0.002), (0.5, 0.5)):
        ticks = nice_ticks(low, high)
        assert ticks and all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks) and len(ticks) <= 11
