"""A thin layer over Assay's generated Python clients: channels, errors one can read, retries, OTLP spans.

The generated code is made on the first import, and again when a contract has changed; see `generate` beside this file.
"""

import json
import pathlib
import random
import secrets
import subprocess
import sys
import time
import uuid

import grpc

_GENERATED = subprocess.run(
    [str(pathlib.Path(__file__).resolve().parent / "generate")], check=True, stdout=subprocess.PIPE, text=True
).stdout.strip()
sys.path.insert(0, _GENERATED)

# The imports below come from there.
# pylint: disable=wrong-import-position
from google.protobuf import struct_pb2  # noqa: F401,E402  (registers the well-known type)
from google.rpc import error_details_pb2, status_pb2  # noqa: E402

from assay.alignment.v1 import alignment_service_pb2_grpc  # noqa: E402
from assay.common.v1 import value_pb2  # noqa: E402
from assay.feedback.v1 import feedback_service_pb2_grpc  # noqa: E402
from assay.judge.v1 import evaluation_service_pb2_grpc, judge_service_pb2_grpc, usage_service_pb2_grpc  # noqa: E402
from assay.registry.v1 import experiment_service_pb2_grpc, judge_registry_service_pb2_grpc  # noqa: E402
from assay.trace.v1 import session_service_pb2_grpc, trace_service_pb2_grpc  # noqa: E402
from assay_health import health_pb2, health_pb2_grpc  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp_service_pb2  # noqa: E402
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_service_pb2_grpc  # noqa: E402

DEFAULT_ADDRESSES = {
    "registry": "127.0.0.1:7401",
    "trace": "127.0.0.1:7402",
    "otlp": "127.0.0.1:4317",
    "judge": "127.0.0.1:7403",
    "feedback": "127.0.0.1:7404",
    "alignment": "127.0.0.1:7405",
}

CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    # A service that was restarted is found again at once.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    # After a failed connection the address is resolved anew first, by default at most every 30 s.
    ("grpc.dns_min_time_between_resolutions_ms", 100),
]

_DETAILS = {
    "type.googleapis.com/google.rpc." + name: getattr(error_details_pb2, name)
    for name in ("ErrorInfo", "BadRequest", "RetryInfo", "ResourceInfo", "PreconditionFailure", "QuotaFailure")
}


class AssayError(Exception):
    """A gRPC error with its details: code, reason, message, metadata, fields, retry_after (seconds or None)."""

    def __init__(self, code, message, reason="", fields=None):
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = {}
        self.fields = fields or {}
        self.retry_after = None
        super().__init__(code, message)

    def __str__(self):
        return f"{self.code.name} {self.reason}: {self.message}"

    @classmethod
    def from_rpc(cls, error):
        """Of a grpc.RpcError."""
        failure = cls(error.code(), error.details())
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                failure._read(status_pb2.Status.FromString(value))
        return failure

    @classmethod
    def from_stream(cls, error):
        """Of a RequestError of JudgeStream or JudgeBatch."""
        codes = {code.value[0]: code for code in grpc.StatusCode}
        fields = {error.field: error.message} if error.field else {}
        return cls(codes.get(error.code, grpc.StatusCode.UNKNOWN), error.message, error.reason, fields)

    def _read(self, status):
        for packed in status.details:
            detail = _DETAILS.get(packed.type_url, lambda: None)()
            if detail is None or not packed.Unpack(detail):
                continue
            if isinstance(detail, error_details_pb2.ErrorInfo):
                self.reason = detail.reason
                self.metadata = dict(detail.metadata)
            elif isinstance(detail, error_details_pb2.BadRequest):
                self.fields = {v.field: v.description for v in detail.field_violations}
            elif isinstance(detail, error_details_pb2.RetryInfo):
                self.retry_after = detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9


