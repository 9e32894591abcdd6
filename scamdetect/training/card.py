"""The model card: what a trained model is for, what it is worth, and where it ends."""

from __future__ import annotations

from typing import Any

from scamdetect.modelfile import Model

__all__ = ["model_card"]

INTENDED = """\
## Intended use

Sorting Indonesian job offers (ads, posts, chat messages) for people who decide: moderators of job boards
and groups, hotline workers, NGOs, researchers. A flag means *resembles trafficking-linked recruitment;
verify before going*. It is no finding about a person or a company.

Not for: decisions without a human being, blacklists, surveillance of people who seek work, or
reassurance. The lowest risk level means that no pattern was found, never that an offer is harmless.
"""
LIMITS = """\
## Limits

- The corpus was written for training, with care but not collected from victims: figures on it show how
  well the model separates such written texts, not how well it finds real offers.
- An honest-looking portal ad without any sign in its text cannot be told by its text.
- Other languages than Indonesian and Malay get the note `not_indonesian`.
- Offers change. Retrain with new labelled texts, and read the flags.
"""


def model_card(model: Model, metrics: dict[str, Any]) -> str:
    """Return the model card in Markdown."""
    data = model.info["data"]
    labels = ", ".join(f"{count} {label}" for label, count in data["labels"].items())
    lines = [
        "# Model card",
        "",
        "TF-IDF over words (1-2) and characters (3-5 within words), red-flag indicators, multinomial logistic",
        f"regression, calibrated out of fold. Trained on {data['texts']} texts ({labels}).",
        "",
        INTENDED,
        LIMITS,
        "## Thresholds",
        "",
        f"Flagged (risk `high`) from P(trafficking) {model.thresholds.flag:.4f}: chosen so that at most "
        f"{model.info['max_false_flags']:.1%} of the other training texts are flagged by models that have not seen them.",
        f"Second look (risk `medium`) from {model.thresholds.look:.4f} (at most 5%).",
        "",
        "## Figures",
        "",
        "| texts | n | recall of trafficking | false flags | macro F1 | AUC | calibration error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(name, figure) for name, figure in metrics.items()]
    for name, groups in metrics.get("held_out", {}).get("slices", {}).items():
        lines += ["", f"### Held-out texts by {name}", "", f"| {name} | side | n | flagged |", "| --- | --- | --- | --- |"]
        lines += [f"| {row[name]} | {row['side']} | {row['texts']} | {row['flagged']:.3f} |" for row in groups]
    return "\n".join(lines) + "\n"


def _row(name: str, figure: dict[str, Any]) -> str:
    def text(key: str) -> str:
        if figure.get(key) is None:
            return "-"
        interval = figure.get(f"{key}_interval")
        span = f" ({interval[0]:.3f}-{interval[1]:.3f})" if interval else ""
        return f"{figure[key]:.3f}{span}"

    cells = [name.replace("_", " "), str(figure["texts"])]
    cells += map(text, ("recall", "false_flags", "macro_f1", "auc", "calibration_error"))
    return f"| {' | '.join(cells)} |"
