"""Alignments: refused without labels, measured on held-out traces, registered on request."""

import pytest
from assay.alignment.v1 import alignment_service_pb2 as alignment_service
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import judge_service_pb2
from assay.registry.v1 import judge_pb2
from assay.registry.v1 import judge_registry_service_pb2 as judges_pb2
from assay_client import call, export_request, from_json, new_trace_id, request_id, to_json
from checks import create_judge, experiment_id, human, log, pages, quality_judge, refused, unchanged, value_of, wait_for_end

SUCCEEDED = alignment_service.ALIGNMENT_STATE_SUCCEEDED

# People call every answer that promises a refund poor; the model knows only when it is told.
RULE = "An answer that promises a refund is poor."
PLANTED = {
    "rules": [{"trigger": "promise a refund", "guidelines": [RULE, "Promising a refund is poor."], "set": "poor"}],
    "distillation": {"junk": 1},
}


def labelled_world(client, experiment, count, label):
    """Traces with people's labels: half of them promise a refund, all of them are friendly."""
    traces = [f"{experiment}/traces/{new_trace_id()}" for _ in range(count)]
    spans = []
    for number, trace in enumerate(traces):
        promise = "I promise a refund. " if number % 2 == 0 else "It will come tomorrow. "
        text = f"{promise}Thank you, sorry about case {number}, happy to help, let me know."
        spans.append(
            {"trace_id": trace[-32:], "inputs": {"issue": f"Case {number} is open."}, "outputs": {"response": text}}
        )
    call(client.otlp.Export, export_request(experiment_id(experiment), spans))
    request = feedback_service_pb2.BatchCreateAssessmentsRequest(parent=experiment, request_id=request_id())
    for number, trace in enumerate(traces):
        request.assessments.append(human(trace, label(number)))
    call(client.feedback.BatchCreateAssessments, request)
    return traces


def by_rule(number):
    return "poor" if number % 2 == 0 else "excellent"


def align(client, experiment, judge, **more):
    request = alignment_service.CreateAlignmentRequest(parent=experiment, judge=judge, request_id=request_id(), **more)
    made = call(client.alignments.CreateAlignment, request).alignment
    watch = alignment_service.WatchAlignmentRequest(name=made.name)
    ended = wait_for_end(client.alignments.WatchAlignment(watch, timeout=120), "alignment")
    assert ended.state == SUCCEEDED, ended
    return call(client.alignments.GetAlignment, alignment_service.GetAlignmentRequest(name=made.name)).alignment


def register(alignment, **more):
    return alignment_service.RegisterAlignmentRequest(name=alignment.name, request_id=request_id(), **more)


def test_a_rule_that_people_follow_is_learned_measured_and_registered(client, experiment, llm):
    llm.set_script(PLANTED)
    judge = create_judge(client, experiment)
    labelled_world(client, experiment, 24, by_rule)
    alignment = align(client, experiment, judge.name, alignment_id="first")
    report = alignment.report
    assert alignment.name == f"{experiment}/alignments/first"
    assert alignment.judge_revision == f"{judge.name}/revisions/1"
    assert alignment.labelled_set.labelled_count == 24 and alignment.labelled_set.skipped_count == 0
    assert report.conclusion == alignment_service.CONCLUSION_GAIN, report
    assert report.before.agreement.value == pytest.approx(0.5) and report.after.agreement.value > 0.9
    assert 0 < report.difference.low <= report.difference.value <= report.difference.high
    assert len(report.cases) == 24 and {case.fold for case in report.cases} == set(range(5))
    assert any(trial.accepted for trial in report.guidelines)

    revision = call(client.alignments.RegisterAlignment, register(alignment, alias="production")).revision
    assert revision.revision == 2 and revision.alignment == alignment.name
    again = call(client.alignments.RegisterAlignment, register(alignment, alias="production")).revision
    assert again.name == revision.name
    got = call(client.judges.GetJudge, judges_pb2.GetJudgeRequest(name=judge.name)).judge
    assert got.aliases["production"] == 2

    request = judge_service_pb2.JudgeRequest(parent=experiment, registered=judge.name + "@production")
    request.inputs.CopyFrom(to_json({"issue": "New."}))
    request.outputs.CopyFrom(to_json({"response": "I promise a refund. Thank you, sorry, happy to help, let me know."}))
    assert value_of(call(client.judge.Judge, request).feedback) == "poor"


def test_a_built_in_judge_learns_too(client, experiment, llm):
    rule = "An answer that promises a refund is incomplete."
    llm.set_script({"rules": [{"trigger": "promise a refund", "guidelines": [rule], "set": "no"}]})
    definition = judge_pb2.JudgeDefinition(builtin=judge_pb2.BuiltinJudge(builtin="completeness"))
    judge = create_judge(client, experiment, definition=definition)
    labelled_world(client, experiment, 20, lambda number: "no" if number % 2 == 0 else "yes")
    alignment = align(client, experiment, judge.name)
    report = alignment.report
    assert report.conclusion == alignment_service.CONCLUSION_GAIN, report
    revision = call(client.alignments.RegisterAlignment, register(alignment)).revision
    assert revision.definition.builtin.builtin == "completeness" and revision.definition.memory.guidelines
    of_sessions = judge_pb2.JudgeDefinition(builtin=judge_pb2.BuiltinJudge(builtin="user_frustration"))
    request = alignment_service.CreateAlignmentRequest(parent=experiment, request_id=request_id())
    request.judge = create_judge(client, experiment, "mood", of_sessions).name
    refused(client.alignments.CreateAlignment, request, "FAILED_PRECONDITION", "JUDGE_NOT_ALIGNABLE")


