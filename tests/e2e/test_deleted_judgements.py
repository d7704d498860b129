"""Deleting a trace takes the traces of its judgements along: they repeat what it said."""

import judge_traces
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.trace.v1 import trace_service_pb2 as traces_pb2
from assay_client import call, new_trace_id, request_id
from checks import create_judge, export_trace, refused
from otlp_spans import add_span, request_of, search, send, store

SECRET = "the customer's secret"


def judged(client, experiment, judge, trace):
    """Judges a trace; returns the name of the judgement's own trace, which has arrived."""
    request = judge_service.JudgeRequest(parent=experiment, registered=judge.name, trace=trace)
    name = call(client.judge.Judge, request).feedback.provenance.call_trace
    judge_traces.wait_for(client, name)
    return name


def judgement_of(client, experiment, judged, rejected=0):
    """Exports a trace as the judge service does; returns its name."""
    request, spans = request_of(experiment)
    attributes = {"assay.metadata.assay_judge_call": "quality", "assay.metadata.assay_judged": judged}
    span = add_span(spans, attributes=attributes, name="judge quality")
    message = send(client, request, rejected=rejected)
    assert (message == "") == (rejected == 0)
    assert ("JUDGED_TRACE_DELETED" in message) == (rejected > 0), message
    return f"{experiment}/traces/{span.trace_id.hex()}"


def gone(client, name):
    refused(client.traces.GetTrace, traces_pb2.GetTraceRequest(name=name), "NOT_FOUND", "RESOURCE_NOT_FOUND")


def delete(client, experiment, **which):
    request = traces_pb2.DeleteTracesRequest(parent=experiment, request_id=request_id(), **which)
    answer = call(client.traces.DeleteTraces, request)
    assert call(client.traces.DeleteTraces, request) == answer, "the same answer again"
    return answer.deleted_count, answer.deleted_judgement_count


def test_a_deleted_trace_leaves_no_judgement_of_it(client, experiment, llm):
    judge = create_judge(client, experiment)
    trace = export_trace(client, experiment, {"issue": SECRET}, {"response": "noted"})
    other = export_trace(client, experiment, {"issue": "another"}, {"response": "noted"})
    first, second = (judged(client, experiment, judge, trace) for _ in range(2))
    kept = judged(client, experiment, judge, other)
    nested = judgement_of(client, experiment, first)
    assert len(search(client, experiment, f'metadata.assay_judge_call : * AND text : "{SECRET}"')) == 2
    watch = client.traces.WatchTraces(traces_pb2.WatchTracesRequest(parent=experiment, from_beginning=True), timeout=60)
    assert delete(client, experiment, names=[trace]) == (1, 3)
    for name in (trace, first, second, nested):
        gone(client, name)
    assert search(client, experiment, f'metadata.assay_judge_call : * AND text : "{SECRET}"') == []
    assert set(search(client, experiment, "metadata.assay_judge_call : * OR state : *")) == {other, kept}
    told = set()
    for message in watch:
        if message.deleted:
            told.add(message.deleted)
        if message.deleted == trace:
            break
    watch.cancel()
    assert told == {trace, first, second, nested}
    # One that was under way while the trace was deleted.
    gone(client, judgement_of(client, experiment, trace, rejected=1))


def test_deleting_by_filter_takes_judgements_along(client, experiment):
    traces = [store(client, experiment, name="drop") for _ in range(3)]
    for trace in traces:
        for _ in range(50):
            judgement_of(client, experiment, trace)
    of_session = judgement_of(client, experiment, f"{experiment}/sessions/s%201")
    in_session = store(client, experiment, {"session.id": "s 1"}, name="talk")
    assert delete(client, experiment, filter='root_span_name = "drop"', max_traces=2) == (2, 100)
    assert delete(client, experiment, filter='root_span_name = "drop"') == (1, 50)
    assert delete(client, experiment, filter='root_span_name = "talk"') == (1, 1)
    gone(client, of_session)
    gone(client, in_session)
    assert search(client, experiment, "metadata.assay_judge_call : * OR state : *") == []


def test_only_judgements_of_what_is_deleted_go(client, experiment):
    trace = store(client, experiment)
    lookalike = store(client, experiment, {"assay.metadata.assay_judged": trace})
    elsewhere = judgement_of(client, experiment, f"{experiment}/traces/{new_trace_id()}")
    mine = judgement_of(client, experiment, trace)
    assert delete(client, experiment, names=[mine]) == (1, 0)
    assert delete(client, experiment, names=[trace]) == (1, 0)
    assert set(search(client, experiment, "metadata.assay_judge_call : * OR state : *")) == {lookalike, elsewhere}
