"""Servers that speak the providers' dialects over HTTP, for the tests of those who call them. What was asked is kept as it
came; what is answered may be planned."""

import hashlib
import hmac
import http.server
import json
import threading
import urllib.parse

ANSWER = {"result": True, "rationale": "by the book"}


class Asked:
    """One request as it came."""

    def __init__(self, handler, body):
        self.method = handler.command
        self.target = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.raw = body
        self.body = json.loads(body) if body else None

    @property
    def path(self):
        return self.target.split("?")[0]


def dialect_of(asked):
    path = urllib.parse.urlsplit(asked.target).path
    if path.endswith(":generateContent"):
        return "gemini"
    if path.endswith("/converse"):
        return "bedrock"
    if path.endswith("/v1/messages"):
        return "anthropic"
    return "openai"


def answer_in(dialect, text):
    """A good answer in that dialect. `text` is JSON where a verdict tool carries it."""
    if dialect == "gemini":
        return {
            "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7},
            "modelVersion": "gemini-answered",
        }
    if dialect == "bedrock":
        use = {"toolUse": {"toolUseId": "t", "name": "record_verdict", "input": json.loads(text)}}
        return {
            "output": {"message": {"role": "assistant", "content": [use]}},
            "stopReason": "tool_use",
            "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
        }
    if dialect == "anthropic":
        use = {"type": "tool_use", "id": "t", "name": "record_verdict", "input": json.loads(text)}
        return {
            "model": "claude-answered",
            "content": [use],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 11, "output_tokens": 7},
        }
    return {
        "model": "gpt-answered",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }


class FakeProvider:
    """Listens on a port of its own on all interfaces of this machine."""

    def __init__(self):
        self.asked = []
        self.planned = []  # (status, headers, body as JSON or bytes), first come first served.
        self.sent_bytes = 0
        self._lock = threading.Lock()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, headers, answer = provider.plan(Asked(self, body))
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                try:
                    for at in range(0, len(data), 65536):
                        self.wfile.write(data[at : at + 65536])
                        provider.sent_bytes += len(data[at : at + 65536])
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def plan(self, asked):
        with self._lock:
            self.asked.append(asked)
            if self.planned:
                return self.planned.pop(0)
        return 200, {}, answer_in(dialect_of(asked), json.dumps(ANSWER))

    def answer_next(self, status, body, headers=None):
        self.planned.append((status, headers or {}, body))

    def clear(self):
        with self._lock:
            self.asked, self.planned, self.sent_bytes = [], [], 0

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def signature_is_right(asked, secret, service="bedrock"):
    """Whether Amazon's signature, version 4, on the request is the one that `secret` gives."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    assert scheme == "AWS4-HMAC-SHA256"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    _, date, region, signed_service, end = parts["Credential"].split("/")
    assert (signed_service, end) == (service, "aws4_request")
    names = parts["SignedHeaders"].split(";")
    assert {"host", "x-amz-date"} <= set(names) and names == sorted(names)
    canonical = "\n".join(
        [
            asked.method,
            urllib.parse.quote(asked.path, safe="/-_.~"),
            "",
            *(f"{name}:{' '.join(asked.headers[name].split())}" for name in names),
            "",
            parts["SignedHeaders"],
            hashlib.sha256(asked.raw).hexdigest(),
        ]
    )
    scope = f"{date}/{region}/{service}/aws4_request"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", asked.headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), parts["Signature"])