def test_under_ten_labels_are_refused_with_the_reasons(client, experiment):
    judge = create_judge(client, experiment)
    traces = labelled_world(client, experiment, 9, by_rule)
    log(client, experiment, human(traces[0], "no category", annotator="bob"))
    with unchanged(client, experiment):
        failure = refused(
            client.alignments.CreateAlignment,
            alignment_service.CreateAlignmentRequest(parent=experiment, judge=judge.name),
            "FAILED_PRECONDITION",
            "TOO_FEW_LABELS",
        )
    assert "10" in failure.message and ("9" in failure.message or "8" in failure.message)


def test_labels_that_say_nothing_make_no_gain(client, experiment, llm):
    """People follow no rule that could be learned."""
    llm.set_script(PLANTED)
    judge = create_judge(client, experiment)
    labelled_world(client, experiment, 20, lambda number: ("excellent", "poor")[(number // 2) % 2])
    alignment = align(client, experiment, judge.name)
    assert alignment.report.conclusion != alignment_service.CONCLUSION_GAIN
    assert alignment.HasField("candidate")
    with unchanged(client, experiment):
        refused(
            client.alignments.RegisterAlignment,
            register(alignment, alias="production"),
            "FAILED_PRECONDITION",
            "NO_EVIDENCE_OF_GAIN",
        )
    forced = call(client.alignments.RegisterAlignment, register(alignment, alias="production", force_alias=True)).revision
    assert forced.revision == 2


def test_a_judge_that_has_changed_is_not_overwritten(client, experiment, llm):
    llm.set_script(PLANTED)
    judge = create_judge(client, experiment)
    labelled_world(client, experiment, 12, by_rule)
    alignment = align(client, experiment, judge.name)
    revision = judges_pb2.CreateJudgeRevisionRequest(
        parent=judge.name, definition=quality_judge(instructions="Rate {{ outputs }}."), request_id=request_id()
    )
    call(client.judges.CreateJudgeRevision, revision)
    with unchanged(client, experiment):
        refused(client.alignments.RegisterAlignment, register(alignment), "FAILED_PRECONDITION", "JUDGE_CHANGED")
    made = call(client.alignments.RegisterAlignment, register(alignment, allow_newer=True)).revision
    assert made.revision == 3


def test_a_cancelled_alignment_stays_cancelled(client, experiment, llm):
    llm.set_script({"faults": [{"fault": "hang"}]})
    judge = create_judge(client, experiment)
    labelled_world(client, experiment, 10, by_rule)
    request = alignment_service.CreateAlignmentRequest(parent=experiment, judge=judge.name, request_id=request_id())
    made = call(client.alignments.CreateAlignment, request).alignment
    with unchanged(client, experiment):
        refused(client.alignments.RegisterAlignment, register(made), "FAILED_PRECONDITION", "ALIGNMENT_NOT_FINISHED")
    call(client.alignments.CancelAlignment, alignment_service.CancelAlignmentRequest(name=made.name))
    watch = alignment_service.WatchAlignmentRequest(name=made.name)
    ended = wait_for_end(client.alignments.WatchAlignment(watch, timeout=60), "alignment")
    assert ended.state == alignment_service.ALIGNMENT_STATE_CANCELLED
    listed = pages(client.alignments.ListAlignments, alignment_service.ListAlignmentsRequest(parent=experiment), "alignments")
    assert [each.name for each in listed] == [made.name]


def test_what_is_held_out_is_never_shown_to_its_own_judge(client, experiment, llm):
    llm.set_script(PLANTED)
    judge = create_judge(client, experiment)
    traces = labelled_world(client, experiment, 10, by_rule)
    update = feedback_service_pb2.ListAssessedTracesRequest(parent=experiment, assessment_name="quality", source_kinds=[1])
    labels = {each.trace: from_json(each.assessments[0].feedback.value) for each in pages(client.feedback.ListAssessedTraces, update, "traces")}
    assert set(labels) == set(traces)
    align(client, experiment, judge.name)
    # A prompt that judges case 3 may show other cases as examples, but not case 3 once more.
    for request in llm.log("case 3,"):
        assert request["status"] == 200
    twice = "about case 3, happy to help, let me know."
    assert all(prompt.count(twice) <= 1 for prompt in llm.prompts("case 3,") if "distil" not in prompt.lower())


def test_bad_requests_are_refused(client, experiment):
    judge = create_judge(client, experiment)
    create = alignment_service.CreateAlignmentRequest
    bad_options = create(parent=experiment, judge=judge.name)
    bad_options.options.folds = 1
    for request, code, reason in (
        (create(parent="x", judge=judge.name), "INVALID_ARGUMENT", "INVALID_NAME"),
        (create(parent=experiment), "INVALID_ARGUMENT", "INVALID_NAME"),
        (create(parent=experiment, judge=f"{experiment}/judges/none"), "NOT_FOUND", "RESOURCE_NOT_FOUND"),
        (create(parent=experiment, judge=judge.name + "@none"), "NOT_FOUND", "UNKNOWN_ALIAS"),
        (create(parent=experiment, judge=judge.name + "@9"), "NOT_FOUND", "UNKNOWN_REVISION"),
        (bad_options, "INVALID_ARGUMENT", "INVALID_FIELD"),
    ):
        with unchanged(client, experiment):
            refused(client.alignments.CreateAlignment, request, code, reason)
    get = alignment_service.GetAlignmentRequest(name=f"{experiment}/alignments/none")
    refused(client.alignments.GetAlignment, get, "NOT_FOUND", "RESOURCE_NOT_FOUND")
    listing = alignment_service.ListAlignmentsRequest(parent=experiment, page_token="x")
    refused(client.alignments.ListAlignments, listing, "INVALID_ARGUMENT", "INVALID_PAGE_TOKEN", field="page_token")
