"""Runs a Python function in an execution environment of Weir.

Started as: python bootstrap.py SDK_FOLDER, in the folder of the function's code,
with the environment variables of the Lambda runtimes. It imports the handler,
then asks the Runtime API for one event after the other.

A line break within one log event is written as U+001E; the environment turns it
back. It works with Python 3.6 and later.
"""

import gc
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback
from decimal import Decimal

LINE_JOINT = "\x1e"
API = "/2018-06-01/runtime/"
SDK_MODULES = ("boto3", "botocore")


class Fault(Exception):
    """A problem that is reported under a name of its own."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace or []


class RuntimeAPI:
    """One kept-alive connection to the Runtime API.

    All answers are received into one buffer, which grows to the largest: one call
    of the system takes in most of an event, and nothing is allocated for it.
    """

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host, int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = address
        self.buffer = bytearray(1 << 16)

    def next(self):
        return self._call("GET", "invocation/next", b"", "")

    def respond(self, request_id, body):
        self._call("POST", "invocation/%s/response" % request_id, body, "")

    def fail(self, request_id, kind, body):
        self._call("POST", "invocation/%s/error" % request_id, body, "Lambda-Runtime-Function-Error-Type: %s\r\n" % kind)

    def fail_init(self, kind, body):
        self._call("POST", "init/error", body, "Lambda-Runtime-Function-Error-Type: %s\r\n" % kind)

    def _call(self, method, path, body, extra):
        head = "%s %s%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n" % (
            method, API, path, self.host, extra, len(body))
        self.sock.sendall(head.encode("latin-1") + body)
        have, end = 0, -1
        while end < 0:
            have += self._receive(have, len(self.buffer))
            end = self.buffer.find(b"\r\n\r\n", 0, have)
        headers = {}
        for line in self.buffer[:end].decode("utf-8").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        start = end + 4
        end = start + int(headers.get("content-length", "0"))
        if end > len(self.buffer):
            self.buffer = self.buffer[:have] + bytes(end + end // 4 - have)
        while have < end:
            have += self._receive(have, end)
        return headers, memoryview(self.buffer)[start:end]

    def _receive(self, start, end):
        size = self.sock.recv_into(memoryview(self.buffer)[start:end])
        if not size:
            os._exit(1)  # the environment is gone
        return size


class Identity:
    def __init__(self, doc):
        doc = doc or {}
        self.cognito_identity_id = doc.get("cognitoIdentityId")
        self.cognito_identity_pool_id = doc.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, doc):
        self.installation_id = doc.get("installation_id")
        self.app_title = doc.get("app_title")
        self.app_version_name = doc.get("app_version_name")
        self.app_version_code = doc.get("app_version_code")
        self.app_package_name = doc.get("app_package_name")


class ClientContext:
    def __init__(self, doc):
        self.client = Client(doc["client"]) if doc.get("client") else None
        self.custom = doc.get("custom")
        self.env = doc.get("env")


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = env.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        identity = headers.get("lambda-runtime-cognito-identity")
        self.identity = Identity(json.loads(identity) if identity else None)
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", "0"))

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, msg):
        write_event(str(msg))


class LogHandler(logging.Handler):
    """Writes records of the logging module as events of the function's log."""

    def emit(self, record):
        try:
            write_event(self.format(record))
        except Exception:
            self.handleError(record)


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


def write_event(text):
    sys.stdout.write(text.rstrip("\n").replace("\n", LINE_JOINT) + "\n")


def set_up_output():
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    logging.Formatter.converter = time.gmtime
    handler = LogHandler()
    handler.setFormatter(logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)


def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as e:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, e))
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        hint = ""
        if getattr(e, "name", None) in SDK_MODULES:
            hint = ". The AWS SDK for Python is not on this machine: run \"weir runtimes install python\""
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s%s" % (module_name, e, hint))
    except SyntaxError as e:
        trace = ['  File "%s" Line %s\n    %s\n' % (e.filename, e.lineno, (e.text or "").rstrip("\n"))]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, e), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))


def describe(error, request_id):
    """Returns the name of an error and the document that reports it."""
    if isinstance(error, Fault):
        kind, message, trace = error.kind, error.message, error.trace
    else:
        kind, message = type(error).__name__, str(error)
        # The first frame is the one of this file.
        frames = traceback.extract_tb(error.__traceback__)[1:]
        trace = traceback.format_list([(f.filename, f.lineno, f.name, f.line) for f in frames])
    return kind, {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def log_error(report):
    lines = ["[ERROR] %s: %s" % (report["errorType"], report["errorMessage"])]
    if report["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        for entry in report["stackTrace"]:
            for line in entry.rstrip("\n").split("\n"):
                text = line.lstrip(" ")
                lines.append("\u00a0" * (len(line) - len(text)) + text)
    write_event("\n".join(lines))


def encode_other(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def call(handler, body, context):
    """Runs the handler on an event and returns the encoded result."""
    try:
        event = json.loads(str(body, "utf-8"))
    except ValueError as e:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % e)
    result = handler(event, context)
    try:
        return json.dumps(result, default=encode_other, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as e:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % e)


def add_sdk(folder):
    """Puts the SDK behind the function and the standard library, before what is
    installed on the machine."""
    for i, entry in enumerate(sys.path):
        if os.path.basename(entry) in ("site-packages", "dist-packages"):
            sys.path.insert(i, folder)
            return
    sys.path.append(folder)


def main():
    set_up_output()
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
        add_sdk(sys.argv[1])
    sys.argv = [os.environ["_HANDLER"]]
    api = RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as e:
        kind, report = describe(e, "")
        log_error(report)
        sys.stdout.flush()
        api.fail_init(kind, json.dumps(report).encode("utf-8"))
        sys.exit(1)
    if hasattr(gc, "freeze"):
        # What has been loaded stays. Without this, the collections that the objects
        # of events bring about look at the whole SDK each time: a fifth of decoding.
        gc.freeze()
    while True:
        headers, body = api.next()
        request_id = headers["lambda-runtime-aws-request-id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        RequestIdFilter.request_id = request_id
        try:
            result = call(handler, body, Context(headers))
        except Exception as e:
            # The frame of call is the second of this file.
            if not isinstance(e, Fault) and e.__traceback__ is not None:
                e = e.with_traceback(e.__traceback__.tb_next)
            kind, report = describe(e, request_id)
            log_error(report)
            sys.stdout.flush()
            sys.stderr.flush()
            api.fail(request_id, kind, json.dumps(report).encode("utf-8"))
            continue
        sys.stdout.flush()
        sys.stderr.flush()
        api.respond(request_id, result)


if __name__ == "__main__":
    main()
