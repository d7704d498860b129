"""The trace store under a million traces: writing them, reading them, reading while writing, one very large trace, memory
and disk; and an ingest that lasts, so that compaction is in the figures."""

import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time

import intervals
import measuring
import scenarios

SEED = 7
TRACES_PER_BATCH = 10
SPANS_PER_TRACE = 10
LARGE_TRACE_SPANS = 100_000
# Fewer windows make intervals that say nothing of a p99.
LEAST_WINDOWS = 7
# Packing what came in haste takes about ten minutes for a million traces. It begins when the store has been quiet for a
# while, and pauses when it is not.
PACKED_AFTER_SECONDS = 1200
PACKING_PAUSE_SECONDS = 20
# Name, title, what is asked for.
FILTERS = (
    ("session", 'filter `session = "…"` (5 traces)', 'session = "{session}"'),
    ("user", 'filter `user = "…" AND duration > 1ms` (100 traces)', 'user = "{user}" AND duration > 1ms'),
    ("newest", "no filter, newest first", ""),
)


def _start(directory, **flags):
    import stack

    flags = {"otlp_listen_address": "127.0.0.1:0", "create_experiments": "false", **flags}
    return stack.Service("trace", "//services/trace:trace", directory / "trace", flags).start()


def _disk_bytes(directory):
    total = 0
    for path in pathlib.Path(directory).rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # Gone since it was listed.
            total += path.stat().st_size if path.is_file() else 0
    return total


def _rss_mb(service):
    return measuring.status_number(service.popen.pid, "VmRSS") / 1024


def _peak_mb(service):
    return measuring.status_number(service.popen.pid, "VmHWM") / 1024


def _generate(address, **load):
    return measuring.generate(scenarios.binary("//tests/load:generator"), {"address": address, "seed": SEED, **load})


def batch_bytes():
    """Bytes of one batch as it goes over the wire, nearly the same for all."""
    return 102_000


def load(service, traces, in_flight=16):
    """Writes traces of ten spans, and waits until the store is at rest."""
    pid = service.popen.pid
    before = measuring.cpu_seconds(pid)
    calls = traces // TRACES_PER_BATCH
    begun = time.monotonic()
    report = _generate(
        service.endpoints["otlp"], workload="ingest", in_flight=in_flight, calls=calls, seconds=3600, warm_up_seconds=0
    )
    elapsed = time.monotonic() - begun
    in_haste = _disk_bytes(service.directory)
    measuring.settle(pid, PACKED_AFTER_SECONDS, PACKING_PAUSE_SECONDS)
    spans = report["answers"] * TRACES_PER_BATCH * SPANS_PER_TRACE
    stored = _disk_bytes(service.directory)
    return {
        "traces": report["answers"] * TRACES_PER_BATCH,
        "spans_per_second": spans / elapsed,
        "seconds": elapsed,
        "cpu_us_per_span": (measuring.cpu_seconds(pid) - before) * 1e6 / spans,
        "ack_p50_ms": report["p50_ms"],
        "ack_p99_ms": report["p99_ms"],
        "received_bytes": report["answers"] * batch_bytes(),
        "stored_bytes": stored,
        "stored_in_haste_bytes": in_haste,
        "rss_mb": _rss_mb(service),
    }


def read(service, traces, windows, seconds, **load_flags):
    """Windows of one kind of read, each about other traces: means with their 95 % half-widths."""
    pid = service.popen.pid
    reports = []
    cpu_us = []
    for window in range(max(windows, LEAST_WINDOWS)):
        before = measuring.cpu_seconds(pid)
        report = _generate(
            service.endpoints["grpc"],
            traces=traces,
            first_read=window * 1_000_003,
            seconds=seconds,
            warm_up_seconds=0.2,
            **load_flags,
        )
        cpu_us.append((measuring.cpu_seconds(pid) - before) * 1e6 / report["answers"])
        reports.append(report)
    return {
        "per_second": intervals.mean([report["measured"] / report["seconds"] for report in reports]),
        "cpu_us": intervals.mean(cpu_us),
        "p50_ms": intervals.mean([report["p50_ms"] for report in reports]),
        "p99_ms": intervals.mean([report["p99_ms"] for report in reports]),
    }


