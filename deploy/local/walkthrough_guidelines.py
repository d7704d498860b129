"""The second half: guidelines and custom scorers over a live application, polite and rude."""

import json

from assay_client import from_json, to_json
from assay.judge.v1 import evaluation_service_pb2 as evaluation_pb2
from assay.trace.v1 import trace_service_pb2

import walkthrough_tables as tables
from walkthrough_evaluation import find_evaluation, is_over, run_evaluation
from walkthrough_session import load_json

GUIDELINES = ("tone", "structure", "banned_topics", "relevance")
SCORED = ("follows_policies", *GUIDELINES)
VARIANTS = ("polite", "rude")


class Guidelines:
    def __init__(self, session):
        self._session = session
        self._data = load_json("guideline_conversations.json")
        self._predictor = ""
        self._scorer = ""

    def run(self):
        self._start_servers()
        self._judge_guidelines()
        self._run_scorers()

    def _start_servers(self):
        """The application and the scorers, as servers of their own."""
        session = self._session
        session.headline("6. Guidelines over a live application")
        self._predictor = session.start_example(
            "predictor_server.py",
            self._expected_at(("guidelines", "scorers"), lambda spec: spec.predictor.address),
            "--otlp",
            session.assay.addresses["otlp"],
            "--experiment",
            session.experiment_id,
        )
        self._scorer = session.start_example(
            "scorer_server.py",
            self._expected_at(("scorers",), lambda spec: spec.scorers[0].address),
            "--judge_address",
            session.assay.addresses["judge"],
            "--model",
            session.model,
        )
        session.console.print(f"  the application answers on {self._predictor}, its scorers on {self._scorer}")

    def _expected_at(self, evaluations, address_of):
        """Where a server has to come back: evaluations that an earlier run left unfinished know its address. Else anywhere,
        as the port may have become another's."""
        for name in (f"{kind}-{variant}" for kind in evaluations for variant in VARIANTS):
            known = find_evaluation(self._session, name)
            if known and not is_over(known):
                return address_of(known.spec)
        return "127.0.0.1:0"

    def _spec(self, parameters):
        spec = evaluation_pb2.EvaluationSpec()
        spec.predictor.address = self._predictor
        # The application exports spans of its own.
        spec.predictor.trace_wait.FromSeconds(5)
        spec.predictor.parameters.CopyFrom(to_json(parameters))
        return spec

    def _judge_guidelines(self):
        session = self._session
        rows = [evaluation_pb2.EvaluationRow(inputs=to_json(row["inputs"])) for row in self._data["messages_rows"]]
        results = {}
        for variant in VARIANTS:
            spec = self._spec({"rude_and_verbose": variant == "rude"})
            for name in GUIDELINES:
                judge = spec.judges.add(assessment_name=name)
                judge.definition.guidelines.guidelines.append(self._data["guidelines"][name])
                judge.definition.model = session.model
            results[variant] = run_evaluation(
                session, f"guidelines-{variant}", spec, rows, f"four guidelines, {variant}"
            )
        self._print_answers({variant: found for variant, (_, found) in results.items()})
        self._compare("guidelines", "Guidelines judges: share of answers that pass", GUIDELINES, results)
        self._show_trace(results["polite"][1])

    def _run_scorers(self):
        session = self._session
        session.headline("7. Custom scorers: follows_policies, and check_guidelines with four feedbacks")
        rows = [evaluation_pb2.EvaluationRow(inputs=to_json(row["inputs"])) for row in self._data["user_rows"]]
        results = {}
        for variant in VARIANTS:
            polite = variant == "polite"
            spec = self._spec({"rude_and_verbose": not polite, "follow_policies": polite})
            for scorer in ("follows_policies", "check_guidelines"):
                spec.scorers.add(scorer=scorer, address=self._scorer)
            title = "polite, follows its policies" if polite else "rude, ignores its policies"
            results[variant] = run_evaluation(session, f"scorers-{variant}", spec, rows, title)
        self._print_scores(results)
        self._compare("scorers", "Scorers: share of answers that pass", SCORED, results)

    def _compare(self, key, title, names, results):
        session = self._session
        means = {
            variant: {name: evaluation.metrics.get(f"{name}/mean") for name in names}
            for variant, (evaluation, _) in results.items()
        }
        tables.print_comparison(session.console, title, names, means["polite"], means["rude"])
        differ = [name for name in names if means["polite"][name] != means["rude"][name]]
        if differ:
            session.console.print(f"  [bold]The two variants differ[/] in {', '.join(differ)}.")
        else:
            session.console.print("  [yellow]This model sees no difference between the two variants.[/]")
        session.report[key] = {**means, "differ": differ}

    def _print_answers(self, rows):
        grid = tables.table("What the application said", "asked", "polite", "rude")
        for polite, rude in zip(rows["polite"], rows["rude"]):
            asked = from_json(polite.inputs)["messages"][-1]["content"]
            grid.add_row(tables.short(asked, 30), *(tables.short(_answer(row), 60) for row in (polite, rude)))
        self._session.console.print(grid)

    def _print_scores(self, results):
        grid = tables.table("Feedback by row", "asked", "user", "variant", *SCORED)
        for polite, rude in zip(results["polite"][1], results["rude"][1]):
            for variant, row in (("polite", polite), ("rude", rude)):
                inputs = from_json(row.inputs)
                verdicts = {r.assessment_name: tables.verdict_of(r.feedback, from_json) for r in row.results}
                asked = inputs["user_messages"][-1]["content"] if variant == "polite" else ""
                cells = (tables.value_text(verdicts.get(name)) for name in SCORED)
                grid.add_row(tables.short(asked, 36), str(inputs["user_id"]), variant, *cells)
        self._session.console.print(grid)

    def _show_trace(self, rows):
        """The application's own spans are in the evaluation's trace."""
        session = self._session
        request = trace_service_pb2.GetTraceRequest(name=rows[0].trace, view=trace_service_pb2.TRACE_VIEW_FULL)
        trace = session.call(session.assay.traces.GetTrace, request).trace
        names = [span.span_name for span in trace.spans]
        session.console.print(f"  {trace.name} holds the spans {', '.join(names)}")
        session.report["evaluation_trace"] = {"name": trace.name, "spans": names, "answer": _answer(rows[0])}


def _answer(row):
    if row.HasField("predict_error"):
        return f"({row.predict_error.code})"
    outputs = from_json(row.outputs)
    if "choices" in outputs:
        return outputs["choices"][0]["message"]["content"]
    return outputs.get("message") or json.dumps(outputs)
