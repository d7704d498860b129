"""What each provider is sent, and what becomes of its answers and refusals: a judge service against servers that speak the
providers' dialects."""

import json
import math
import os
import socket

import pytest
from assay.common.v1 import feedback_pb2, message_pb2
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay_client import call
from checks import quality_judge, refused, value_of
from fake_providers import ANSWER, FakeProvider, answer_in, signature_is_right
from stack import Stack, wait_until
from test_judging import ask

SCHEMA = {"type": "object", "properties": {"result": {"type": "boolean"}, "rationale": {"type": "string"}}}
# Each begins with a word that no error and no log may show.
KEYS = {
    "OPENAI_API_KEY": "hush-openai-1",
    "ANTHROPIC_API_KEY": "hush-anthropic-1",
    "GEMINI_API_KEY": "hush-gemini-1",
    "AZURE_OPENAI_API_KEY": "hush-azure-1",
    "DATABRICKS_TOKEN": "hush-databricks-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "hush/aws+secret=1",
    "AWS_SESSION_TOKEN": "hush/aws+token=1",
    "GROQ_API_KEY": "hush-groq-1",
    "GATE_HEADER": "hush gate",
}


@pytest.fixture(scope="module")
def provider():
    running = FakeProvider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "rotating"
    path.write_text("hush-first\n")
    return path


@pytest.fixture(scope="module")
def service(tmp_path_factory, provider, key_file):
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name, value in KEYS.items():
            patch.setenv(name, value)
        patch.setenv(
            "ASSAY_ENDPOINTS",
            f"name=gate,url={provider.url},dialect=anthropic,model=claude-x,header_env=X-Gate: GATE_HEADER;"
            f"name=rotating,url={provider.url}/v1,model=m,api_key_file={key_file};"
            f"name=far,url=http://models.test/v1,model=m,proxy={provider.url};"
            f"name=inside,url=http://{socket.gethostname()}:{provider.port}/v1,model=m;"
            f"name=meant,url=http://{socket.gethostname()}:{provider.port}/v1,model=m,private=true",
        )
        flags = {
            "registry_address": "127.0.0.1:1",
            "trace_address": "127.0.0.1:1",
            "otlp_address": "127.0.0.1:1",
            "feedback_address": "127.0.0.1:1",
            "openai_base_url": f"{provider.url}/v1",
            "anthropic_base_url": provider.url,
            "gemini_base_url": f"{provider.url}/v1beta",
            "azure_base_url": provider.url,
            "databricks_base_url": provider.url,
            "bedrock_region": "eu-west-1",
            "provider": f"name=bedrock,url={provider.url},name=groq,url={provider.url}/openai/v1",
            "model_attempts": 2,
            "model_timeout": "20s",
            "model_max_response_bytes": 1 << 20,
        }
        running = Stack(tmp_path_factory.mktemp("providers"), flags={"judge": flags}).start({"judge"})
    yield running
    log = running.services["judge"].log_file.read_text(errors="replace")
    codes = running.stop()
    assert not any(codes.values()), running.log_tails()
    assert "hush" not in log


@pytest.fixture
def client(service, provider):
    provider.clear()
    return service.client


def question(model, text="Is it so?", **more):
    request = judge_service.CompleteRequest(model=model, response_schema=json.dumps(SCHEMA), bypass_cache=True, **more)
    request.messages.add(role=message_pb2.ROLE_SYSTEM).parts.add(text="Be fair.")
    request.messages.add(role=message_pb2.ROLE_USER).parts.add(text=text)
    return request


def complete(client, model, **more):
    return call(client.models.Complete, question(model, **more))


EXPECTED = {
    "openai:/gpt-x": ("/v1/chat/completions", ("authorization", "Bearer hush-openai-1"), "gpt-answered"),
    "groq:/llama": ("/openai/v1/chat/completions", ("authorization", "Bearer hush-groq-1"), "gpt-answered"),
    "azure:/my-gpt": (
        "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
        ("api-key", "hush-azure-1"),
        "gpt-answered",
    ),
    "databricks:/my-endpoint": (
        "/serving-endpoints/my-endpoint/invocations",
        ("authorization", "Bearer hush-databricks-1"),
        "gpt-answered",
    ),
    "anthropic:/claude-x": ("/v1/messages", ("x-api-key", "hush-anthropic-1"), "claude-answered"),
    "gemini:/gemini-x": (
        "/v1beta/models/gemini-x:generateContent",
        ("x-goog-api-key", "hush-gemini-1"),
        "gemini-answered",
    ),
    "bedrock:/anthropic.claude-v1:0": (
        "/model/anthropic.claude-v1%3A0/converse",
        ("x-amz-security-token", "hush/aws+token=1"),
        "anthropic.claude-v1:0",
    ),
    "endpoints:/gate": ("/v1/messages", ("x-gate", "hush gate"), "claude-answered"),
}


