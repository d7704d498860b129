"""Callers that leave before the answer: what has a request id is finished and kept, what has none is cancelled, and the end of
the service waits for neither."""

import http.server
import json
import threading
import time

import pytest
from assay.common.v1 import message_pb2
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay_client import call, request_id, to_json
from checks import guidelines_judge, value_of
from stack import Stack, wait_until


class SlowModel(http.server.ThreadingHTTPServer):
    """Speaks OpenAI's chat API; answers when it is told to."""

    daemon_threads = True

    def __init__(self):
        self.asked = self.answered = 0
        self.open = threading.Event()
        super().__init__(("127.0.0.1", 0), SlowHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def reset(self):
        self.asked = self.answered = 0
        self.open.clear()


class SlowHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1
        self.server.open.wait(60)
        content = json.dumps({"result": "yes", "rationale": "fine"})
        usage = {"prompt_tokens": 5, "completion_tokens": 5}
        body = {"model": "slow", "choices": [{"message": {"content": content}}], "usage": usage}
        text = json.dumps(body).encode()
        try:
            self.send_response(200)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            self.server.answered += 1
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def slow():
    server = SlowModel()
    yield server
    server.open.set()
    server.shutdown()


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory, slow):
    flags = {"judge": {"endpoint": f"name=slow,url={slow.url},model=slow", "record_judgements": "false"}}
    running = Stack(tmp_path_factory.mktemp("callers"), model="endpoints:/slow", flags=flags).start(("judge",))
    yield running
    running.stop()


@pytest.fixture
def stack(own_stack, slow):
    slow.reset()
    return own_stack


def ask(**more):
    request = judge_service.JudgeRequest(parent="experiments/e", inputs=to_json("Hi"), outputs=to_json("Thanks!"), **more)
    request.definition.CopyFrom(guidelines_judge("Be polite."))
    return request


def complete(**more):
    request = judge_service.CompleteRequest(**more)
    request.messages.add(role=message_pb2.ROLE_USER).parts.add(text="Hello?")
    return request


@pytest.mark.parametrize("kind", ["judgement", "completion"])
def test_what_has_a_request_id_is_paid_once(stack, slow, kind):
    request = (ask if kind == "judgement" else complete)(request_id=request_id())
    method = stack.client.judge.Judge if kind == "judgement" else stack.client.models.Complete
    future = method.future(request, timeout=60)
    wait_until(lambda: slow.asked == 1, "the question")
    future.cancel()
    time.sleep(0.3)
    slow.open.set()
    answer = call(method, request)
    assert slow.asked == 1
    if kind == "judgement":
        assert value_of(answer.feedback) == "yes" and answer.feedback.provenance.usage.model_calls == 1


def test_what_has_none_is_cancelled(stack, slow):
    future = stack.client.judge.Judge.future(ask(), timeout=60)
    wait_until(lambda: slow.asked == 1, "the question")
    future.cancel()

    def in_flight():
        providers = call(stack.client.models.ListModels, judge_service.ListModelsRequest()).providers
        [provider] = [one for one in providers if one.uri_prefix == "endpoints:/slow"]
        return provider.health.in_flight

    wait_until(lambda: in_flight() == 0, "the end of the call", seconds=10)


def test_a_deadline_ends_it_all_the_same(stack, slow):
    request = ask(request_id=request_id())
    started = time.monotonic()
    # Client and service have the same deadline: either may be the first to say so.
    try:
        answer = call(stack.client.judge.Judge, request, timeout=0.5)
    except Exception as error:
        assert "DEADLINE" in str(error).upper()
    else:
        assert answer.feedback.error.code == "MODEL_TIMEOUT"
    assert time.monotonic() - started < 10


def test_the_end_of_the_service_does_not_wait(tmp_path, slow):
    slow.reset()
    flags = {"judge": {"endpoint": f"name=slow,url={slow.url},model=slow", "record_judgements": "false"}}
    own = Stack(tmp_path, model="endpoints:/slow", flags=flags).start(("judge",))
    future = own.client.judge.Judge.future(ask(request_id=request_id()), timeout=60)
    wait_until(lambda: slow.asked == 1, "the question")
    future.cancel()
    time.sleep(0.3)
    started = time.monotonic()
    assert own.stop() == {"judge": 0}
    assert time.monotonic() - started < 10
