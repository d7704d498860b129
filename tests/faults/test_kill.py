"""kill -9 in the middle of the walkthrough: it completes, every acknowledged write is there, no model answer is paid twice."""

import collections
import json
import subprocess
import threading

import pytest
from assay.alignment.v1 import alignment_service_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import evaluation_service_pb2
from assay.registry.v1 import experiment_service_pb2, judge_registry_service_pb2
from assay.trace.v1 import trace_service_pb2
from assay_client import call
from checks import pages
from stack import ROOT, FakeLlm, Stack, wait_until

EXPERIMENT = "faults"
CONVERSATIONS = 30
SCRIPT = {
    "latency_ms": 20,
    "rules": [{"trigger": "refund", "guidelines": ["An answer that promises a refund unasked is poor."], "set": "poor"}],
}
# How many judgements the walkthrough, an alignment and an evaluation each have in flight.
WINDOW = 16

# Where each service is killed: a step of the walkthrough, and the share of it that is done.
KILLS = {
    "registry": [("judge", 0.3), ("align", 0.4)],
    "trace": [("export", 0.5), ("evaluate/production", 0.3)],
    "feedback": [("judge", 0.5), ("label", 0.5)],
    "judge": [("judge", 0.5), ("align", 0.5), ("evaluate/guidelines-polite", 0.2)],
    "alignment": [("align", 0.3), ("align", 0.8)],
    "all": [("judge", 0.7), ("align", 0.6)],
}


class Walk:
    """A walkthrough as a process, and what it tells."""

    def __init__(self, stack, directory):
        self._event_file = directory / "events"
        self._event_file.touch()
        self._log = directory / "walkthrough.log"
        self._command = [
            "/usr/bin/python3", str(ROOT / "deploy" / "local" / "walkthrough.py"), "--json", "--patience", "120",
            "--experiment", EXPERIMENT, "--conversations", str(CONVERSATIONS), "--event_file", str(self._event_file),
            *(f"--{name}_address={address}" for name, address in stack.addresses().items()),
        ]  # fmt: skip
        self.popen = None

    def start(self):
        with open(self._log, "ab") as log:
            self.popen = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        # Read at once, so that a full pipe stops nothing.
        self._output = []
        self._reader = threading.Thread(target=lambda: self._output.append(self.popen.stdout.read()))
        self._reader.start()
        return self

    def finish(self):
        """Waits for success; returns the report."""
        self._reader.join(timeout=240)
        try:
            assert self.popen.wait(timeout=5) == 0, self._log.read_text(encoding="utf-8")[-4000:]
        except subprocess.TimeoutExpired:
            self.popen.kill()
            raise AssertionError(f"the walkthrough hangs after {self.events()[-1:]}") from None
        return json.loads(self._output[0])

    def kill(self):
        self.popen.kill()
        self.popen.wait()
        self._reader.join()

    def events(self):
        # The last line may be half written.
        lines = self._event_file.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def wait_for(self, step, share, seen=0):
        """Waits until a step is so far, in events after the first `seen`. Returns how many there are now."""

        def is_reached():
            events = self.events()
            for event in events[seen:]:
                if event["event"] == "finished":
                    return len(events)
                if event["event"] == "progress" and event["step"] == step and event["total"] > 1:
                    if event["done"] >= share * event["total"]:
                        return len(events)
            return 0

        return wait_until(is_reached, f"{step} at {share}", seconds=240, process=self.popen)

    def acknowledged(self):
        return {(event["kind"], event["name"]) for event in self.events() if event["event"] == "acknowledged"}


def is_there(client, kind, name):
    """Reads what was acknowledged; raises if it is gone."""
    if kind == "experiment":
        call(client.experiments.GetExperiment, experiment_service_pb2.GetExperimentRequest(name=name))
    elif kind == "revision":
        call(client.judges.GetJudgeRevision, judge_registry_service_pb2.GetJudgeRevisionRequest(name=name))
    elif kind == "alias":
        judge, _, revision = name.partition("@production=")
        got = call(client.judges.GetJudge, judge_registry_service_pb2.GetJudgeRequest(name=judge)).judge
        assert got.aliases["production"] == int(revision)
    elif kind == "trace":
        got = call(client.traces.GetTrace, trace_service_pb2.GetTraceRequest(name=name)).trace
        assert got.span_count == 2 and got.HasField("inputs")
    elif kind == "assessment":
        call(client.feedback.GetAssessment, feedback_service_pb2.GetAssessmentRequest(name=name))
    elif kind == "alignment":
        call(client.alignments.GetAlignment, alignment_service_pb2.GetAlignmentRequest(name=name))
    elif kind == "evaluation":
        call(client.evaluations.GetEvaluation, evaluation_service_pb2.GetEvaluationRequest(name=name))
    else:
        raise AssertionError(f"unknown kind {kind}")


