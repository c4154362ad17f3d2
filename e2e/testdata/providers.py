"""Prints what the SAM CLI itself makes of templates, without running anything.

Usage: providers.py TEMPLATE...

Drives the readers that sam local invoke, start-api and start-lambda use, and
prints one JSON list with, for each template, its functions and routes, or the
error that sam would end with.
"""

import json
import logging
import os
import sys

from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.apigw.path_converter import PathConverter
from werkzeug.routing import Map, Rule

logging.disable(logging.CRITICAL)


def read(template):
    stacks, _ = SamLocalStackProvider.get_stacks(template)
    functions = SamFunctionProvider(stacks)
    read = {"functions": sorted((function(f) for f in functions.get_all()), key=lambda f: f["id"]), "routes": []}
    if any(r.get("Type", "").startswith(("AWS::ApiGatewayV2::", "AWS::Serverless::HttpApi")) for r in stacks[0].resources.values()):
        api = ApiProvider(stacks, cwd=os.path.dirname(template)).api
        read["stage"] = {"name": api.stage_name, "variables": api.stage_variables or {}}
        read["cors"] = api.cors and {"origins": api.cors.allow_origin, "methods": api.cors.allow_methods}
        read["routes"] = [route(r, functions) for r in sorted(api.routes, key=lambda r: (r.path, sorted(r.methods)))]
    return read


def function(f):
    return {
        "id": f.full_path,
        "logicalId": f.name,
        "functionName": f.functionname,
        "code": f.codeuri,
        "runtime": f.runtime,
        "handler": f.handler,
        "architectures": f.architectures,
        "memory": f.memory,
        "timeout": f.timeout,
        "environment": {name: variable(value) for name, value in (f.environment or {}).get("Variables", {}).items()},
        "layers": [layer.codeuri or layer.arn for layer in f.layers],
        "skipBuild": bool((f.metadata or {}).get("SkipBuild")),
    }


def variable(value):
    # As the SAM CLI's EnvironmentVariables does, an unresolved value is nothing.
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def route(r, functions):
    # start-api hands each path to Werkzeug, and ends where it is refused.
    path = "/" if r.path == "$default" else PathConverter.convert_path_to_flask(r.path)
    Map([Rule(path, endpoint="x")])
    target = functions.get(r.function_name) if r.function_name else None
    return {
        "path": r.path,
        "methods": sorted(r.methods),
        "function": target and target.full_path,
        "version": r.payload_format_version,
    }


def attempt(template):
    try:
        return read(template)
    except Exception as error:  # whatever it is, sam would end with it
        return {"error": f"{type(error).__name__}: {error}"}


json.dump([attempt(template) for template in sys.argv[1:]], sys.stdout, indent=1)
