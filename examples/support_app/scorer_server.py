#!/usr/bin/python3
"""Two custom scorers as a ScorerService, each around a guidelines judge that it asks through JudgeService.

follows_policies   one feedback: whether the answer keeps to the policies that the application says it followed
check_guidelines   four feedbacks: tone, structure, banned_topics, relevance
"""

import concurrent.futures
import hashlib
import json
import sys

import serving
from serving import BadArgument

import assay_client  # noqa: E402  (serving puts it on the path)
import grpc  # noqa: E402
from assay.common.v1 import feedback_pb2  # noqa: E402
from assay.judge.v1 import judge_service_pb2, judge_service_pb2_grpc  # noqa: E402
from assay.judge.v1 import user_services_pb2, user_services_pb2_grpc  # noqa: E402

CONVERSATIONS = serving.ROOT / "tests" / "testdata" / "guideline_conversations.json"

# What each guideline of check_guidelines looks at.
CONTEXTS = {
    "tone": ("response",),
    "structure": ("response",),
    "banned_topics": ("request", "response"),
    "relevance": ("request", "response"),
}

# Nested calls carry how deep they are, whose budget pays and until when: what came with these names is passed on.
NESTING = "assay-"


class Scorers(user_services_pb2_grpc.ScorerServiceServicer):
    def __init__(self, judge, guidelines, model):
        self._judge = judge
        self._guidelines = guidelines
        self._model = model
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=16)

    @serving.abort_on_bad_argument
    def Score(self, request, context):
        facts = _facts(assay_client.from_json(request.inputs), assay_client.from_json(request.outputs))
        ask = lambda name, keys: self._ask(request, context, name, {key: facts[key] for key in keys})  # noqa: E731
        if request.scorer == "follows_policies":
            feedbacks = [ask("follows_policies", ("provided_policies", "request", "response"))]
        elif request.scorer == "check_guidelines":
            feedbacks = list(self._pool.map(lambda item: ask(*item), CONTEXTS.items()))
        else:
            raise BadArgument(f"scorer: there is no {request.scorer!r}; there are follows_policies, check_guidelines")
        return user_services_pb2.ScoreResponse(feedbacks=feedbacks)

    def _ask(self, request, context, name, facts):
        """One guideline, judged over free context."""
        judge_request = judge_service_pb2.JudgeRequest(parent=request.parent, assessment_name=name)
        judge_request.definition.guidelines.guidelines.append(self._guidelines[name])
        judge_request.definition.model = self._model
        for key, value in facts.items():
            judge_request.context[key].CopyFrom(assay_client.to_json(value))
        # An evaluation that goes on after a crash asks again: the answer is there, and no model is paid twice.
        body = hashlib.sha256(judge_request.SerializeToString(deterministic=True)).hexdigest()[:16]
        judge_request.request_id = f"{request.trace.rpartition('/')[2]}-{name}-{body}"
        try:
            answer = assay_client.call(
                self._judge.Judge,
                judge_request,
                timeout=max(0.1, (context.time_remaining() or 60.0) - 0.5),
                attempts=3,
                metadata=[(key, value) for key, value in context.invocation_metadata() if key.startswith(NESTING)],
            )
        except assay_client.AssayError as error:
            # One guideline that cannot be judged is no reason to lose the others.
            failed = feedback_pb2.Feedback(
                error=feedback_pb2.FeedbackError(code=error.reason or error.code.name, message=error.message)
            )
            return user_services_pb2.ScorerFeedback(assessment_name=name, feedback=failed)
        return user_services_pb2.ScorerFeedback(assessment_name=name, feedback=answer.feedback, source=answer.source)


def _facts(inputs, outputs):
    """What the guidelines speak of, by the names that they use."""
    if not isinstance(inputs, dict) or "user_messages" not in inputs:
        raise BadArgument("inputs: needs user_messages")
    if not isinstance(outputs, dict) or not {"message", "policies_followed"} <= outputs.keys():
        raise BadArgument("outputs: needs message and policies_followed")
    return {
        "request": json.dumps(inputs["user_messages"], ensure_ascii=False),
        "response": outputs["message"],
        "provided_policies": outputs["policies_followed"],
    }


def main():
    flags = serving.parser(__doc__.splitlines()[0])
    flags.add_argument("--judge_address", default=assay_client.DEFAULT_ADDRESSES["judge"], help="the judge service")
    flags.add_argument("--model", default="", help="the model as a URI; the judge service's default if empty")
    args = flags.parse_args()
    guidelines = json.loads(CONVERSATIONS.read_text(encoding="utf-8"))["guidelines"]
    with grpc.insecure_channel(args.judge_address, options=assay_client.CHANNEL_OPTIONS) as channel:
        scorers = Scorers(judge_service_pb2_grpc.JudgeServiceStub(channel), guidelines, args.model)
        return serving.serve(
            "scorer",
            args,
            lambda server: user_services_pb2_grpc.add_ScorerServiceServicer_to_server(scorers, server),
        )


if __name__ == "__main__":
    sys.exit(main())
