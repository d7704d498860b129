"""Judges made of several verdicts, comparisons, checks by code, and how sure judges say they are."""

import json
import math

import pytest
from assay.common.v1 import feedback_pb2, value_pb2
from assay.judge.v1 import evaluation_service_pb2 as evaluation_service
from assay.judge.v1 import judge_service_pb2 as judge_service
from assay.registry.v1 import judge_pb2
from assay_client import call, from_json, request_id, to_json
from checks import create_judge, guidelines_judge, pages, quality_judge, refused, unchanged, value_of, wait_for_end

OFFLINE = "offline:/lexical"
Panel = judge_pb2.PanelJudge
KIND = "Thank you for asking, I am sorry! I am happy to help: it arrives on Monday at 9. Let me know."
RUDE = "go away"


def yes_no(model=OFFLINE, confidence=None, **more):
    """Instructions with a bool."""
    definition = judge_pb2.JudgeDefinition(model=model, value_type=value_pb2.ValueType(bool_type=value_pb2.BoolType()))
    definition.instructions.instructions = "Does {{ outputs }} help with {{ inputs }}?"
    if confidence:
        definition.confidence.method = confidence
        definition.confidence.samples = more.get("samples", 0)
    return definition


def panel(aggregation, *members, **more):
    definition = judge_pb2.JudgeDefinition()
    definition.panel.aggregation = aggregation
    definition.panel.quorum = more.get("quorum", 0)
    for member in members:
        definition.panel.members.add().judge.CopyFrom(member)
    return definition


def code(**check):
    return judge_pb2.JudgeDefinition(code=judge_pb2.CodeJudge(**check))


def ask(experiment, definition, outputs=KIND, expectations=None, **more):
    request = judge_service.JudgeRequest(parent=experiment, definition=definition, **more)
    request.inputs.CopyFrom(to_json({"question": "When does my parcel arrive?"}))
    request.outputs.CopyFrom(to_json(outputs))
    if expectations is not None:
        request.expectations.CopyFrom(to_json(expectations))
    return request


def says(llm, **answer):
    """Makes the model answer with exactly that."""
    llm.set_script({"canned_content": json.dumps({"rationale": "because", **answer})})


# Panels.


def test_a_panel_puts_its_members_values_together(client, experiment):
    definition = panel(Panel.AGGREGATION_MAJORITY, yes_no(), yes_no(), code(contains={"texts": ["go away"]}))
    definition.panel.members[2].label = "rudeness"
    definition.panel.members[0].weight = 2
    answer = call(client.judge.Judge, ask(experiment, definition))
    feedback = answer.feedback
    assert value_of(feedback) is True and feedback.confidence.method == feedback_pb2.CONFIDENCE_METHOD_VOTE_SHARE
    assert math.isclose(feedback.confidence.value, 0.75) and feedback.confidence.samples == 3
    assert [part.part for part in feedback.parts] == [f"members[0] {OFFLINE}", f"members[1] {OFFLINE}", "rudeness"]
    assert [part.weight for part in feedback.parts] == [2, 1, 1] and feedback.parts[0].model == OFFLINE
    assert "rudeness: false" in feedback.rationale
    assert answer.source.kind == feedback_pb2.SOURCE_KIND_LLM_JUDGE and answer.source.id == "panel"
    assert feedback.provenance.usage.model_calls == 2 and feedback.provenance.model == OFFLINE


@pytest.mark.parametrize(
    "aggregation, value",
    [(Panel.AGGREGATION_MEAN, 0.5), (Panel.AGGREGATION_ALL, False), (Panel.AGGREGATION_ANY, True)],
)
def test_other_aggregations(client, experiment, aggregation, value):
    definition = panel(aggregation, code(contains={"texts": ["Monday"]}), code(contains={"texts": ["Friday"]}))
    answer = call(client.judge.Judge, ask(experiment, definition))
    assert value_of(answer.feedback) == value and not answer.feedback.HasField("confidence")
    assert answer.source.kind == feedback_pb2.SOURCE_KIND_CODE


