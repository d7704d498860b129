"""When traces and sessions are complete, and what watchers hear of it. Windows are short here, so that nobody waits long."""

import contextlib

import assay_client
import grpc
import pytest
from assay.trace.v1 import session_service_pb2 as sessions_pb2
from assay.trace.v1 import trace_pb2
from assay.trace.v1 import trace_service_pb2 as traces_pb2
from assay_client import call, new_span_id, new_trace_id, request_id
from checks import export, export_trace, pages, refused
from otlp_spans import add_span, request_of, send
from stack import Stack, wait_until


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    flags = {"trace": {"trace_idle_window": "1s", "session_idle_window": "2s", "max_watches": 4}}
    running = Stack(tmp_path_factory.mktemp("completeness"), flags=flags).start(("registry", "trace"))
    yield running
    running.stop()


@pytest.fixture
def client(world):
    return world.client


@pytest.fixture
def experiment():
    return "experiments/done-" + new_span_id()


@contextlib.contextmanager
def watching(method, request):
    """The messages of a stream, which is ended in the end."""
    stream = method(request, timeout=60)
    try:
        yield stream
    finally:
        stream.cancel()


def completions(stream, count):
    """The next completions of a watch, as (trace name, generation), and the token behind them."""
    found = []
    for message in stream:
        if message.HasField("completed"):
            found.append((message.completed.trace.name, message.completed.generation))
        if len(found) == count:
            return found, message.resume_token
    raise AssertionError(f"the stream ended after {found}")


def get(client, name):
    return call(client.traces.GetTrace, traces_pb2.GetTraceRequest(name=name)).trace


def complete(client, name):
    return call(client.traces.CompleteTrace, traces_pb2.CompleteTraceRequest(name=name)).trace


def test_a_trace_completes_when_it_is_idle_and_late_spans_reopen_it(client, experiment):
    with watching(client.traces.WatchTraces, traces_pb2.WatchTracesRequest(parent=experiment)) as stream:
        assert next(stream).resume_token
        trace_id, root = new_trace_id(), new_span_id()
        name = export_trace(client, experiment, {"n": 1}, {}, trace_id=trace_id, span_id=root)
        assert get(client, name).root_ended
        assert completions(stream, 1)[0] == [(name, 1)]
        assert get(client, name).state == trace_pb2.TRACE_STATE_OK
        export(client, experiment, [{"trace_id": trace_id, "parent_span_id": root, "error": "late"}])
        assert completions(stream, 1)[0] == [(name, 2)]
        trace = get(client, name)
        assert trace.completion_generation == 2 and trace.state == trace_pb2.TRACE_STATE_OK and trace.span_count == 2


@pytest.mark.parametrize("attributes", [{}, {"session.id": "s 1"}], ids=["alone", "of a session"])
@pytest.mark.parametrize("value", [True, "true"])
def test_spans_may_say_that_their_trace_is_whole(client, experiment, attributes, value):
    whole, spans = request_of(experiment, {"assay.complete": value})
    first = add_span(spans, attributes=attributes)
    name = f"{experiment}/traces/{first.trace_id.hex()}"
    with watching(client.traces.WatchTraces, traces_pb2.WatchTracesRequest(parent=experiment)) as stream:
        assert next(stream).resume_token
        send(client, whole)
        trace = get(client, name)
        assert trace.state == trace_pb2.TRACE_STATE_OK and trace.completion_generation == 1
        late, spans = request_of(experiment)
        add_span(spans, trace_id=first.trace_id.hex(), parent=first.span_id)
        send(client, late)
        send(client, whole)
        trace = get(client, name)
        assert trace.state == trace_pb2.TRACE_STATE_OK and trace.completion_generation >= 2, "though it had spans before"
        assert completions(stream, 2)[0] == [(name, 1), (name, 2)]


def test_a_client_may_complete_a_trace(client, experiment):
    trace_id = new_trace_id()
    name = f"{experiment}/traces/{trace_id}"
    request = traces_pb2.CompleteTraceRequest(name=name, request_id=request_id())
    refused(client.traces.CompleteTrace, request, "NOT_FOUND", "RESOURCE_NOT_FOUND")
    call(client.traces.PreregisterTraces, traces_pb2.PreregisterTracesRequest(parent=experiment, trace_ids=[trace_id]))
    refused(client.traces.CompleteTrace, request, "FAILED_PRECONDITION", "TRACE_HAS_NO_SPANS")
    # The root is still open, and will be for ever.
    export(client, experiment, [{"trace_id": trace_id, "parent_span_id": new_span_id(), "error": "failed"}])
    for _ in range(2):
        trace = call(client.traces.CompleteTrace, request).trace
        assert trace.state == trace_pb2.TRACE_STATE_ERROR and trace.completion_generation == 1


