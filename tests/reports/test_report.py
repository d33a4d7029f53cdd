"""The report of one run: a page that needs nothing else, names that stay names, what it reads and writes."""

import csv
import re
from html.parser import HTMLParser

import pytest

from robustlit.evaluation import Row
from robustlit.reports.html import html
from robustlit.reports.loading import find_runs
from robustlit.reports.markdown import markdown
from robustlit.reports.report import write_report
from robustlit.reports.results import Chosen
from robustlit.reports.single import single_report
from tests.reports.run_folders import N, answers, make_run, other_records, rows_of, sentences, view_of


class Balanced(HTMLParser):
    """Raises where tags do not close in order; notes what a page would fetch or run."""

    VOID = ("meta", "img", "line", "circle", "path")

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wants, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        facts = dict(attrs)
        self.wants += [value for key in ("src", "href") if (value := facts.get(key)) and not value.startswith("data:")]
        self.wants += [tag] if tag in ("script", "link", "iframe", "object") else []
        self.wants += [key for key in facts if key.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        assert tag in self.VOID

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def checked(page):
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == [] and parser.wants == []
    return " ".join(parser.words)


def test_the_page_needs_nothing_else_and_shows_every_part(whole):
    page = html(single_report(view_of(whole)))
    words = checked(page)
    for part in (
        "Corruptions",
        "Attacks",
        "Confidence",
        "Slices",
        "Curves",
        "What fails",
        "What it looks at",
        "Figures",
        "Provenance",
    ):
        assert f"<h2>{part}</h2>" in page
    assert page.count("<svg") >= 6 and page.count("data:image/png;base64,") == 2
    assert "prefers-color-scheme:dark" in page and "@media print" in page and "width=device-width" in page
    for fact in (
        "preset cifar",
        "evaluation seed 0",
        "frost procedural",
        "storage none",
        "best_robust selected on",
        "torch",
    ):
        assert fact in words
    assert "12 of 20 cells" in words
    assert not re.search(r"https?://(?!www\.w3\.org)", page)


def test_figures_stand_with_n_and_interval(whole):
    words = markdown(single_report(view_of(whole)))
    line = next(line for line in words.splitlines() if "pgd linf 8of255" in line)
    assert "5.0 %" in line and "2.7–9.0" in line and "200" in line and "eps 8/255, 50 steps" in line


BAD = "<script>alert(1)</script>"


def test_names_from_files_and_configurations_are_never_markup(tmp_path):
    right = answers(0)
    rows = [*rows_of(right, set=BAD), Row(BAD, BAD, BAD, 0.5, 0.4, 0.6, N, {"attack": BAD, "eps": 0.1, "norm": BAD})]
    rows += [Row("own", "iid", "accuracy/" + BAD, 0.5, 0.4, 0.6, N, {"corruption": BAD, "severity": 1})]
    rows += [Row("own", "iid", "accuracy", 0.5, 0.4, 0.6, N, {"cells": "1 of 5"})]
    records = other_records()
    records[2].data["name"][0] = BAD
    folder = make_run(
        tmp_path / "<img onerror=x>",
        rows=rows,
        records=records,
        names={"model": BAD, "data": "a|b` [x](y)", "augmentation": BAD},
        bad_images=[BAD],
        versions={BAD: BAD},
        selected_on={"best_robust": Chosen(BAD)},
        published={f"{BAD}/x": {"value": 0.5, "source": BAD, "conditions": BAD}},
    )
    (folder / ".hydra" / "overrides.yaml").write_text(f"['model={BAD}']")
    document = single_report(view_of(folder))
    page, text = html(document), markdown(document)
    assert BAD in checked(page) and "<script" not in page and "<img onerror" not in page
    assert not re.search(r"(?<!\\)<", text) and "\\<script\\>" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) > 10 and all(re.search(r"(?<!\\)\|$", line) for line in table)


def test_published_figures_stand_beside_ours(tmp_path):
    paper = {
        "clean/accuracy": {"value": 0.948, "source": "Lopes et al. 2019", "conditions": "WRN-28-10"},
        "common/mce": {"value": None},
    }
    folder = make_run(tmp_path / "run", published=paper)
    text = markdown(single_report(view_of(folder)))
    line = next(line for line in text.splitlines() if "Lopes" in line)
    assert "94.8 %" in line and "WRN-28-10" in line and f"{100 * answers(0)['clean'].mean():.1f} %" in line
    assert "not measured" in next(line for line in text.splitlines() if "common/mce" in line)
    assert "Published figures" not in markdown(single_report(view_of(make_run(tmp_path / "other"))))


def test_csv_has_every_figure(whole, tmp_path):
    written = write_report([whole], tmp_path, ["csv"])
    (path,) = written.files
    lines = list(csv.DictReader(path.open()))
    assert len(lines) == len(view_of(whole).rows)
    fog = next(line for line in lines if line["metric"] == "accuracy/fog/3")
    assert float(fog["value"]) == answers(0)["fog/3"].mean() and fog["preset"] == "cifar" and fog["n"] == str(N)


def test_later_evaluations_are_part_of_the_run_and_stale_ones_are_not(tmp_path):
    folder = make_run(tmp_path / "run")
    (run,), _ = find_runs([folder])
    later = run.results
    rows = [Row("shape_bias", "iid", "shape_bias", 0.4, 0.3, 0.5, N)]
    type(later)(names=later.names, seed=0, tests={"best_robust": rows}).write(
        folder / "evaluations" / "best_robust.json"
    )
    assert view_of(folder).find("shape_bias", "shape_bias") is not None
    assert view_of(folder).find("common", "accuracy") is not None
    weights = folder / "checkpoints" / "best_robust.ckpt"
    weights.parent.mkdir()
    weights.touch()  # trained on since
    assert view_of(folder).find("shape_bias", "shape_bias") is None


def test_weights_and_split_can_be_chosen(whole):
    with pytest.raises(ValueError, match=r"expected a checkpoint with figures in .*, got 'last'; try best_robust"):
        view_of(whole, checkpoint="last")
    with pytest.raises(ValueError, match=r"expected a split that was tested, got 'ood'; try iid or cue_conflict"):
        view_of(whole, split="ood")
    assert view_of(whole, split="cue_conflict").clean.value == 0.2


def test_the_class_that_corruptions_take_is_named(tmp_path):
    def row(name, value, **facts):
        return Row("common", "iid", f"class_iou/{name}", value, None, None, N, {"class": name, **facts})

    rows = [row("sky", 0.8, clean=0.9), row("walker <b>", 0.1, clean=0.6), row("pole", 0.0, clean=None)]
    rows += [row("sky", 0.7, clean=0.9, under="fog"), row("walker <b>", 0.2, clean=0.6, under="fog")]
    rows += [row("walker <b>", 0.1, clean=0.6, under="shot_noise")]
    view = view_of(make_run(tmp_path / "run", rows=rows, records=[]))
    assert "walker <b> loses most under common: IoU falls from 60.0 % to 10.0 %" in sentences(view)["Classes"]
    lines = [line.replace(" ", "") for line in markdown(single_report(view)).splitlines()]
    assert "|walker\\<b\\>||60.0|10.0|20.0|15.0|" in lines and "|sky||90.0|–|70.0|70.0|" in lines
    assert "<h2>Classes</h2>" in html(single_report(view))
