"""CloudWatch in CBOR (Smithy RPC v2), which moto does not speak: translated to the JSON protocol, which it does, and back.

AWS's own description of the service, as botocore carries it, says which answers are times: JSON has numbers for them, and
CBOR must have tagged ones. Every datum that was taken is kept as it came, for tests to look at.
"""

import dataclasses
import datetime
import json
import threading
import uuid

import cbor2
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from . import api
from .http_server import Answer


class CloudWatch:
    def __init__(self, moto):
        self._moto = moto
        self._model = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"))
        self._parser = create_parser("json")
        self._lock = threading.Lock()
        self._metrics = []

    def answer(self, call, request):
        if call.operation not in self._model.operation_names:
            return api.error(call, 404, "UnknownOperationException", f"CloudWatch has no operation {call.operation}")
        output = self._model.operation_model(call.operation).output_shape
        answer = self._moto.ask(_in_json(call, request)) if call.protocol == "cbor" else self._moto.ask(request)
        if call.operation == "PutMetricData" and answer.status == 200:
            with self._lock:
                self._metrics += [_flat(call, datum, request.at_ns) for datum in call.arguments.get("MetricData") or []]
        return self._in_cbor(call, answer, output) if call.protocol == "cbor" else answer

    def metrics(self):
        with self._lock:
            return list(self._metrics)

    def _in_cbor(self, call, answer, output):
        said = {"body": answer.body, "headers": answer.headers, "status_code": answer.status}
        content = self._parser.parse(said, output)
        content.pop("ResponseMetadata", None)
        if "Error" in content:
            return api.error(call, answer.status, content["Error"]["Code"], content["Error"]["Message"])
        headers = {"smithy-protocol": "rpc-v2-cbor", "x-amzn-RequestId": str(uuid.uuid4())}
        if output is None:  # an operation that gives nothing has no body at all
            return Answer(200, b"", headers)
        headers["Content-Type"] = "application/cbor"
        return Answer(200, cbor2.dumps(content, datetime_as_timestamp=True), headers)


def _in_json(call, request):
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    headers["content-type"] = "application/x-amz-json-1.0"
    headers["x-amz-target"] = f"GraniteServiceVersion20100801.{call.operation}"
    body = json.dumps(call.arguments, default=_seconds).encode()
    return dataclasses.replace(request, path="/", headers=headers, body=body)


def _seconds(value):
    """A time as the JSON protocol has it: seconds since 1970."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} has no place in JSON")


def _flat(call, datum, at_ns):
    when = datum.get("Timestamp")
    return {
        "at_ns": at_ns,
        "namespace": call.arguments.get("Namespace"),
        "name": datum["MetricName"],
        "dimensions": {one["Name"]: one["Value"] for one in datum.get("Dimensions", [])},
        "timestamp": when.timestamp() if isinstance(when, datetime.datetime) else when,
        "unit": datum.get("Unit"),
        "value": datum.get("Value"),
        "values": datum.get("Values"),
        "counts": datum.get("Counts"),
        "statistics": datum.get("StatisticValues"),
    }
