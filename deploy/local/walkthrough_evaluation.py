"""Evaluations: started once, watched to the end, read back."""

import grpc

import assay_client
from assay.judge.v1 import evaluation_service_pb2 as evaluation_pb2

_OVER = {
    evaluation_pb2.EVALUATION_STATE_SUCCEEDED,
    evaluation_pb2.EVALUATION_STATE_CANCELLED,
    evaluation_pb2.EVALUATION_STATE_FAILED,
}


def is_over(evaluation):
    """Whether nothing of it is left to do."""
    return evaluation.state in _OVER


def find_evaluation(session, evaluation_id):
    """The evaluation, or None."""
    request = evaluation_pb2.GetEvaluationRequest(name=f"{session.parent}/evaluations/{evaluation_id}")
    try:
        return session.call(session.assay.evaluations.GetEvaluation, request).evaluation
    except assay_client.AssayError as failure:
        if failure.code != grpc.StatusCode.NOT_FOUND:
            raise
        return None


def run_evaluation(session, evaluation_id, spec, rows, title):
    """Starts the evaluation unless it is there from an earlier run; waits for its end. Returns it and its rows."""
    name = f"{session.parent}/evaluations/{evaluation_id}"
    if find_evaluation(session, evaluation_id) is None:
        request = evaluation_pb2.CreateEvaluationRequest(
            parent=session.parent,
            evaluation_id=evaluation_id,
            spec=spec,
            rows=rows,
            request_id=session.request_id(f"evaluation/{evaluation_id}"),
        )
        session.call(session.assay.evaluations.CreateEvaluation, request)
    session.acknowledged("evaluation", name)
    with session.progress(f"evaluate/{evaluation_id}", title, 1) as advance:
        stream = session.watch(
            lambda: session.assay.evaluations.WatchEvaluation(
                evaluation_pb2.WatchEvaluationRequest(name=name), timeout=600
            ),
            lambda message: is_over(message.evaluation),
        )
        for message in stream:
            progress = message.evaluation.progress
            done = (
                progress.judgements_value
                + progress.judgements_error
                + progress.judgements_abstained
                + progress.judgements_skipped
            )
            total = max(progress.judgements_total, 1)
            advance(total if is_over(message.evaluation) else done, total)
    evaluation = find_evaluation(session, evaluation_id)
    if evaluation.state != evaluation_pb2.EVALUATION_STATE_SUCCEEDED:
        raise RuntimeError(f"{name} did not succeed: {evaluation.error.code}: {evaluation.error.message}")
    return evaluation, list(_rows(session, name))


def _rows(session, name):
    request = evaluation_pb2.ListEvaluationRowsRequest(parent=name, page_size=200)
    while True:
        page = session.call(session.assay.evaluations.ListEvaluationRows, request)
        for row in page.rows:
            for result in row.results:
                if result.assessment:
                    session.acknowledged("assessment", result.assessment)
            yield row
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
