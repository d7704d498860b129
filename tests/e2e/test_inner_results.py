"""Panels and cascades keep what their judges say beside their verdicts."""

import pytest
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import evaluation_service_pb2 as evaluation_service
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.registry.v1 import judge_pb2
from assay_client import call, request_id, to_json
from checks import guidelines_judge, pages, value_of, wait_for_end
from test_judge_builtins import OFFLINE, builtin, store_trace


@pytest.fixture
def trace(client, experiment):
    """One retrieval of two documents, of which the first one is relevant."""
    name, _ = store_trace(client, experiment, [["The harbour bridge was opened in 1932.", "Fish live here."]])
    return name


def relevance():
    return builtin("retrieval_relevance", OFFLINE)


def panel():
    definition = judge_pb2.JudgeDefinition()
    definition.panel.aggregation = judge_pb2.PanelJudge.AGGREGATION_ALL
    definition.panel.members.add(label="found", judge=relevance())
    definition.panel.members.add(judge=relevance())
    definition.panel.members.add(
        label="rules", judge=guidelines_judge("The response must be polite.", "The response must not be empty.", model=OFFLINE)
    ).judge.guidelines.per_guideline = True
    return definition


def test_a_panel_keeps_its_members_feedbacks_and_parts(client, experiment, trace):
    request = judge_service.JudgeRequest(
        parent=experiment, definition=panel(), assessment_name="jury", trace=trace, log_assessment=True
    )
    answer = call(client.judge.Judge, request)
    names = [result.assessment_name for result in answer.additional_results]
    for place in ("found", "members[1]"):
        assert names.count(f"jury/{place}") == 2, "one for each document"
        assert names.count(f"jury/{place}/precision") == 1
    assert len(names) == 6 and not any(name.startswith("jury/rules") for name in names)
    assert all(result.span_id for result in answer.additional_results)
    for result in answer.additional_results:
        logged = call(client.feedback.GetAssessment, feedback_service_pb2.GetAssessmentRequest(name=result.assessment)).assessment
        assert logged.assessment_name == result.assessment_name and logged.target.span_id == result.span_id
    parts = [part.part for part in answer.feedback.parts]
    assert parts[0] == "found" and parts[2] == "rules" and parts[1].startswith("members[1]")
    assert {"rules/guidelines[0]", "rules/guidelines[1]"} <= set(parts)


def test_in_an_evaluation_too(client, experiment, trace):
    request = evaluation_service.CreateEvaluationRequest(parent=experiment, evaluation_id="run", request_id=request_id())
    request.spec.judges.add(definition=panel(), assessment_name="jury")
    request.rows.add(trace=trace)
    created = call(client.evaluations.CreateEvaluation, request).evaluation
    watch = evaluation_service.WatchEvaluationRequest(name=created.name)
    wait_for_end(client.evaluations.WatchEvaluation(watch, timeout=60), "evaluation")
    [row] = pages(
        client.evaluations.ListEvaluationRows, evaluation_service.ListEvaluationRowsRequest(parent=created.name), "rows"
    )
    names = [result.assessment_name for result in row.results]
    assert names[0] == "jury" and names.count("jury/found/precision") == names.count("jury/members[1]/precision") == 1


def test_a_cascade_keeps_what_its_stages_saw(client, experiment):
    definition = judge_pb2.JudgeDefinition()
    first = definition.cascade.stages.add(least_confidence=1.0, judge=guidelines_judge("Be polite.", "Be brief.", model=OFFLINE))
    first.judge.confidence.method = feedback_pb2.CONFIDENCE_METHOD_STATED
    definition.cascade.stages.add(judge=guidelines_judge("Be polite.", "Be brief.", model=OFFLINE))
    for stage in definition.cascade.stages:
        stage.judge.guidelines.per_guideline = True
    request = judge_service.JudgeRequest(parent=experiment, definition=definition, inputs=to_json("Hi"), outputs=to_json("Thanks!"))
    answer = call(client.judge.Judge, request)
    assert value_of(answer.feedback) in ("yes", "no")
    stages = int(answer.metadata["stage"])
    parts = [part.part for part in answer.feedback.parts]
    assert len(parts) == 3 * stages and all(part.startswith("stages[") for part in parts)
    assert parts[stages].endswith("/guidelines[0]")
