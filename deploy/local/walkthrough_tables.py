"""Tables and sentences of the walkthrough."""

import collections

import rich.box
import rich.markup
import rich.table

from assay.alignment.v1 import alignment_service_pb2

CATEGORIES = ("excellent", "good", "needs_improvement", "poor")
_COLOURS = {"excellent": "green", "good": "cyan", "needs_improvement": "yellow", "poor": "red", "yes": "green", "no": "red"}


def table(title, *columns):
    grid = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE_HEAVY, title_style="bold")
    for column in columns:
        name, _, justify = column.partition("|")
        grid.add_column(name, justify=justify or "left", overflow="fold")
    return grid


def value_text(value):
    """A value, in its colour."""
    text = "-" if value is None else str(value)
    colour = _COLOURS.get(text)
    return f"[{colour}]{text}[/]" if colour else rich.markup.escape(text)


def short(text, length=60):
    text = " ".join(text.split())
    return rich.markup.escape(text if len(text) <= length else text[: length - 1] + "…")


def verdict_of(feedback, from_json):
    """A feedback's value, or the code of its error in parentheses."""
    if feedback.HasField("error"):
        return f"({feedback.error.code})"
    return from_json(feedback.value)


def print_verdicts(console, title, rows):
    """rows: (what, people's value, judge's value, rationale)."""
    grid = table(title, "issue", "people", "judge", "the judge's reasons")
    for what, people, judge, rationale in rows:
        grid.add_row(short(what, 40), value_text(people), value_text(judge), short(rationale, 70))
    console.print(grid)


def print_confusion(console, pairs):
    """pairs: (people's value, judge's value)."""
    counts = collections.Counter(pairs)
    others = sorted({judge for _, judge in pairs} - set(CATEGORIES), key=str)
    grid = table("What people say, and what the judge says", "people \\ judge", *[f"{c}|right" for c in (*CATEGORIES, *others)])
    for people in CATEGORIES:
        row = []
        for judge in (*CATEGORIES, *others):
            count = counts[(people, judge)]
            row.append(f"[bold]{count}[/]" if people == judge else str(count or "·"))
        grid.add_row(people, *row)
    console.print(grid)


def estimate_text(estimate, signed=False, percent=True):
    """A figure with its interval."""
    factor, unit, digits = (100, " %", 1) if percent else (1, "", 2)
    form = f"{{:{'+' if signed else ''}.{digits}f}}"
    value, low, high = (form.format(factor * x) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value}{unit}", f"[{low}, {high}]".replace("[", "\\[")


def print_agreement(console, report):
    grid = table("Agreement with people, on traces that were held out", "", "before|right", "95 % interval", "after|right", "95 % interval")
    for name, before, after, percent in (
        ("same verdict", report.before.agreement, report.after.agreement, True),
        ("kappa", report.before.kappa, report.after.kappa, False),
    ):
        grid.add_row(name, *estimate_text(before, percent=percent), *estimate_text(after, percent=percent))
    difference, interval = estimate_text(report.difference, signed=True)
    grid.add_row("difference", "", "", f"[bold]{difference}[/]", interval)
    console.print(grid)
    console.print(
        f"  on {report.after.agreement.count} traces; always saying the commonest label: "
        f"{100 * report.majority_baseline:.1f} %; optimism (agreement on the traces learned from, minus the held-out one): "
        f"{100 * report.optimism:+.1f} points"
    )
    if report.human_agreement.count:
        value, interval = estimate_text(report.human_agreement)
        console.print(f"  people among themselves: {value} {interval} on {report.human_agreement.count} traces")
    console.print(f"  [bold]{conclusion_in_words(report)}[/]")
    for warning in report.warnings:
        console.print(f"  [yellow]note:[/] {rich.markup.escape(warning)}")


def conclusion_in_words(report):
    points = f"{100 * report.difference.value:+.1f} points"
    if report.conclusion == alignment_service_pb2.CONCLUSION_GAIN:
        return f"GAIN: aligned, the judge agrees with people more often ({points}); the whole interval lies above zero."
    if report.conclusion == alignment_service_pb2.CONCLUSION_HARM:
        return f"HARM: aligned, the judge agrees with people less often ({points}); the whole interval lies below zero."
    text = f"INCONCLUSIVE: the interval of the difference ({points}) holds zero, so these labels cannot tell the two judges apart."
    if report.labels_to_settle:
        text += f" About {report.labels_to_settle} labelled traces would settle it."
    return text


def print_guidelines(console, report):
    if not report.guidelines:
        return
    grid = table("Guidelines distilled from disagreements", "guideline", "kept", "set right|right", "broken|right", "why not")
    for trial in report.guidelines:
        kept = "[green]yes[/]" if trial.accepted else "[red]no[/]"
        grid.add_row(short(trial.text, 70), kept, str(trial.fixed_count), str(trial.broken_count), trial.rejection)
    console.print(grid)


def print_metrics(console, evaluation, title):
    grid = table(title, "metric", "value|right")
    for name, value in sorted(evaluation.metrics.items()):
        grid.add_row(name, f"{value:.3f}")
    console.print(grid)
    progress = evaluation.progress
    console.print(
        f"  {progress.rows_done} of {progress.rows_total} rows; {progress.judgements_value} verdicts, "
        f"{progress.judgements_error} errors, {progress.judgements_abstained} abstained, {progress.judgements_skipped} skipped"
    )


def print_comparison(console, title, names, polite, rude):
    """Shares of `yes` by guideline, of the two variants."""
    grid = table(title, "guideline", "polite|right", "rude|right", "difference|right")
    for name in names:
        one, other = polite.get(name), rude.get(name)
        cells = ["-" if x is None else f"{100 * x:.0f} % yes" for x in (one, other)]
        difference = "-" if one is None or other is None else f"{100 * (one - other):+.0f} points"
        grid.add_row(name, *cells, difference)
    console.print(grid)
