"""Figures of a run: what to show for each scenario, as tables or as JSON."""

import math
import statistics

import intervals

# Name in a window, heading, whether the latency base is taken off.
METRICS = (
    ("units_per_second", "{unit}s/s", False),
    ("cpu_us_per_unit", "server CPU µs a {unit}", False),
    ("p50_ms", "p50 ms", True),
    ("p99_ms", "p99 ms", True),
)


def summarize(scenario, measured):
    """For each metric: means of both sides with half the width of their 95 % intervals, and the ratio with its own."""
    rows = {}
    for name, heading, is_latency in METRICS:
        base = scenario.latency_base_ms if is_latency else 0
        ours, floors = ([window[name] - base for window in measured[side]] for side in ("ours", "floor"))
        heading = heading.format(unit=scenario.unit)
        rows[name] = {
            "heading": f"{heading}, beyond {base:g}" if base else heading,
            "ours": intervals.mean(ours),
            "floor": intervals.mean(floors),
            "ratio": intervals.ratio(ours, floors),
        }
    return rows


def _number(value):
    if not math.isfinite(value):
        return "∞"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _mean(pair):
    return f"{_number(pair[0])} ± {_number(pair[1])}"


def _ratio(triple):
    if triple is None:
        return "-"
    return f"{_number(triple[0])} [{_number(triple[1])}, {_number(triple[2])}]"


def print_scenario(console, scenario, measured):
    """A table, with what disturbed it."""
    from rich.table import Table

    console.print(scenario.title, style="bold")
    table = Table()
    for column in ("", "Assay", "floor", "ratio [95 %]"):
        table.add_column(column, justify="left" if not column else "right")
    for row in summarize(scenario, measured).values():
        table.add_row(row["heading"], _mean(row["ours"]), _mean(row["floor"]), _ratio(row["ratio"]))
    console.print(table)
    others = statistics.fmean(measured["share_of_others"])
    again = f"; {measured['disturbed_pairs']} disturbed pairs left out" if measured["disturbed_pairs"] else ""
    console.print(f"{len(measured['ours'])} pairs; others used {others:.0%} of the machine meanwhile{again}.\n")


def print_memory(console, figures):
    """Idle memory, and the bound on assay-all."""
    from rich.table import Table

    table = Table(title="Idle memory", title_justify="left", title_style="bold")
    for column in ("process", "resident MB", "of it private MB", "threads"):
        table.add_column(column, justify="left" if column == "process" else "right")
    for name, figure in figures.items():
        table.add_row(name, f"{figure['rss_mb']:.0f}", f"{figure['private_mb']:.0f}", str(figure["threads"]))
    console.print(table)


def _table(title, columns):
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    return table


def print_in_flight(console, found):
    """Very many judgements that wait for a slow model."""
    import in_flight

    idle, most = found["idle"], found["most"]
    title = f"{found['judgements']:,} judgements in flight over {found['streams']} streams, model of {found['latency_ms'] / 1000:g} s"
    table = _table(title, ("", "idle", "at most", "bound"))
    table.add_row("at the model at once", "", f"{found['at_the_model_at_once']:,}", "")
    table.add_row("bytes of a prompt, of an answer", "", f"{found['prompt_bytes']:,.0f}, {found['answer_bytes']:,}", "")
    table.add_row("resident MB", f"{idle['rss_mb']:.0f}", f"{most['rss_mb']:.0f}", f"{in_flight.BOUND_MB:,}")
    table.add_row("threads", str(idle["threads"]), str(most["threads"]), "")
    table.add_row("descriptors", f"{idle['descriptors']:,}", f"{most['descriptors']:,}", f"{in_flight.BOUND_DESCRIPTORS:,}")
    console.print(table)


def print_store(console, found):
    """A store of very many traces."""
    import store

    written = found["written"]
    table = _table(f"A store of {written['traces']:,} traces of ten spans", ("", ""))
    table.add_row("written, spans/s", _number(written["spans_per_second"]))
    table.add_row("server CPU µs a span, compaction included", _number(written["cpu_us_per_span"]))
    table.add_row("acknowledgement p50 / p99 ms, 16 in flight", f"{_number(written['ack_p50_ms'])} / {_number(written['ack_p99_ms'])}")
    table.add_row("bytes on disk / received", f"{written['stored_bytes'] / written['received_bytes']:.2f}")
    table.add_row("the same before it was packed", f"{written['stored_in_haste_bytes'] / written['received_bytes']:.2f}")
    table.add_row("resident MB after writing / at the end / at most", f"{written['rss_mb']:.0f} / {found['rss_mb']:.0f} / {found['peak_mb']:.0f}")
    large = found["large"]
    table.add_row(f"first page of a trace of {large['spans']:,} spans, ms", _mean(large["first_page_ms"]))
    table.add_row("its next pages, ms", _mean(large["next_page_ms"]))
    table.add_row("memory that took, MB", f"{large['rss_growth_mb']:.0f}")
    beside = found["beside"]
    table.add_row("search p99 ms, alone", _mean(beside["alone_p99_ms"]))
    table.add_row(f"search p99 ms, beside {beside['ingest_spans_per_second']:,.0f} spans/s", _mean(beside["beside_p99_ms"]))
    table.add_row("ratio of the two [95 %]", _ratio(beside["ratio"]))
    console.print(table)
    titles = {
        "get": "trace by id, FULL, 4 readers without pause",
        "get_open": "trace by id, FULL, open loop",
        **{name: title for name, title, _ in store.FILTERS},
    }
    table = _table("Reads, first page", ("", "reads/s", "server CPU µs", "p50 ms", "p99 ms"))
    for name, figures in found["reads"].items():
        table.add_row(titles[name], *(_mean(figures[key]) for key in ("per_second", "cpu_us", "p50_ms", "p99_ms")))
    console.print(table)


def print_sustained(console, found):
    """An ingest that lasts."""
    table = _table(f"Ingest for {found['minutes']} minutes, {found['in_flight']} batches in flight", ("", ""))
    table.add_row("spans", f"{found['spans']:,}")
    table.add_row("spans/s", _mean(found["spans_per_second"]))
    table.add_row("of the floor's [95 %]", _ratio(found["ratio"]))
    table.add_row("server CPU µs a span, compaction included", _number(found["cpu_us_per_span"]))
    table.add_row("acknowledgement p99 ms", _mean(found["ack_p99_ms"]))
    table.add_row("bytes on disk / received", f"{found['stored_bytes'] / found['received_bytes']:.2f}")
    table.add_row("resident MB, at most", f"{found['rss_max_mb']:.0f}")
    console.print(table)
