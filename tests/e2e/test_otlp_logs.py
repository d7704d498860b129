"""OTLP log records: evaluation results that become feedback, messages that are shown with their spans, and what is neither."""

import gzip
import time
import urllib.request

import assay_client
import grpc
import pytest
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.trace.v1 import trace_service_pb2
from assay_client import call, from_json, new_span_id, new_trace_id
from checks import experiment_id, export, export_trace, pages
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from stack import Gateway, Stack, wait_until
from test_walkthrough import addresses_of, all_services

RESULT = "gen_ai.evaluation.result"


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """Registry, trace and feedback, with the trace service knowing where feedback is."""
    stack = Stack(tmp_path_factory.mktemp("logs")).start(("registry", "trace", "feedback"))
    connect_feedback(stack)
    yield stack
    codes = stack.stop()
    assert not any(codes.values()), f"services ended with {codes}\n{stack.log_tails()}"


def connect_feedback(stack):
    """Feedback needs the trace service to start, so that one hears of it by a second start."""
    trace = stack.services["trace"]
    trace.flags["feedback_address"] = stack.addresses()["feedback"]
    assert trace.stop() == 0, trace.log_tail()
    trace.start()


@pytest.fixture
def client(services):
    return services.client


@pytest.fixture
def experiment():
    return "experiments/logs-" + new_span_id()


def set_value(value, python):
    if isinstance(python, dict):
        for key, each in python.items():
            entry = value.kvlist_value.values.add(key=key)
            set_value(entry.value, each)
    elif isinstance(python, bool):
        value.bool_value = python
    elif isinstance(python, int):
        value.int_value = python
    elif isinstance(python, float):
        value.double_value = python
    else:
        value.string_value = python


def logs_request(experiment, records):
    """A request of records: (event name, trace id, span id, attributes, body)."""
    request = logs_service_pb2.ExportLogsServiceRequest()
    group = request.resource_logs.add()
    set_value(group.resource.attributes.add(key="assay.experiment").value, experiment_id(experiment))
    scope = group.scope_logs.add()
    scope.scope.name = "tests"
    for number, (name, trace_id, span_id, attributes, body) in enumerate(records):
        record = scope.log_records.add(
            event_name=name,
            trace_id=bytes.fromhex(trace_id),
            span_id=bytes.fromhex(span_id),
            time_unix_nano=time.time_ns() + number,
        )
        for key, value in attributes.items():
            set_value(record.attributes.add(key=key).value, value)
        if body is not None:
            set_value(record.body, body)
    return request


def send(client, request):
    return call(logs_service_pb2_grpc.LogsServiceStub(client.channels["otlp"]).Export, request)


def export_logs(client, experiment, records):
    return send(client, logs_request(experiment, records))


def result(trace_id, score, span_id="", **attributes):
    values = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": score, **attributes}
    return (RESULT, trace_id, span_id, values, None)


def assessments(client, experiment):
    request = feedback_service_pb2.SearchAssessmentsRequest(parent=experiment)
    return list(pages(client.feedback.SearchAssessments, request, "assessments"))


def wait_for_assessments(client, experiment, count):
    return wait_until(
        lambda: len(found := assessments(client, experiment)) >= count and found, f"{count} assessments in {experiment}"
    )


def test_an_evaluation_result_becomes_feedback_that_searches_find(client, experiment):
    name = export_trace(client, experiment, "question", "answer")
    trace_id, span_id = name.rsplit("/", 1)[1], new_span_id()
    more = {
        "gen_ai.evaluation.score.label": "poor",
        "gen_ai.evaluation.explanation": "off topic",
        "gen_ai.response.id": "chatcmpl-1",
        "assay.source.kind": "LLM_JUDGE",
        "assay.source.id": "openai:/judge",
    }
    answer = export_logs(client, experiment, [result(trace_id, 0.25, span_id=span_id, **more)])
    assert not answer.HasField("partial_success"), answer
    (assessment,) = wait_for_assessments(client, experiment, 1)
    assert assessment.assessment_name == "relevance" and assessment.valid
    assert assessment.target.trace == name and assessment.target.span_id == span_id
    assert assessment.source.kind == feedback_pb2.SOURCE_KIND_LLM_JUDGE and assessment.source.id == "openai:/judge"
    assert from_json(assessment.feedback.value) == 0.25 and assessment.feedback.label == "poor"
    assert assessment.feedback.rationale == "off topic"
    assert assessment.metadata == {"gen_ai.response.id": "chatcmpl-1"}

    search = trace_service_pb2.SearchTracesRequest(parent=experiment, filter="feedback.relevance < 0.5")
    wait_until(lambda: [trace.name for trace in pages(client.traces.SearchTraces, search, "traces")] == [name], "the search")


def test_a_record_that_is_sent_again_is_one_feedback(client, experiment):
    trace_id = export_trace(client, experiment, 1, 2).rsplit("/", 1)[1]
    request = logs_request(experiment, [result(trace_id, 1.0), result(trace_id, 0.5)])
    for _ in range(3):
        send(client, request)
    export_logs(client, experiment, [result(trace_id, 0.0)])
    found = wait_for_assessments(client, experiment, 3)
    assert sorted(from_json(each.feedback.value) for each in found) == [0, 0.5, 1]
    assert len(assessments(client, experiment)) == 3


def test_a_result_waits_for_its_trace(client, experiment):
    trace_id = new_trace_id()
    export_logs(client, experiment, [result(trace_id, 1.0)])
    # Results go their way in order: once the second is there, the trace of the first was looked for in vain.
    other = export_trace(client, experiment, 1, 2)
    export_logs(client, experiment, [result(other.rsplit("/", 1)[1], 0.5)])
    (assessment,) = wait_for_assessments(client, experiment, 1)
    assert assessment.target.trace == other
    name = export_trace(client, experiment, 1, 2, trace_id=trace_id)
    found = wait_for_assessments(client, experiment, 2)
    assert sorted(each.target.trace for each in found) == sorted([name, other])


