"""The Python runtime of the embedded engine.

It loads a handler as Lambda's managed runtime does, and carries events and
answers between the handler and the Runtime API. Python 3.8 or newer.
"""

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

RUNTIME = "/2018-06-01/runtime/"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"


class Fault(Exception):
    """An error that Lambda's runtime names itself."""

    def __init__(self, name, message, stack=()):
        super().__init__(message)
        self.name = "Runtime." + name
        self.message = message
        self.stack = list(stack)


class RuntimeAPI:
    """The process's side of the Runtime API, over one connection."""

    def __init__(self, address):
        host, _, token = address.partition("/")
        self.prefix = "/" + token + RUNTIME
        self.connection = http.client.HTTPConnection(host)

    def call(self, method, call, body=None, headers=None):
        self.connection.request(method, self.prefix + call, body, headers or {})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def next(self):
        version = ".".join(str(n) for n in sys.version_info[:3])
        status, headers, body = self.call(
            "GET", "invocation/next", headers={"User-Agent": "bailey-python/" + version}
        )
        if status != 200:
            raise RuntimeError("the Runtime API gave no event: %d %s" % (status, body))
        return headers, body

    def post(self, call, body, headers):
        status, _, text = self.call("POST", call, body, headers)
        if status != 202:
            raise RuntimeError("the Runtime API refused %s: %d %s" % (call, status, text))


# ---- JSON ------------------------------------------------------------------


class _Number(float):
    """A number that is written with the digits it came with."""

    def __new__(cls, digits):
        number = super().__new__(cls, 0)
        number.digits = digits
        return number


def _spell(value):
    if not isinstance(value, decimal.Decimal):
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)
    return float("nan") if value.is_nan() else _Number(str(value))


class _Exact(json.JSONEncoder):
    """Writes decimals with all their digits. The fast encoder can't."""

    def iterencode(self, o, _one_shot=False):
        def digits(number):
            if isinstance(number, _Number):
                return number.digits
            if number != number:
                return "NaN"
            if number in (float("inf"), float("-inf")):
                return "Infinity" if number > 0 else "-Infinity"
            return float.__repr__(number)

        quote = json.encoder.encode_basestring
        if self.ensure_ascii:
            quote = json.encoder.encode_basestring_ascii
        encode = json.encoder._make_iterencode(
            {}, self.default, quote, self.indent, digits,
            self.key_separator, self.item_separator, False, False, False,
        )
        return encode(o, 0)


class _HasDecimal(Exception):
    pass


def _stop_at_decimal(value):
    if isinstance(value, decimal.Decimal):
        raise _HasDecimal
    return _spell(value)


def _plain_unicode():
    """From Python 3.12 on, Lambda writes other than ASCII as it is."""
    name = os.environ.get("AWS_EXECUTION_ENV", "")
    try:
        return int(name.rpartition("python3.")[2]) >= 12
    except ValueError:
        return True


ASCII = not _plain_unicode()


def to_json(value):
    try:
        return json.dumps(value, ensure_ascii=ASCII, default=_stop_at_decimal)
    except _HasDecimal:
        return _Exact(ensure_ascii=ASCII, default=_spell).encode(value)


# ---- logging ---------------------------------------------------------------

request_id = None


class Handler(logging.Handler):
    def emit(self, record):
        sys.stdout.write(self.format(record))


class Filter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = request_id or ""
        return True


_OWN_FIELDS = set(vars(logging.makeLogRecord({}))) | {"message", "aws_request_id", "taskName"}


class JSONFormatter(logging.Formatter):
    def format(self, record):
        error = record.exc_info or (None, None, None)
        line = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(error[2]) if error[0] else None,
            "errorType": error[0].__name__ if error[0] else None,
            "errorMessage": str(error[1]) if error[0] else None,
            "requestId": record.aws_request_id,
            "location": "%s:%s:%d" % (record.pathname, record.funcName, record.lineno) if error[0] else None,
        }
        for key, value in vars(record).items():
            if key not in _OWN_FIELDS and key not in line:
                line[key] = value
        line = {key: value for key, value in line.items() if value is not None}
        return json.dumps(line, ensure_ascii=False, default=str) + "\n"


LOGS_AS_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = Handler()
    handler.addFilter(Filter())
    if LOGS_AS_JSON:
        handler.setFormatter(JSONFormatter())
    else:
        handler.setFormatter(
            logging.Formatter(
                "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
                "%Y-%m-%dT%H:%M:%S",
            )
        )
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)


