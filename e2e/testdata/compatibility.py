"""Prints what the SAM CLI itself would do with templates, without running any.

Standard input is a JSON list of templates' paths. Standard output is a JSON
list of what sam local invoke, sam local start-api and sam list resources make
of each: which functions they find and could invoke, which function start-api
would give each method and path to, and the logical ids that are listed. What
sam list resources said is kept in the folder that the argument names.
"""

import hashlib
import json
import logging
import os
import re
import sys
from importlib.metadata import version

from click.testing import CliRunner
from samcli.cli.main import cli
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.apigw.local_apigw_service import LocalApigwService

logging.disable(logging.CRITICAL)

LAYER_ARN = re.compile(r"arn:[^:]+:lambda:[^:]+:\d{12}:layer:[A-Za-z0-9_-]+:\d+")
ECR = re.compile(r"\.dkr\.ecr\.")


class Runner:
    """The part of the SAM CLI's runner of functions that its service asks at start."""

    def is_debugging(self):
        return False


def read(template):
    result = {"template": template, "error": "", "functions": [], "apiError": "", "routes": [], "binary": []}
    list_resources(result, template)
    try:
        stacks, _ = SamLocalStackProvider.get_stacks(template)
        provider = SamFunctionProvider(stacks)
        result["functions"] = [function(f, stacks) for f in provider.get_all()]
    except Exception as error:  # whatever it is, sam would end with it
        result["error"] = explain(error)
        return result
    try:
        read_api(result, template, stacks, provider)
    except Exception as error:
        result["apiError"] = explain(error)
    return result


def list_resources(result, template):
    """What sam list resources --template shows, run where the template is.

    It takes a third of a second, and reads nothing but templates: what it said
    of the same ones is kept.
    """
    folder = os.path.dirname(template)
    digest = hashlib.sha256(open(__file__, "rb").read() + version("aws-sam-cli").encode())
    for name in [os.path.basename(template)] + sorted(n for n in os.listdir(folder) if ".template." in n):
        with open(os.path.join(folder, name), "rb") as f:
            digest.update(name.encode() + b"\0" + f.read())
    kept = os.path.join(sys.argv[1], digest.hexdigest() + ".json")
    if not os.path.exists(kept):
        with open(kept + ".new", "w") as f:
            json.dump(ask_list_resources(template), f)
        os.rename(kept + ".new", kept)
    with open(kept) as f:
        result["listed"], result["listError"] = json.load(f)


def ask_list_resources(template):
    os.chdir(os.path.dirname(template))
    arguments = ["list", "resources", "--template", template, "--output", "json", "--region", "us-east-1"]
    ended = CliRunner().invoke(cli, arguments)
    said = ended.output.strip()
    if ended.exit_code != 0:
        return [], said.splitlines()[-1] if said else explain(ended.exception)
    # The command tells first that it asks no deployed stack.
    return [r["LogicalResourceId"] for r in json.loads(said[said.index("\n[") :])], ""


def explain(error):
    return f"{type(error).__name__}: {error}"


def function(f, stacks):
    return {
        "id": f.full_path,
        "logicalId": f.name,
        "file": stack_of(f, stacks).location,
        "layers": len(f.layers),
        "obstacle": obstacle(f, stacks),
        "environment": {k: variable(v) for k, v in (f.environment or {}).get("Variables", {}).items()},
    }


def obstacle(f, stacks):
    """Why sam local invoke could not run the function, or "" where it could."""
    for layer in f.layers:
        if layer.codeuri and not os.path.exists(layer.codeuri):
            return "its layer has no code here"
        if not layer.codeuri and not LAYER_ARN.fullmatch(layer.arn):
            return "one of its layers is not found"
    metadata = f.metadata or {}
    if f.packagetype == "Image":
        if metadata.get("aws:asset:docker-build-target") and not metadata.get("DockerBuildTarget"):
            return "its build target is lost"
        if metadata.get("DockerContext"):
            context = os.path.join(os.path.dirname(stack_of(f, stacks).location), metadata["DockerContext"])
            return "" if os.path.isdir(context) else "its build context is not there"
        return "its image is in a registry" if not f.imageuri or ECR.search(f.imageuri) else ""
    if f.inlinecode or inline(f, stacks):
        return "its code is inline"
    if not f.codeuri or not os.path.exists(f.codeuri):
        return "its code is not there"
    return ""


def stack_of(f, stacks):
    return next(stack for stack in stacks if stack.stack_path == f.stack_path)


def inline(f, stacks):
    code = stack_of(f, stacks).resources.get(f.name, {}).get("Properties", {}).get("Code")
    return isinstance(code, dict) and "ZipFile" in code


def variable(value):
    # As the SAM CLI's EnvironmentVariables does, an unresolved value is nothing.
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def read_api(result, template, stacks, provider):
    api = ApiProvider(stacks, cwd=os.path.dirname(template)).api
    service = LocalApigwService(api=api, lambda_runner=Runner())
    service.create()
    result["binary"] = sorted(api.binary_media_types or [])
    for key, route in service._dict_of_routes.items():
        path, method = key.rsplit(":", 1)
        target = provider.get(route.function_name) if route.function_name else None
        result["routes"].append(
            {
                "path": "$default" if route.is_default_route else route.path,
                "method": method,
                "function": target.full_path if target else "",
                "logicalId": target.name if target else "",
                "file": stack_of(target, stacks).location if target else "",
                "version": route.payload_format_version or "",
                "protected": route.authorizer_object is not None,
            }
        )


json.dump([read(template) for template in json.load(sys.stdin)], sys.stdout, indent=1)
