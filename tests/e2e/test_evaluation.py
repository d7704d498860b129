"""Evaluations: rows with outputs, traces or an application; judges and scorers; and users' servers that misbehave."""

import pytest
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import evaluation_service_pb2 as evaluation_service
from assay.trace.v1 import trace_service_pb2
from assay_client import call, from_json, request_id, to_json
from checks import create_judge, export_trace, guidelines_judge, pages, quality_judge, refused, unchanged, value_of, wait_for_end
from stack import ROOT, Process

PYTHON = "/usr/bin/python3"
SUCCEEDED = evaluation_service.EVALUATION_STATE_SUCCEEDED


def spec_of(*judges, **more):
    """A specification with registered judges (names) or scorers (Scorer messages)."""
    spec = evaluation_service.EvaluationSpec(**more)
    for judge in judges:
        if isinstance(judge, str):
            spec.judges.add(registered=judge)
        else:
            spec.scorers.append(judge)
    return spec


def rows_of(*pairs):
    rows = []
    for inputs, outputs in pairs:
        rows.append(evaluation_service.EvaluationRow(inputs=to_json(inputs)))
        if outputs is not None:
            rows[-1].outputs.CopyFrom(to_json(outputs))
    return rows


def start(client, experiment, spec, rows, **more):
    return call(
        client.evaluations.CreateEvaluation,
        evaluation_service.CreateEvaluationRequest(
            parent=experiment, spec=spec, rows=rows, **{"request_id": request_id(), **more}
        ),
    ).evaluation


def finish(client, evaluation, timeout=90):
    """Watches to the end; returns the evaluation and its rows."""
    watch = evaluation_service.WatchEvaluationRequest(name=evaluation.name)
    ended = wait_for_end(client.evaluations.WatchEvaluation(watch, timeout=timeout), "evaluation")
    got = call(client.evaluations.GetEvaluation, evaluation_service.GetEvaluationRequest(name=evaluation.name)).evaluation
    assert got.state == ended.state
    listing = evaluation_service.ListEvaluationRowsRequest(parent=evaluation.name, page_size=2)
    return got, list(pages(client.evaluations.ListEvaluationRows, listing, "rows"))


def run(client, experiment, spec, rows, **more):
    evaluation, results = finish(client, start(client, experiment, spec, rows, **more))
    assert evaluation.state == SUCCEEDED, evaluation
    assert [row.row for row in results] == list(range(len(results))) and all(row.done for row in results)
    progress = evaluation.progress
    assert progress.rows_done == progress.rows_total == len(results)
    outcomes = progress.judgements_value + progress.judgements_error + progress.judgements_abstained
    assert outcomes + progress.judgements_skipped == progress.judgements_total
    return evaluation, results


GOOD = {"response": "Thank you, sorry, happy to help, let me know"}
BAD = {"response": "No."}


def test_given_outputs_are_judged_logged_and_counted(client, experiment):
    judge = create_judge(client, experiment)
    rows = rows_of(*[({"issue": f"late {n}"}, GOOD if n % 2 else BAD) for n in range(6)])
    evaluation, results = run(client, experiment, spec_of(judge.name), rows, evaluation_id="first")
    assert evaluation.name == f"{experiment}/evaluations/first"
    assert evaluation.spec.judges[0].registered == f"{judge.name}/revisions/1"
    assert evaluation.metrics["quality/share/excellent"] == pytest.approx(0.5)
    assert evaluation.metrics["quality/share/poor"] == pytest.approx(0.5)
    counts = {"excellent": 3, "good": 0, "needs_improvement": 0, "poor": 3}
    assert dict(evaluation.summaries[0].category_counts) == counts
    assert evaluation.summaries[0].mean_rank == pytest.approx(2.5)
    for number, row in enumerate(results):
        [result] = row.results
        assert value_of(result.feedback) == ("excellent" if number % 2 else "poor")
        trace = call(client.traces.GetTrace, trace_service_pb2.GetTraceRequest(name=row.trace)).trace
        assert trace.evaluation == evaluation.name and from_json(trace.outputs) == (GOOD if number % 2 else BAD)
        logged = call(
            client.feedback.GetAssessment, feedback_service_pb2.GetAssessmentRequest(name=result.assessment)
        ).assessment
        assert logged.target.trace == row.trace and logged.evaluation == evaluation.name
        assert logged.source.kind == feedback_pb2.SOURCE_KIND_LLM_JUDGE