def test_the_worst_of_an_ordered_category(client, experiment):
    definition = panel(Panel.AGGREGATION_MIN, quality_judge(OFFLINE), quality_judge(OFFLINE))
    worst = value_of(call(client.judge.Judge, ask(experiment, definition, RUDE)).feedback)
    assert worst == value_of(call(client.judge.Judge, ask(experiment, quality_judge(OFFLINE), RUDE)).feedback)


def test_a_panel_without_its_quorum_is_an_error(client, experiment, llm):
    llm.set_script({"faults": [{"fault": "status", "status": 400}]})
    definition = panel(Panel.AGGREGATION_ANY, yes_no("endpoints:/local"), yes_no())
    feedback = call(client.judge.Judge, ask(experiment, definition)).feedback
    assert feedback.outcome == feedback_pb2.OUTCOME_ERROR and feedback.error.code == "PANEL_INCOMPLETE"
    assert feedback.parts[0].error.code == "MODEL_REFUSED" and from_json(feedback.parts[1].value) is True
    definition.panel.quorum = 1
    assert value_of(call(client.judge.Judge, ask(experiment, definition)).feedback) is True


def test_members_that_ask_the_same_are_asked_each(client, experiment, llm):
    definition = panel(Panel.AGGREGATION_ANY, *[yes_no("endpoints:/local") for _ in range(3)])
    feedback = call(client.judge.Judge, ask(experiment, definition)).feedback
    assert llm.stats()["requests"] == 3 and feedback.provenance.usage.model_calls == 3


def test_registered_panels_keep_their_members(client, experiment):
    judge = create_judge(client, experiment, "jury", panel(Panel.AGGREGATION_ALL, yes_no(), guidelines_judge("Be polite.", model=OFFLINE)))
    request = ask(experiment, None)
    request.registered = judge.name
    answer = call(client.judge.Judge, request)
    assert value_of(answer.feedback) in (True, False) and answer.assessment_name == "jury"
    assert answer.feedback.provenance.judge_revision == f"{judge.name}/revisions/1"


def test_what_does_not_fit_together_is_refused(client, experiment, llm):
    nested = yes_no()
    for _ in range(4):
        nested = panel(Panel.AGGREGATION_ALL, yes_no(), nested)
    remembers = panel(Panel.AGGREGATION_ALL, yes_no(), yes_no())
    remembers.memory.guidelines.add(text="Be strict.")
    unsure = judge_pb2.JudgeDefinition()
    unsure.cascade.stages.add().judge.CopyFrom(yes_no())
    unsure.cascade.stages.add().judge.CopyFrom(yes_no())
    sure_code = code(exact={})
    sure_code.confidence.method = feedback_pb2.CONFIDENCE_METHOD_STATED
    for definition, reason, field in (
        (panel(Panel.AGGREGATION_MEAN, yes_no(), quality_judge()), "INVALID_PANEL", "definition.panel.members[1]"),
        (panel(Panel.AGGREGATION_ALL, yes_no()), "INVALID_FIELD", "definition.panel.members"),
        (nested, "JUDGES_NESTED_TOO_DEEP", None),
        (remembers, "INVALID_FIELD", "definition.memory"),
        (unsure, "INVALID_CASCADE", "definition.cascade.stages[0].judge.confidence"),
        (sure_code, "INVALID_CONFIDENCE", "definition.confidence"),
        (code(regex={"pattern": "("}), "INVALID_REGEX", "definition.code.regex.pattern"),
        (code(json_schema={"schema": '{"typ": 1}'}), "INVALID_JSON_SCHEMA", "definition.code.json_schema.schema"),
    ):
        with unchanged(client, experiment):
            refused(client.judge.Judge, ask(experiment, definition), "INVALID_ARGUMENT", reason, field=field)
    assert llm.stats()["requests"] == 0


