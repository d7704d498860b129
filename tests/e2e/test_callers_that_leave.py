"""Callers that leave before the answer: what has a request id is finished and kept, what has none is cancelled, and the end of
the service waits for neither."""

import threading
import time

import pytest
from assay.common.v1 import message_pb2
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay_client import call, request_id, to_json
from chat_models import ChatModel, completion
from checks import guidelines_judge, value_of
from stack import Stack, wait_until


class SlowModel(ChatModel):
    """Answers when it is told to."""

    def __init__(self):
        self.open = threading.Event()
        super().__init__()

    def reset(self):
        self.asked = self.answered = 0
        self.open.clear()

    def reply(self):
        self.open.wait(60)
        usage = {"prompt_tokens": 5, "completion_tokens": 5}
        return 200, completion({"result": "yes", "rationale": "fine"}, "slow", usage)


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


def leave(stack, future):
    """Gives the call up. The service knows of it then: it reads what comes over one connection in order."""
    future.cancel()
    call(stack.client.models.ListModels, judge_service.ListModelsRequest())


@pytest.mark.parametrize("kind", ["judgement", "completion"])
def test_what_has_a_request_id_is_paid_once(stack, slow, kind):
    request = (ask if kind == "judgement" else complete)(request_id=request_id())
    method = stack.client.judge.Judge if kind == "judgement" else stack.client.models.Complete
    future = method.future(request, timeout=60)
    wait_until(lambda: slow.asked == 1, "the question")
    leave(stack, future)
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
    leave(own, future)
    started = time.monotonic()
    assert own.stop() == {"judge": 0}
    assert time.monotonic() - started < 10
