"""A department's own system: a real HTTP server in a thread that answers as it is told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

from standardwebhooks import Webhook

LOCAL = [ip_network("127.0.0.0/8")]


class Receiver:
    """Keeps whatever is posted to it. `answer(handler, message)` says what it does; else 204."""

    def __init__(self, wrap=None):
        self.messages, self.answer, self.closing = [], ok, threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        if wrap:
            self.server.socket = wrap(self.server.socket)
        self.scheme = "https" if wrap else "http"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}/hook"

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def verified(self, secret):
        """The content of every message, each one's own signature checked; [(id, content)]."""
        return [
            (headers["webhook-id"], Webhook(secret).verify(body, headers))
            for headers, body in self.messages
        ]

    def _handler(receiver):  # noqa: N805 - the class inside has its own self
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            closing = receiver.closing

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append((dict(self.headers), body))
                receiver.answer(self, json.loads(body))
                self.close_connection = True

            def log_message(self, *_args):
                pass

        return Handler


def ok(handler, _message):
    say(handler, 204)


def say(handler, status, body=b"", **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if status != 204:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def status(code, body=b"", **headers):
    return lambda handler, _message: say(handler, code, body, **headers)


def hang(handler, _message):
    handler.closing.wait(60)


def drip(handler, _message):
    """A byte of a good answer every tenth of a second: no single wait is long."""
    for sign in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Slow: " + b"x" * 600 + b"\r\n\r\n":
        try:
            handler.wfile.write(bytes([sign]))
        except OSError:
            return
        if handler.closing.wait(0.1):
            return


def noise(handler, _message):
    handler.wfile.write(b"\x00\xff no HTTP at all\r\n\r\n")