# Cascades.


def cascade(first, last, least_confidence=0.8):
    definition = judge_pb2.JudgeDefinition()
    definition.cascade.stages.add(least_confidence=least_confidence).judge.CopyFrom(first)
    definition.cascade.stages.add().judge.CopyFrom(last)
    return definition


def test_a_cascade_ends_where_a_judge_is_sure(client, experiment, llm):
    cheap = yes_no("endpoints:/local", feedback_pb2.CONFIDENCE_METHOD_STATED)
    definition = cascade(cheap, code(contains={"texts": ["Monday"]}))
    says(llm, result=False, confidence=0.95)
    answer = call(client.judge.Judge, ask(experiment, definition))
    assert value_of(answer.feedback) is False and len(answer.feedback.parts) == 1
    assert answer.metadata["stage"] == "1" and answer.source.id == "cascade"
    assert math.isclose(answer.feedback.confidence.value, 0.95)
    says(llm, result=False, confidence=0.4)
    answer = call(client.judge.Judge, ask(experiment, definition, bypass_cache=True))
    assert value_of(answer.feedback) is True and len(answer.feedback.parts) == 2
    assert answer.metadata["stage"] == "2" and "0.40" in answer.feedback.rationale


def test_a_stage_that_fails_escalates(client, experiment, llm):
    llm.set_script({"faults": [{"fault": "status", "status": 400}]})
    cheap = yes_no("endpoints:/local", feedback_pb2.CONFIDENCE_METHOD_STATED)
    feedback = call(client.judge.Judge, ask(experiment, cascade(cheap, yes_no()))).feedback
    assert value_of(feedback) is True and feedback.parts[0].error.code == "MODEL_REFUSED"


# Comparisons.


def pairwise(model=OFFLINE, **more):
    return judge_pb2.JudgeDefinition(model=model, pairwise=judge_pb2.PairwiseJudge(**more))


def test_the_better_of_two_answers(client, experiment):
    request = ask(experiment, pairwise(), KIND, compared_outputs=to_json(RUDE))
    answer = call(client.judge.Judge, request)
    assert value_of(answer.feedback) == "first" and len(answer.feedback.parts) == 2
    assert answer.feedback.provenance.usage.model_calls == 2 and "conflict" not in answer.metadata
    swapped = ask(experiment, pairwise(), RUDE, compared_outputs=to_json(KIND))
    assert value_of(call(client.judge.Judge, swapped).feedback) == "second"
    same = ask(experiment, pairwise(), KIND, compared_outputs=to_json(KIND))
    assert value_of(call(client.judge.Judge, same).feedback) == "tie"


def test_a_model_that_likes_a_place_makes_a_conflict(client, experiment, llm):
    says(llm, result="answer_a")
    answer = call(client.judge.Judge, ask(experiment, pairwise("endpoints:/local"), KIND, compared_outputs=to_json(RUDE)))
    assert value_of(answer.feedback) == "tie" and answer.metadata["conflict"] == "true"
    assert sorted(from_json(part.value) for part in answer.feedback.parts) == ["first", "second"]
    assert llm.stats()["requests"] == 2


def test_one_order_is_half_the_price(client, experiment, llm):
    says(llm, result="answer_a")
    definition = pairwise("endpoints:/local", single_order=True)
    answer = call(client.judge.Judge, ask(experiment, definition, KIND, compared_outputs=to_json(RUDE)))
    assert value_of(answer.feedback) in ("first", "second") and llm.stats()["requests"] == 1


def test_the_second_answer_by_its_path(client, experiment):
    definition = pairwise(second="expectations.baseline")
    answer = call(client.judge.Judge, ask(experiment, definition, KIND, expectations={"baseline": RUDE}))
    assert value_of(answer.feedback) == "first"
    refused(client.judge.Judge, ask(experiment, definition, KIND), "INVALID_ARGUMENT", "MISSING_JUDGE_INPUT")
    refused(client.judge.Judge, ask(experiment, pairwise(), KIND), "INVALID_ARGUMENT", "MISSING_JUDGE_INPUT", field="compared_outputs")