def log_error(error):
    if LOGS_AS_JSON:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sys.stdout.write(to_json({"timestamp": now, "log_level": "ERROR", **error}) + "\n")
        return
    head = ": ".join(part for part in (error["errorType"], error["errorMessage"]) if part)
    lines = ["[ERROR] " + head, "Traceback (most recent call last):"]
    for entry in error["stackTrace"]:
        lines += entry.splitlines()
    sys.stdout.write("\n".join(lines) + "\n")


# ---- errors ----------------------------------------------------------------


def describe(error, invocation=""):
    """The JSON that the caller of the function gets."""
    if isinstance(error, Fault):
        name, message, stack = error.name, error.message, error.stack
    else:
        frames = traceback.extract_tb(error.__traceback__)
        while frames and frames[0].filename == __file__:
            frames = frames[1:]
        frames = [f for f in frames if f.filename != importlib.__file__ and "<frozen importlib" not in f.filename]
        name, message = type(error).__name__, str(error)
        stack = traceback.format_list(frames)
    return {"errorMessage": message, "errorType": name, "requestId": invocation, "stackTrace": stack}


# ---- loading the handler ---------------------------------------------------


def load(handler):
    """Resolves "package/module.function" or "package.module.function"."""
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault(
            "MalformedHandlerName",
            "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % handler,
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name
        )
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        raise Fault(
            "UserCodeSyntaxError",
            "Syntax error in module '%s': %s" % (module_name, error),
            ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)],
        )
    try:
        return getattr(module, name)
    except AttributeError:
        raise Fault("HandlerNotFound", "Handler '%s' missing on module '%s'" % (name, module_name))


# ---- the context -----------------------------------------------------------


class Record:
    """An object with some names out of a JSON object; others are None."""

    names = ()

    def __init__(self, values):
        for name in self.names:
            setattr(self, name, values.get(name))

    def __repr__(self):
        return "%s([%s])" % (
            type(self).__name__,
            ",".join("%s=%s" % (name, getattr(self, name)) for name in self.names),
        )


class Client(Record):
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(Record):
    names = ("custom", "env", "client")

    def __init__(self, values):
        super().__init__(values)
        if self.client is not None:
            self.client = Client(self.client)


class CognitoIdentity(Record):
    names = ("cognito_identity_id", "cognito_identity_pool_id")


def parse_header(headers, header, what):
    text = headers.get(header)
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise Fault("LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (what, error))


class LambdaContext(Record):
    names = (
        "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
        "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
    )

    def __init__(self, headers):
        super().__init__({})
        environ = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        client = parse_header(headers, "Lambda-Runtime-Client-Context", "Client Context")
        self.client_context = None if client is None else ClientContext(client)
        identity = parse_header(headers, "Lambda-Runtime-Cognito-Identity", "Cognito Identity") or {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": identity.get("cognitoIdentityId"),
                "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
            }
        )
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


# ---- one invocation --------------------------------------------------------


def decode(body, content_type):
    if content_type != "application/json":
        return body
    try:
        return json.loads(body)
    except ValueError as error:
        raise Fault("UnmarshalError", "Unable to unmarshal input: %s" % error)


def encode(response):
    if isinstance(response, bytes):
        return response, "application/unknown"
    try:
        return to_json(response).encode("utf-8"), "application/json"
    except Exception as error:
        raise Fault("MarshalError", "Unable to marshal response: %s" % error)


def answer(api, handler, headers, body):
    call = "invocation/" + request_id
    try:
        context = LambdaContext(headers)
        response = handler(decode(body, headers.get("Content-Type")), context)
        text, content_type = encode(response)
    except Exception as error:
        failure = describe(error, request_id)
        log_error(failure)
        api.post(call + "/error", to_json(failure).encode("utf-8"), {"Content-Type": "application/json"})
        return
    api.post(call + "/response", text, {"Content-Type": content_type})


def keep_bytecode_in(folder):
    """Keeps compiled modules out of the code folder, which must not change.

    The library's own, imported so far, are taken from where they are.
    """
    sys.pycache_prefix = folder
    os.environ["PYTHONPYCACHEPREFIX"] = folder  # for the function's children


def main():
    global request_id
    api = RuntimeAPI(os.environ["AWS_LAMBDA_RUNTIME_API"])
    keep_bytecode_in(sys.argv.pop())
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    set_up_logging()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        failure = describe(error)
        log_error(failure)
        api.post(
            "init/error",
            to_json(failure).encode("utf-8"),
            {"Content-Type": "application/json", ERROR_TYPE: failure["errorType"]},
        )
        sys.exit(1)
    while True:
        headers, body = api.next()
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        answer(api, handler, headers, body)


if __name__ == "__main__":  # and not where multiprocessing imports it again
    main()