def test_messages_are_shown_with_their_span_whichever_comes_first(client, experiment):
    trace_id, span_id = new_trace_id(), new_span_id()
    early = ("gen_ai.user.message", trace_id, span_id, {"gen_ai.system": "openai"}, {"content": "Where is my order?"})
    late = (
        "gen_ai.choice", trace_id, span_id, {},
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "On its way."}},
    )  # fmt: skip
    export_logs(client, experiment, [early])
    export(client, experiment, [{"trace_id": trace_id, "span_id": span_id, "name": "chat"}])
    export_logs(client, experiment, [late])
    request = trace_service_pb2.GetTraceRequest(
        name=f"{experiment}/traces/{trace_id}", view=trace_service_pb2.TRACE_VIEW_FULL
    )
    trace = call(client.traces.GetTrace, request).trace
    (span,) = trace.spans
    assert [event.event_name for event in span.events] == ["gen_ai.user.message", "gen_ai.choice"]
    assert from_json(span.events[0].attributes["content"]) == "Where is my order?"
    texts = [part.text for message in [*span.input_messages, *span.output_messages] for part in message.parts]
    assert texts == ["Where is my order?", "On its way."]
    listed = call(client.traces.ListSpans, trace_service_pb2.ListSpansRequest(parent=trace.name))
    assert listed.spans[0].events == span.events
    assert "Where is my order?" in trace.request_preview and "On its way." in trace.response_preview


def test_what_is_rejected_is_counted_and_costs_nothing_else(client, experiment):
    trace_id = export_trace(client, experiment, 1, 2).rsplit("/", 1)[1]
    answer = export_logs(
        client,
        experiment,
        [
            ("", trace_id, "", {}, "a line of a log"),
            ("gen_ai.user.message", trace_id, "", {}, {"content": "no span"}),
            result("", 0.5),
            (RESULT, trace_id, "", {"gen_ai.evaluation.name": "empty"}, None),
            result(trace_id, "high"),
            result(trace_id, 0.75),
        ],
    )
    assert answer.partial_success.rejected_log_records == 5
    for word in (
        "UNSUPPORTED_LOG_RECORD 1", "INVALID_SPAN_ID 1", "INVALID_TRACE_ID 1", "MISSING_EVALUATION_VALUE 1",
        "INVALID_EVALUATION_SCORE 1",
    ):  # fmt: skip
        assert word in answer.partial_success.error_message, answer
    (assessment,) = wait_for_assessments(client, experiment, 1)
    assert from_json(assessment.feedback.value) == 0.75


def test_messages_of_a_deleted_trace_are_rejected(client, experiment):
    trace_id, span_id = new_trace_id(), new_span_id()
    message = ("gen_ai.user.message", trace_id, span_id, {}, {"content": "hello"})
    export(client, experiment, [{"trace_id": trace_id, "span_id": span_id}])
    export_logs(client, experiment, [message])
    name = f"{experiment}/traces/{trace_id}"
    call(client.traces.DeleteTraces, trace_service_pb2.DeleteTracesRequest(parent=experiment, names=[name]))
    answer = export_logs(client, experiment, [message, message])
    assert answer.partial_success.rejected_log_records == 2
    assert "TRACE_DELETED 2 log records" in answer.partial_success.error_message


def test_bad_requests_are_refused_with_their_reason(client, experiment):
    method = client.channels["otlp"].unary_unary(
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        request_serializer=lambda data: data,
        response_deserializer=logs_service_pb2.ExportLogsServiceResponse.FromString,
    )

    def failure(payload, compression=None):
        with pytest.raises(grpc.RpcError) as caught:
            method(payload, timeout=60, compression=compression)
        return assay_client.AssayError.from_rpc(caught.value)

    broken = failure(b"\x0a\xff")
    assert broken.code == grpc.StatusCode.INVALID_ARGUMENT and broken.reason == "MALFORMED_OTLP"
    bomb = failure(b"\0" * (21 << 20), grpc.Compression.Gzip)
    assert bomb.code == grpc.StatusCode.RESOURCE_EXHAUSTED and bomb.reason == "MESSAGE_TOO_LARGE"
    name = export_trace(client, experiment, 1, 2)
    payload = logs_request(experiment, [result(name.rsplit("/", 1)[1], 1.0)]).SerializeToString()
    method(payload, timeout=60, compression=grpc.Compression.Gzip)
    wait_for_assessments(client, experiment, 1)


def test_the_gateway_takes_log_records_over_http(services, client, experiment, tmp_path):
    gateway = Gateway(tmp_path, services.addresses()["otlp"]).start()
    try:
        trace_id = export_trace(client, experiment, 1, 2).rsplit("/", 1)[1]
        body = gzip.compress(logs_request(experiment, [result(trace_id, 1.0)]).SerializeToString())
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        request = urllib.request.Request(f"{gateway.url}/v1/logs", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
        wait_for_assessments(client, experiment, 1)
    finally:
        assert gateway.stop() == 0, gateway.log_tail()


def test_all_services_in_one_process_find_feedback(tmp_path, experiment):
    house = all_services(tmp_path).start()
    try:
        client = assay_client.Assay(addresses_of(house))
        trace_id = export_trace(client, experiment, 1, 2).rsplit("/", 1)[1]
        export_logs(client, experiment, [result(trace_id, 1.0)])
        wait_for_assessments(client, experiment, 1)
        client.close()
    finally:
        code = house.stop()
    assert code == 0, house.log_tail()