@pytest.mark.parametrize("model", EXPECTED)
def test_each_provider_is_asked_in_its_own_way(client, provider, model):
    target, (header, value), answered_by = EXPECTED[model]
    answer = complete(client, model, temperature=0.5, max_output_tokens=64)
    assert json.loads(answer.text) == ANSWER and answer.answered_by == answered_by
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    (asked,) = provider.asked
    assert asked.target == target and asked.headers[header] == value
    body = asked.body
    if "contents" in body:
        config = body["generationConfig"]
        assert config["responseSchema"]["properties"]["result"] == {"type": "BOOLEAN"}
        assert (config["temperature"], config["maxOutputTokens"]) == (0.5, 64)
        assert body["systemInstruction"]["parts"][0]["text"] == "Be fair."
    elif "toolConfig" in body:
        assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "record_verdict"}}
        assert body["inferenceConfig"] == {"temperature": 0.5, "maxTokens": 64}
    elif "tools" in body:
        assert body["tool_choice"] == {"type": "tool", "name": "record_verdict"}
        assert body["tools"][0]["input_schema"] == SCHEMA and body["system"] == "Be fair."
        assert (body["temperature"], body["max_tokens"]) == (0.5, 64)
    else:
        assert body["response_format"]["json_schema"]["schema"] == SCHEMA
        assert (body["temperature"], body["max_tokens"]) == (0.5, 64)


def test_amazon_can_verify_the_signature(client, provider):
    for model in ("bedrock:/plain-model", "bedrock:/anthropic.claude-v1:0", "bedrock:/arn:aws:bedrock:eu:1:x/y"):
        provider.clear()
        complete(client, model)
        (asked,) = provider.asked
        assert "/eu-west-1/bedrock/aws4_request" in asked.headers["authorization"]
        assert signature_is_right(asked, KEYS["AWS_SECRET_ACCESS_KEY"])
        assert not signature_is_right(asked, "another")


def test_a_key_file_is_read_again_when_it_changes(client, provider, key_file):
    complete(client, "endpoints:/rotating")
    assert provider.asked[-1].headers["authorization"] == "Bearer hush-first"
    key_file.write_text("hush-second\n")

    def has_the_new_key():
        complete(client, "endpoints:/rotating")
        return provider.asked[-1].headers["authorization"] == "Bearer hush-second"

    wait_until(has_the_new_key, "the new key", seconds=30)
    key_file.write_text("not a key\n")
    complete(client, "endpoints:/rotating")
    assert provider.asked[-1].headers["authorization"] == "Bearer hush-second"


@pytest.mark.parametrize("status, headers", [(429, {"Retry-After": "0"}), (529, {}), (503, {"retry-after-ms": "1"})])
def test_overload_is_waited_out(client, provider, status, headers):
    provider.answer_next(status, {"error": {"message": "busy"}}, headers)
    assert json.loads(complete(client, "anthropic:/claude-x").text) == ANSWER
    assert len(provider.asked) == 2


def test_a_model_without_structured_output_is_remembered(client, provider):
    provider.answer_next(400, {"error": {"message": "'response_format' is not supported by this model"}})
    assert json.loads(complete(client, "groq:/plain").text) == ANSWER
    assert json.loads(complete(client, "groq:/plain").text) == ANSWER
    assert ["response_format" in asked.body for asked in provider.asked] == [True, False, False]
    assert "JSON Schema" in provider.asked[2].body["messages"][0]["content"]


REFUSALS = [
    (401, {"error": {"message": "bad key hush-openai-1"}}, "FAILED_PRECONDITION", "MODEL_UNAUTHORIZED"),
    (403, {"message": "no"}, "FAILED_PRECONDITION", "MODEL_UNAUTHORIZED"),
    (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, "RESOURCE_EXHAUSTED", "MODEL_QUOTA_EXHAUSTED"),
    (400, {"error": {"code": "context_length_exceeded", "message": "x"}}, "INVALID_ARGUMENT", "MODEL_CONTEXT_OVERFLOW"),
    (404, {"error": {"message": "no such model"}}, "INVALID_ARGUMENT", "MODEL_REFUSED"),
    (302, {}, "INVALID_ARGUMENT", "MODEL_REFUSED"),
]


@pytest.mark.parametrize("status, body, code, reason", REFUSALS)
def test_refusals_are_told_apart_and_asked_once(client, provider, status, body, code, reason):
    provider.answer_next(status, body, {"Location": f"{provider.url}/elsewhere"})
    failure = refused(client.models.Complete, question("openai:/gpt-x"), code, reason)
    assert "hush" not in str(failure) and len(provider.asked) == 1


