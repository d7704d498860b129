"""Waits for the traces that the judge service writes of its own calls: they are sent in batches."""

import time

import grpc
from assay.trace.v1 import trace_service_pb2


def wait_for(client, name, seconds=20):
    """The trace with its spans, as soon as it has arrived."""
    request = trace_service_pb2.GetTraceRequest(name=name, view=trace_service_pb2.TRACE_VIEW_FULL)
    deadline = time.monotonic() + seconds
    while True:
        try:
            return client.traces.GetTrace(request, timeout=30).trace
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