def test_traces_that_exist_are_judged_in_place(client, experiment):
    judge = create_judge(client, experiment)
    trace = export_trace(client, experiment, {"issue": "late"}, GOOD)
    rows = [evaluation_service.EvaluationRow(trace=trace)]
    _, [row] = run(client, experiment, spec_of(judge.name), rows)
    assert row.trace == trace and value_of(row.results[0].feedback) == "excellent"


def test_rows_may_follow(client, experiment):
    judge = create_judge(client, experiment)
    evaluation = start(client, experiment, spec_of(judge.name), rows_of(({"n": 0}, GOOD)), rows_open=True)
    append = evaluation_service.AppendEvaluationRowsRequest(name=evaluation.name, rows=rows_of(({"n": 1}, BAD)))
    append.last = True
    append.request_id = request_id()
    first = call(client.evaluations.AppendEvaluationRows, append)
    assert first.rows_total == 2 and call(client.evaluations.AppendEvaluationRows, append) == first
    ended, rows = finish(client, evaluation)
    assert ended.state == SUCCEEDED and len(rows) == 2
    append.request_id = request_id()
    with unchanged(client, experiment):
        refused(client.evaluations.AppendEvaluationRows, append, "FAILED_PRECONDITION", "ROWS_CLOSED")


def test_several_judges_and_the_mean_of_yes_and_no(client, experiment):
    spec = spec_of(create_judge(client, experiment).name)
    spec.judges.add(assessment_name="polite", definition=guidelines_judge("The response must be polite."))
    evaluation, [row] = run(client, experiment, spec, rows_of(({"issue": "x"}, GOOD)))
    assert {result.assessment_name for result in row.results} == {"quality", "polite"}
    assert evaluation.metrics["polite/mean"] in (0.0, 1.0)


def test_a_cancelled_evaluation_keeps_what_was_done(client, experiment, llm):
    llm.set_script({"faults": [{"fault": "hang", "contains": "never"}]})
    judge = create_judge(client, experiment)
    evaluation = start(client, experiment, spec_of(judge.name), rows_of(({"issue": "never"}, BAD)))
    cancelled = call(
        client.evaluations.CancelEvaluation, evaluation_service.CancelEvaluationRequest(name=evaluation.name)
    )
    assert cancelled.evaluation.name == evaluation.name
    ended, _ = finish(client, evaluation)
    assert ended.state == evaluation_service.EVALUATION_STATE_CANCELLED


def test_a_repeated_request_starts_no_second_evaluation(client, experiment):
    judge = create_judge(client, experiment)
    rid = request_id()
    first = start(client, experiment, spec_of(judge.name), rows_of(({"n": 0}, GOOD)), request_id=rid)
    again = start(client, experiment, spec_of(judge.name), rows_of(({"n": 0}, GOOD)), request_id=rid)
    assert first.name == again.name
    finish(client, first)
    request = evaluation_service.CreateEvaluationRequest(
        parent=experiment, spec=spec_of(judge.name), rows=rows_of(({"n": 1}, GOOD)), request_id=rid
    )
    with unchanged(client, experiment):
        refused(client.evaluations.CreateEvaluation, request, "INVALID_ARGUMENT", "REQUEST_ID_REUSED", field="request_id")


def test_an_unreachable_model_is_said_by_the_row_and_the_run_goes_on(client, experiment, llm):
    llm.set_script({"faults": [{"fault": "drop", "contains": "unreachable"}]})
    judge = create_judge(client, experiment)
    rows = rows_of(({"issue": "unreachable"}, GOOD), ({"issue": "fine"}, GOOD))
    evaluation, [broken, fine] = run(client, experiment, spec_of(judge.name), rows)
    assert broken.results[0].feedback.outcome == feedback_pb2.OUTCOME_ERROR
    assert broken.results[0].feedback.error.code == "MODEL_UNREACHABLE"
    assert value_of(fine.results[0].feedback) == "excellent"
    assert evaluation.progress.judgements_error == 1 and evaluation.progress.judgements_value == 1
    assert evaluation.metrics["quality/share/excellent"] == 1.0


