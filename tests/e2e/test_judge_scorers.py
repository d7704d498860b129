"""Custom scorers as judges: registered by their address, in single judgements, streams and evaluations; servers that
misbehave; TLS; scorers that call back."""

import concurrent.futures
import subprocess

import grpc
import pytest
from assay.common.v1 import feedback_pb2, value_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import evaluation_service_pb2 as evaluation_service
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.judge.v1 import judge_service_pb2_grpc, user_services_pb2, user_services_pb2_grpc
from assay.registry.v1 import judge_pb2, judge_registry_service_pb2
from assay_client import call, from_json, request_id, to_json
from checks import create_judge, export_trace, pages, refused, value_of, wait_for_end
from stack import ROOT, Stack


class Scorers(user_services_pb2_grpc.ScorerServiceServicer):
    """A user's server. What it does is the scorer's name."""

    def __init__(self):
        self.judge = None
        self.seen = []

    def Score(self, request, context):
        self.seen.append((request, dict(context.invocation_metadata())))
        answer = user_services_pb2.ScoreResponse()
        if request.scorer == "refuse":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not like this")
        if request.scorer == "hang":
            while context.is_active():
                concurrent.futures.wait([], timeout=0.01)
                context.time_remaining()
        if request.scorer in ("calls_back", "endless"):
            return self._ask(request, context)
        if request.scorer == "silent":
            return answer
        if request.scorer == "broken":
            answer.feedbacks.add().feedback.value.json_text = "{broken"
            return answer
        polite = "thank" in str(from_json(request.outputs)).lower()
        answer.feedbacks.add().feedback.value.CopyFrom(to_json("yes" if request.scorer == "texts" else polite))
        if request.scorer == "several":
            further = answer.feedbacks.add(assessment_name="length")
            further.feedback.value.CopyFrom(to_json(len(str(from_json(request.outputs)))))
        return answer

    def _ask(self, request, context):
        """Asks a judge through the judge service, passing on what came with the call."""
        nested = judge_service.JudgeRequest(parent=request.parent, inputs=request.inputs, outputs=request.outputs)
        if request.scorer == "endless":
            nested.definition.scorer.CopyFrom(judge_pb2.ScorerJudge(address=self.address, scorer="endless"))
        else:
            nested.definition.guidelines.guidelines.append("The response must be polite.")
        metadata = [(key, value) for key, value in context.invocation_metadata() if key.startswith("assay-")]
        found = call(self.judge.Judge, nested, timeout=context.time_remaining(), metadata=metadata)
        answer = user_services_pb2.ScoreResponse()
        answer.feedbacks.add(feedback=found.feedback, source=found.source)
        return answer


@pytest.fixture
def scorers(shared_stack):
    servicer = Scorers()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=64))
    user_services_pb2_grpc.add_ScorerServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with grpc.insecure_channel(shared_stack.addresses()["judge"]) as channel:
        servicer.judge = judge_service_pb2_grpc.JudgeServiceStub(channel)
        yield servicer
    server.stop(None)


def scorer_judge(scorers, scorer, **more):
    definition = judge_pb2.JudgeDefinition()
    definition.scorer.CopyFrom(judge_pb2.ScorerJudge(address=scorers.address, scorer=scorer, **more))
    return definition


def ask(experiment, definition=None, text="Thank you!", **more):
    request = judge_service.JudgeRequest(parent=experiment, inputs=to_json({"q": 1}), outputs=to_json(text), **more)
    if definition is not None:
        request.definition.CopyFrom(definition)
    return request