# Checks by code.


@pytest.mark.parametrize(
    "check, outputs, expected, value",
    [
        ({"exact": {"ignore_case": True}}, "paris", "Paris", True),
        ({"exact": {}}, {"choices": [{"message": {"role": "assistant", "content": "Paris"}}]}, "Paris", True),
        ({"contains": {}}, "It is Paris.", ["Paris", "France"], False),
        ({"regex": {"pattern": "^P"}}, "Paris", None, True),
        ({"json_schema": {"schema": '{"required": ["city"]}'}}, '{"city": "Paris"}', None, True),
        ({"json_schema": {"schema": '{"required": ["city"]}'}}, '{"town": "Paris"}', None, False),
        ({"json_schema": {"schema": '{"required": ["city"]}'}}, "Paris", None, False),
        ({"numeric": {"absolute_tolerance": 0.5}}, "42.4", 42, True),
        ({"edit_distance": {}}, "cart", "cat", 0.75),
        ({"edit_distance": {"threshold": 0.8}}, "cart", "cat", False),
        ({"embedding": {}}, "Paris", "Paris", 1),
    ],
)
def test_checks_ask_no_model(client, experiment, llm, check, outputs, expected, value):
    expectations = None if expected is None else {"expected_response": expected}
    answer = call(client.judge.Judge, ask(experiment, code(**check), outputs, expectations))
    assert value_of(answer.feedback) == value and answer.feedback.rationale
    assert answer.source.kind == feedback_pb2.SOURCE_KIND_CODE and answer.source.id == next(iter(check))
    assert not answer.feedback.provenance.model and llm.stats()["requests"] == 0


def test_checks_need_what_they_compare(client, experiment):
    for definition, expectations, reason in (
        (code(exact={}), None, "MISSING_JUDGE_INPUT"),
        (code(exact={}, actual="outputs.message"), {"expected_response": "x"}, "MISSING_JUDGE_INPUT"),
        (code(numeric={}), {"expected_response": "many"}, "INVALID_JUDGE_INPUT"),
        (code(contains={}), {"expected_response": {}}, "INVALID_JUDGE_INPUT"),
    ):
        refused(client.judge.Judge, ask(experiment, definition, "x", expectations), "INVALID_ARGUMENT", reason)


# Confidence.


def test_a_stated_confidence(client, experiment, llm):
    definition = yes_no("endpoints:/local", feedback_pb2.CONFIDENCE_METHOD_STATED)
    says(llm, result=True, confidence=0.7)
    feedback = call(client.judge.Judge, ask(experiment, definition)).feedback
    assert math.isclose(feedback.confidence.value, 0.7)
    assert feedback.confidence.method == feedback_pb2.CONFIDENCE_METHOD_STATED
    llm.clear_log()
    says(llm, result=True)
    feedback = call(client.judge.Judge, ask(experiment, definition, bypass_cache=True)).feedback
    assert feedback.error.code == "ANSWER_UNREADABLE" and "confidence" in feedback.error.message
    assert feedback.provenance.repaired and llm.stats()["requests"] == 2


def test_a_vote_share(client, experiment, llm):
    definition = yes_no("endpoints:/local", feedback_pb2.CONFIDENCE_METHOD_VOTE_SHARE, samples=4)
    llm.set_script({"sequence": [{"fault": "status", "status": 400}]})
    feedback = call(client.judge.Judge, ask(experiment, definition)).feedback
    assert value_of(feedback) is True and math.isclose(feedback.confidence.value, 0.75)
    assert feedback.confidence.samples == 4 and len(feedback.parts) == 4
    assert llm.stats()["requests"] == 4


