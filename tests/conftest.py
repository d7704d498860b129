"""Fixtures of the tests that drive real processes."""

import os
import pathlib
import sys
import time

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
for directory in (TESTS / "clients" / "python", TESTS / "e2e"):
    sys.path.insert(0, str(directory))

import assay_client  # noqa: E402
from stack import FakeLlm, Stack  # noqa: E402

# Quick, with one rule that people follow and the model knows only if it is told.
SCRIPT = {"latency_ms": 1}
# Longer than lines of a log wait for each other.
LOG_LINES_WAIT_SECONDS = 0.2


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack is not None:
        time.sleep(LOG_LINES_WAIT_SECONDS)
        report.sections.append(("logs of the services", stack.log_tails()))


@pytest.fixture(scope="session")
def llm(tmp_path_factory):
    server = FakeLlm(tmp_path_factory.mktemp("fake_llm"), SCRIPT).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory, llm):
    """The services that most tests share; each test works in an experiment of its own."""
    only = os.environ.get("ASSAY_E2E_SERVICES")
    running = Stack(
        tmp_path_factory.mktemp("stack"),
        llm=llm,
        model="endpoints:/local",
        # So that an unreachable model is given up soon, and no test closes it to the next one.
        flags={"judge": {"model_attempts": 2, "model_timeout": "5s", "circuit_failures": 0}},
    ).start(only.split(",") if only else None)
    yield running
    codes = running.stop()
    assert not any(codes.values()), f"services ended with {codes}\n{running.log_tails()}"


@pytest.fixture
def stack(shared_stack, llm):
    llm.set_script(SCRIPT)
    llm.clear_log()
    return shared_stack


@pytest.fixture
def client(stack):
    return stack.client


@pytest.fixture
def experiment(client, request):
    """The name of a fresh experiment."""
    from assay.registry.v1 import experiment_service_pb2

    create = experiment_service_pb2.CreateExperimentRequest(
        experiment_id="e2e-" + assay_client.new_span_id(), request_id=assay_client.request_id()
    )
    create.experiment.display_name = request.node.name[:200]
    return assay_client.call(client.experiments.CreateExperiment, create).experiment.name
