"""What a model takes: a schema together with tools, and how long a prompt."""

import json
import os

import pytest
from assay_client import call
from checks import export_trace, value_of
from fake_providers import FakeProvider
from stack import Stack
from test_judge_agent import TOOLS, ask, trace_judge

TOOL_CALL = {
    "choices": [
        {
            "message": {
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "list_spans", "arguments": "{}"}}],
            }
        }
    ]
}
VERDICT = {"choices": [{"message": {"content": json.dumps({"result": "yes", "rationale": "r"})}}]}


@pytest.fixture(scope="module")
def provider():
    running = FakeProvider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory, provider):
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        endpoints = (
            f"name=both,url={provider.url}/v1,model=m,schema_with_tools=true;"
            f"name=either,url={provider.url}/v1,model=m;"
            f"name=small,url={provider.url}/v1,model=m,max_input_tokens=3000;"
            f"name=learning,url={provider.url}/v1,model=m"
        )
        flags = {"judge": {"endpoint": endpoints, "model_attempts": 1, "record_judgements": "false"}}
        running = Stack(tmp_path_factory.mktemp("traits"), flags=flags).start(("registry", "trace", "feedback", "judge"))
    yield running
    running.stop()


@pytest.fixture
def asked(stack, provider):
    provider.clear()
    stack.client  # The services are there.
    return provider


def judge(stack, model, size=10):
    trace = export_trace(stack.client, "experiments/e", {"q": "x" * size}, {"a": "y"})
    return call(stack.client.judge.Judge, ask("experiments/e", trace_judge(model=model, mode=TOOLS), trace))


def test_a_model_that_takes_both_is_asked_with_both(stack, asked):
    asked.answer_next(200, TOOL_CALL)
    asked.answer_next(200, VERDICT)
    assert value_of(judge(stack, "endpoints:/both").feedback) == "yes"
    assert all("response_format" in question.body and "tools" in question.body for question in asked.asked)


def test_one_that_is_not_known_to_is_told_in_words(stack, asked):
    asked.answer_next(200, VERDICT)
    assert value_of(judge(stack, "endpoints:/either").feedback) == "yes"
    assert "response_format" not in asked.asked[0].body and "tools" in asked.asked[0].body


def test_a_refusal_of_both_is_remembered(stack, asked):
    asked.answer_next(400, {"error": {"message": "response_format with tools is not supported"}})
    asked.answer_next(200, VERDICT)
    assert value_of(judge(stack, "endpoints:/both").feedback) == "yes"
    assert ["response_format" in question.body for question in asked.asked] == [True, False]
    asked.answer_next(200, VERDICT)
    assert value_of(judge(stack, "endpoints:/both").feedback) == "yes"
    assert len(asked.asked) == 3 and "response_format" not in asked.asked[2].body


def test_prompts_keep_to_what_a_model_takes(stack, asked):
    """Each round brings 6,000 bytes: of a small model's context only the newest has room."""
    for n in range(4):
        call_again = json.loads(json.dumps(TOOL_CALL))
        call_again["choices"][0]["message"]["tool_calls"][0]["function"] = {
            "name": "get_root_span",
            "arguments": json.dumps({"max_content_length": 6000 + n}),
        }
        asked.answer_next(200, call_again)
    asked.answer_next(200, VERDICT)
    answer = judge(stack, "endpoints:/small", size=20_000)
    assert value_of(answer.feedback) == "yes"
    assert int(answer.metadata["tool_rounds_dropped"]) >= 2
    assert len(asked.asked[-1].raw) < 20_000


def test_a_limit_that_a_model_names_is_remembered(stack, asked):
    asked.answer_next(400, {"error": {"code": "context_length_exceeded", "message": "maximum context length is 3000 tokens"}})
    assert judge(stack, "endpoints:/learning").feedback.error.code == "MODEL_CONTEXT_OVERFLOW"
    asked.clear()
    test_prompts = [{"name": "get_root_span", "arguments": json.dumps({"max_content_length": 6000 + n})} for n in range(4)]
    for function in test_prompts:
        call_again = json.loads(json.dumps(TOOL_CALL))
        call_again["choices"][0]["message"]["tool_calls"][0]["function"] = function
        asked.answer_next(200, call_again)
    asked.answer_next(200, VERDICT)
    answer = judge(stack, "endpoints:/learning", size=20_000)
    assert int(answer.metadata["tool_rounds_dropped"]) >= 2
