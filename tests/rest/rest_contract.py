# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml as a judge: every answer of the daemon is held against it."""
import copy
import pathlib
import re

import jsonschema
import yaml

CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "control/http/openapi.yaml"
# Theirs are put together with allOf: a closed part would refuse the other part's members.
OPEN_SCHEMAS = {"ApiKey", "ApiKeyCreated", "ShareLink", "ShareLinkCreated"}


class ContractBroken(AssertionError):
    """The daemon has answered what the contract does not have."""


def close_objects(schema):
    """An answer has no member that the contract does not name."""
    if isinstance(schema, list):
        for item in schema:
            close_objects(item)
    elif isinstance(schema, dict):
        for item in schema.values():
            close_objects(item)
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)


class Operation:
    def __init__(self, method, path, spec):
        self.method = method
        self.path = path
        self.spec = spec
        self.id = spec["operationId"]
        self.role = spec["x-role"]
        self.pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + r"\Z")


class Contract:
    def __init__(self):
        with open(CONTRACT, encoding="utf-8") as stream:
            self.document = yaml.safe_load(stream)
        self.components = copy.deepcopy(self.document["components"])
        for name, schema in self.components["schemas"].items():
            if name not in OPEN_SCHEMAS:
                close_objects(schema)
        self.operations = [
            Operation(method.upper(), path, spec)
            for path, item in self.document["paths"].items()
            for method, spec in item.items()
            if method in ("get", "post", "patch", "delete")]
        self.seen = set()  # operationIds with their statuses

    def find(self, method, path):
        path = path.partition("?")[0]
        matches = [o for o in self.operations if o.method == method and o.pattern.match(path)]
        # a fixed path before one with a parameter in its place
        return min(matches, key=lambda o: o.path.count("{"), default=None)

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part]
            node = target
        return node

    def check(self, method, path, answer):
        operation = self.find(method, path)
        if operation is None:
            if answer.status not in (400, 404, 405, 414):
                raise ContractBroken(f"{method} {path} is in no contract: {answer.status}")
            self.check_problem(answer)
            return
        where = f"{operation.id} {answer.status}"
        responses = operation.spec["responses"]
        response = responses.get(str(answer.status), responses.get("default"))
        if response is None:
            raise ContractBroken(f"{where}: no such answer in the contract: {answer.text}")
        self.seen.add((operation.id, answer.status))
        response = self.resolve(response)
        media = answer.headers.get("Content-Type", "").partition(";")[0]
        if answer.status >= 400 and not (media == "text/html" and media in response["content"]):
            self.check_problem(answer)
        self.check_headers(where, response, answer)
        self.check_body(where, response.get("content", {}), answer)

    def check_headers(self, where, response, answer):
        optional = {"Idempotency-Replayed", "Retry-After"}
        for name, header in response.get("headers", {}).items():
            if name not in answer.headers and name not in optional:
                raise ContractBroken(f"{where}: without {name}")
            constant = self.resolve(header).get("schema", {}).get("const")
            if constant is not None and answer.headers.get(name, constant) != constant:
                raise ContractBroken(f"{where}: {name}: {answer.headers[name]}")

    def check_body(self, where, content, answer):
        if not content:
            if answer.text:
                raise ContractBroken(f"{where}: a body where none is due: {answer.text}")
            return
        media = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if media not in content:
            raise ContractBroken(f"{where}: is {media}, not one of {list(content)}")
        if media.endswith("json"):
            self.check_schema(where, content[media]["schema"], answer.json)

    def check_schema(self, where, schema, value):
        schema = copy.deepcopy(schema)
        close_objects(schema)
        whole = {"allOf": [schema], "components": self.components}
        judge = jsonschema.Draft202012Validator(
            whole, format_checker=jsonschema.FormatChecker(["uuid", "date-time", "email"]))
        for error in judge.iter_errors(value):
            raise ContractBroken(f"{where}: {error.json_path}: {error.message}")

    def check_problem(self, answer):
        where = f"problem {answer.status}"
        if answer.headers.get("Content-Type") != "application/problem+json":
            raise ContractBroken(f"{where}: {answer.headers} {answer.text}")
        self.check_schema(where, {"$ref": "#/components/schemas/Problem"}, answer.json)
        if answer.json["status"] != answer.status:
            raise ContractBroken(f"{where}: says {answer.json['status']} in its body")
        if not answer.json["detail"]:
            raise ContractBroken(f"{where}: without a detail")
        if answer.status == 503 and "Retry-After" not in answer.headers:
            raise ContractBroken(f"{where}: without Retry-After")
