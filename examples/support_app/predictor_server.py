#!/usr/bin/python3
"""The support application as a PredictorService, for evaluations to call.

Inputs, one of:
  {"issue": "..."}                          answers {"response": "..."}
  {"messages": [...]}                       answers a chat completion, as a model's API would
  {"user_messages": [...], "user_id": 1}    answers {"message": "...", "policies_followed": [...]}
Parameters: {"rude_and_verbose": bool, "follow_policies": bool}.

With --otlp it exports its own spans under the trace id that came with the call, so that they become the row's trace.
"""

import hashlib
import sys
import time

import serving
from serving import BadArgument

import assay_client  # noqa: E402  (serving puts it on the path)
import responder  # noqa: E402
from assay.judge.v1 import user_services_pb2, user_services_pb2_grpc  # noqa: E402


class Recorder:
    """Collects the spans of one call."""

    def __init__(self, trace_id, parent_span_id):
        self._trace_id = trace_id
        self._root_id = self._span_id("")
        self._parent_span_id = parent_span_id
        self._start = time.time_ns()
        self.spans = []

    def _span_id(self, name):
        """Always the same for the same call: an evaluation that was interrupted may ask again."""
        return hashlib.sha256(f"{self._trace_id}/{name}".encode()).hexdigest()[:16]

    def child(self, name, inputs, function):
        """Runs a step of the application as a span below the root."""
        start = time.time_ns()
        outputs = function()
        self._add(name, self._span_id(name), self._root_id, start, inputs, outputs)
        return outputs

    def finish(self, inputs, outputs):
        self._add("customer_support_agent", self._root_id, self._parent_span_id, self._start, inputs, outputs)

    def _add(self, name, span_id, parent, start, inputs, outputs):
        self.spans.append(
            {
                "trace_id": self._trace_id,
                "span_id": span_id,
                "parent_span_id": parent,
                "name": name,
                "start_ns": start,
                "end_ns": time.time_ns(),
                "inputs": inputs,
                "outputs": outputs,
            }
        )


def answer(inputs, parameters, recorder):
    """The application: outputs for inputs."""
    rude = parameters.get("rude_and_verbose", False)
    if not isinstance(inputs, dict):
        raise BadArgument("inputs: must be a JSON object")
    try:
        if "issue" in inputs:
            return recorder.child(
                "write_response", inputs, lambda: responder.customer_support_app(inputs["issue"])
            )
        if "messages" in inputs:
            text = recorder.child(
                "write_response", inputs, lambda: responder.respond(inputs["messages"], None, rude)
            )
            return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
        if "user_messages" in inputs and "user_id" in inputs:
            return _answer_user(inputs, parameters.get("follow_policies", False), rude, recorder)
    except ValueError as error:
        raise BadArgument(f"inputs.{error}") from None
    raise BadArgument("inputs: needs issue, or messages, or user_messages and user_id")


def _answer_user(inputs, follow, rude, recorder):
    user = inputs["user_id"]
    policies = recorder.child("get_policies_for_user", {"user_id": user}, lambda: responder.policies_for_user(user))
    text = recorder.child(
        "write_response",
        {"messages": inputs["user_messages"], "policies": policies if follow else []},
        lambda: responder.respond(inputs["user_messages"], policies if follow else None, rude),
    )
    return {"message": text, "policies_followed": policies}


def _parent_of(context, trace_id):
    """The caller's span, from the W3C traceparent; "" if it names another trace or none."""
    for key, value in context.invocation_metadata():
        parts = value.split("-") if key == "traceparent" else ()
        if len(parts) == 4 and parts[1] == trace_id and len(parts[2]) == 16:
            return parts[2]
    return ""


class Predictor(user_services_pb2_grpc.PredictorServiceServicer):
    def __init__(self, otlp, experiment):
        self._export = assay_client.otlp_stub(otlp).Export if otlp else None
        self._experiment = experiment

    @serving.abort_on_bad_argument
    def Predict(self, request, context):
        inputs = assay_client.from_json(request.inputs)
        parameters = assay_client.from_json(request.parameters) or {}
        recorder = Recorder(request.trace_id, _parent_of(context, request.trace_id))
        outputs = answer(inputs, parameters, recorder)
        recorder.finish(inputs, outputs)
        if self._export:
            # The evaluation has bound the trace's id to its experiment, which wins over what the spans say.
            assay_client.call(
                self._export, assay_client.export_request(self._experiment, recorder.spans), timeout=10, attempts=6
            )
        return user_services_pb2.PredictResponse(outputs=assay_client.to_json(outputs))


def main():
    flags = serving.parser(__doc__.splitlines()[0])
    flags.add_argument("--otlp", default="", help="where to export spans to, host:port; none by default")
    flags.add_argument("--experiment", default="default", help="the experiment of spans that no evaluation has bound")
    args = flags.parse_args()
    return serving.serve(
        "predictor",
        args,
        lambda server: user_services_pb2_grpc.add_PredictorServiceServicer_to_server(
            Predictor(args.otlp, args.experiment), server
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
