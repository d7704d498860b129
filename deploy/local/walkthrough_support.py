"""The first half: the support_quality judge from its first draft to production."""

import collections

import grpc

import assay_client
from assay_client import from_json, to_json
from assay.alignment.v1 import alignment_service_pb2 as alignment_pb2
from assay.common.v1 import feedback_pb2
from assay.feedback.v1 import feedback_service_pb2
from assay.judge.v1 import evaluation_service_pb2, judge_service_pb2
from assay.registry.v1 import experiment_service_pb2, judge_pb2, judge_registry_service_pb2
from assay.trace.v1 import trace_service_pb2

import walkthrough_tables as tables
from walkthrough_evaluation import run_evaluation
from walkthrough_session import load_jsonl

JUDGE = "support_quality"

INSTRUCTIONS = """\
Evaluate the quality of this customer support response.

Rate it as one of: excellent, good, needs_improvement, poor.

Consider:
- Does it deal with the customer's issue?
- Is its tone professional and empathetic?
- Are the next steps clear?

Judge {{ outputs }} as the answer to {{ inputs }}.
"""

FEW_LABELS = 4
SPANS_A_BATCH = 25
LABELS_A_BATCH = 20


class SupportJudge:
    """The steps, in order; each may be repeated."""

    def __init__(self, session, conversations):
        self._session = session
        self._assay = session.assay
        rows = load_jsonl("support_conversations.jsonl")
        self._learning = rows[:conversations]
        # What the judge has not learned from: the last conversations, and cases made for this.
        self._testing = [
            {"id": row["id"], "issue": row["issue"], "response": row["response"], "label": people_say(row)}
            for row in rows[100:]
        ] + load_jsonl("new_cases.jsonl")
        self._judge_name = f"{session.parent}/judges/{JUDGE}"
        self._verdicts = {}
        self._start_ns = 0

    def run(self):
        self.create()
        self.export_traces()
        self.judge_traces()
        self.collect_labels()
        self.find_labelled_traces()
        alignment = self.align()
        self.test(alignment)
        self.register(alignment)
        self.evaluate()

    # 1. The judge.

    def create(self):
        session = self._session
        session.headline("1. An experiment, and the first draft of a judge")
        experiment = self._create_experiment()
        self._start_ns = experiment.create_time.ToNanoseconds()
        judge = self._create_judge()
        session.console.print(f"  experiment  {experiment.name}")
        session.console.print(f"  judge       {judge.name}, revision 1, asks {session.model}")
        session.console.print("  verdicts    " + " > ".join(map(tables.value_text, tables.CATEGORIES)))

    def _create_experiment(self):
        session = self._session
        request = experiment_service_pb2.CreateExperimentRequest(
            experiment_id=session.experiment_id, request_id=session.request_id("experiment")
        )
        request.experiment.display_name = "Support judge development"
        name = session.parent
        try:
            experiment = session.call(self._assay.experiments.CreateExperiment, request).experiment
        except assay_client.AssayError as failure:
            if failure.code != grpc.StatusCode.ALREADY_EXISTS:
                raise
            # Made by somebody else, or more than a day ago.
            get = experiment_service_pb2.GetExperimentRequest(name=name)
            experiment = session.call(self._assay.experiments.GetExperiment, get).experiment
        session.acknowledged("experiment", name)
        return experiment

    def _create_judge(self):
        session = self._session
        definition = judge_pb2.JudgeDefinition(model=session.model, description="Quality of support answers")
        definition.instructions.instructions = INSTRUCTIONS
        definition.value_type.category_type.categories.extend(tables.CATEGORIES)
        definition.value_type.category_type.ordered = True
        request = judge_registry_service_pb2.CreateJudgeRequest(
            parent=session.parent, judge_id=JUDGE, definition=definition, request_id=session.request_id("judge")
        )
        try:
            judge = session.call(self._assay.judges.CreateJudge, request).judge
        except assay_client.AssayError as failure:
            if failure.code != grpc.StatusCode.ALREADY_EXISTS:
                raise
            get = judge_registry_service_pb2.GetJudgeRequest(name=self._judge_name)
            judge = session.call(self._assay.judges.GetJudge, get).judge
        session.acknowledged("revision", f"{self._judge_name}/revisions/1")
        return judge

    # 2. Traces, verdicts, labels.

    def export_traces(self):
        session = self._session
        session.headline("2. The application's traces, the judge's verdicts, people's labels")
        with session.progress("export", "export traces (OTLP)", len(self._learning)) as advance:
            for begin in range(0, len(self._learning), SPANS_A_BATCH):
                batch = self._learning[begin : begin + SPANS_A_BATCH]
                spans = [span for i, row in enumerate(batch, begin) for span in self._spans(i, row)]
                answer = session.call(
                    self._assay.otlp.Export, assay_client.export_request(session.experiment_id, spans)
                )
                if answer.partial_success.rejected_spans:
                    raise RuntimeError(f"spans were rejected: {answer.partial_success.error_message}")
                for row in batch:
                    session.acknowledged("trace", session.trace(row["id"]))
                advance(begin + len(batch))

    def _spans(self, index, row):
        """A trace of two spans; always the same for the same experiment, so that exporting again adds nothing."""
        start = self._start_ns + index * 1_000_000
        trace_id = self._session.trace_id(row["id"])
        root_id, child_id = trace_id[:16], trace_id[16:]
        outputs = {"response": row["response"]}
        root = {
            "trace_id": trace_id, "span_id": root_id, "name": "customer_support_app", "start_ns": start,
            "end_ns": start + 800_000, "inputs": {"issue": row["issue"]}, "outputs": outputs,
            "attributes": {"topic": row["topic"], "conversation": row["id"]},
        }  # fmt: skip
        child = {
            "trace_id": trace_id, "span_id": child_id, "parent_span_id": root_id, "name": "write_response",
            "start_ns": start + 100_000, "end_ns": start + 700_000, "inputs": {"topic": row["topic"]},
            "outputs": outputs,
        }  # fmt: skip
        return root, child

    def judge_traces(self):
        session = self._session
        requests = {
            row["id"]: judge_service_pb2.JudgeRequest(
                parent=session.parent,
                registered=f"{self._judge_name}/revisions/1",
                trace=session.trace(row["id"]),
                log_assessment=True,
                request_id=session.request_id(f"judge/{row['id']}"),
            )
            for row in self._learning
        }
        answers = {}
        with session.progress("judge", "judge them, log the verdicts", len(requests)) as advance:

            def keep(key, response):
                answers[key] = response
                session.acknowledged("assessment", response.assessment)
                advance(len(answers))

            session.judge(requests, keep)
        self._verdicts = {key: tables.verdict_of(answer.feedback, from_json) for key, answer in answers.items()}
        tables.print_verdicts(
            session.console,
            "Some verdicts",
            [
                (row["issue"], people_say(row), self._verdicts[row["id"]], answers[row["id"]].feedback.rationale)
                for row in self._learning[:6]
            ],
        )
        session.report["verdicts"] = dict(collections.Counter(map(str, self._verdicts.values())))

    def collect_labels(self):
        session = self._session
        labels = [(row, rating) for row in self._learning for rating in row["ratings"]]
        # The first traces' labels alone, to see an alignment refused.
        few = sum(len(row["ratings"]) for row in self._learning[:FEW_LABELS])
        batches = [labels[:few]] + [labels[i : i + LABELS_A_BATCH] for i in range(few, len(labels), LABELS_A_BATCH)]
        already = self._labelled_count()
        done = 0
        token = ""
        with session.progress("label", "log people's labels", len(labels)) as advance:
            for number, batch in enumerate(batches):
                token = self._log_labels(number, batch)
                done += len(batch)
                advance(done)
                if number == 0:
                    self._show_refusal(already)
        self._show_search(token)

    def _log_labels(self, number, batch):
        session = self._session
        request = feedback_service_pb2.BatchCreateAssessmentsRequest(
            parent=session.parent, request_id=session.request_id(f"labels/{number}")
        )
        for row, rating in batch:
            assessment = request.assessments.add(assessment_name=JUDGE)
            assessment.target.trace = session.trace(row["id"])
            assessment.source.kind = feedback_pb2.SOURCE_KIND_HUMAN
            assessment.source.id = rating["annotator"]
            assessment.feedback.value.CopyFrom(to_json(rating["value"]))
            assessment.feedback.rationale = rating["rationale"]
        answer = session.call(self._assay.feedback.BatchCreateAssessments, request)
        for assessment in answer.assessments:
            session.acknowledged("assessment", assessment.name)
        return answer.read_token

    def _labelled_count(self):
        return sum(1 for _ in self._assessed_traces([feedback_pb2.SOURCE_KIND_HUMAN]))

    def _show_refusal(self, already):
        """With few labels an alignment is refused. In a run that goes on, the others are there already."""
        session = self._session
        if already > FEW_LABELS:
            return
        try:
            session.call(
                self._assay.alignments.CreateAlignment,
                alignment_pb2.CreateAlignmentRequest(
                    parent=session.parent, alignment_id="too-early", judge=f"{self._judge_name}/revisions/1"
                ),
            )
        except assay_client.AssayError as failure:
            if failure.reason != "TOO_FEW_LABELS":
                raise
            session.report["refusal"] = {"reason": failure.reason, "message": failure.message}
            session.console.print(
                f"  align with the labels of {FEW_LABELS} traces?  [red]{failure.reason}[/]: "
                + tables.short(failure.message, 230)
            )
            return
        raise RuntimeError(f"an alignment on {FEW_LABELS} labelled traces was not refused")

    def _show_search(self, token):
        session = self._session
        query = f'feedback.{JUDGE} = "poor" AND feedback.{JUDGE}.source = HUMAN'
        request = trace_service_pb2.SearchTracesRequest(
            parent=session.parent, filter=query, page_size=1000, read_token=token
        )
        found = session.call(self._assay.traces.SearchTraces, request).traces
        session.report["people_say_poor"] = len(found)
        session.console.print(f"  traces with  {tables.short(query, 100)}:  {len(found)}")

    # 3. Alignment.

    def _assessed_traces(self, kinds):
        session = self._session
        request = feedback_service_pb2.ListAssessedTracesRequest(
            parent=session.parent, assessment_name=JUDGE, source_kinds=kinds, page_size=200
        )
        while True:
            page = session.call(self._assay.feedback.ListAssessedTraces, request)
            yield from page.traces
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def find_labelled_traces(self):
        session = self._session
        session.headline("3. Align the judge with people")
        both = list(
            self._assessed_traces([feedback_pb2.SOURCE_KIND_HUMAN, feedback_pb2.SOURCE_KIND_LLM_JUDGE])
        )
        session.report["traces_with_both"] = len(both)
        session.console.print(f"  traces that both a judge and a person have assessed: {len(both)}")
        tables.print_confusion(
            session.console, [(people_say(row), self._verdicts[row["id"]]) for row in self._learning]
        )

    def align(self):
        session = self._session
        name = f"{session.parent}/alignments/first"
        request = alignment_pb2.CreateAlignmentRequest(
            parent=session.parent,
            alignment_id="first",
            judge=f"{self._judge_name}/revisions/1",
            request_id=session.request_id("alignment"),
        )
        try:
            alignment = session.call(self._assay.alignments.CreateAlignment, request).alignment
        except assay_client.AssayError as failure:
            if failure.code != grpc.StatusCode.ALREADY_EXISTS:
                raise
        session.acknowledged("alignment", name)
        alignment = self._watch_alignment(name)
        if alignment.state != alignment_pb2.ALIGNMENT_STATE_SUCCEEDED:
            raise RuntimeError(f"the alignment failed: {alignment.error.code}: {alignment.error.message}")
        labelled = alignment.labelled_set
        session.console.print(
            f"  {labelled.labelled_count} labelled traces ({labelled.label_count} labels), {labelled.skipped_count} left out"
        )
        tables.print_guidelines(session.console, alignment.report)
        tables.print_agreement(session.console, alignment.report)
        session.report["alignment"] = _alignment_figures(alignment)
        return alignment

    def _watch_alignment(self, name):
        session = self._session
        over = {
            alignment_pb2.ALIGNMENT_STATE_SUCCEEDED,
            alignment_pb2.ALIGNMENT_STATE_FAILED,
            alignment_pb2.ALIGNMENT_STATE_CANCELLED,
        }
        titles = {
            alignment_pb2.ALIGNMENT_STAGE_BASELINE: "align: the judge as it is",
            alignment_pb2.ALIGNMENT_STAGE_DISTILL: "align: distil guidelines",
            alignment_pb2.ALIGNMENT_STAGE_ACCEPT: "align: try each guideline",
            alignment_pb2.ALIGNMENT_STAGE_MEASURE: "align: measure, held out",
        }
        with session.progress("align", "align", 1) as advance:
            stream = session.watch(
                lambda: self._assay.alignments.WatchAlignment(
                    alignment_pb2.WatchAlignmentRequest(name=name), timeout=600
                ),
                lambda message: message.alignment.state in over,
            )
            for message in stream:
                now = message.alignment
                if now.state not in over and now.stage in titles:
                    advance(now.steps_done, max(now.steps_total, 1), titles[now.stage])
            advance(1, 1, "align: report")
        return session.call(
            self._assay.alignments.GetAlignment, alignment_pb2.GetAlignmentRequest(name=name)
        ).alignment

    # 4. Test and register.

    def test(self, alignment):
        session = self._session
        session.headline("4. Test the aligned judge on cases that it has not seen, and register it")
        requests = {}
        for variant in ("before", "after"):
            for case in self._testing:
                request = judge_service_pb2.JudgeRequest(
                    parent=session.parent,
                    inputs=to_json({"issue": case["issue"]}),
                    outputs=to_json({"response": case["response"]}),
                    request_id=session.request_id(f"test-{variant}/{case['id']}"),
                )
                if variant == "before":
                    request.registered = f"{self._judge_name}/revisions/1"
                else:
                    request.definition.CopyFrom(alignment.candidate)
                    request.assessment_name = JUDGE
                requests[f"{variant}/{case['id']}"] = request
        answers = {}
        with session.progress("test", "judge new cases, twice", len(requests)) as advance:

            def keep(key, response):
                answers[key] = response.feedback
                advance(len(answers))

            session.judge(requests, keep)
        self._print_test(answers)

    def _print_test(self, answers):
        session = self._session
        verdict = {key: tables.verdict_of(feedback, from_json) for key, feedback in answers.items()}
        grid = tables.table("New cases", "case", "issue", "people", "before", "after", "the aligned judge's reasons")
        agreed = collections.Counter()
        for case in self._testing:
            before, after = (verdict[f"{variant}/{case['id']}"] for variant in ("before", "after"))
            agreed["before"] += before == case["label"]
            agreed["after"] += after == case["label"]
            if case["id"].startswith("new-"):
                reasons = answers[f"after/{case['id']}"].rationale
                values = map(tables.value_text, (case["label"], before, after))
                grid.add_row(case["id"], tables.short(case["issue"], 30), *values, tables.short(reasons, 45))
        session.console.print(grid)
        count = len(self._testing)
        session.console.print(
            f"  same verdict as people on {count} new cases: {agreed['before']} before, {agreed['after']} after"
        )
        session.report["test"] = {"cases": count, **agreed}

    def register(self, alignment):
        """The aligned judge becomes `production` on evidence of a gain; without it, only by an explicit word."""
        session = self._session
        request = alignment_pb2.RegisterAlignmentRequest(
            name=alignment.name, alias="production", request_id=session.request_id("register")
        )
        try:
            revision = session.call(self._assay.alignments.RegisterAlignment, request).revision
        except assay_client.AssayError as failure:
            if failure.reason != "NO_EVIDENCE_OF_GAIN":
                raise
            revision = self._register_without_evidence(alignment, failure)
        session.acknowledged("revision", revision.name)
        alias = judge_registry_service_pb2.GetJudgeRequest(name=self._judge_name)
        production = session.call(self._assay.judges.GetJudge, alias).judge.aliases["production"]
        session.acknowledged("alias", f"{self._judge_name}@production={production}")
        session.console.print(
            f"  registered as {revision.name}; [bold]production[/] is revision {production}"
        )
        session.report["registered"] = {"revision": revision.name, "production": production}

    def _register_without_evidence(self, alignment, failure):
        session = self._session
        session.console.print(f"  alias production?  [red]{failure.reason}[/]: " + tables.short(failure.message, 300))
        harm = alignment.report.conclusion == alignment_pb2.CONCLUSION_HARM
        request = alignment_pb2.RegisterAlignmentRequest(
            name=alignment.name,
            alias="" if harm else "production",
            force_alias=not harm,
            request_id=session.request_id("register-forced"),
        )
        revision = session.call(self._assay.alignments.RegisterAlignment, request).revision
        if harm:
            session.console.print("  The judge as it was goes to production instead.")
            alias = judge_registry_service_pb2.SetJudgeAliasRequest(
                name=self._judge_name, alias="production", revision=1, request_id=session.request_id("alias")
            )
            session.call(self._assay.judges.SetJudgeAlias, alias)
        else:
            session.console.print("  The walkthrough says force_alias, to have something to go on with.")
        return revision

    # 5. Production.

    def evaluate(self):
        session = self._session
        session.headline("5. Use the judge in production: fetch it by alias, evaluate answers")
        name = f"{self._judge_name}@production"
        revision = session.call(
            self._assay.judges.GetJudgeRevision, judge_registry_service_pb2.GetJudgeRevisionRequest(name=name)
        ).revision
        memory = revision.definition.memory
        session.console.print(
            f"  production is revision {revision.revision}: {len(memory.guidelines)} guidelines and {len(memory.examples)} examples learned"
        )
        spec = evaluation_service_pb2.EvaluationSpec()
        spec.judges.add(registered=name)
        rows = [
            evaluation_service_pb2.EvaluationRow(
                inputs=to_json({"issue": case["issue"]}), outputs=to_json({"response": case["response"]})
            )
            for case in self._testing
        ]
        evaluation, _ = run_evaluation(session, "production", spec, rows, "evaluate given answers")
        tables.print_metrics(session.console, evaluation, "Metrics of the evaluation")
        session.console.print(f"  {evaluation.name}")
        session.report["evaluation"] = dict(evaluation.metrics)


def people_say(row):
    """The commonest rating; of equally common ones, the worst."""
    counts = collections.Counter(rating["value"] for rating in row["ratings"])
    return max(counts, key=lambda value: (counts[value], tables.CATEGORIES.index(value)))


def _alignment_figures(alignment):
    def figures(estimate):
        return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "count": estimate.count}

    report = alignment.report
    return {
        "name": alignment.name,
        "labelled": alignment.labelled_set.labelled_count,
        "conclusion": alignment_pb2.Conclusion.Name(report.conclusion).removeprefix("CONCLUSION_"),
        "in_words": tables.conclusion_in_words(report),
        "before": figures(report.before.agreement),
        "after": figures(report.after.agreement),
        "kappa_before": figures(report.before.kappa),
        "kappa_after": figures(report.after.kappa),
        "difference": figures(report.difference),
        "guidelines": [trial.text for trial in report.guidelines if trial.accepted],
        "warnings": list(report.warnings),
    }


