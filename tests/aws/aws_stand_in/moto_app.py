"""moto, asked in this process: its WSGI application without a server, and the records behind it.

What is read and changed directly are the services of ECS and the scalable targets; there is one account and one region.
"""

import io
import sys
from urllib.parse import unquote

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.ecs.models import ecs_backends
from moto.server import DomainDispatcherApplication, create_backend_app

from .http_server import Answer

ACCOUNT = "123456789012"
REGION = "us-east-1"
CLUSTER = "ai-coding-team"
USED = ("ecs", "applicationautoscaling", "cloudwatch", "secretsmanager", "sts")
"""Loaded at start, so that the first call to them waits for nothing."""


class Moto:
    def __init__(self, services):
        self.app = DomainDispatcherApplication(create_backend_app)
        for name in USED:
            self.app.app_instances[name] = create_backend_app(name)
        self.ecs = ecs_backends[ACCOUNT][REGION]
        self.targets = applicationautoscaling_backends[ACCOUNT][REGION].targets
        self.ecs.create_cluster(CLUSTER)
        for name in services:
            self.ecs.create_service(CLUSTER, name, desired_count=0, launch_type="FARGATE")

    def service(self, cluster, name):
        """moto's record of an ECS service, or None. Its `desired_count` may be read and set."""
        return self.ecs.services.get(f"{cluster}:{name}")

    def set_counts(self, name, running, pending):
        """What DescribeServices says of a service of the cluster."""
        service = self.service(CLUSTER, name)
        if service is None:
            return
        service.running_count, service.pending_count = running, pending
        for deployment in service.deployments[:1]:
            deployment.update(desiredCount=service.desired_count, runningCount=running, pendingCount=pending)

    def target(self, dimension, resource):
        """moto's record of a scalable target, or None."""
        return self.targets.get(dimension, {}).get(resource)

    def ask(self, request):
        """moto's answer to a request."""
        said = {}

        def start_response(status, headers, exc_info=None):
            said.update(status=int(status.split()[0]), headers=headers)

        chunks = self.app(_environ(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        headers = {name: value for name, value in said["headers"] if name.lower() not in ("content-length", "date")}
        return Answer(said["status"], body, headers)


def _environ(request):
    headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in request.headers.items()}
    return headers | {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, "latin-1"),
        "RAW_URI": request.path,
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": request.headers.get("host", "127.0.0.1:80").rpartition(":")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
