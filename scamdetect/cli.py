"""The ``scamdetect`` command: it knows every part and holds no logic."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scamdetect.errors import InputError, ScamDetectError

if TYPE_CHECKING:
    from scamdetect.batch.score import Summary
    from scamdetect.detector import Detector
    from scamdetect.prediction import Prediction
    from scamdetect.training.evaluate import Evaluation
    from scamdetect.training.validate import Validation

__all__ = ["main"]

DONE, QUARANTINED, WRONG_USE = 0, 1, 2
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
EXAMPLES = """examples:
  scamdetect check "butuh admin chat, tiket dan paspor kami urus, besok terbang"
  pbpaste | scamdetect check -
  scamdetect score ads.csv scored.csv --text-column title --text-column description
  scamdetect train datasets/ --out my_model && scamdetect evaluate datasets/ --model my_model --split test
  scamdetect validate my_labels.csv
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 done with rows set aside, 2 wrong use."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except ScamDetectError as error:
        print(f"scamdetect: {_plain(str(error))}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("scamdetect: interrupted; nothing was written under the final name", file=sys.stderr)
        return 128 + signal.SIGINT
    except OSError as error:
        print(f"scamdetect: {error.filename or 'system'}: {error.strerror or error}", file=sys.stderr)
        return WRONG_USE


def _parser() -> argparse.ArgumentParser:
    from scamdetect import __version__

    parser = argparse.ArgumentParser(
        prog="scamdetect",
        description="Flags Indonesian job offers that resemble trafficking-linked scam recruitment.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"scamdetect {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = _command(commands, "check", "assess one text", _check)
    check.add_argument("text", help="the text, or - to read it from standard input")
    check.add_argument("--lang", choices=("id", "en"), default="id", help="language of the answer")
    check.add_argument("--json", action="store_true", help="print everything as JSON")
    _model_options(check)

    score = _command(commands, "score", "score a table of ads", _score)
    score.add_argument("source", help="CSV, TSV, JSONL (also .gz, .zst), Parquet or XLSX; - for standard input")
    score.add_argument("target", help="file to write, with the columns label, flagged, probability, risk, indicators")
    score.add_argument("--text-column", action="append", metavar="NAME", help="column with the text; repeat to join several")
    score.add_argument("--jobs", type=int, default=1, metavar="N", help="processes; -1 for one on each core")
    score.add_argument("--resume", action="store_true", help="go on after an interruption, and allow one")
    score.add_argument("--raw", action="store_true", help="do not neutralise cells that a spreadsheet would run as formulas")
    score.add_argument("--redact", action="store_true", help="mask telephone numbers, addresses and handles in the output")
    score.add_argument("--quiet", action="store_true", help="print no progress and no summary")
    score.add_argument("--json", action="store_true", help="print the summary as JSON")
    _model_options(score)

    train = _command(commands, "train", "train a model on labelled texts", _train)
    train.add_argument("data", nargs="+", help="CSV files, or folders of them, with the columns text and label")
    train.add_argument("--out", required=True, metavar="DIR", help="model folder to write")
    train.add_argument("--max-false-flags", type=float, default=0.01, metavar="SHARE", help="share of other texts that may be flagged")
    train.add_argument("--all", action="store_true", help="train on every text; by default a fifth is held out to measure")
    train.add_argument("--date", default="", help="date to write into the model folder")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--jobs", type=int, default=2, metavar="N")
    train.add_argument("--json", action="store_true", help="print the figures as JSON")
    _data_options(train)

    evaluate = _command(commands, "evaluate", "compare a model's answers with labels", _evaluate)
    evaluate.add_argument("data", nargs="+")
    evaluate.add_argument("--split", choices=("train", "test"), help="only this part of the groups")
    evaluate.add_argument("--errors", type=int, default=0, metavar="N", help="print up to N wrong answers of each kind")
    evaluate.add_argument("--jobs", type=int, default=1, metavar="N")
    evaluate.add_argument("--json", action="store_true")
    _data_options(evaluate)
    _model_options(evaluate)

    validate = _command(commands, "validate", "check a labelled dataset", _validate)
    validate.add_argument("data", nargs="+")
    validate.add_argument("--terms", action="store_true", help="also list the terms that a model leans on")
    validate.add_argument("--json", action="store_true")
    return parser


def _command(commands: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.set_defaults(run=run)
    return parser


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="DIR", help="model folder; the shipped model if not given")
    parser.add_argument("--prevalence", type=float, metavar="SHARE", help="share of trafficking offers among your texts")


def _data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--column", action="append", default=[], metavar="THEIRS=OURS", help="rename a column, e.g. isi=text")
    parser.add_argument("--label", action="append", default=[], metavar="THEIRS=OURS", help="rename a label, e.g. tppo=trafficking")


def _pairs(entries: Iterable[str], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for entry in entries:
        theirs, found, ours = entry.partition("=")
        if not found:
            raise InputError(f"{option} {entry!r}: write it as THEIRS=OURS")
        pairs[theirs] = ours
    return pairs


def _load(options: argparse.Namespace) -> Detector:
    from scamdetect.detector import load

    return load(options.model, options.prevalence)


def _plain(text: str) -> str:
    """Return a text without characters that a terminal would obey."""
    return _CONTROL.sub("\ufffd", text)


def _check(options: argparse.Namespace) -> int:
    text = options.text
    if text == "-":
        content = sys.stdin.buffer.read()
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"standard input: not UTF-8: byte {error.start} is 0x{content[error.start]:02x}") from error
    prediction = _load(options).predict(text)
    if options.json:
        print(json.dumps(prediction.to_dict(options.lang) | {"advice": prediction.advice(options.lang)}, ensure_ascii=True))
    else:
        print(_plain(prediction.explain(options.lang)))
        print()
        for line in prediction.advice(options.lang):
            print(f"- {_plain(line)}")
    return DONE


def _score(options: argparse.Namespace) -> int:
    from scamdetect.batch.score import score_table

    bar = _Progress(options.quiet)
    started = time.perf_counter()
    try:
        summary = score_table(
            options.source,
            options.target,
            _load(options),
            text_columns=options.text_column,
            n_jobs=options.jobs,
            resume=options.resume,
            raw=options.raw,
            hide_contacts=options.redact,
            progress=bar,
        )
    finally:
        bar.close()
    if options.json:
        print(json.dumps(summary.to_dict()), file=sys.stderr if options.target == "-" else sys.stdout)
    elif not options.quiet:
        _print_summary(summary, options.target, time.perf_counter() - started)
    return QUARANTINED if summary.quarantined else DONE


class _Progress:
    """A progress bar on standard error, with the rate and the time left."""

    def __init__(self, quiet: bool) -> None:
        from tqdm import tqdm

        self.bar = tqdm(unit=" ads", disable=quiet, file=sys.stderr, dynamic_ncols=True, mininterval=0.2)

    def __call__(self, done: int, of: int | None) -> None:
        if of is not None:
            self.bar.total = of
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def _print_summary(summary: Summary, target: str, seconds: float) -> None:
    out = sys.stderr if target == "-" else sys.stdout

    def say(line: str = "") -> None:
        print(line, file=out)

    risks = ("high", "medium", "low")
    say(f"{summary.read} rows read, {summary.scored} scored, {summary.flagged} flagged, "
        f"{summary.quarantined} set aside, in {seconds:.1f} s")
    say()
    say(f"{'label':<14}" + "".join(f"{risk:>9}" for risk in risks) + f"{'all':>9}")
    for label in sorted({label for label, _ in summary.by_label_and_risk}):
        counts = [summary.by_label_and_risk[label, risk] for risk in risks]
        say(f"{label:<14}" + "".join(f"{count:>9}" for count in counts) + f"{sum(counts):>9}")
    worst = [entry for entry in sorted(summary.most_suspicious, key=lambda e: (-e[0], -e[1])) if entry[2].risk != "low"]
    if worst:
        say()
        say("most suspicious:")
    for probability, number, prediction in worst:
        say(f"  row {-number}  P = {probability:.3f}  {_excerpt(prediction)}")
        reasons = "; ".join(f"{hit.title('en')} ({_short(hit.text)})" for hit in prediction.top_hits())
        say(f"      {_plain(reasons) or 'no single sign; the wording as a whole'}")
    say()
    if summary.renamed:
        say("the table has columns of these names already, so the new ones are: " + ", ".join(summary.renamed.values()))
    if summary.quarantine:
        say(f"rows that could not be read are in {summary.quarantine}")
    say("A flag means: resembles trafficking-linked recruitment, verify. No flag is no guarantee.")


def _short(text: str, limit: int = 40) -> str:
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 3] + "..."


def _excerpt(prediction: Prediction) -> str:
    return _plain(_short(prediction.text, 90))


def _train(options: argparse.Namespace) -> int:
    from scamdetect.training.train import train

    detector = train(
        options.data,
        options.out,
        columns=_pairs(options.column, "--column"),
        labels=_pairs(options.label, "--label"),
        hold_out=not options.all,
        max_false_flags=options.max_false_flags,
        date=options.date,
        seed=options.seed,
        n_jobs=options.jobs,
        progress=lambda message: print(f"{message} ...", file=sys.stderr, flush=True),
    )
    source = detector.source
    assert source is not None
    metrics = json.loads((source / "metrics.json").read_text(encoding="utf-8"))
    if options.json:
        print(json.dumps(metrics))
        return DONE
    print(f"{options.out}: a model trained on {detector.model.info['data']['texts']} texts, threshold {detector.threshold:.4f}")
    for name, figures in metrics.items():
        print(f"\n{name.replace('_', ' ')}:")
        _print_figures(figures)
    return DONE


def _evaluate(options: argparse.Namespace) -> int:
    from scamdetect.training.evaluate import evaluate

    result = evaluate(
        options.data,
        _load(options),
        split=options.split,
        columns=_pairs(options.column, "--column"),
        labels=_pairs(options.label, "--label"),
        n_jobs=options.jobs,
    )
    if options.json:
        print(json.dumps(result.to_dict()))
        return DONE
    _print_figures(result.figures)
    for name, rows in result.slices.items():
        print(f"\nby {name}: share flagged")
        for row in rows:
            print(f"  {row[name]:<26} {row['side']:<12} {row['texts']:>6} texts  {row['flagged']:.3f}")
    _print_errors(result, options.errors)
    return DONE


def _print_figures(figures: dict[str, Any]) -> None:
    for name in ("texts", "trafficking", "recall", "false_flags", "precision", "macro_f1", "auc", "calibration_error"):
        value = figures.get(name)
        interval = figures.get(f"{name}_interval")
        text = "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        print(f"  {name:<18} {text}" + (f"  (95%: {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""))


def _print_errors(result: Evaluation, most: int) -> None:
    for title, pairs in (("false flags", result.false_flags()), ("missed offers", result.missed())):
        if most and pairs:
            print(f"\n{title}:")
            for example, prediction in pairs[:most]:
                print(f"  {example.id} [{example.label}/{example.category}] P = {prediction.probability:.3f}  {_excerpt(prediction)}")


def _validate(options: argparse.Namespace) -> int:
    from scamdetect.training.validate import validate

    result = validate(options.data, leading_terms=options.terms)
    if options.json:
        print(json.dumps(result.to_dict()))
    else:
        _print_validation(result)
    return QUARANTINED if result.errors or result.duplicates else DONE


def _print_validation(result: Validation) -> None:
    for name, counts in result.counts.items():
        print(f"{name}: " + ", ".join(f"{value} {count}" for value, count in counts.items()))
    for label, lengths in result.lengths.items():
        diversity = result.diversity[label]
        print(
            f"{label}: median {lengths['median']:.0f} characters, {lengths['share_over_700']:.0%} over 700; "
            f"{diversity['distinct_per_1000']:.0f} distinct words per 1,000"
        )
    auc = "too few groups" if result.shape_auc is None else f"{result.shape_auc:.3f}"
    print(f"macro AUC of shape features alone: {auc} (aim: at most 0.65)")
    print(f"near-duplicates across groups: {len(result.duplicates)}; similar pairs listed: {len(result.near)}")
    for pair in result.near[:20]:
        print(f"  {pair.similarity:.2f}  {pair.first}  {pair.second}{'  (same group)' if pair.same_group else ''}")
    print(f"texts that share a run of eight words with another group: {result.texts_sharing_runs:.2%} (aim: under 2%)")
    for run, ids in list(result.shared_runs.items())[:10]:
        print(f"  {' '.join(ids)}: {_plain(run)}")
    for opening, count in result.openings:
        print(f"opening {count} times: {_plain(opening)}")
    for label, terms in result.leading_terms.items():
        print(f"terms for {label}: {', '.join(terms)}")
    print(f"errors: {len(result.errors)}")
    for error in result.errors[:50]:
        print(f"  {_plain(error)}")


if __name__ == "__main__":
    sys.exit(main())
