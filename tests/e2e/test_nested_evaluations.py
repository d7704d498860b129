"""Evaluations that a scorer creates while it answers: whose budget pays, how deep they are, and where they end."""

import concurrent.futures
import threading

import grpc
import pytest
from assay.judge.v1 import evaluation_service_pb2 as evaluation_service
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.judge.v1 import user_services_pb2, user_services_pb2_grpc
from assay.registry.v1 import judge_pb2
from assay_client import AssayError, call, request_id, to_json
from checks import guidelines_judge, wait_for_end

OFFLINE = "offline:/lexical"


class Evaluating(user_services_pb2_grpc.ScorerServiceServicer):
    """Creates an evaluation for each call. What it is of is the scorer's name."""

    def __init__(self):
        self.lock = threading.Lock()
        self.created, self.refused, self.depths = [], [], []

    def Score(self, request, context):
        metadata = [(key, value) for key, value in context.invocation_metadata() if key.startswith("assay-")]
        with self.lock:
            self.depths.append(int(dict(metadata)["assay-depth"]))
        create = evaluation_service.CreateEvaluationRequest(
            parent="experiments/other" if request.scorer == "strays" else request.parent, request_id=request_id()
        )
        if request.scorer == "endless":
            create.spec.scorers.add(scorer="endless", address=self.address)
        else:
            create.spec.judges.add(definition=guidelines_judge("Be polite.", model=OFFLINE), assessment_name="polite")
        create.rows.add(inputs=request.inputs, outputs=request.outputs)
        try:
            if request.scorer == "feeds":
                append = evaluation_service.AppendEvaluationRowsRequest(name=self.outer, rows=create.rows, request_id=request_id())
                call(self.client.evaluations.AppendEvaluationRows, append, metadata=metadata)
            else:
                name = call(self.client.evaluations.CreateEvaluation, create, metadata=metadata).evaluation.name
                with self.lock:
                    self.created.append(name)
        except AssayError as error:
            with self.lock:
                self.refused.append(error.reason)
        answer = user_services_pb2.ScoreResponse()
        answer.feedbacks.add().feedback.value.CopyFrom(to_json(len(self.created)))
        return answer


@pytest.fixture
def scorer(client):
    servicer = Evaluating()
    servicer.client = client
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=8))
    user_services_pb2_grpc.add_ScorerServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None)


def judge_by(experiment, scorer, name):
    request = judge_service.JudgeRequest(parent=experiment, inputs=to_json({"q": 1}), outputs=to_json("Thank you!"))
    request.definition.scorer.CopyFrom(judge_pb2.ScorerJudge(address=scorer.address, scorer=name))
    return request


def ended(client, name):
    watch = evaluation_service.WatchEvaluationRequest(name=name)
    return wait_for_end(client.evaluations.WatchEvaluation(watch, timeout=60), "evaluation")


def test_a_scorer_creates_an_evaluation_in_its_experiment(client, experiment, scorer):
    call(client.judge.Judge, judge_by(experiment, scorer, "evaluates"))
    [name] = scorer.created
    assert name.startswith(experiment + "/") and ended(client, name).progress.judgements_value == 1


def test_another_experiment_is_refused(client, experiment, scorer):
    answer = call(client.judge.Judge, judge_by(experiment, scorer, "strays"))
    assert scorer.refused == ["NESTED_EXPERIMENT_MISMATCH"] and not scorer.created, str(answer)


def test_evaluations_of_themselves_come_to_an_end(client, experiment, scorer):
    call(client.judge.Judge, judge_by(experiment, scorer, "endless"))
    seen = 0
    while seen < len(scorer.created):
        ended(client, scorer.created[seen])
        seen += 1
    assert scorer.depths == [1, 2, 3, 4] and not scorer.refused
    listing = evaluation_service.ListEvaluationRowsRequest(parent=scorer.created[-1])
    [row] = call(client.evaluations.ListEvaluationRows, listing).rows
    assert row.predict_error.code == "NESTED_TOO_DEEP"


def test_a_scorer_cannot_feed_the_evaluation_that_asks_it(client, experiment, scorer):
    create = evaluation_service.CreateEvaluationRequest(
        parent=experiment, evaluation_id="outer", request_id=request_id(), rows_open=True
    )
    create.spec.scorers.add(scorer="feeds", address=scorer.address)
    scorer.outer = f"{experiment}/evaluations/outer"
    call(client.evaluations.CreateEvaluation, create)
    append = evaluation_service.AppendEvaluationRowsRequest(name=scorer.outer, last=True, request_id=request_id())
    append.rows.add(inputs=to_json({"q": 1}), outputs=to_json("a"))
    call(client.evaluations.AppendEvaluationRows, append)
    assert ended(client, scorer.outer).progress.rows_total == 1
    assert scorer.refused == ["NESTED_EVALUATION_MISMATCH"]
