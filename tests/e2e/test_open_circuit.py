"""Evaluations over a model that is away: their rows wait for it, and say so."""

import pytest
from assay.judge.v1 import evaluation_service_pb2 as evaluation_service
from assay_client import call, request_id, to_json
from chat_models import ChatModel, completion
from checks import guidelines_judge, wait_for_end
from stack import Stack, wait_until


class Moody(ChatModel):
    """Answers 503 while it is away."""

    def __init__(self):
        self.away = True
        super().__init__()

    def reply(self):
        if self.away:
            return 503, {"error": {"message": "away"}}
        return 200, completion({"result": "yes", "rationale": "fine"}, "moody")


@pytest.fixture
def moody():
    server = Moody()
    yield server
    server.shutdown()


@pytest.fixture
def own(tmp_path, moody):
    """A judge service whose circuit opens at the second failure, for a second."""
    started = []

    def start(**flags):
        endpoint = f"name=moody,url={moody.url},model=moody"
        judge = {"endpoint": endpoint, "model_attempts": 1, "circuit_failures": 2, "circuit_open": "1s", **flags}
        stack = Stack(tmp_path, model="endpoints:/moody", flags={"judge": judge})
        started.append(stack.start(("registry", "trace", "feedback", "judge")))
        return stack.client

    yield start
    for stack in started:
        stack.stop()


def evaluate(client, rows):
    """With one row that asks at a time: the first two fail and open the circuit."""
    request = evaluation_service.CreateEvaluationRequest(parent="experiments/e", evaluation_id="run", request_id=request_id())
    request.spec.judges.add(definition=guidelines_judge("Be polite."), assessment_name="polite")
    request.spec.parallelism = 1
    for n in range(rows):
        request.rows.add(inputs=to_json({"n": n}), outputs=to_json("Thanks!"))
    return call(client.evaluations.CreateEvaluation, request).evaluation.name


def get(client, name):
    return call(client.evaluations.GetEvaluation, evaluation_service.GetEvaluationRequest(name=name)).evaluation


def ended(client, name):
    watch = evaluation_service.WatchEvaluationRequest(name=name)
    return wait_for_end(client.evaluations.WatchEvaluation(watch, timeout=60), "evaluation")


def test_rows_wait_until_the_model_is_back(own, moody):
    client = own()
    name = evaluate(client, 6)
    # A row asks while those before it are stored: the two that failed may be seen a moment later.
    wait_until(lambda: get(client, name).HasField("error"), "what it waits for")
    wait_until(lambda: get(client, name).progress.judgements_error == 2, "the rows that failed")
    waiting = get(client, name)
    assert waiting.state == evaluation_service.EVALUATION_STATE_RUNNING
    assert waiting.error.code == "MODEL_UNREACHABLE" and "endpoints:/moody" in waiting.error.message
    moody.away = False
    evaluation = ended(client, name)
    assert evaluation.progress.judgements_value == 4 and evaluation.progress.judgements_error == 2
    assert not evaluation.HasField("error")


def test_after_the_limit_the_rows_fail_together(own):
    client = own(evaluation_model_wait="2s")
    evaluation = ended(client, evaluate(client, 20))
    assert evaluation.state == evaluation_service.EVALUATION_STATE_SUCCEEDED
    assert evaluation.progress.judgements_error == 20


def test_a_cancelled_evaluation_waits_no_longer(own):
    client = own()
    name = evaluate(client, 6)
    wait_until(lambda: get(client, name).HasField("error"), "what it waits for")
    cancelled = call(client.evaluations.CancelEvaluation, evaluation_service.CancelEvaluationRequest(name=name)).evaluation
    assert cancelled.state == evaluation_service.EVALUATION_STATE_CANCELLED
