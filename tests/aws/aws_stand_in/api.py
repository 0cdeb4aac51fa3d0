"""What an HTTP request asks of AWS, and how AWS words an error, in the protocols that AWS speaks: JSON and query (moto knows
both) and CBOR, in which the current SDKs talk to CloudWatch.
"""

import gzip
import json
import re
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import cbor2

from .http_server import Answer

CBOR_PATH = re.compile(r"/service/(?P<service>\w+)/operation/(?P<operation>\w+)$")
UNREADABLE = {}
SIGNED_FOR = re.compile(r"Credential=(?P<key>[^/]+)/\d+/[^/]+/(?P<service>[^/]+)/")


@dataclass(frozen=True)
class Call:
    protocol: str
    """cbor, json, query or rest."""
    service: str
    """The name that requests are signed for: application-autoscaling, ecs, monitoring, secretsmanager ..."""
    operation: str
    arguments: dict
    """Empty where the protocol is rest; UNREADABLE where the body is none of its protocol."""
    key: str | None = None
    """The access key that the request is signed with, by which tests tell callers apart."""

    def resource(self):
        """What the call is about, in one string; None where it does not say."""
        for name in ("ResourceId", "service", "services", "SecretId", "Name", "Namespace", "cluster"):
            value = self.arguments.get(name)
            if isinstance(value, list):
                value = ", ".join(map(str, value))
            if isinstance(value, str):
                return value
        return None


def read(request):
    """The call that a request is."""
    signed = SIGNED_FOR.search(request.headers.get("authorization", ""))
    service, key = (signed["service"], signed["key"]) if signed else ("unsigned", None)
    in_cbor = CBOR_PATH.match(request.path)
    target = request.headers.get("x-amz-target", "")
    if in_cbor:
        return Call("cbor", service, in_cbor["operation"], _arguments(cbor2.loads, request), key)
    if target:
        return Call("json", service, target.rpartition(".")[2], _arguments(json.loads, request), key)
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        arguments = dict(parse_qsl(request.body.decode("latin-1")))
        return Call("query", service, arguments.get("Action", "unknown"), arguments, key)
    return Call("rest", service, f"{request.method} {request.path}", {}, key)


def _arguments(parse, request):
    body = request.body
    try:
        if request.headers.get("content-encoding") == "gzip":  # PutMetricData above 10 KB
            body = gzip.decompress(body)
        arguments = parse(body) if body else {}
    except (ValueError, EOFError, OSError, cbor2.CBORDecodeError):
        return UNREADABLE
    return arguments if isinstance(arguments, dict) else UNREADABLE


def error(call, status, code, message):
    """An error as AWS words it in the call's protocol."""
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if call.protocol == "cbor":
        headers |= {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        headers["x-amzn-query-error"] = f"{code};{'Sender' if status < 500 else 'Receiver'}"
        return Answer(status, cbor2.dumps({"__type": code, "message": message}), headers)
    if call.protocol == "json":
        headers["Content-Type"] = "application/x-amz-json-1.1"
        return Answer(status, json.dumps({"__type": code, "message": message}).encode(), headers)
    headers["Content-Type"] = "text/xml"
    words = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return Answer(status, f"<ErrorResponse>{words}</ErrorResponse>".encode(), headers)


def answer_json(content):
    """A good answer in the JSON protocol."""
    return Answer(200, json.dumps(content).encode(), {"Content-Type": "application/x-amz-json-1.1"})
