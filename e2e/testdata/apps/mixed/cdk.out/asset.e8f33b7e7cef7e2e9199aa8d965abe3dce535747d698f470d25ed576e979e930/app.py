"""Does what the event asks for: see ../go/main.go, which does the same."""

import base64
import json
import os
import time

LAMBDA_VARIABLES = ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_REGION", "AWS_DEFAULT_REGION", "_HANDLER"]


class NoSuchOrder(Exception):
    pass


def handler(event, context):
    if isinstance(event, dict) and event.get("requestContext"):
        return answer(event)
    action = event.get("action") if isinstance(event, dict) else None
    if action == "environment":
        return {name: os.environ.get(name) for name in ["TABLE", "QUEUE_URL", "TITLE", "QUOTES", "UNICODE", "EMPTY"] + LAMBDA_VARIABLES}
    if action == "context":
        return {
            "memory": int(context.memory_limit_in_mb),
            "version": context.function_version,
            "id": len(context.aws_request_id),
            "left": context.get_remaining_time_in_millis() > 0,
        }
    if action == "fail":
        raise NoSuchOrder("no such order: 7")
    if action == "exit":
        os._exit(3)
    if action == "sleep":
        time.sleep(60)
    if action == "big":
        return "x" * event["size"]
    if action == "layer":
        import greeting

        return greeting.text
    return {"echo": event}


def answer(event):
    http = event["requestContext"].get("http") or {"method": event["httpMethod"], "path": event["path"]}
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    response = {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-from": "python"},
        "body": json.dumps(
            {
                "version": event["version"],
                "route": event.get("routeKey") or event.get("resource"),
                "method": http["method"],
                "path": http["path"],
                "parameters": event.get("pathParameters") or {},
                "query": event.get("queryStringParameters") or {},
                "body": body,
            }
        ),
    }
    if event["version"] == "2.0":
        response["cookies"] = ["a=1; HttpOnly", "b=2"]
    return response
