"""What code says keeps its provenance in the log, as what judges say; people have none."""

import concurrent.futures

import grpc
import pytest
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.judge.v1 import user_services_pb2, user_services_pb2_grpc
from assay.registry.v1 import judge_pb2
from assay_client import call, to_json
from checks import create_judge, export_trace, human, log


class Costly(user_services_pb2_grpc.ScorerServiceServicer):
    """Asks a model of its own, and says what it cost."""

    def Score(self, request, context):
        answer = user_services_pb2.ScoreResponse()
        for name in ("", "detail"):
            feedback = answer.feedbacks.add(assessment_name=name).feedback
            feedback.value.CopyFrom(to_json(1))
            feedback.provenance.usage.input_tokens = 123
            feedback.provenance.cost_usd = 0.5
            feedback.provenance.judge_revision = "experiments/other/judges/j/revisions/9"
        return answer


@pytest.fixture
def address():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=2))
    user_services_pb2_grpc.add_ScorerServiceServicer_to_server(Costly(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


def logged(client, name):
    return call(client.feedback.GetAssessment, feedback_service_pb2.GetAssessmentRequest(name=name)).assessment


def judged(client, experiment, definition):
    judge = create_judge(client, experiment, "code", definition)
    trace = export_trace(client, experiment, {"q": 1}, "yes")
    request = judge_service.JudgeRequest(parent=experiment, registered=judge.name, trace=trace, log_assessment=True)
    return judge, call(client.judge.Judge, request)


def test_a_check_in_code(client, experiment):
    definition = judge_pb2.JudgeDefinition()
    definition.code.contains.texts.append("yes")
    judge, answer = judged(client, experiment, definition)
    kept = logged(client, answer.assessment)
    assert kept.source.kind == feedback_pb2.SOURCE_KIND_CODE
    assert kept.feedback.provenance.judge_revision == f"{judge.name}/revisions/1"
    assert kept.feedback.provenance == answer.feedback.provenance


def test_a_scorer_and_what_it_says_of_its_cost(client, experiment, address):
    definition = judge_pb2.JudgeDefinition()
    definition.scorer.CopyFrom(judge_pb2.ScorerJudge(address=address, scorer="costly"))
    judge, answer = judged(client, experiment, definition)
    for name in (answer.assessment, answer.additional_results[0].assessment):
        provenance = logged(client, name).feedback.provenance
        assert provenance.usage.input_tokens == 123 and provenance.cost_usd == 0.5
        assert provenance.judge_revision == f"{judge.name}/revisions/1", "not what the scorer claims"


def test_people_have_none(client, experiment):
    assessment = human(export_trace(client, experiment, {"q": 1}, "a"), "good")
    assessment.feedback.provenance.cost_usd = 3
    name = log(client, experiment, assessment).assessment.name
    assert not logged(client, name).feedback.HasField("provenance")
