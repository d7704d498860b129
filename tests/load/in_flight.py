"""Very many judgements that wait for a slow model at the same time: what the judge service takes for them."""

import contextlib
import os
import threading

import measuring
import scenarios

JUDGEMENTS = 10_000
STREAMS = 200
MODEL_LATENCY_MS = 5_000
PROMPT_BYTES = 2_048
ANSWER_BYTES = 400
# What is asked for.
BOUND_MB = 1_024
BOUND_DESCRIPTORS = 20_000


def _answer():
    rationale = "Polite, and it says what happens next and who does it. " * 20
    answer = '{"result": "yes", "rationale": "%s"}'
    return answer % rationale[: ANSWER_BYTES - len(answer % "")]


class _Sampler(threading.Thread):
    """The most that a process has of each, looked at several times a second."""

    def __init__(self, pid, every=0.2):
        super().__init__(daemon=True)
        self._pid = pid
        self._every = every
        self._stopped = threading.Event()
        self.most = {"rss_mb": 0, "threads": 0, "descriptors": 0}

    def run(self):
        while not self._stopped.wait(self._every):
            self.look()

    def look(self):
        with contextlib.suppress(OSError, KeyError):  # Its end.
            seen = {
                "rss_mb": measuring.status_number(self._pid, "VmRSS") / 1024,
                "threads": measuring.status_number(self._pid, "Threads"),
                "descriptors": len(os.listdir(f"/proc/{self._pid}/fd")),
            }
            self.most = {name: max(value, seen[name]) for name, value in self.most.items()}

    def stop(self):
        self._stopped.set()
        self.join()
        return self.most


def _prompt_bytes(llm, judge, judged_bytes):
    """Length of the prompts that judgements of texts of that length make: the mean of a few."""
    llm.set_script({"latency_ms": 0})  # A fixed answer would keep no prompts.
    load = {"workload": "judge", "in_flight": 4, "calls": 20, "seconds": 60, "warm_up_seconds": 0}
    llm.clear_log()
    measuring.generate(
        scenarios.binary("//tests/load:generator"), {**load, "address": judge.endpoints["grpc"], "judged_bytes": judged_bytes}
    )
    prompts = llm.prompts("Order")
    return sum(len(prompt.encode()) for prompt in prompts) / len(prompts)


def measure(directory, seconds, progress=lambda what: None):
    """What the judge service had at most: memory, threads, descriptors; and how many judgements the model saw at once."""
    import stack

    with contextlib.ExitStack() as cleanup:

        def keep(process):
            cleanup.callback(process.stop)
            return process

        llm = keep(stack.FakeLlm(directory / "llm", scenarios.SCRIPT).start())
        trace = keep(scenarios.start_trace(directory))
        flags = {"model_max_in_flight": JUDGEMENTS, "model_max_queued": JUDGEMENTS}
        judge = keep(scenarios.start_judge(directory, llm, trace, **flags))
        progress("the length of prompts")
        judged_bytes = 400
        while (prompt_bytes := _prompt_bytes(llm, judge, judged_bytes)) < PROMPT_BYTES:
            judged_bytes += 100
        pid = judge.popen.pid
        idle = _Sampler(pid)
        idle.look()
        llm.set_script({**scenarios.SCRIPT, "canned_content": _answer(), "latency_ms": MODEL_LATENCY_MS})
        llm.clear_log()
        progress(f"{JUDGEMENTS:,} judgements in flight")
        sampler = _Sampler(pid)
        sampler.start()
        load = {"workload": "judge_stream", "in_flight": JUDGEMENTS, "streams": STREAMS, "judged_bytes": judged_bytes}
        # A window that is shorter than the model's latency would hold no answer.
        load |= {"seconds": max(seconds, 3 * MODEL_LATENCY_MS / 1000), "warm_up_seconds": 1}
        report = measuring.generate(
            scenarios.binary("//tests/load:generator"), {**load, "address": judge.endpoints["grpc"]}
        )
        return {
            "judgements": JUDGEMENTS,
            "streams": STREAMS,
            "latency_ms": MODEL_LATENCY_MS,
            "at_the_model_at_once": llm.stats()["max_in_flight"],
            "prompt_bytes": prompt_bytes,
            "answer_bytes": len(_answer()),
            "answers": report["answers"],
            "idle": idle.most,
            "most": sampler.stop(),
        }
