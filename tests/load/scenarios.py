"""What is measured: which processes, which load, beside which floor."""

import contextlib
import dataclasses
import functools
import pathlib
import sys

import measuring

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

SPANS_PER_BATCH = 100
MODEL_LATENCY_MS = 50
SCRIPT = {
    "latency_ms": MODEL_LATENCY_MS,
    "log_prompts": False,
    "canned_content": '{"result": "yes", "rationale": "Polite, and it says what happens next and who does it."}',
}
# Wide enough that the judge service never waits for a slot of its own.
JUDGE_FLAGS = {"model_max_in_flight": 4096, "model_max_queued": 8192}

TARGETS = {
    "echo": ["//tests/load:generator", "//tests/load:floor_server", "//tests/load:echo_server"],
    "ingest": ["//tests/load:generator", "//tests/load:floor_server", "//services/trace:trace"],
    "judge": [
        "//tests/load:generator",
        "//tests/load:floor_server",
        "//tests/fake_llm:fake_llm",
        "//services/judge:judge",
        "//services/trace:trace",
    ],
    "in_flight": [
        "//tests/load:generator",
        "//tests/fake_llm:fake_llm",
        "//services/judge:judge",
        "//services/trace:trace",
    ],
    "memory": ["//services/all:assay-all"]
    + [f"//services/{name}:{name}" for name in ("registry", "trace", "feedback", "judge", "alignment")],
    "store": ["//tests/load:generator", "//services/trace:trace"],
    "sustained": ["//tests/load:generator", "//tests/load:floor_server", "//services/trace:trace"],
}


# Disturbed pairs are given up for at most so many times the pairs that are wanted; then they count.
MOST_DISTURBED = 5


@dataclasses.dataclass
class Plan:
    """How much is measured."""

    pairs: int
    seconds: float  # Of a window.
    max_others: float  # Share of the machine that others may take during a pair, from 0 to 1.


@dataclasses.dataclass
class Scenario:
    """One load, against ours and against the floor."""

    name: str
    title: str
    unit: str
    load: dict
    units_per_answer: int = 1
    # What an answer takes at least: subtracted from latencies.
    latency_base_ms: float = 0
    # If set, calls are due at this share of the rate that the scenario of that name reached.
    rate_of: tuple = ()


@dataclasses.dataclass
class Sides:
    """Two servers under the same loads, and what else runs for them. `recorders` work for ours alone: their CPU time
    is part of ours."""

    ours: object
    ours_address: str
    floor: object
    floor_address: str
    recorders: list = dataclasses.field(default_factory=list)
    others: list = dataclasses.field(default_factory=list)

    def our_pids(self):
        return [process.popen.pid for process in (self.ours, *self.recorders)]

    def pids(self):
        return [*self.our_pids(), *(process.popen.pid for process in (self.floor, *self.others))]


SCENARIOS = {
    "echo": [
        Scenario("echo", "Unary echo, 64 bytes, 64 in flight", "call", {"workload": "echo", "in_flight": 64}),
    ],
    "ingest": [
        Scenario(
            "ingest",
            "OTLP export, batches of 100 spans of 1 KB, 32 in flight, acknowledged when on disk",
            "span",
            {"workload": "ingest", "in_flight": 32},
            units_per_answer=SPANS_PER_BATCH,
        ),
        Scenario(
            "ingest_16",
            "The same, 16 in flight",
            "span",
            {"workload": "ingest", "in_flight": 16},
            units_per_answer=SPANS_PER_BATCH,
        ),
    ],
    "judge": [
        Scenario(
            "judge_128",
            f"Judge, model of {MODEL_LATENCY_MS} ms, 128 in flight",
            "judgement",
            {"workload": "judge", "in_flight": 128},
            latency_base_ms=MODEL_LATENCY_MS,
        ),
        Scenario(
            "judge_stream_128",
            f"JudgeStream, model of {MODEL_LATENCY_MS} ms, 128 in flight over 8 streams",
            "judgement",
            {"workload": "judge_stream", "in_flight": 128, "streams": 8},
            latency_base_ms=MODEL_LATENCY_MS,
        ),
        Scenario(
            "judge_full",
            f"Judge, model of {MODEL_LATENCY_MS} ms, 960 in flight: saturated",
            "judgement",
            {"workload": "judge", "in_flight": 960},
            latency_base_ms=MODEL_LATENCY_MS,
        ),
        Scenario(
            "judge_stream_full",
            f"JudgeStream, model of {MODEL_LATENCY_MS} ms, 1,024 in flight over 16 streams: saturated",
            "judgement",
            {"workload": "judge_stream", "in_flight": 1024, "streams": 16},
            latency_base_ms=MODEL_LATENCY_MS,
        ),
        Scenario(
            "judge_open",
            f"Judge, model of {MODEL_LATENCY_MS} ms, open loop at half the saturated rate",
            "judgement",
            {"workload": "judge", "in_flight": 960},
            latency_base_ms=MODEL_LATENCY_MS,
            rate_of=("judge_full", 0.5),
        ),
    ],
}


