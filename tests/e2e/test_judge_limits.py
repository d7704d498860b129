"""Limits of models, fallbacks, the response cache, usage and budgets, over real processes."""

import collections
import json
import time

import assay_client
import pytest
from assay.common.v1 import feedback_pb2, message_pb2
from assay.judge.v1 import evaluation_service_pb2, judge_service_pb2, usage_service_pb2
from assay.registry.v1 import experiment_service_pb2
from assay_client import call, request_id, to_json
from chat_models import ChatModel, completion
from checks import quality_judge, refused, value_of
from stack import FakeLlm, Stack, wait_until

HEALTH = judge_service_pb2.ModelHealth
BUDGET = usage_service_pb2.Budget
# So that a token costs a tenth of a cent.
PRICES = {"prices": [{"model": "scripted", "input": 1000, "output": 1000}]}


class NarrowModel(ChatModel):
    """Answers only so many at a time, and 429 to the others."""

    def __init__(self, capacity, seconds):
        self.capacity, self.seconds = capacity, seconds
        self.busy = 0
        self.answers = collections.Counter()
        super().__init__()

    def reply(self):
        with self.lock:
            admitted = self.busy < self.capacity
            self.busy += admitted
            self.answers[admitted] += 1
        if not admitted:
            return 429, {"error": {"message": "too many at a time", "type": "rate_limit"}}
        time.sleep(self.seconds)
        with self.lock:
            self.busy -= 1
        return 200, completion({"result": "good", "rationale": "fine"}, "narrow")


@pytest.fixture(scope="module")
def own_llm(tmp_path_factory):
    server = FakeLlm(tmp_path_factory.mktemp("limits_llm"), {"latency_ms": 1}).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def narrow():
    server = NarrowModel(capacity=4, seconds=0.05)
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory, own_llm, narrow):
    directory = tmp_path_factory.mktemp("limits")
    prices = directory / "prices.json"
    prices.write_text(json.dumps(PRICES), encoding="utf-8")
    endpoints = ",".join(
        f"name={name},url={url},model={model}"
        for name, url, model in (
            ("local", own_llm.url, "scripted"),
            ("backup", own_llm.url, "spare"),
            ("down", "http://127.0.0.1:9/v1", "gone"),
            ("narrow", narrow.url, "narrow"),
        )
    )
    flags = {
        "endpoint": endpoints,
        "model_attempts": 12,
        "model_limit": "of=endpoints:/narrow,max_in_flight=32",
        "circuit_failures": 2,
        "circuit_open": "60s",
        "price_table": prices,
    }
    running = Stack(directory, model="endpoints:/local", flags={"judge": flags})
    running.start(("registry", "trace", "feedback", "judge"))
    yield running
    codes = running.stop()
    assert not any(codes.values()), f"services ended with {codes}\n{running.log_tails()}"


@pytest.fixture
def stack(own_stack, own_llm):
    own_llm.set_script({"latency_ms": 1})
    own_llm.clear_log()
    return own_stack


@pytest.fixture
def llm(own_llm):
    return own_llm


@pytest.fixture
def client(stack):
    return stack.client


@pytest.fixture
def experiment(client):
    create = experiment_service_pb2.CreateExperimentRequest(
        experiment_id="limits-" + assay_client.new_span_id(), request_id=request_id()
    )
    return call(client.experiments.CreateExperiment, create).experiment.name


def judge(model="endpoints:/local", **parameters):
    definition = quality_judge(model)
    definition.inference_parameters.update({"max_tokens": 100, **parameters})
    return definition


def ask(experiment, definition, text="It arrives on Monday.", **more):
    request = judge_service_pb2.JudgeRequest(parent=experiment, definition=definition, assessment_name="quality", **more)
    request.inputs.CopyFrom(to_json({"issue": "My parcel is late."}))
    request.outputs.CopyFrom(to_json({"response": text}))
    return request


def health(client, prefix):
    models = call(client.models.ListModels, judge_service_pb2.ListModelsRequest())
    return next(provider.health for provider in models.providers if provider.uri_prefix == prefix)


def usage(client, experiment, *group_by):
    return call(client.usage.QueryUsage, usage_service_pb2.QueryUsageRequest(experiment=experiment, group_by=group_by))