def test_bad_specifications_are_refused(client, experiment):
    judge = create_judge(client, experiment)
    both = spec_of(judge.name, judge.name)
    elsewhere = spec_of(judge.name)
    elsewhere.predictor.address = "example.org:80"
    far_scorer = spec_of(evaluation_service.Scorer(scorer="s", address="10.0.0.1:80"))
    no_name = evaluation_service.EvaluationSpec()
    no_name.judges.add(definition=quality_judge())
    unknown_variable = evaluation_service.EvaluationSpec()
    unknown_variable.judges.add(definition=quality_judge(instructions="{{ nothing }}"), assessment_name="x")
    broken = rows_of(({"n": 0}, GOOD), ({"n": 1}, GOOD))
    broken[1].outputs.json_text = "{"
    fine = rows_of(({"n": 0}, GOOD))
    for spec, rows, code, reason, field in (
        (evaluation_service.EvaluationSpec(), fine, "INVALID_ARGUMENT", "INVALID_FIELD", "spec"),
        (both, fine, "INVALID_ARGUMENT", "INVALID_FIELD", "spec.judges[1]"),
        (no_name, fine, "INVALID_ARGUMENT", "INVALID_FIELD", "spec.judges[0].assessment_name"),
        (unknown_variable, fine, "INVALID_ARGUMENT", "UNKNOWN_TEMPLATE_VARIABLE", "spec.judges[0]"),
        (elsewhere, fine, "INVALID_ARGUMENT", None, "spec.predictor.address"),
        (far_scorer, fine, "INVALID_ARGUMENT", None, "spec.scorers[0].address"),
        (spec_of(judge.name), broken, "INVALID_ARGUMENT", "INVALID_JSON", "rows[1].outputs"),
        (spec_of(judge.name), [evaluation_service.EvaluationRow()], "INVALID_ARGUMENT", "INVALID_FIELD", "rows[0]"),
        (spec_of(judge.name + "@none"), fine, "NOT_FOUND", "UNKNOWN_ALIAS", None),
        (spec_of(judge.name + "@9"), fine, "NOT_FOUND", "UNKNOWN_REVISION", None),
        (spec_of(f"{experiment}/judges/none"), fine, "NOT_FOUND", "RESOURCE_NOT_FOUND", None),
    ):
        request = evaluation_service.CreateEvaluationRequest(parent=experiment, spec=spec, rows=rows)
        with unchanged(client, experiment):
            if reason is None:
                with pytest.raises(Exception) as caught:
                    call(client.evaluations.CreateEvaluation, request)
                failure = caught.value
                assert failure.code.name == code and failure.reason, failure
            else:
                failure = refused(client.evaluations.CreateEvaluation, request, code, reason)
        if field:
            assert any(name.startswith(field) for name in failure.fields), (field, failure.fields, failure)


# The example application and its scorers.


