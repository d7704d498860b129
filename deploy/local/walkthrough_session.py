"""What every step of the walkthrough stands on: patient calls, progress bars, and a record of what was acknowledged."""

import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients" / "python"))

import grpc  # noqa: E402
import rich.console  # noqa: E402
import rich.progress  # noqa: E402

import assay_client  # noqa: E402
from assay.judge.v1 import judge_service_pb2  # noqa: E402

TESTDATA = ROOT / "tests" / "testdata"
EXAMPLES = ROOT / "examples" / "support_app"

# A service that restarts is away for a moment; every call of the walkthrough may be repeated.
_PASSING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


def is_passing(failure):
    """Whether a failed call is worth another attempt."""
    final = {"ETAG_MISMATCH", "MODEL_QUOTA_EXHAUSTED"}
    # Too large a message is RESOURCE_EXHAUSTED by gRPC itself, without a reason.
    if failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED and not failure.reason:
        return False
    return failure.code in _PASSING and failure.reason not in final


def fresh_experiment_id():
    return "support-" + datetime.datetime.now().strftime("%Y%m%d-%H%M%S")


class Session:
    """One run. Everything it writes has an id made from the experiment's, so that a run that was cut short is repeated
    with the same experiment and goes on where it was."""

    def __init__(self, addresses, experiment_id, quiet=False, patience=60.0, event_file=""):
        self.assay = assay_client.Assay(addresses)
        self.experiment_id = experiment_id
        self.parent = f"experiments/{experiment_id}"
        # Without a terminal, wide enough for the tables.
        width = None if sys.stdout.isatty() else 120
        self.console = rich.console.Console(quiet=quiet, width=width, highlight=False)
        self.report = {"experiment": self.parent}
        self.model = ""
        self._patience = patience
        self._events = open(event_file, "a", encoding="utf-8") if event_file else None
        self._processes = []
        self._scratch = tempfile.TemporaryDirectory(prefix="assay-walkthrough-")

    def close(self):
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
        self.assay.close()
        self._scratch.cleanup()
        if self._events:
            self._events.close()

    # Names and ids.

    def request_id(self, step):
        return f"{self.experiment_id}/{step}"

    def trace_id(self, key):
        return hashlib.sha256(f"{self.experiment_id}/{key}".encode()).hexdigest()[:32]

    def trace(self, key):
        return f"{self.parent}/traces/{self.trace_id(key)}"

    # Calls.

    def call(self, method, request, timeout=60.0):
        """Calls, and again while the service is away, for as long as the patience lasts."""
        deadline = time.monotonic() + self._patience
        attempt = 0
        while True:
            try:
                return assay_client.call(method, request, timeout=timeout)
            except assay_client.AssayError as failure:
                attempt += 1
                self._wait_or_raise(failure, attempt, deadline)

    def watch(self, open_stream, is_over):
        """Yields the messages of a watching stream until one is the last; opens it again if it breaks."""
        deadline = time.monotonic() + self._patience
        attempt = 0
        while True:
            try:
                for message in open_stream():
                    deadline, attempt = time.monotonic() + self._patience, 0
                    yield message
                    if is_over(message):
                        return
                failure = None
            except grpc.RpcError as error:
                failure = assay_client.AssayError.from_rpc(error)
            attempt += 1
            self._wait_or_raise(failure, attempt, deadline)

    def judge(self, requests, on_answer, window=16):
        """Runs judgements over one bidirectional stream, `window` of them in flight. `requests` maps keys to JudgeRequests
        with request ids: what was not answered when a stream breaks is asked again. Calls `on_answer(key, response)`."""
        pending = dict(requests)
        deadline = time.monotonic() + self._patience
        attempt = 0
        while pending:
            failure = None
            before = len(pending)
            try:
                failure = self._judge_once(pending, on_answer, window)
            except grpc.RpcError as error:
                failure = assay_client.AssayError.from_rpc(error)
            if not pending:
                return
            if len(pending) < before:
                deadline, attempt = time.monotonic() + self._patience, 0
            attempt += 1
            self._wait_or_raise(failure, attempt, deadline)

    def _judge_once(self, pending, on_answer, window):
        waiting = list(pending)
        outgoing = queue.SimpleQueue()

        def send_next():
            key = waiting.pop(0)
            outgoing.put(judge_service_pb2.JudgeStreamRequest(key=key, request=pending[key]))

        in_flight = min(window, len(waiting))
        for _ in range(in_flight):
            send_next()
        stream = self.assay.judge.JudgeStream(iter(outgoing.get, None), timeout=600)
        failure = None
        try:
            for answer in stream:
                if answer.HasField("response"):
                    del pending[answer.key]
                    on_answer(answer.key, answer.response)
                else:
                    failure = assay_client.AssayError.from_stream(answer.error)
                    if not is_passing(failure):
                        raise failure
                if waiting:
                    send_next()
                else:
                    in_flight -= 1
                if in_flight == 0:
                    break
        finally:
            outgoing.put(None)
            stream.cancel()
        return failure

    def _wait_or_raise(self, failure, attempt, deadline):
        if failure is not None and not is_passing(failure):
            raise failure
        delay = assay_client.retry_delay(attempt, failure)
        if time.monotonic() + delay > deadline:
            raise failure or RuntimeError("the stream ended without a result, again and again")
        time.sleep(delay)

    # Progress and records.

    def headline(self, title):
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")

    @contextlib.contextmanager
    def progress(self, step, title, total):
        """A bar; yields a function that sets how much is done (and the total). Another title begins another bar."""
        columns = (
            rich.progress.TextColumn("{task.description:<34}"),
            rich.progress.BarColumn(bar_width=30),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
        )
        with rich.progress.Progress(*columns, console=self.console) as bars:
            tasks = {}

            def advance(done, total_now=total, title_now=title):
                if title_now not in tasks:
                    for task in bars.tasks:
                        bars.update(task.id, completed=task.total)
                    tasks[title_now] = bars.add_task(title_now, total=total_now)
                bars.update(tasks[title_now], completed=done, total=total_now)
                self.event("progress", step=step, done=done, total=total_now)

            yield advance

    def acknowledged(self, kind, name):
        """Records a write that a service has acknowledged."""
        self.event("acknowledged", kind=kind, name=name)

    def event(self, event, **fields):
        if self._events:
            self._events.write(json.dumps({"event": event, **fields}) + "\n")
            self._events.flush()

    # The example's own servers.

    def start_example(self, program, address, *arguments):
        """Starts one of the example servers on `address` and returns where it serves."""
        port_file = os.path.join(self._scratch.name, program + ".json")
        command = ["/usr/bin/python3", str(EXAMPLES / program), "--port_file", port_file, "--listen_address", address]
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)
        self._processes.append(process)
        deadline = time.monotonic() + 30
        while not os.path.exists(port_file):
            if process.poll() is not None:
                raise RuntimeError(f"{program} ended with code {process.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{program} does not start")
            time.sleep(0.02)
        with open(port_file, encoding="utf-8") as file:
            return json.load(file)["grpc"]


def load_jsonl(name):
    with open(TESTDATA / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load_json(name):
    with open(TESTDATA / name, encoding="utf-8") as file:
        return json.load(file)