def set_budget(client, experiment, **more):
    budget = BUDGET(name=f"{experiment}/budgets/b", **{"period": BUDGET.PERIOD_TOTAL, **more})
    request = usage_service_pb2.SetBudgetRequest(budget=budget, request_id=request_id())
    return call(client.usage.SetBudget, request).budget


def get_budget(client, experiment):
    return call(client.usage.GetBudget, usage_service_pb2.GetBudgetRequest(name=f"{experiment}/budgets/b")).budget


def restart(stack, kill=False):
    service = stack.services["judge"]
    if kill:
        service.kill()
    else:
        assert service.stop() == 0
    service.start()
    # The client's channel finds the way back.
    call(stack.client.models.ListModels, judge_service_pb2.ListModelsRequest(), attempts=20)


def test_a_storm_of_refusals_converges_to_what_the_model_takes(client, experiment, narrow):
    definition = judge("endpoints:/narrow")
    requests = [
        judge_service_pb2.JudgeStreamRequest(key=str(i), request=ask(experiment, definition, f"Answer {i}.")) for i in range(120)
    ]
    results = list(client.judge.JudgeStream(iter(requests), timeout=120))
    assert len(results) == 120
    assert all(value_of(result.response.feedback) == "good" for result in results), results[0]
    # Without the limit's adaption thirty of each wave of 32 would be refused.
    assert narrow.answers[False] < 2 * narrow.answers[True]
    state = health(client, "endpoints:/narrow")
    assert state.max_concurrency == 32 and state.concurrency_limit <= 16
    assert state.state == HEALTH.STATE_RATE_LIMITED and state.last_error_class == "RATE"
    assert state.recent_calls == sum(narrow.answers.values())
    assert state.recent_failures == narrow.answers[False] and state.in_flight == state.queued == 0


def test_a_budget_refuses_at_its_edge_and_outlives_a_crash(client, experiment, stack, llm):
    assert set_budget(client, experiment, tokens=20_000).spent == 0
    definition = judge()
    asked = 0
    while True:
        feedback = call(client.judge.Judge, ask(experiment, definition, f"Answer {asked}.")).feedback
        if feedback.outcome == feedback_pb2.OUTCOME_ERROR:
            assert feedback.error.code == "BUDGET_EXHAUSTED" and "budgets/b" in feedback.error.message
            break
        asked += 1
        assert asked < 200
    assert asked >= 3 and llm.stats()["requests"] == asked
    spent = get_budget(client, experiment).spent
    row = usage(client, experiment).rows[0]
    assert spent == row.input_tokens + row.output_tokens <= 20_000
    assert row.errors.budget == 1 and row.calls == asked + 1
    restart(stack, kill=True)
    assert spent <= get_budget(client, experiment).spent <= 20_000
    complete = judge_service_pb2.CompleteRequest(parent=experiment)
    complete.messages.add(role=message_pb2.ROLE_USER).parts.add(text="hello")
    failure = refused(client.models.Complete, complete, "RESOURCE_EXHAUSTED", "BUDGET_EXHAUSTED")
    assert failure.metadata["budget"] == f"{experiment}/budgets/b"
    assert set_budget(client, experiment, tokens=1_000_000).spent >= spent
    assert call(client.judge.Judge, ask(experiment, definition)).feedback.outcome == feedback_pb2.OUTCOME_VALUE


def test_evaluations_say_that_the_budget_is_used_up(client, experiment, llm):
    set_budget(client, experiment, cost_usd=0.001)
    spec = evaluation_service_pb2.EvaluationSpec()
    spec.judges.add(definition=judge(), assessment_name="quality")
    request = evaluation_service_pb2.CreateEvaluationRequest(parent=experiment, spec=spec, request_id=request_id())
    row = request.rows.add()
    row.inputs.CopyFrom(to_json({"issue": "late"}))
    row.outputs.CopyFrom(to_json("soon"))
    name = call(client.evaluations.CreateEvaluation, request).evaluation.name

    def ended():
        got = call(client.evaluations.GetEvaluation, evaluation_service_pb2.GetEvaluationRequest(name=name)).evaluation
        return got if got.state != evaluation_service_pb2.EVALUATION_STATE_RUNNING else None

    evaluation = wait_until(ended, "end of the evaluation")
    assert evaluation.progress.judgements_error == 1 and llm.stats()["requests"] == 0
    rows = call(client.evaluations.ListEvaluationRows, evaluation_service_pb2.ListEvaluationRowsRequest(parent=name)).rows
    assert rows[0].results[0].feedback.error.code == "BUDGET_EXHAUSTED"