@pytest.mark.parametrize("method", [feedback_pb2.CONFIDENCE_METHOD_STATED, feedback_pb2.CONFIDENCE_METHOD_VOTE_SHARE])
def test_the_stand_in_says_how_sure_it_is(client, experiment, method):
    for definition in (yes_no(confidence=method), guidelines_judge("Be polite.", model=OFFLINE), pairwise()):
        definition.confidence.method = method
        feedback = call(client.judge.Judge, ask(experiment, definition, compared_outputs=to_json(RUDE))).feedback
        assert feedback.HasField("value") and 0 <= feedback.confidence.value <= 1
        assert feedback.confidence.method == method


def test_token_probabilities_are_refused_where_there_are_none(client, experiment):
    definition = yes_no(OFFLINE, feedback_pb2.CONFIDENCE_METHOD_TOKEN_PROBABILITY)
    refused(client.judge.Judge, ask(experiment, definition), "FAILED_PRECONDITION", "TOKEN_PROBABILITIES_UNSUPPORTED")


def test_token_probabilities(client, experiment, llm):
    def token(text, probability=1.0, *others):
        listed = [(text, probability), *others]
        return {
            "token": text,
            "logprob": math.log(probability),
            "top_logprobs": [{"token": other, "logprob": math.log(p)} for other, p in listed],
        }

    tokens = [token('{"rationale":"r","result":'), token(" true", 0.6, (" false", 0.2), (" maybe", 0.2)), token("}")]
    text = "".join(each["token"] for each in tokens)
    body = {
        "model": "canned",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop", "logprobs": {"content": tokens}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    llm.set_script({"canned_body": json.dumps(body)})
    definition = yes_no("endpoints:/local", feedback_pb2.CONFIDENCE_METHOD_TOKEN_PROBABILITY)
    feedback = call(client.judge.Judge, ask(experiment, definition)).feedback
    assert value_of(feedback) is True and math.isclose(feedback.confidence.value, 0.75, rel_tol=1e-6)
    assert feedback.confidence.method == feedback_pb2.CONFIDENCE_METHOD_TOKEN_PROBABILITY


def test_votes_do_not_answer_repeated_requests_anew(client, experiment, llm):
    definition = yes_no("endpoints:/local", feedback_pb2.CONFIDENCE_METHOD_VOTE_SHARE, samples=3)
    request = ask(experiment, definition, request_id=request_id())
    assert call(client.judge.Judge, request) == call(client.judge.Judge, request)
    assert llm.stats()["requests"] == 3


def test_evaluations_compare_with_the_rows_baseline(client, experiment):
    judge = create_judge(client, experiment, "better", pairwise(second="expectations.baseline"))
    spec = evaluation_service.EvaluationSpec()
    spec.judges.add(registered=judge.name)
    rows = []
    for outputs, baseline in ((KIND, RUDE), (RUDE, KIND), (KIND, None)):
        row = evaluation_service.EvaluationRow(inputs=to_json({"question": "When?"}), outputs=to_json(outputs))
        if baseline is not None:
            row.expectations.CopyFrom(to_json({"baseline": baseline}))
        rows.append(row)
    evaluation = call(
        client.evaluations.CreateEvaluation,
        evaluation_service.CreateEvaluationRequest(parent=experiment, spec=spec, rows=rows, request_id=request_id()),
    ).evaluation
    watch = evaluation_service.WatchEvaluationRequest(name=evaluation.name)
    wait_for_end(client.evaluations.WatchEvaluation(watch, timeout=90), "evaluation")
    listing = evaluation_service.ListEvaluationRowsRequest(parent=evaluation.name)
    results = [row.results[0] for row in pages(client.evaluations.ListEvaluationRows, listing, "rows")]
    assert [value_of(result.feedback) for result in results[:2]] == ["first", "second"]
    assert len(results[0].feedback.parts) == 2
    assert results[2].feedback.error.code == "MISSING_JUDGE_INPUT"
