import time

import torch

from robustlit.evaluation.passes.time_cap import TimeCap

CPU = torch.device("cpu")


def test_without_a_cap_everything_is_allowed():
    cap = TimeCap(None, ["fog"], 10, CPU)
    cap.spent("fog")
    cap.done(1)
    assert cap.allows("fog")
    assert cap.dropped == []


def test_drops_the_last_optional_items_that_will_not_fit():
    cap = TimeCap(0.25, ["fog", "snow"], 4, CPU)
    for item in ("clean", "fog", "snow"):
        assert cap.allows(item)
        time.sleep(0.03)
        cap.spent(item)
    cap.done(1)  # 0.09 s for one of four images: 0.36 s in all, 0.27 s without snow, 0.18 s without fog too
    assert cap.dropped[0] == "snow"
    assert cap.allows("clean")


def test_what_must_be_measured_is_never_dropped():
    cap = TimeCap(1e-9, ["fog"], 4, CPU)
    assert cap.allows("clean")
    assert not cap.allows("fog")
    assert cap.allows("clean")


def test_what_happens_between_the_batches_costs_nothing():
    cap = TimeCap(0.05, ["fog"], 4, CPU)
    for _ in range(3):
        time.sleep(0.06)
        assert cap.allows("fog")
        cap.spent("fog")
        cap.done(1)