@pytest.fixture(scope="module")
def example(tmp_path_factory, shared_stack):
    """Addresses of the example's predictor and scorer."""
    directory = tmp_path_factory.mktemp("example")
    app = ROOT / "examples" / "support_app"
    addresses = shared_stack.addresses()
    commands = {
        "predictor": [PYTHON, app / "predictor_server.py", "--otlp", addresses["otlp"]],
        "scorer": [PYTHON, app / "scorer_server.py", "--judge_address", addresses["judge"]],
    }
    servers = {}
    try:
        for name, command in commands.items():
            servers[name] = Process(name, command, directory / name).start()
        yield {name: server.endpoints["grpc"] for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.stop()


MESSAGES = {"user_messages": [{"role": "user", "content": "I bought a microwave 2 months ago. Can I return it?"}], "user_id": 1}


def test_an_application_answers_and_its_spans_join_the_trace(client, experiment, example):
    judge = create_judge(client, experiment)
    spec = spec_of(judge.name)
    spec.predictor.address = example["predictor"]
    spec.predictor.trace_wait.FromSeconds(20)
    spec.predictor.parameters.CopyFrom(to_json({"rude_and_verbose": True}))
    _, [row] = run(client, experiment, spec, rows_of((MESSAGES, None)))
    assert from_json(row.outputs)["policies_followed"]
    get = trace_service_pb2.GetTraceRequest(name=row.trace, view=trace_service_pb2.TRACE_VIEW_FULL)
    trace = call(client.traces.GetTrace, get).trace
    names = {span.span_name for span in trace.spans}
    assert {"customer_support_agent", "get_policies_for_user", "write_response"} <= names
    assert from_json(trace.outputs) == from_json(row.outputs) and trace.state == 2


def test_scorers_ask_judges_and_give_one_or_several_feedbacks(client, experiment, example):
    spec = spec_of(
        evaluation_service.Scorer(scorer="follows_policies", address=example["scorer"]),
        evaluation_service.Scorer(scorer="check_guidelines", address=example["scorer"]),
    )
    spec.predictor.address = example["predictor"]
    evaluation, rows = run(client, experiment, spec, rows_of((MESSAGES, None), (MESSAGES, None)))
    names = {"follows_policies", "tone", "structure", "banned_topics", "relevance"}
    for row in rows:
        assert {result.assessment_name for result in row.results} == names
        assert all(result.source.kind == feedback_pb2.SOURCE_KIND_LLM_JUDGE for result in row.results)
        assert all(value_of(result.feedback) in ("yes", "no") for result in row.results)
    assert {f"{name}/mean" for name in names} <= set(evaluation.metrics)


def test_an_application_that_refuses_a_row_skips_its_judges(client, experiment, example):
    judge = create_judge(client, experiment)
    spec = spec_of(judge.name)
    spec.predictor.address = example["predictor"]
    evaluation, [bad, good] = run(client, experiment, spec, rows_of(({"nonsense": 1}, None), ({"issue": "late"}, None)))
    assert bad.predict_error.code == "PREDICTOR_FAILED" and "user_messages" in bad.predict_error.message
    assert bad.results[0].feedback.outcome == feedback_pb2.OUTCOME_SKIPPED
    assert value_of(good.results[0].feedback)
    assert evaluation.progress.rows_failed == 1 and evaluation.progress.judgements_skipped == 1


# Users' servers that misbehave.


@pytest.fixture
def hostile(tmp_path):
    server = Process("hostile", [PYTHON, ROOT / "tests" / "e2e" / "hostile_server.py"], tmp_path / "hostile").start()
    yield server
    server.stop()


def score_with(client, experiment, server, behaviour):
    """One row, scored by a scorer that misbehaves and by a judge beside it."""
    scorer = evaluation_service.Scorer(scorer=behaviour, address=server.endpoints["grpc"])
    scorer.timeout.FromSeconds(1)
    judge = create_judge(client, experiment)
    evaluation, [row] = run(client, experiment, spec_of(judge.name, scorer), rows_of(({"n": 1}, GOOD)))
    results = {result.assessment_name: result.feedback for result in row.results}
    # The judge beside it has its say in any case.
    assert value_of(results.pop("quality")) == "excellent"
    return evaluation, results


@pytest.mark.parametrize(
    "behaviour, code",
    [
        ("hang", "SCORER_TIMEOUT"),
        ("crash", "SCORER_UNREACHABLE"),
        ("raise", "SCORER_FAILED"),
        ("refuse", "SCORER_FAILED"),
        ("broken_json", "SCORER_INVALID_RESPONSE"),
        ("contradiction", "SCORER_INVALID_RESPONSE"),
        ("nothing", "SCORER_INVALID_RESPONSE"),
        ("human", "SCORER_INVALID_RESPONSE"),
        ("twice", "SCORER_INVALID_RESPONSE"),
        ("huge", "SCORER_INVALID_RESPONSE"),
        ("error", "NOT_MY_LANGUAGE"),
    ],
)
def test_a_scorer_that_misbehaves_gives_an_error_feedback(client, experiment, hostile, behaviour, code):
    evaluation, results = score_with(client, experiment, hostile, behaviour)
    assert results[behaviour].outcome == feedback_pb2.OUTCOME_ERROR
    assert results[behaviour].error.code == code and evaluation.progress.judgements_error == 1


def test_a_scorer_may_have_nothing_to_say(client, experiment, hostile):
    evaluation, _ = score_with(client, experiment, hostile, "none")
    assert evaluation.progress.judgements_error == 0


@pytest.mark.parametrize(
    "behaviour, code",
    [
        ("hang", "PREDICTOR_TIMEOUT"),
        ("crash", "PREDICTOR_UNREACHABLE"),
        ("raise", "PREDICTOR_FAILED"),
        ("broken_json", "PREDICTOR_INVALID_RESPONSE"),
        ("nothing", "PREDICTOR_INVALID_RESPONSE"),
        ("huge", "PREDICTOR_INVALID_RESPONSE"),
    ],
)
def test_a_predictor_that_misbehaves_fails_its_row(client, experiment, hostile, behaviour, code):
    spec = spec_of(create_judge(client, experiment).name)
    spec.predictor.address = hostile.endpoints["grpc"]
    spec.predictor.timeout.FromSeconds(1)
    spec.parallelism = 1
    rows = rows_of(({"behaviour": "fine"}, None), ({"behaviour": behaviour}, None))
    evaluation, [good, bad] = run(client, experiment, spec, rows)
    assert value_of(good.results[0].feedback)
    assert bad.predict_error.code == code and bad.predict_error.message
    assert bad.results[0].feedback.outcome == feedback_pb2.OUTCOME_SKIPPED
    assert evaluation.progress.rows_failed == 1