def test_money_needs_a_price(client, experiment):
    set_budget(client, experiment, cost_usd=10)
    assert call(client.judge.Judge, ask(experiment, judge())).feedback.provenance.cost_usd > 0
    assert get_budget(client, experiment).spent > 0
    request = ask(experiment, judge("endpoints:/backup"))
    refused(client.judge.Judge, request, "FAILED_PRECONDITION", "MODEL_PRICE_UNKNOWN")


def test_fallbacks_answer_and_the_circuit_opens(client, experiment, llm):
    definition = judge("endpoints:/down")
    complete = judge_service_pb2.CompleteRequest(model="endpoints:/down", parent=experiment)
    complete.messages.add(role=message_pb2.ROLE_USER).parts.add(text="hello")
    # Their deadlines end them before their attempts do.
    for _ in range(2):
        failed = call(client.judge.Judge, ask(experiment, definition), timeout=5).feedback
        assert failed.error.code in ("MODEL_UNREACHABLE", "MODEL_TIMEOUT")
    state = health(client, "endpoints:/down")
    assert state.state == HEALTH.STATE_CIRCUIT_OPEN and list(state.open_circuits) == ["endpoints:/down"]
    failure = refused(client.models.Complete, complete, "UNAVAILABLE", "MODEL_UNREACHABLE")
    assert failure.metadata["circuit"] == "open" and failure.retry_after > 0
    definition.fallback_models.append("endpoints:/backup")
    answer = call(client.judge.Judge, ask(experiment, definition))
    assert answer.feedback.outcome == feedback_pb2.OUTCOME_VALUE
    assert answer.feedback.provenance.answered_by == "spare"
    models = {row.model: row for row in usage(client, experiment, usage_service_pb2.USAGE_DIMENSION_MODEL).rows}
    assert models["endpoints:/down"].errors.transient >= 3 and models["endpoints:/backup"].calls == 1


def test_repeatable_answers_come_from_the_cache_over_a_restart(client, experiment, stack, llm):
    definition = judge(temperature=0)
    first = call(client.judge.Judge, ask(experiment, definition)).feedback
    second = call(client.judge.Judge, ask(experiment, definition)).feedback
    assert not first.provenance.cache_hit and second.provenance.cache_hit
    assert value_of(first) == value_of(second) and second.provenance.attempts == 0
    assert second.provenance.cost_usd == 0 < first.provenance.cost_usd
    restart(stack)
    assert call(client.judge.Judge, ask(experiment, definition)).feedback.provenance.cache_hit
    assert llm.stats()["requests"] == 1
    assert not call(client.judge.Judge, ask(experiment, definition, bypass_cache=True)).feedback.provenance.cache_hit
    for _ in range(2):
        assert not call(client.judge.Judge, ask(experiment, judge(temperature=1))).feedback.provenance.cache_hit
    assert llm.stats()["requests"] == 4
    row = usage(client, experiment).total
    assert row.calls == 6 and row.cache_hits == 2 and row.attempts == 4 and row.cost_usd > 0


def test_usage_is_told_apart_and_outlives_the_process(client, experiment, stack):
    for name in ("a", "a", "b"):
        request = ask(experiment, judge())
        request.assessment_name = name
        call(client.judge.Judge, request)
    dimensions = (usage_service_pb2.USAGE_DIMENSION_JUDGE, usage_service_pb2.USAGE_DIMENSION_DAY)
    before = usage(client, experiment, *dimensions)
    assert {row.judge: row.calls for row in before.rows} == {"a": 2, "b": 1}
    assert all(len(row.day) == 10 and row.input_tokens > 0 and row.cost_usd > 0 for row in before.rows)
    restart(stack, kill=True)
    assert usage(client, experiment, *dimensions) == before
    bad = usage_service_pb2.QueryUsageRequest(from_day="yesterday")
    refused(client.usage.QueryUsage, bad, "INVALID_ARGUMENT", "INVALID_FIELD", "from_day")
