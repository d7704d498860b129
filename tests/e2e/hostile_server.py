#!/usr/bin/python3
"""Scorers and predictors that misbehave, for the tests of those who call them. What they do is the scorer's name, or the
`behaviour` among the predictor's inputs."""

import os
import pathlib
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "support_app"))

import serving  # noqa: E402

import assay_client  # noqa: E402
import grpc  # noqa: E402
from assay.common.v1 import feedback_pb2  # noqa: E402
from assay.judge.v1 import user_services_pb2, user_services_pb2_grpc  # noqa: E402


def misbehave(behaviour, context):
    """The ways to give no answer."""
    if behaviour == "hang":
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait()
    elif behaviour == "crash":
        os._exit(17)
    elif behaviour == "raise":
        raise RuntimeError("a bug in the user's code")
    elif behaviour == "refuse":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not like this")


class Scorer(user_services_pb2_grpc.ScorerServiceServicer):
    def Score(self, request, context):
        behaviour = request.scorer
        misbehave(behaviour, context)
        answer = user_services_pb2.ScoreResponse()
        if behaviour == "none":
            return answer
        feedback = answer.feedbacks.add().feedback
        if behaviour == "numbers":
            feedback.value.json_text = "0.5"
        elif behaviour == "texts":
            feedback.value.json_text = '"fine"'
        elif behaviour == "broken_json":
            feedback.value.json_text = "{broken"
        elif behaviour == "contradiction":
            feedback.value.json_text = "1"
            feedback.outcome = feedback_pb2.OUTCOME_ERROR
        elif behaviour == "nothing":
            pass
        elif behaviour == "human":
            feedback.value.json_text = "1"
            answer.feedbacks[0].source.kind = feedback_pb2.SOURCE_KIND_HUMAN
        elif behaviour == "twice":
            feedback.value.json_text = "1"
            answer.feedbacks.add().CopyFrom(answer.feedbacks[0])
        elif behaviour == "error":
            feedback.error.code = "NOT_MY_LANGUAGE"
        elif behaviour == "huge":
            feedback.value.json_text = '"' + "x" * (8 << 20) + '"'
        else:
            feedback.value.json_text = "true"
        return answer


class Predictor(user_services_pb2_grpc.PredictorServiceServicer):
    def Predict(self, request, context):
        behaviour = assay_client.from_json(request.inputs)["behaviour"]
        misbehave(behaviour, context)
        answer = user_services_pb2.PredictResponse()
        if behaviour == "broken_json":
            answer.outputs.json_text = "{broken"
        elif behaviour == "huge":
            answer.outputs.json_text = '"' + "x" * (8 << 20) + '"'
        elif behaviour != "nothing":
            answer.outputs.json_text = '"Thank you, happy to help"'
        return answer


def main():
    args = serving.parser(__doc__.splitlines()[0]).parse_args()

    def add(server):
        user_services_pb2_grpc.add_ScorerServiceServicer_to_server(Scorer(), server)
        user_services_pb2_grpc.add_PredictorServiceServicer_to_server(Predictor(), server)

    return serving.serve("hostile", args, add)


if __name__ == "__main__":
    sys.exit(main())