def test_an_answer_of_50_mb_is_cut_off(client, provider):
    provider.answer_next(200, answer_in("openai", "x" * (50 << 20)))
    failure = refused(client.models.Complete, question("openai:/gpt-x"), "RESOURCE_EXHAUSTED", "MODEL_ANSWER_TOO_LARGE")
    assert str(1 << 20) in failure.message
    assert provider.sent_bytes < 50 << 20 and len(provider.asked) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"choices":[{"message":{"content":' + b"1" * 999 + b"}}]}"])
def test_odd_answers_are_errors_not_crashes(client, provider, body):
    for _ in range(2):
        provider.answer_next(200, body)
    refused(client.models.Complete, question("openai:/gpt-x"), "UNAVAILABLE", "MODEL_UNREACHABLE")


def test_a_name_at_a_private_address_is_refused_unless_it_is_meant(client, provider):
    failure = refused(client.models.Complete, question("endpoints:/inside"), "FAILED_PRECONDITION", "MODEL_NOT_CONFIGURED")
    assert "private=true" in failure.message and not provider.asked
    assert json.loads(complete(client, "endpoints:/meant").text) == ANSWER


def test_an_endpoint_is_asked_through_its_proxy(client, provider):
    assert json.loads(complete(client, "endpoints:/far").text) == ANSWER
    assert provider.asked[0].target == "http://models.test/v1/chat/completions"


def sure_verdict(dialect):
    """An answer with the verdict `good`, and how probable its tokens were."""
    pieces = [('{"rationale": "r", "result": "', 1.0), ("good", 0.8), ('"}', 1.0)]
    answer = answer_in(dialect, "".join(text for text, _ in pieces))
    if dialect == "gemini":
        answer["candidates"][0]["logprobsResult"] = {
            "chosenCandidates": [{"token": text, "logProbability": math.log(share)} for text, share in pieces],
            "topCandidates": [
                {"candidates": [{"token": text, "logProbability": math.log(share)}, {"token": "poor", "logProbability": -5}]}
                for text, share in pieces
            ],
        }
        return answer
    answer["choices"][0]["logprobs"] = {
        "content": [
            {
                "token": text,
                "logprob": math.log(share),
                "top_logprobs": [{"token": text, "logprob": math.log(share)}, {"token": "poor", "logprob": -5}],
            }
            for text, share in pieces
        ]
    }
    return answer


@pytest.mark.parametrize("model, dialect", [("openai:/gpt-x", "openai"), ("gemini:/gemini-x", "gemini")])
def test_confidence_comes_from_the_providers_probabilities(client, provider, model, dialect):
    definition = quality_judge(model)
    definition.confidence.method = feedback_pb2.CONFIDENCE_METHOD_TOKEN_PROBABILITY
    provider.answer_next(200, sure_verdict(dialect))
    feedback = call(client.judge.Judge, ask("experiments/e", definition)).feedback
    assert value_of(feedback) == "good"
    assert feedback.confidence.method == feedback_pb2.CONFIDENCE_METHOD_TOKEN_PROBABILITY
    assert 0.7 < feedback.confidence.value <= 1
    body = provider.asked[0].body
    assert body["logprobs"] if dialect == "openai" else body["generationConfig"]["responseLogprobs"]


@pytest.mark.parametrize("model", ["anthropic:/claude-x", "bedrock:/m"])
def test_a_seed_is_refused_where_there_is_none(client, provider, model):
    definition = quality_judge(model)
    definition.inference_parameters["seed"] = 7
    refused(client.judge.Judge, ask("experiments/e", definition), "INVALID_ARGUMENT", "INVALID_INFERENCE_PARAMETER")
    assert not provider.asked


def test_names_of_models_cannot_leave_their_place(client, provider):
    complete(client, "gemini:/../../x?key=1#y")
    assert provider.asked[0].target == "/v1beta/models/..%2F..%2Fx%3Fkey%3D1%23y:generateContent"
    refused(client.models.Complete, question("databricks:/.."), "INVALID_ARGUMENT", "INVALID_MODEL_URI")


def test_providers_are_listed(client):
    listed = call(client.models.ListModels, judge_service.ListModelsRequest()).providers
    configured = {provider.uri_prefix: provider.configured for provider in listed}
    assert configured["bedrock:/"] and configured["azure:/"] and configured["endpoints:/gate"]
    assert configured["mistral:/"] is False
    failure = refused(client.models.Complete, question("mistral:/m"), "FAILED_PRECONDITION", "MODEL_NOT_CONFIGURED")
    assert "MISTRAL_API_KEY" in failure.message
