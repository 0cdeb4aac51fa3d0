"""A small HTTP/1.1 server with keep-alive. Werkzeug's own closes each connection, and tests measure when calls arrive.

An application is called with a `Request` and gives an `Answer`, or None: then the connection is closed without a word.
"""

import socketserver
import sys
import time
import traceback
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler


@dataclass(frozen=True)
class Request:
    at_ns: int
    """When its first line had arrived, in nanoseconds since 1970."""
    method: str
    path: str
    """Without the query."""
    query: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port, application):
        self.application = application
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request, client_address):
        """A client that left is nobody's error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            traceback.print_exc()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def parse_request(self):
        self.at_ns = time.time_ns()
        return super().parse_request()

    def serve(self):
        if "Transfer-Encoding" in self.headers:
            self.send_error(411, "send a Content-Length: this server takes no chunks")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.application(Request(self.at_ns, self.command, path, query, headers, body))
        except Exception:
            traceback.print_exc()
            answer = Answer(500, b"the stand-in failed: see its standard error\n", {"Content-Type": "text/plain"})
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = serve

    def log_message(self, *_):
        """Nothing: what came is asked for at /_stand_in/calls."""