def test_a_registered_scorer_judges_and_its_feedbacks_are_logged(client, experiment, scorers):
    judge = create_judge(client, experiment, "polite", scorer_judge(scorers, "several"))
    trace = export_trace(client, experiment, {"q": 1}, "Thank you!")
    answer = call(
        client.judge.Judge,
        judge_service.JudgeRequest(parent=experiment, registered=judge.name, trace=trace, log_assessment=True),
    )
    assert value_of(answer.feedback) is True and answer.assessment_name == "polite"
    assert answer.source.kind == feedback_pb2.SOURCE_KIND_CODE and answer.source.id == "several"
    [further] = answer.additional_results
    assert further.assessment_name == "polite/length" and value_of(further.feedback) == len("Thank you!")
    for name in (answer.assessment, further.assessment):
        get = feedback_service_pb2.GetAssessmentRequest(name=name)
        assert call(client.feedback.GetAssessment, get).assessment.target.trace == trace
    request, metadata = scorers.seen[0]
    assert request.parent == experiment and request.trace == trace
    assert metadata["assay-depth"] == "1" and metadata["assay-experiment"] == experiment


def test_streams_and_evaluations_ask_scorers_too(client, experiment, scorers):
    judge = create_judge(client, experiment, "polite", scorer_judge(scorers, "several", max_concurrency=2))
    requests = [
        judge_service.JudgeStreamRequest(key=str(n), request=ask(experiment, registered=judge.name)) for n in range(50)
    ]
    answers = {answer.key: answer.response for answer in client.judge.JudgeStream(iter(requests), timeout=60)}
    assert len(answers) == 50 and all(value_of(answer.feedback) is True for answer in answers.values())
    spec = evaluation_service.EvaluationSpec()
    spec.judges.add(registered=judge.name)
    rows = [evaluation_service.EvaluationRow(inputs=to_json({"n": n}), outputs=to_json("No.")) for n in range(3)]
    created = call(
        client.evaluations.CreateEvaluation,
        evaluation_service.CreateEvaluationRequest(
            parent=experiment, evaluation_id="run", spec=spec, rows=rows, request_id=request_id()
        ),
    ).evaluation
    watch = evaluation_service.WatchEvaluationRequest(name=created.name)
    wait_for_end(client.evaluations.WatchEvaluation(watch, timeout=60), "evaluation")
    listing = evaluation_service.ListEvaluationRowsRequest(parent=created.name)
    listed = list(pages(client.evaluations.ListEvaluationRows, listing, "rows"))
    assert len(listed) == 3
    for row in listed:
        found = {result.assessment_name: value_of(result.feedback) for result in row.results}
        assert found == {"polite": False, "polite/length": 3}


@pytest.mark.parametrize(
    "scorer, code",
    [("refuse", "SCORER_FAILED"), ("broken", "SCORER_INVALID_RESPONSE"), ("hang", "SCORER_TIMEOUT")],
)
def test_a_scorer_that_misbehaves_is_an_error_feedback(client, experiment, scorers, scorer, code):
    answer = call(client.judge.Judge, ask(experiment, scorer_judge(scorers, scorer, timeout_seconds=0.3)))
    assert answer.feedback.outcome == feedback_pb2.OUTCOME_ERROR and answer.feedback.error.code == code


def test_lies_about_types_and_silence(client, experiment, scorers):
    definition = scorer_judge(scorers, "texts")
    definition.value_type.bool_type.CopyFrom(value_pb2.BoolType())
    answer = call(client.judge.Judge, ask(experiment, definition))
    assert answer.feedback.error.code == "SCORER_INVALID_RESPONSE"
    answer = call(client.judge.Judge, ask(experiment, scorer_judge(scorers, "silent")))
    assert answer.feedback.outcome == feedback_pb2.OUTCOME_ABSTAINED


def test_nobody_there_is_an_error_feedback(client, experiment, scorers):
    definition = scorer_judge(scorers, "several")
    definition.scorer.address = "127.0.0.1:1"
    answer = call(client.judge.Judge, ask(experiment, definition))
    assert answer.feedback.error.code == "SCORER_UNREACHABLE"