def assessment_counts(client):
    """How many assessments there are by name and source kind: none twice, none lost."""
    request = feedback_service_pb2.SearchAssessmentsRequest(
        parent=f"experiments/{EXPERIMENT}", include_invalid=True, page_size=500
    )
    found = pages(client.feedback.SearchAssessments, request, "assessments")
    return collections.Counter((each.assessment_name, each.source.kind) for each in found)


def prompt_counts(llm):
    return collections.Counter(request["prompt_sha256"] for request in llm.log())


class World:
    """Five services of its own, and a model."""

    def __init__(self, directory):
        self.directory = directory
        self.llm = FakeLlm(directory / "fake_llm", SCRIPT).start()
        self.stack = Stack(directory / "stack", llm=self.llm, model="endpoints:/local")

    def __enter__(self):
        self.stack.start()
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(self.stack.log_tails())
        self.stack.stop()
        self.llm.stop()

    def kill_and_restart(self, name):
        names = Stack.ORDER if name == "all" else (name,)
        for each in names:
            self.stack.services[each].kill()
        for each in names:
            self.stack.services[each].start()


def outcome(report):
    """What must not depend on who was killed when. Names of answers and traces are made anew by each run."""
    kept = ("verdicts", "people_say_poor", "traces_with_both", "test", "evaluation", "guidelines", "scorers", "refusal")
    return {key: report[key] for key in kept} | {"alignment": report["alignment"]}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same walkthrough with nothing killed: its report, the prompts it asked, its assessments."""
    with World(tmp_path_factory.mktemp("undisturbed")) as world:
        report = Walk(world.stack, world.directory).start().finish()
        return outcome(report), prompt_counts(world.llm), assessment_counts(world.stack.client)


def check(world, walk, report, undisturbed, in_flight):
    """`in_flight`: how many questions were cut off at most, and may be asked again."""
    expected, prompts, assessments = undisturbed
    client = world.stack.client
    lost = []
    for kind, name in sorted(walk.acknowledged()):
        try:
            is_there(client, kind, name)
        except Exception as error:  # pylint: disable=broad-except
            lost.append(f"{kind} {name}: {error}")
    assert not lost, lost[:10]
    assert outcome(report) == expected
    assert assessment_counts(client) == assessments
    asked = (prompt_counts(world.llm) - prompts).total()
    assert asked <= in_flight, f"{asked} questions were asked again"


@pytest.mark.parametrize("service", list(KILLS))
def test_a_killed_service_loses_nothing_and_pays_nothing_twice(tmp_path, undisturbed, service):
    with World(tmp_path) as world:
        walk = Walk(world.stack, tmp_path).start()
        seen = 0
        for step, share in KILLS[service]:
            seen = walk.wait_for(step, share, seen)
            world.kill_and_restart(service)
        report = walk.finish()
        # The judge service asks the models, and stops asking for a caller that is gone.
        asks = service in ("judge", "alignment", "all")
        check(world, walk, report, undisturbed, in_flight=WINDOW * len(KILLS[service]) if asks else 0)


def test_a_killed_walkthrough_goes_on_where_it_was(tmp_path, undisturbed):
    with World(tmp_path) as world:
        walk = Walk(world.stack, tmp_path).start()
        seen = 0
        for step, share in (("judge", 0.4), ("label", 0.5), ("align", 0.5), ("test", 0.5)):
            seen = walk.wait_for(step, share, seen)
            walk.kill()
            walk.start()
        report = walk.finish()
        # The refusal is shown once, by the run that saw few labels.
        report.setdefault("refusal", undisturbed[0]["refusal"])
        check(world, walk, report, undisturbed, in_flight=4 * WINDOW)
