"""What the end-to-end tests say often."""

import contextlib

import assay_client
import grpc
import pytest
from assay.alignment.v1 import alignment_service_pb2
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import evaluation_service_pb2
from assay.registry.v1 import experiment_service_pb2, judge_pb2, judge_registry_service_pb2
from assay.trace.v1 import trace_service_pb2
from assay_client import call, from_json, request_id, to_json

QUALITY = ("excellent", "good", "needs_improvement", "poor")
INSTRUCTIONS = "Rate the quality of {{ outputs }} as an answer to {{ inputs }}."


def refused(method, request, code, reason, field=None, timeout=60):
    """Calls; the answer must be an error with that code and reason (and field). Returns it."""
    with pytest.raises(assay_client.AssayError) as caught:
        call(method, request, timeout=timeout)
    failure = caught.value
    assert failure.code == getattr(grpc.StatusCode, code), failure
    assert failure.reason == reason, failure
    assert failure.message
    if field is not None:
        assert field in failure.fields, (failure, failure.fields)
    return failure


def quality_judge(model="", instructions=INSTRUCTIONS):
    """The definition of a judge with four ordered categories."""
    definition = judge_pb2.JudgeDefinition(model=model)
    definition.instructions.instructions = instructions
    definition.value_type.category_type.categories.extend(QUALITY)
    definition.value_type.category_type.ordered = True
    return definition


def guidelines_judge(*guidelines, model=""):
    definition = judge_pb2.JudgeDefinition(model=model)
    definition.guidelines.guidelines.extend(guidelines)
    return definition


def create_judge(client, experiment, judge_id="quality", definition=None):
    return call(
        client.judges.CreateJudge,
        judge_registry_service_pb2.CreateJudgeRequest(
            parent=experiment,
            judge_id=judge_id,
            definition=definition or quality_judge(),
            request_id=request_id(),
        ),
    ).judge


def experiment_id(experiment):
    return experiment.removeprefix("experiments/")


def export(client, experiment, spans):
    return call(client.otlp.Export, assay_client.export_request(experiment_id(experiment), spans))


def export_trace(client, experiment, inputs, outputs, trace_id=None, **more):
    """Exports a trace of one span; returns its resource name."""
    trace_id = trace_id or assay_client.new_trace_id()
    span = {"trace_id": trace_id, "inputs": inputs, "outputs": outputs, **more}
    answer = export(client, experiment, [span])
    assert answer.partial_success.rejected_spans == 0, answer
    return f"{experiment}/traces/{trace_id}"


def human(trace, value, name="quality", annotator="ann", rationale="because"):
    """A CreateAssessmentRequest's assessment by a person."""
    assessment = feedback_service_pb2.CreateAssessmentRequest().assessment
    assessment.assessment_name = name
    assessment.target.trace = trace
    assessment.source.kind = feedback_pb2.SOURCE_KIND_HUMAN
    assessment.source.id = annotator
    assessment.feedback.value.CopyFrom(to_json(value))
    assessment.feedback.rationale = rationale
    return assessment


def log(client, experiment, assessment, **more):
    return call(
        client.feedback.CreateAssessment,
        feedback_service_pb2.CreateAssessmentRequest(
            parent=experiment, assessment=assessment, **{"request_id": request_id(), **more}
        ),
    )


def pages(method, request, items):
    """All items of a collection."""
    while True:
        page = call(method, request)
        yield from getattr(page, items)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def everything(client, experiment):
    """All that an experiment holds, as text by kind: to see that nothing has changed."""
    judges = list(pages(client.judges.ListJudges, judge_registry_service_pb2.ListJudgesRequest(parent=experiment), "judges"))
    found = {
        "experiment": call(
            client.experiments.GetExperiment, experiment_service_pb2.GetExperimentRequest(name=experiment)
        ).experiment,
        "judges": judges,
        "revisions": [
            revision
            for judge in judges
            for revision in pages(
                client.judges.ListJudgeRevisions,
                judge_registry_service_pb2.ListJudgeRevisionsRequest(parent=judge.name),
                "revisions",
            )
        ],
    }
    served = client.served
    if "trace" in served:
        request = trace_service_pb2.SearchTracesRequest(parent=experiment, view=trace_service_pb2.TRACE_VIEW_FULL)
        found["traces"] = list(pages(client.traces.SearchTraces, request, "traces"))
        for trace in found["traces"]:
            # They come from feedback's outbox in their own time, and are in the list below.
            del trace.assessments[:]
    if "feedback" in served:
        request = feedback_service_pb2.SearchAssessmentsRequest(parent=experiment, include_invalid=True)
        found["assessments"] = list(pages(client.feedback.SearchAssessments, request, "assessments"))
    if "judge" in served:
        request = evaluation_service_pb2.ListEvaluationsRequest(parent=experiment)
        found["evaluations"] = list(pages(client.evaluations.ListEvaluations, request, "evaluations"))
    if "alignment" in served:
        request = alignment_service_pb2.ListAlignmentsRequest(parent=experiment)
        found["alignments"] = list(pages(client.alignments.ListAlignments, request, "alignments"))
    return {kind: str(value) for kind, value in found.items()}


@contextlib.contextmanager
def unchanged(client, experiment):
    """Nothing in the experiment may change within."""
    before = everything(client, experiment)
    yield
    after = everything(client, experiment)
    for kind, text in before.items():
        assert after[kind] == text, f"{kind} changed"


def wait_for_end(stream, field):
    """The last message's resource of a Watch stream."""
    last = None
    for message in stream:
        last = getattr(message, field)
    return last


def value_of(feedback):
    assert feedback.outcome == feedback_pb2.OUTCOME_VALUE, feedback
    return from_json(feedback.value)