def test_other_machines_are_refused_unless_allowed(client, experiment, scorers):
    definition = scorer_judge(scorers, "several")
    definition.scorer.address = "10.0.0.1:80"
    refused(client.judge.Judge, ask(experiment, definition), "INVALID_ARGUMENT", "REMOTE_ADDRESS_REFUSED")
    request = evaluation_service.CreateEvaluationRequest(parent=experiment, evaluation_id="far", request_id=request_id())
    request.spec.judges.add(definition=definition, assessment_name="far")
    request.rows.add(inputs=to_json({}), outputs=to_json("x"))
    refused(client.evaluations.CreateEvaluation, request, "INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize("change", [{"address": "nowhere"}, {"scorer": ""}, {"timeout_seconds": 601}, {"max_concurrency": -1}])
def test_broken_definitions_are_refused_by_both_services(client, experiment, scorers, change):
    definition = scorer_judge(scorers, "several")
    for field, value in change.items():
        setattr(definition.scorer, field, value)
    field = f"definition.scorer.{next(iter(change))}"
    refused(client.judge.Judge, ask(experiment, definition), "INVALID_ARGUMENT", "INVALID_FIELD", field=field)
    create = judge_registry_service_pb2.CreateJudgeRequest(
        parent=experiment, judge_id="bad", definition=definition, request_id=request_id()
    )
    refused(client.judges.CreateJudge, create, "INVALID_ARGUMENT", "INVALID_FIELD")


def test_a_scorer_asks_a_judge_while_it_answers(client, experiment, scorers):
    answer = call(client.judge.Judge, ask(experiment, scorer_judge(scorers, "calls_back")))
    assert value_of(answer.feedback) in ("yes", "no")
    assert answer.source.kind == feedback_pb2.SOURCE_KIND_LLM_JUDGE


def test_a_scorer_that_asks_itself_ends(client, experiment, scorers):
    answer = call(client.judge.Judge, ask(experiment, scorer_judge(scorers, "endless")))
    assert answer.feedback.outcome == feedback_pb2.OUTCOME_ERROR
    depths = [int(metadata["assay-depth"]) for _, metadata in scorers.seen]
    assert depths == sorted(depths) and 1 < len(depths) < 10


def test_a_nested_call_stays_in_its_experiment(client, experiment, scorers):
    request = ask(experiment, scorer_judge(scorers, "several"))
    with pytest.raises(Exception) as caught:
        call(client.judge.Judge, request, metadata=[("assay-depth", "1"), ("assay-experiment", "experiments/other")])
    assert caught.value.reason == "NESTED_EXPERIMENT_MISMATCH"


def test_encrypted_scorers_are_held_against_the_authorities(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    servicer = Scorers()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=4))
    user_services_pb2_grpc.add_ScorerServiceServicer_to_server(servicer, server)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    servicer.address = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
    server.start()
    stack = Stack(tmp_path / "stack", flags={"judge": {"scorer_ca_file": certificate}})
    try:
        stack.start(("registry", "trace", "feedback", "judge"))
        definition = scorer_judge(servicer, "several", tls=True)
        request = ask("experiments/e", definition)
        assert value_of(call(stack.client.judge.Judge, request).feedback) is True
        definition.scorer.tls = False
        answer = call(stack.client.judge.Judge, ask("experiments/e", definition))
        assert answer.feedback.error.code == "SCORER_UNREACHABLE"
    finally:
        stack.stop()
        server.stop(None)


def test_a_scorer_in_javascript(client, experiment):
    directory = subprocess.run(
        [str(ROOT / "tests" / "clients" / "otel_js" / "install")], stdout=subprocess.PIPE, text=True, check=True, timeout=300
    ).stdout.strip()
    node = ["node", f"{directory}/scorer.js", str(ROOT / "protos")]
    with subprocess.Popen(node, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        definition = judge_pb2.JudgeDefinition()
        definition.scorer.address = server.stdout.readline().strip()
        definition.scorer.scorer = "short"
        answer = call(client.judge.Judge, ask(experiment, definition))
        assert value_of(answer.feedback) is True and answer.feedback.rationale == "It has 10 characters."
        assert value_of(answer.additional_results[0].feedback) == 10
        server.stdin.close()
