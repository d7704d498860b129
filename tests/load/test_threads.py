"""No thread per call: what waits for a model holds none."""

import os
import subprocess

import measuring
import pytest
import scenarios
from stack import FakeLlm

IN_FLIGHT = 2000
# Pools of gRPC that start small and grow with the load of the machine, up to a few for each core.
GRPC_POOLS = ("default-executo", "grpc_global_tim")
GRPC_THREADS = 4 * os.cpu_count()


@pytest.fixture
def llm(tmp_path):
    server = FakeLlm(tmp_path / "llm", scenarios.SCRIPT).start()
    yield server
    server.stop()


@pytest.fixture
def judge(tmp_path, llm):
    trace = scenarios.start_trace(tmp_path)
    service = scenarios.start_judge(tmp_path, llm, trace)
    yield service
    assert service.stop() == 0, service.log_tail()
    trace.stop()


def load(judge, in_flight, seconds):
    """JudgeStream with so many judgements in flight, as arguments of the generator."""
    return {
        "workload": "judge_stream",
        "address": judge.endpoints["grpc"],
        "streams": 4,
        "in_flight": in_flight,
        "seconds": seconds,
    }


def threads(pid):
    """The threads by name, without those of gRPC's pools; and how many those are."""
    names = measuring.threads_by_name(pid)
    return names, sum(names.pop(pool, 0) for pool in GRPC_POOLS)


@pytest.mark.parametrize("latency_ms", (scenarios.MODEL_LATENCY_MS, 1000))
def test_judgements_in_flight_take_no_threads(judge, llm, latency_ms):
    generator = scenarios.binary("//tests/load:generator")
    pid = judge.popen.pid
    llm.set_script({**scenarios.SCRIPT, "latency_ms": latency_ms})
    # The libraries start their threads with the first calls.
    measuring.generate(generator, load(judge, in_flight=64, seconds=1))
    before, _ = threads(pid)

    llm.clear_log()
    flags = [f"--{name}={value}" for name, value in load(judge, IN_FLIGHT, seconds=4).items()]
    during = []
    with subprocess.Popen([generator, *flags], stdout=subprocess.PIPE, text=True) as running:
        while running.poll() is None:
            during.append(measuring.status_number(pid, "Threads"))
            most = llm.stats()["max_in_flight"]
        report = running.stdout.read()
    assert '"failures": 0,' in report, report

    assert during
    # By number, not by name: a thread of gRPC bears its maker's name until it has taken its own.
    assert max(during) <= sum(before.values()) + GRPC_THREADS
    after, grpc_pools = threads(pid)
    assert after == before
    assert grpc_pools <= GRPC_THREADS
    if latency_ms == 1000:
        # The model is slow enough for all of them to wait for it at once.
        assert most == IN_FLIGHT
