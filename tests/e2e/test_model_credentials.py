"""Credentials that are asked for: tokens of an OAuth server, keys of Amazon's roles. The givers are servers of the test."""

import base64
import http.server
import json
import os
import threading
import time
import urllib.parse

import pytest
from assay.common.v1 import feedback_pb2
from assay_client import call
from checks import quality_judge, refused
from fake_providers import FakeProvider, signature_is_right
from stack import Stack
from test_judging import ask

SECRET = "hush-client-secret"
ROLE = {"AccessKeyId": "AKIDROLE", "SecretAccessKey": "hush/role+secret", "Token": "hush-session"}


class Giver(http.server.ThreadingHTTPServer):
    """An OAuth token endpoint, Amazon's metadata service, and STS in one."""

    daemon_threads = True

    def __init__(self):
        self.asked = []
        self.tokens = 0
        self.status = 200
        super().__init__(("127.0.0.1", 0), GiverHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class GiverHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer("")

    def do_PUT(self):
        self.answer("")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("content-length", 0))).decode())

    def answer(self, body):
        self.server.asked.append((self.command, self.path, dict(self.headers.items()), urllib.parse.parse_qs(body)))
        expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        if self.path.endswith("/token") and self.command == "POST":
            time.sleep(0.1)
            self.server.tokens += 1
            text = json.dumps({"access_token": f"hush-token-{self.server.tokens}", "expires_in": 3600})
        elif self.path == "/latest/api/token":
            text = "imds"
        elif self.path.endswith("/security-credentials/"):
            text = "judges"
        elif self.command == "POST":
            text = "<C>" + "".join(f"<{k}>{v}</{k}>" for k, v in ROLE.items() if k != "Token")
            text += f"<SessionToken>{ROLE['Token']}</SessionToken><Expiration>{expiration}</Expiration></C>"
        else:
            text = json.dumps({**ROLE, "Expiration": expiration})
        data = text.encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    running = FakeProvider()
    yield running
    running.close()


@pytest.fixture
def giver():
    server = Giver()
    yield server
    server.shutdown()


@pytest.fixture
def start(tmp_path, provider):
    started = []

    def begin(environment, flags):
        with pytest.MonkeyPatch.context() as patch:
            for name in list(os.environ):
                if name.lower().endswith("_proxy") or name.startswith(("AWS_", "AZURE_", "DATABRICKS_")):
                    patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            stack = Stack(tmp_path, flags={"judge": {"model_attempts": 1, "record_judgements": "false", **flags}})
            started.append(stack.start(("judge",)))
        return stack

    yield begin
    for stack in started:
        log = stack.services["judge"].log_file.read_text()
        assert "hush" not in log, "no secret in the log"
        stack.stop()


def judge(stack, model):
    return call(stack.client.judge.Judge, ask("experiments/e", quality_judge(model=model))).feedback


def test_databricks_machine_to_machine(start, provider, giver):
    stack = start(
        {"DATABRICKS_CLIENT_ID": "me", "DATABRICKS_CLIENT_SECRET": SECRET},
        {"databricks_base_url": provider.url, "provider": f"name=databricks,token_url={giver.url}/oidc/v1/token"},
    )
    futures = [stack.client.judge.Judge.future(ask("experiments/e", quality_judge(model="databricks:/m")), timeout=30) for _ in range(20)]
    assert all(future.result().feedback.provenance.model == "databricks:/m" for future in futures)
    assert giver.tokens == 1, "one question for all calls"
    assert {asked.headers["authorization"] for asked in provider.asked} == {"Bearer hush-token-1"}
    _, path, headers, form = giver.asked[0]
    assert path == "/oidc/v1/token" and form == {"grant_type": ["client_credentials"], "scope": ["all-apis"]}
    assert base64.b64decode(headers["Authorization"].split()[1]).decode() == f"me:{SECRET}"


def test_azure_with_an_application(start, provider, giver):
    stack = start(
        {"AZURE_TENANT_ID": "t-1", "AZURE_CLIENT_ID": "me", "AZURE_CLIENT_SECRET": SECRET, "AZURE_AUTHORITY_HOST": giver.url},
        {"azure_base_url": provider.url},
    )
    judge(stack, "azure:/deployment")
    _, path, _, form = giver.asked[0]
    assert path == "/t-1/oauth2/v2.0/token" and form["client_secret"] == [SECRET]
    assert provider.asked[0].headers["authorization"] == "Bearer hush-token-1" and "api-key" not in provider.asked[0].headers


def test_a_refused_token_is_asked_for_again(start, provider, giver):
    endpoint = f"name=gate,url={provider.url}/v1,model=m,client_id=me,client_secret_env=GATE,token_url={giver.url}/token"
    stack = start({"GATE": SECRET}, {"endpoint": endpoint})
    judge(stack, "endpoints:/gate")
    provider.answer_next(401, {"error": {"message": "revoked: hush-token-1"}})
    failure = refused(
        stack.client.judge.Judge, ask("experiments/e", quality_judge(model="endpoints:/gate")), "FAILED_PRECONDITION", "MODEL_UNAUTHORIZED"
    )
    assert "hush" not in str(failure)
    judge(stack, "endpoints:/gate")
    assert provider.asked[-1].headers["authorization"] == "Bearer hush-token-2"


def test_a_giver_that_refuses_or_is_away(start, provider, giver):
    endpoint = f"name=gate,url={provider.url}/v1,model=m,client_id=me,client_secret_env=GATE,token_url={giver.url}/token"
    stack = start({"GATE": SECRET}, {"endpoint": endpoint})
    request = ask("experiments/e", quality_judge(model="endpoints:/gate"))
    giver.status = 401
    refused(stack.client.judge.Judge, request, "FAILED_PRECONDITION", "MODEL_UNAUTHORIZED")
    giver.status = 503
    feedback = call(stack.client.judge.Judge, request).feedback
    assert feedback.outcome == feedback_pb2.OUTCOME_ERROR and feedback.error.code == "MODEL_UNREACHABLE"
    assert not provider.asked


@pytest.mark.parametrize("kind", ["instance", "container", "web_identity"])
def test_amazons_roles(start, provider, giver, tmp_path, kind):
    token = tmp_path / "identity"
    token.write_text("jwt.of.me")
    environment, flags = {"AWS_REGION": "eu-west-1"}, {"provider": f"name=bedrock,url={provider.url}"}
    if kind == "instance":
        environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = giver.url
        flags["bedrock_instance_role"] = "true"
    elif kind == "container":
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{giver.url}/v1/credentials"
        environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(token)
    else:
        environment |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:x", "AWS_ENDPOINT_URL_STS": giver.url}
    stack = start(environment, flags)
    judge(stack, "bedrock:/m")
    asked = provider.asked[0]
    assert signature_is_right(asked, ROLE["SecretAccessKey"]) and "AKIDROLE" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == ROLE["Token"]
    if kind == "container":
        assert giver.asked[0][2]["Authorization"] == "jwt.of.me"
    if kind == "web_identity":
        assert giver.asked[0][3]["WebIdentityToken"] == ["jwt.of.me"]


def test_a_machines_role_is_not_asked_for_unless_configured(start, provider, giver):
    stack = start({"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_SERVICE_ENDPOINT": giver.url}, {})
    refused(
        stack.client.judge.Judge, ask("experiments/e", quality_judge(model="bedrock:/m")), "FAILED_PRECONDITION", "MODEL_NOT_CONFIGURED"
    )
    assert not giver.asked