def test_a_watcher_that_was_away_misses_nothing(world, experiment):
    client = world.client
    parent = "experiments/-"
    with watching(client.traces.WatchTraces, traces_pb2.WatchTracesRequest(parent=parent)) as stream:
        token = next(stream).resume_token
    first = export_trace(client, experiment, {"n": 1}, {})
    complete(client, first)
    world.services["trace"].kill()
    world.services["trace"].start()
    second = export_trace(client, experiment, {"n": 2}, {}, error="failed")
    request = traces_pb2.WatchTracesRequest(parent=parent, resume_token=token)
    with watching(client.traces.WatchTraces, request) as stream:
        found, behind_both = completions(stream, 2)
        assert found == [(first, 1), (second, 1)]
    third = export_trace(client, experiment, {"n": 3}, {}, error="failed")
    complete(client, third)
    request.resume_token = behind_both
    with watching(client.traces.WatchTraces, request) as stream:
        assert completions(stream, 1)[0] == [(third, 1)]
    request = traces_pb2.WatchTracesRequest(parent=experiment, filter="state = ERROR", from_beginning=True)
    with watching(client.traces.WatchTraces, request) as stream:
        assert completions(stream, 2)[0] == [(second, 1), (third, 1)]


def test_bad_watches_are_refused(client, experiment):
    def status_of(**fields):
        with pytest.raises(grpc.RpcError) as caught:
            list(client.traces.WatchTraces(traces_pb2.WatchTracesRequest(**{"parent": experiment, **fields}), timeout=20))
        failure = assay_client.AssayError.from_rpc(caught.value)
        return failure.code.name, failure.reason

    assert status_of(parent="nonsense") == ("INVALID_ARGUMENT", "INVALID_NAME")
    assert status_of(filter="state = ") == ("INVALID_ARGUMENT", "INVALID_FILTER")
    assert status_of(resume_token="nonsense") == ("INVALID_ARGUMENT", "INVALID_RESUME_TOKEN")
    with contextlib.ExitStack() as streams:
        request = traces_pb2.WatchTracesRequest(parent=experiment)
        # Streams that others have just left may count for a moment.
        wait_until(
            lambda: next(streams.enter_context(watching(client.traces.WatchTraces, request)), None) is not None,
            "a first watch",
        )
        for _ in range(3):
            next(streams.enter_context(watching(client.traces.WatchTraces, request)))
        assert status_of() == ("UNAVAILABLE", "OVERLOADED")


def test_a_server_that_shuts_down_ends_its_watches(world, experiment):
    request = traces_pb2.WatchTracesRequest(parent=experiment)
    with watching(world.client.traces.WatchTraces, request) as stream:
        next(stream)
        assert world.services["trace"].stop() == 0
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    world.services["trace"].start()


def test_sessions_complete_after_their_own_window(client, experiment):
    session = "user 42/ü"
    name = f"{experiment}/sessions/user%2042%2F%C3%BC"
    request = sessions_pb2.WatchSessionsRequest(parent=experiment)
    with watching(client.sessions.WatchSessions, request) as stream:
        assert next(stream).resume_token
        attributes = {"session.id": session}
        traces = [
            export_trace(client, experiment, {"n": n}, {}, start_ns=10**18 + n, attributes=attributes) for n in range(3)
        ]
        refused(client.sessions.GetSession, sessions_pb2.GetSessionRequest(name=name), "NOT_FOUND", "RESOURCE_NOT_FOUND")
        for trace in traces[1:]:
            complete(client, trace)
        message = next(each for each in stream if each.HasField("session"))
    assert message.generation == 1 and message.session.name == name and message.session.session == session
    assert message.session.trace_count == 3 and message.session.state == sessions_pb2.SESSION_STATE_COMPLETE
    assert call(client.sessions.GetSession, sessions_pb2.GetSessionRequest(name=name)).session.trace_count == 3
    listed = pages(client.sessions.ListSessions, sessions_pb2.ListSessionsRequest(parent=experiment), "sessions")
    assert [each.name for each in listed] == [name]
    of_session = sessions_pb2.ListSessionTracesRequest(parent=name, page_size=2)
    assert [each.name for each in pages(client.sessions.ListSessionTraces, of_session, "traces")] == traces