def call(method, request, timeout=60.0, attempts=1, metadata=None):
    """Calls a generated method; errors come as AssayError.

    With attempts > 1, UNAVAILABLE is tried again with backoff: only for reads, and for writes with a request_id.
    """
    for attempt in range(1, attempts + 1):
        try:
            return method(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            failure = AssayError.from_rpc(error)
            if failure.code != grpc.StatusCode.UNAVAILABLE or attempt == attempts:
                raise failure from None
            time.sleep(retry_delay(attempt, failure))
    raise AssertionError("unreachable")


def retry_delay(attempt, failure=None):
    """Seconds to wait before the next attempt: doubling up to 2 s, with jitter, and never less than the server asks."""
    backoff = min(0.05 * 2**attempt, 2.0) * random.uniform(0.5, 1.0)
    return max(backoff, (failure.retry_after if failure else None) or 0.0)


class Assay:
    """Stubs of every service over one channel each."""

    def __init__(self, addresses=None):
        self.addresses = {**DEFAULT_ADDRESSES, **(addresses or {})}
        self.channels = {name: self._channel(address) for name, address in self.addresses.items()}
        self.experiments = experiment_service_pb2_grpc.ExperimentServiceStub(self.channels["registry"])
        self.judges = judge_registry_service_pb2_grpc.JudgeRegistryServiceStub(self.channels["registry"])
        self.traces = trace_service_pb2_grpc.TraceServiceStub(self.channels["trace"])
        self.sessions = session_service_pb2_grpc.SessionServiceStub(self.channels["trace"])
        self.otlp = otlp_service_pb2_grpc.TraceServiceStub(self.channels["otlp"])
        self.judge = judge_service_pb2_grpc.JudgeServiceStub(self.channels["judge"])
        self.models = judge_service_pb2_grpc.ModelServiceStub(self.channels["judge"])
        self.evaluations = evaluation_service_pb2_grpc.EvaluationServiceStub(self.channels["judge"])
        self.usage = usage_service_pb2_grpc.UsageServiceStub(self.channels["judge"])
        self.feedback = feedback_service_pb2_grpc.FeedbackServiceStub(self.channels["feedback"])
        self.alignments = alignment_service_pb2_grpc.AlignmentServiceStub(self.channels["alignment"])

    @staticmethod
    def _channel(address):
        return grpc.insecure_channel(address, options=CHANNEL_OPTIONS)

    def close(self):
        for channel in self.channels.values():
            channel.close()


def otlp_stub(address):
    """The OTLP exporter's stub alone, for applications that know no other service."""
    return otlp_service_pb2_grpc.TraceServiceStub(grpc.insecure_channel(address, options=CHANNEL_OPTIONS))


def is_serving(channel, service="", timeout=2.0):
    """Whether a server reports SERVING; `service` is a full service name or "" for the whole."""
    try:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout)
        return answer.status == health_pb2.HealthCheckResponse.SERVING
    except grpc.RpcError:
        return False


def to_json(value):
    """A Python value as a JsonValue."""
    return value_pb2.JsonValue(json_text=json.dumps(value, ensure_ascii=False))


def from_json(value):
    """A JsonValue as a Python value; None if it is not set."""
    return json.loads(value.json_text) if value.json_text else None


def request_id():
    """A fresh request id."""
    return str(uuid.uuid4())


def new_trace_id():
    return secrets.token_hex(16)


def new_span_id():
    return secrets.token_hex(8)


def _attribute(target, key, value):
    attribute = target.add(key=key)
    if isinstance(value, bool):
        attribute.value.bool_value = value
    elif isinstance(value, int):
        attribute.value.int_value = value
    elif isinstance(value, float):
        attribute.value.double_value = value
    else:
        attribute.value.string_value = str(value)


def export_request(experiment, spans, resource=None):
    """An OTLP export request of spans: dicts with trace_id, and optionally span_id, parent_span_id, name, start_ns, end_ns,
    inputs, outputs (Python values), attributes, error."""
    request = otlp_service_pb2.ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in {"service.name": "support-app", "assay.experiment": experiment, **(resource or {})}.items():
        _attribute(group.resource.attributes, key, value)
    scope = group.scope_spans.add()
    now = time.time_ns()
    for each in spans:
        span = scope.spans.add(
            trace_id=bytes.fromhex(each["trace_id"]),
            span_id=bytes.fromhex(each.get("span_id") or new_span_id()),
            parent_span_id=bytes.fromhex(each.get("parent_span_id", "")),
            name=each.get("name", "customer_support_app"),
            start_time_unix_nano=each.get("start_ns", now),
            end_time_unix_nano=each.get("end_ns", now + 1_000_000),
        )
        for key in ("inputs", "outputs"):
            if key in each:
                _attribute(span.attributes, "assay." + key, json.dumps(each[key], ensure_ascii=False))
        for key, value in each.get("attributes", {}).items():
            _attribute(span.attributes, key, value)
        if each.get("error"):
            span.status.code = 2
            span.status.message = each["error"]
    return request
