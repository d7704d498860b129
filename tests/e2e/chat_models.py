"""Models that misbehave in ways that the scripted one does not: they speak OpenAI's chat API, and a test says when and what
they answer."""

import http.server
import json
import threading


def completion(verdict, model="model", usage=None):
    """The body of a chat completion whose text is `verdict` as JSON."""
    choices = [{"message": {"content": json.dumps(verdict)}}]
    return {"model": model, "choices": choices, "usage": usage or {}}


class ChatModel(http.server.ThreadingHTTPServer):
    """Listens on a port of its own. `asked` and `answered` count requests, and answers that were sent whole."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        self.asked = self.answered = 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def reply(self):
        """Status and body of the next answer. On the thread of its request: it may wait."""
        raise NotImplementedError


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            self.server.asked += 1
        status, body = self.server.reply()
        text = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        except OSError:  # Nobody waits for it any more.
            self.close_connection = True
            return
        with self.server.lock:
            self.server.answered += 1

    def log_message(self, *_):
        pass