def reads(service, traces, windows, seconds):
    """Readers without pause say how much the service can do; calls that come when they are due, at half of that, say
    how long one takes."""
    closed = read(service, traces, windows, seconds, workload="get_trace", in_flight=4)
    rate = closed["per_second"][0] / 2
    found = {
        "get": closed,
        "get_open": read(service, traces, windows, seconds, workload="get_trace", in_flight=256, rate=rate),
    }
    for name, _, text in FILTERS:
        found[name] = read(service, traces, windows, seconds, workload="search", in_flight=2, filter=text)
    return found


def search_while_writing(service, traces, pairs, seconds, spans_per_second):
    """Searches in an open loop, alone and beside an open-loop ingest at half the maximum, in turns."""
    search = {"workload": "search", "filter": FILTERS[0][2], "in_flight": 64, "rate": 100, "traces": traces}
    ingest_rate = spans_per_second / 2 / (TRACES_PER_BATCH * SPANS_PER_TRACE)
    windows = {"alone": [], "beside": []}
    first_batch = traces // TRACES_PER_BATCH
    for _ in range(pairs):
        alone = _generate(service.endpoints["grpc"], seconds=seconds, warm_up_seconds=0.2, **search)
        writer = subprocess.Popen(
            [
                str(scenarios.binary("//tests/load:generator")),
                f"--address={service.endpoints['otlp']}",
                "--workload=ingest",
                f"--seed={SEED}",
                f"--first_batch={first_batch}",
                f"--rate={ingest_rate}",
                "--in_flight=256",
                f"--seconds={seconds + 1.5}",
            ],
            stdout=subprocess.DEVNULL,
        )
        first_batch += int(ingest_rate * (seconds + 4))
        time.sleep(0.7)
        windows["beside"].append(_generate(service.endpoints["grpc"], seconds=seconds, warm_up_seconds=0.2, **search))
        windows["alone"].append(alone)
        writer.wait()
        measuring.settle(service.popen.pid)
    p99 = {side: [window["p99_ms"] for window in windows[side]] for side in windows}
    return {
        "ingest_spans_per_second": ingest_rate * TRACES_PER_BATCH * SPANS_PER_TRACE,
        "alone_p99_ms": intervals.mean(p99["alone"]),
        "beside_p99_ms": intervals.mean(p99["beside"]),
        "ratio": intervals.ratio(p99["beside"], p99["alone"]),
    }


