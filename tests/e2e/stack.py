"""The five services as processes of their own, on ports that the system picks, with data directories of their own."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients" / "python"))

import assay_client  # noqa: E402
import grpc  # noqa: E402

START_SECONDS = 60
STOP_SECONDS = 30


def binary(label):
    """The path of what Bazel built for //package:name. ASSAY_BIN_DIR names Bazel's output directory."""
    directory = os.environ.get("ASSAY_BIN_DIR")
    if not directory:
        bazel = os.environ.get("ASSAY_BAZEL", "bazel").split()
        done = subprocess.run(
            [*bazel, "info", "bazel-bin"], cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        directory = os.environ["ASSAY_BIN_DIR"] = done.stdout.strip()
    return pathlib.Path(directory) / label.removeprefix("//").replace(":", "/")


def wait_until(condition, what, seconds=START_SECONDS, process=None):
    """Polls until `condition()` is true and returns its value; fails when time is up or `process` has ended."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{what}: the process ended with code {process.returncode}")
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Process:
    """A program that writes a port file once it serves."""

    has_health = False

    def __init__(self, name, command, directory, environment=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port_file = self.directory / "ports.json"
        self.log_file = self.directory / "log"
        self.environment = {**os.environ, **(environment or {})}
        self.endpoints = {}
        self.popen = None

    def start(self):
        self.port_file.unlink(missing_ok=True)
        with open(self.log_file, "ab") as log:
            # A group, so that Ctrl-C is ours alone to answer; no session, since Linux shares the processor out by sessions,
            # and a service with many threads would get no more of it than the client.
            self.popen = subprocess.Popen(
                self._command(), stdout=log, stderr=subprocess.STDOUT, env=self.environment, process_group=0
            )
        try:
            wait_until(self.port_file.exists, f"start of {self.name}", process=self.popen)
            self.endpoints = json.loads(self.port_file.read_text(encoding="utf-8"))
            if self.has_health:
                with grpc.insecure_channel(self.endpoints["grpc"]) as channel:
                    wait_until(lambda: assay_client.is_serving(channel), f"health of {self.name}", process=self.popen)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_tail()}") from None
        return self

    def _command(self):
        return [*self.command, "--port_file", str(self.port_file)]

    def kill(self):
        """kill -9."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.popen is None:
            return None
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def log_tail(self, lines=15):
        if not self.log_file.exists():
            return f"--- {self.name}: no log"
        text = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"--- {self.name}, last lines of its log", *text[-lines:]])


class Service(Process):
    """A service: comes back under the addresses that it had."""

    has_health = True

    def __init__(self, name, label, directory, flags):
        self.flags = dict(flags)
        super().__init__(name, [binary(label)], directory)

    def _command(self):
        flags = {"listen_address": "127.0.0.1:0", "data_dir": self.directory / "data", **self.flags}
        # A port that was had once is asked for again.
        for endpoint, flag in (("grpc", "listen_address"), ("otlp", "otlp_listen_address")):
            if endpoint in self.endpoints:
                flags[flag] = self.endpoints[endpoint]
        return [*super()._command(), *(f"--{name}={value}" for name, value in flags.items())]


class Gateway(Process):
    """The gateway in front of a trace service's OTLP port."""

    def __init__(self, directory, otlp_address, flags=None):
        super().__init__("gateway", [binary("//services/gateway:gateway")], directory)
        self.flags = {"otlp_http_listen_address": "127.0.0.1:0", "otlp_address": otlp_address, **(flags or {})}

    def _command(self):
        return [*super()._command(), *(f"--{name}={value}" for name, value in self.flags.items())]

    @property
    def address(self):
        return self.endpoints["otlp_http"]

    @property
    def url(self):
        return f"http://{self.address}"


class FakeLlm(Process):
    """The scripted language model."""

    def __init__(self, directory, script=None):
        super().__init__("fake_llm", [binary("//tests/fake_llm:fake_llm")], directory)
        if script is not None:
            path = self.directory / "script.json"
            path.write_text(json.dumps(script), encoding="utf-8")
            self.command.append(f"--script={path}")

    @property
    def url(self):
        return f"http://{self.endpoints['http']}/v1"

    def set_script(self, script):
        self._ask("POST", "/control/script", json.dumps(script))

    def clear_log(self):
        self._ask("POST", "/control/reset")

    def stats(self):
        return json.loads(self._ask("GET", "/control/stats"))

    def log(self, contains=""):
        """What was asked, in order of arrival: dicts with prompt_sha256, status, answered and so on. With `contains`, only
        prompts with that text."""
        query = "?contains=" + urllib.parse.quote(contains) if contains else ""
        return json.loads(self._ask("GET", "/control/log" + query))["requests"]

    def prompts(self, contains):
        """The prompts with that text."""
        query = "?prompts=1&contains=" + urllib.parse.quote(contains)
        return [request["prompt"] for request in json.loads(self._ask("GET", "/control/log" + query))["requests"]]

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.endpoints["http"], timeout=30)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 200, f"{method} {path}: {answer.status} {text}"
            return text
        finally:
            connection.close()


class Stack:
    """The five services. `model` is the judge service's default, `llm` a FakeLlm behind endpoints:/local."""

    ORDER = ("registry", "trace", "feedback", "judge", "alignment")

    def __init__(self, directory, llm=None, model="offline:/lexical", flags=None):
        self.directory = pathlib.Path(directory)
        self.llm = llm
        self.model = model
        self.extra = flags or {}
        self.services = {}
        self.client = None

    def start(self, only=None):
        """Starts all services, or those of `only`, in an order in which each finds its peers."""
        try:
            for name in self.ORDER:
                if only is None or name in only:
                    service = Service(name, f"//services/{name}:{name}", self.directory / name, self._flags(name))
                    self.services[name] = service
                    service.start()
        except BaseException:
            self.stop()
            raise
        self.client = assay_client.Assay(self.addresses())
        self.client.served = frozenset(self.services)
        return self

    def _flags(self, name):
        address = self.addresses().get
        peers = {
            "registry": {"default_model": self.model},
            "trace": {"otlp_listen_address": "127.0.0.1:0", "registry_address": address("registry")},
            "feedback": {"trace_address": address("trace")},
            "judge": {
                "registry_address": address("registry"),
                "trace_address": address("trace"),
                "otlp_address": address("otlp"),
                "feedback_address": address("feedback"),
                "default_model": self.model,
            },
            "alignment": {f"{peer}_address": address(peer) for peer in ("registry", "trace", "judge", "feedback")},
        }[name]
        if name == "judge" and self.llm is not None:
            peers["endpoint"] = f"name=local,url={self.llm.url},model=scripted"
        return {**peers, **self.extra.get(name, {})}

    def addresses(self):
        found = {name: service.endpoints["grpc"] for name, service in self.services.items() if service.endpoints}
        if "trace" in found:
            found["otlp"] = self.services["trace"].endpoints["otlp"]
        return found

    def stop(self):
        """Ends all services; returns their exit codes by name."""
        if self.client is not None:
            self.client.close()
        return {name: self.services[name].stop() for name in reversed(self.ORDER) if name in self.services}

    def log_tails(self):
        return "\n".join(service.log_tail() for service in self.services.values())
