"""Assessments: log, read, update, override, delete, search, and traces that carry a judge's and a person's."""

import pytest
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2 as feedback_service
from assay_client import call, from_json, new_trace_id, request_id, to_json
from checks import export_trace, human, log, pages, refused, unchanged


@pytest.fixture
def trace(client, experiment):
    return export_trace(client, experiment, {"issue": "late"}, {"response": "sorry"})


def search(client, experiment, **more):
    request = feedback_service.SearchAssessmentsRequest(parent=experiment, **more)
    return list(pages(client.feedback.SearchAssessments, request, "assessments"))


def by_judge(trace, value, name="quality"):
    assessment = human(trace, value, name, annotator="offline:/lexical")
    assessment.source.kind = feedback_pb2.SOURCE_KIND_LLM_JUDGE
    return assessment


def test_an_assessment_is_stored_as_it_came(client, experiment, trace):
    assessment = human(trace, {"exact": 9007199254740993, "b": [1, None]}, rationale="Weil: ä ✓")
    assessment.metadata["round"] = "1"
    made = log(client, experiment, assessment).assessment
    got = call(client.feedback.GetAssessment, feedback_service.GetAssessmentRequest(name=made.name)).assessment
    assert got == made and got.valid and got.etag
    assert from_json(got.feedback.value) == {"exact": 9007199254740993, "b": [1, None]}
    assert got.feedback.outcome == feedback_pb2.OUTCOME_VALUE and got.metadata["round"] == "1"


def test_an_update_merges_metadata_and_changes_the_etag(client, experiment, trace):
    assessment = human(trace, "good")
    assessment.metadata["a"] = "1"
    made = log(client, experiment, assessment).assessment
    request = feedback_service.UpdateAssessmentRequest(name=made.name, etag=made.etag, request_id=request_id())
    request.assessment.feedback.value.CopyFrom(to_json("poor"))
    request.assessment.metadata["b"] = "2"
    request.update_mask.paths.extend(["feedback.value", "metadata"])
    updated = call(client.feedback.UpdateAssessment, request).assessment
    assert from_json(updated.feedback.value) == "poor" and updated.feedback.rationale == "because"
    assert dict(updated.metadata) == {"a": "1", "b": "2"} and updated.etag != made.etag
    request.request_id = request_id()
    with unchanged(client, experiment):
        refused(client.feedback.UpdateAssessment, request, "ABORTED", "ETAG_MISMATCH")


def test_an_override_puts_another_in_its_place_until_it_is_deleted(client, experiment, trace):
    first = log(client, experiment, by_judge(trace, "good")).assessment
    request = feedback_service.OverrideFeedbackRequest(name=first.name, request_id=request_id())
    request.source.kind = feedback_pb2.SOURCE_KIND_HUMAN
    request.feedback.value.CopyFrom(to_json("poor"))
    second = call(client.feedback.OverrideFeedback, request).assessment
    assert second.overrides == first.name
    assert [each.name for each in search(client, experiment)] == [second.name]
    assert len(search(client, experiment, include_invalid=True)) == 2
    request.request_id = request_id()
    with unchanged(client, experiment):
        refused(client.feedback.OverrideFeedback, request, "FAILED_PRECONDITION", "ALREADY_OVERRIDDEN")
    call(client.feedback.DeleteAssessment, feedback_service.DeleteAssessmentRequest(name=second.name, request_id=request_id()))
    assert [each.name for each in search(client, experiment)] == [first.name]


def test_a_batch_is_all_or_nothing(client, experiment, trace):
    request = feedback_service.BatchCreateAssessmentsRequest(
        parent=experiment,
        assessments=[human(trace, "good"), human(f"{experiment}/traces/{new_trace_id()}", "good")],
        request_id=request_id(),
    )
    with unchanged(client, experiment):
        failure = refused(client.feedback.BatchCreateAssessments, request, "NOT_FOUND", "RESOURCE_NOT_FOUND")
    assert "assessments[1]" in failure.message + "".join(failure.fields) + "".join(failure.metadata.values())
    request.assessments[1].target.trace = trace
    made = call(client.feedback.BatchCreateAssessments, request).assessments
    assert len(made) == 2
    with unchanged(client, experiment):
        assert call(client.feedback.BatchCreateAssessments, request).assessments == made


def test_a_batch_with_ids_logs_each_once_in_whatever_company(client, experiment, trace):
    def batch(ids, **more):
        assessments = [human(trace, one) for one in ids]
        return feedback_service.BatchCreateAssessmentsRequest(
            parent=experiment, assessments=assessments, assessment_ids=ids, **more
        )

    made = call(client.feedback.BatchCreateAssessments, batch(["one", "two"])).assessments
    with unchanged(client, experiment):
        refused(client.feedback.BatchCreateAssessments, batch(["three", "one"]), "ALREADY_EXISTS", "RESOURCE_ALREADY_EXISTS")
    more = call(client.feedback.BatchCreateAssessments, batch(["two", "three", "one"], keep_existing=True)).assessments
    assert [more[0], more[2]] == [made[1], made[0]]
    again = batch(["three", "two"], keep_existing=True, names_only=True)
    with unchanged(client, experiment):
        named = call(client.feedback.BatchCreateAssessments, again).assessments
    assert [each.name for each in named] == [f"{experiment}/assessments/three", f"{experiment}/assessments/two"]
    assert not named[0].HasField("feedback")
    assert len(search(client, experiment)) == 3