def binary(label):
    """What Bazel built for a label."""
    import stack  # Here and below: its import takes a while, and --help needs none of it.

    return stack.binary(label)


def start_floor(kind, directory, *flags):
    import stack

    command = [binary("//tests/load:floor_server"), f"--floor={kind}", *flags]
    return stack.Process(f"floor of {kind}", command, directory / "floor").start()


def start_trace(directory):
    """The trace service, without the registry."""
    import stack

    flags = {"otlp_listen_address": "127.0.0.1:0", "create_experiments": "false"}
    return stack.Service("trace", "//services/trace:trace", directory / "trace", flags).start()


def start_judge(directory, llm, trace, **more):
    """The judge service, and where it records: a judge that is defined in the request needs none of the others."""
    import stack

    flags = {**JUDGE_FLAGS, **more, "endpoint": f"name=local,url={llm.url},model=fake"}
    flags |= {"trace_address": trace.endpoints["grpc"], "otlp_address": trace.endpoints["otlp"]}
    return stack.Service("judge", "//services/judge:judge", directory / "judge", flags).start()


@contextlib.contextmanager
def running(benchmark, directory):
    """The processes of a benchmark, as Sides."""
    import stack

    with contextlib.ExitStack() as cleanup:

        def keep(process):
            cleanup.callback(process.stop)
            return process

        floor_flags = []
        others = []
        recorders = []
        if benchmark == "echo":
            command = [binary("//tests/load:echo_server"), "--listen_address=127.0.0.1:0"]
            ours = keep(stack.Process("echo", command, directory / "echo").start())
        elif benchmark == "ingest":
            ours = keep(start_trace(directory))
        else:
            llm = keep(stack.FakeLlm(directory / "llm", SCRIPT).start())
            others.append(llm)
            floor_flags.append(f"--model_url={llm.url}")
            recorders.append(keep(start_trace(directory)))
            ours = keep(start_judge(directory, llm, recorders[0]))
        floor = keep(start_floor(benchmark, directory, *floor_flags))
        address = ours.endpoints["otlp" if benchmark == "ingest" else "grpc"]
        yield Sides(ours, address, floor, floor.endpoints["address"], recorders, others)


def run_scenario(scenario, sides, plan, rate, progress):
    """Interleaved pairs, ours first, after a short pair that does not count. A pair during which others took too much
    of the machine is measured again. Returns what each window measured."""
    measured = {"ours": [], "floor": [], "share_of_others": [], "disturbed_pairs": 0}
    _run_pair(scenario, sides, 1, rate, functools.partial(progress, scenario, "warm-up"))
    while len(measured["ours"]) < plan.pairs:
        done = f"pair {len(measured['ours']) + 1} of {plan.pairs}"
        meter = measuring.LoadMeter(sides.pids())
        windows = _run_pair(scenario, sides, plan.seconds, rate, functools.partial(progress, scenario, done))
        others = meter.share_of_others()
        if others > plan.max_others and measured["disturbed_pairs"] < MOST_DISTURBED * plan.pairs:
            measured["disturbed_pairs"] += 1
            continue
        for side, window in windows.items():
            measured[side].append(window)
        measured["share_of_others"].append(others)
    return measured


def _run_pair(scenario, sides, seconds, rate, progress):
    windows = {}
    for side, pids, address in (
        ("ours", sides.our_pids(), sides.ours_address),
        ("floor", [sides.floor.popen.pid], sides.floor_address),
    ):
        progress(side)
        load = {**scenario.load, "address": address, "seconds": seconds}
        if rate:
            load["rate"] = rate
        generator = binary("//tests/load:generator")
        windows[side] = measuring.measure(generator, pids, load, scenario.units_per_answer)
    return windows
