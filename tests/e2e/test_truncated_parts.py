"""What a trace does not show whole it says; nothing of it is lost."""

from assay.trace.v1 import session_service_pb2 as sessions_pb2
from assay.trace.v1 import session_service_pb2_grpc as sessions_grpc
from assay.trace.v1 import trace_pb2
from assay.trace.v1 import trace_service_pb2 as traces_pb2
from assay_client import call
from checks import pages
from otlp_spans import add_span, get, in_json, request_of, send, store


def parts(trace):
    return [trace_pb2.TracePart.Name(part).removeprefix("TRACE_PART_") for part in trace.truncated_parts]


def listed(client, experiment):
    request = traces_pb2.SearchTracesRequest(parent=experiment)
    return {trace.name: trace for trace in pages(client.traces.SearchTraces, request, "traces")}


def test_a_trace_within_the_bounds_says_nothing(client, experiment):
    attributes = {"session.id": "s" * 250, "user.id": "u" * 250, "gen_ai.request.model": "m"}
    attributes |= {f"assay.tag.t{i}": "v" for i in range(50)} | {f"assay.metadata.m{i}": "v" for i in range(50)}
    name = store(client, experiment, attributes)
    assert parts(get(client, name)) == []
    assert parts(listed(client, experiment)[name]) == []


def test_what_is_cut_is_named_and_the_spans_have_it_all(client, experiment):
    attributes = {"session.id": "s" * 251, "user.id": "u" * 300, "assay.inputs": "x" * 300_000}
    attributes |= {f"assay.metadata.m{i}": "v" for i in range(51)}
    request, spans = request_of(experiment)
    root = add_span(spans, attributes=attributes, name="n" * 5000)
    for batch in range(3):
        tags = {f"assay.tag.t{batch}-{i}": "v" for i in range(40)}
        add_span(spans, root.trace_id.hex(), tags, parent=root.span_id)
    assert send(client, request) == ""
    name = f"{experiment}/traces/{root.trace_id.hex()}"
    trace = get(client, name)
    assert parts(trace) == ["TAGS", "METADATA", "SESSION", "USER", "ROOT_SPAN_NAME"]
    assert trace.session == "s" * 250 and len(trace.tags) == 100 and len(trace.metadata) == 50
    said = {key: in_json(value) for span in trace.spans for key, value in span.attributes.items()}
    assert said["session.id"] == "s" * 251 and said["user.id"] == "u" * 300
    assert sum(key.startswith("assay.tag.") for key in said) == 120
    assert sum(key.startswith("assay.metadata.") for key in said) == 51
    in_list = listed(client, experiment)[name]
    assert parts(in_list) == ["TAGS", "METADATA", "SESSION", "USER", "ROOT_SPAN_NAME", "INPUTS"]
    assert not in_list.HasField("inputs") and in_list.request_preview

    call(client.traces.CompleteTrace, traces_pb2.CompleteTraceRequest(name=name))
    sessions = sessions_grpc.SessionServiceStub(client.channels["trace"])
    (session,) = call(sessions.ListSessions, sessions_pb2.ListSessionsRequest(parent=experiment)).sessions
    assert session.session_truncated and session.session == "s" * 250
    request = sessions_pb2.ListSessionTracesRequest(parent=session.name)
    (of_session,) = call(sessions.ListSessionTraces, request).traces
    assert parts(of_session) == parts(in_list)


def test_models_are_complete_whatever_else_a_trace_has(client, experiment):
    request, spans = request_of(experiment)
    root = add_span(spans)
    for i in range(300):
        attributes = {"gen_ai.agent.name": f"agent {i}", "gen_ai.tool.name": f"tool {i}"}
        if i % 20 == 19:
            attributes["gen_ai.request.model"] = f"model-{i:03}-{'x' * 100}"
        add_span(spans, root.trace_id.hex(), attributes, parent=root.span_id)
    assert send(client, request) == ""
    name = f"{experiment}/traces/{root.trace_id.hex()}"
    trace = get(client, name, full=False)
    assert list(trace.models) == [f"model-{i:03}-{'x' * 100}" for i in range(19, 300, 20)]
    assert parts(trace) == []

    more, spans = request_of(experiment)
    for i in range(10):
        add_span(spans, root.trace_id.hex(), {"gen_ai.request.model": f"another-{i}"}, parent=root.span_id)
    assert send(client, more) == ""
    trace = get(client, name, full=False)
    assert len(trace.models) == 20 and trace.models[0] == "another-0" and parts(trace) == ["MODELS"]