def test_traces_with_a_judges_and_a_persons_opinion_are_found(client, experiment):
    traces = sorted(export_trace(client, experiment, {"n": n}, {}) for n in range(4))
    log(client, experiment, by_judge(traces[0], "good"))
    for trace in traces[1:3]:
        log(client, experiment, by_judge(trace, "good"))
        log(client, experiment, human(trace, "poor"))
    log(client, experiment, by_judge(traces[3], "good"))
    log(client, experiment, human(traces[3], "poor", name="another"))
    request = feedback_service.ListAssessedTracesRequest(
        parent=experiment,
        assessment_name="quality",
        source_kinds=[feedback_pb2.SOURCE_KIND_HUMAN, feedback_pb2.SOURCE_KIND_LLM_JUDGE],
        page_size=1,
    )
    found = list(pages(client.feedback.ListAssessedTraces, request, "traces"))
    assert [each.trace for each in found] == traces[1:3]
    assert [from_json(a.feedback.value) for a in found[0].assessments] == ["good", "poor"]


def test_search_filters_by_value_and_source(client, experiment, trace):
    log(client, experiment, human(trace, "good"))
    log(client, experiment, by_judge(trace, "poor"))
    assert len(search(client, experiment, filter='value = "poor"')) == 1
    assert len(search(client, experiment, filter='source = HUMAN AND assessment_name = "quality"')) == 1
    assert len(search(client, experiment, filter='source = HUMAN AND value = "poor"')) == 0


def create(experiment, assessment, **more):
    return feedback_service.CreateAssessmentRequest(parent=experiment, assessment=assessment, **more)


def test_a_repeated_request_gets_the_same_answer_and_another_body_is_refused(client, experiment, trace):
    request = create(experiment, human(trace, "good"), request_id=request_id())
    first = call(client.feedback.CreateAssessment, request)
    with unchanged(client, experiment):
        assert call(client.feedback.CreateAssessment, request).assessment == first.assessment
        request.assessment.feedback.rationale = "something else"
        refused(client.feedback.CreateAssessment, request, "INVALID_ARGUMENT", "REQUEST_ID_REUSED", field="request_id")


def test_a_fixed_id_is_taken_for_ever(client, experiment, trace):
    log(client, experiment, human(trace, "good"), assessment_id="verdict-1")
    with unchanged(client, experiment):
        refused(
            client.feedback.CreateAssessment,
            create(experiment, human(trace, "poor"), assessment_id="verdict-1"),
            "ALREADY_EXISTS",
            "RESOURCE_ALREADY_EXISTS",
        )


def test_an_unknown_trace_is_not_found(client, experiment):
    request = create(experiment, human(f"{experiment}/traces/{new_trace_id()}", "good"))
    with unchanged(client, experiment):
        refused(client.feedback.CreateAssessment, request, "NOT_FOUND", "RESOURCE_NOT_FOUND")


def spoil(assessment, what):
    if what == "assessment_name":
        assessment.assessment_name = ""
    elif what == "target":
        assessment.target.trace = "not/a/trace"
    elif what == "source":
        assessment.source.kind = feedback_pb2.SOURCE_KIND_UNSPECIFIED
    elif what == "value":
        assessment.feedback.value.json_text = "{broken"
    elif what == "kind":
        assessment.ClearField("kind")
    elif what == "metadata":
        assessment.metadata["k"] = "v" * 5000
    elif what == "rationale":
        assessment.feedback.rationale = "r" * 70000
    return assessment


@pytest.mark.parametrize("what", ["assessment_name", "target", "source", "value", "kind", "metadata", "rationale"])
def test_a_broken_assessment_is_refused_by_field(client, experiment, trace, what):
    request = create(experiment, spoil(human(trace, "good"), what))
    with unchanged(client, experiment):
        reasons = {"target": "INVALID_NAME", "value": "INVALID_JSON"}
        failure = refused(client.feedback.CreateAssessment, request, "INVALID_ARGUMENT", reasons.get(what, "INVALID_FIELD"))
    assert any(field.startswith("assessment") for field in failure.fields), failure.fields


def test_what_cannot_change_is_refused(client, experiment, trace):
    made = log(client, experiment, human(trace, "good")).assessment
    for path, reason in (("source", "IMMUTABLE_FIELD"), ("colour", "UNKNOWN_FIELD")):
        request = feedback_service.UpdateAssessmentRequest(name=made.name)
        request.update_mask.paths.append(path)
        with unchanged(client, experiment):
            refused(client.feedback.UpdateAssessment, request, "INVALID_ARGUMENT", reason)


def test_bad_requests_are_refused(client, experiment, trace):
    searching = feedback_service.SearchAssessmentsRequest
    for request, reason, field in (
        (searching(parent=experiment, filter="value = = 1"), "INVALID_FILTER", "filter"),
        (searching(parent=experiment, page_token="x"), "INVALID_PAGE_TOKEN", "page_token"),
        (searching(parent="x"), "INVALID_NAME", "parent"),
    ):
        failure = refused(client.feedback.SearchAssessments, request, "INVALID_ARGUMENT", reason, field=field)
        if field == "filter":
            assert failure.metadata["column"] == "9"
    request = feedback_service.BatchCreateAssessmentsRequest(parent=experiment)
    refused(client.feedback.BatchCreateAssessments, request, "INVALID_ARGUMENT", "INVALID_FIELD", field="assessments")
    refused(
        client.feedback.GetAssessment,
        feedback_service.GetAssessmentRequest(name=f"{experiment}/assessments/none"),
        "NOT_FOUND",
        "RESOURCE_NOT_FOUND",
    )


def test_an_oversized_message_is_refused(client, experiment, trace):
    request = create(experiment, human(trace, "x" * (5 << 20)))
    with unchanged(client, experiment):
        refused(client.feedback.CreateAssessment, request, "RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