def large_trace(service, spans=LARGE_TRACE_SPANS, rounds=15):
    """One trace of very many spans: how long its first page takes, and a page in the middle."""
    import stack  # noqa: F401  (puts the generated clients on the path)
    import grpc
    from assay.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_pb2_grpc

    trace_id = os.urandom(16)
    with grpc.insecure_channel(service.endpoints["otlp"]) as channel:
        export = otlp_pb2_grpc.TraceServiceStub(channel).Export
        for first in range(0, spans, 500):
            request = otlp_pb2.ExportTraceServiceRequest()
            scope = request.resource_spans.add().scope_spans.add()
            for number in range(first, min(first + 500, spans)):
                span = scope.spans.add(trace_id=trace_id, span_id=(number + 1).to_bytes(8, "big"), name=f"step {number % 97}")
                if number:
                    span.parent_span_id = (number // 10 + 1).to_bytes(8, "big")
                span.start_time_unix_nano = 1_700_000_000_000_000_000 + number * 1000
                span.end_time_unix_nano = span.start_time_unix_nano + 500
                span.attributes.add(key="note").value.string_value = "a step of a long run " * 10
            export(request)
    before = _rss_mb(service)
    first_page, middle_page = [], []
    with grpc.insecure_channel(service.endpoints["grpc"]) as channel:
        stub = trace_service_pb2_grpc.TraceServiceStub(channel)
        name = f"experiments/default/traces/{trace_id.hex()}"
        token = ""
        for _ in range(rounds):
            begun = time.perf_counter()
            page = stub.ListSpans(trace_service_pb2.ListSpansRequest(parent=name))
            first_page.append((time.perf_counter() - begun) * 1000)
            token = page.next_page_token
        for _ in range(rounds):
            begun = time.perf_counter()
            page = stub.ListSpans(trace_service_pb2.ListSpansRequest(parent=name, page_token=token))
            middle_page.append((time.perf_counter() - begun) * 1000)
            token = page.next_page_token
    return {
        "spans": spans,
        "first_page_ms": intervals.mean(first_page),
        "first_page_max_ms": max(first_page),
        "next_page_ms": intervals.mean(middle_page),
        "rss_growth_mb": _rss_mb(service) - before,
    }


def measure(directory, traces, pairs, seconds, progress=lambda what: None):
    """Everything about a store of so many traces."""
    service = _start(directory)
    try:
        progress(f"writing {traces:,} traces")
        found = {"written": load(service, traces)}
        progress("reading")
        found |= {"reads": reads(service, traces, pairs, seconds)}
        progress("a trace of many spans")
        found["large"] = large_trace(service)
        progress("searching while writing")
        found["beside"] = search_while_writing(
            service, traces, pairs, seconds, found["written"]["spans_per_second"]
        )
        found["rss_mb"] = _rss_mb(service)
        found["peak_mb"] = _peak_mb(service)
        return found
    finally:
        service.stop()


class _Sampler(threading.Thread):
    """Memory and disk of a process, every few seconds."""

    def __init__(self, service, every=5.0):
        super().__init__(daemon=True)
        self._service = service
        self._every = every
        self._stopped = threading.Event()
        self.rss_mb = []
        self.disk_bytes = []

    def run(self):
        while not self._stopped.wait(self._every):
            with contextlib.suppress(OSError, KeyError):
                self.rss_mb.append(_rss_mb(self._service))
                self.disk_bytes.append(_disk_bytes(self._service.directory))

    def stop(self):
        self._stopped.set()
        self.join()


@contextlib.contextmanager
def _paused(pid):
    """The floor has the machine for itself: what compactions lag behind would slow it down."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def sustained(directory, minutes, in_flight, progress=lambda what: None):
    """An ingest that lasts, minute by minute beside the floor's rate in a short window after each, while the service is
    paused."""
    service = _start(directory)
    floor = scenarios.start_floor("ingest", directory)
    sampler = _Sampler(service)
    sampler.start()
    pid = service.popen.pid
    rows = []
    first_batch = 0
    cpu_begin = measuring.cpu_seconds(pid)
    spans = 0
    try:
        for minute in range(minutes):
            progress(f"minute {minute + 1} of {minutes}")
            report = _generate(
                service.endpoints["otlp"],
                workload="ingest",
                in_flight=in_flight,
                seconds=60,
                warm_up_seconds=0,
                first_batch=first_batch,
            )
            first_batch += report["answers"] + 1000
            spans += report["answers"] * TRACES_PER_BATCH * SPANS_PER_TRACE
            with _paused(pid):
                base = _generate(
                    floor.endpoints["address"], workload="ingest", in_flight=in_flight, seconds=3, warm_up_seconds=0.3
                )
            rows.append(
                {
                    "spans_per_second": report["measured"] * 100 / report["seconds"],
                    "floor_spans_per_second": base["measured"] * 100 / base["seconds"],
                    "ack_p50_ms": report["p50_ms"],
                    "ack_p99_ms": report["p99_ms"],
                }
            )
        measuring.settle(pid)
        cpu = measuring.cpu_seconds(pid) - cpu_begin
    finally:
        sampler.stop()
        floor.stop()
        service.stop()
    return {
        "minutes": minutes,
        "in_flight": in_flight,
        "spans": spans,
        "cpu_us_per_span": cpu * 1e6 / spans,
        "spans_per_second": intervals.mean([row["spans_per_second"] for row in rows]),
        "ratio": intervals.ratio(
            [row["spans_per_second"] for row in rows], [row["floor_spans_per_second"] for row in rows]
        ),
        "ack_p99_ms": intervals.mean([row["ack_p99_ms"] for row in rows]),
        "rss_max_mb": max(sampler.rss_mb, default=0),
        "received_bytes": spans // 100 * batch_bytes(),
        "stored_bytes": sampler.disk_bytes[-1] if sampler.disk_bytes else 0,
        "by_minute": rows,
    }
