"""An OpenAPI description and the interface that it describes: what is answered must stand there, with its status, type
and form."""
import json
import time
import urllib.error
import urllib.request

import jsonschema
import yaml


class Interface:
    def __init__(self, description, base):
        self.description = yaml.safe_load(open(description))
        self.base = base

    def resolve(self, node):
        while "$ref" in node:
            path = node["$ref"].removeprefix("#/").split("/")
            node = self.description
            for part in path:
                node = node[part]
        return node

    def inline(self, schema):
        """nullable is OpenAPI's word, not JSON Schema's."""
        schema = dict(self.resolve(schema))
        if schema.pop("nullable", False):
            schema["type"] = [schema["type"], "null"]
        if "properties" in schema:
            schema["properties"] = {name: self.inline(part) for name, part in schema["properties"].items()}
        if "items" in schema:
            schema["items"] = self.inline(schema["items"])
        return schema

    def ask(self, method, path, headers, body=None):
        """Status, type, body."""
        time.sleep(0.025)  # more than fifty connections a second are refused
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method.upper(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers.get_content_type(), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get_content_type(), error.read()

    def check(self, what, operation, status, kind, body):
        """Its status, which is described."""
        assert str(status) in operation["responses"], f"{what}: status {status} is not described: {body[:300]}"
        content = self.resolve(operation["responses"][str(status)])["content"]
        assert kind in content, f"{what}: {kind} is not among {list(content)}"
        assert body, f"{what}: nothing"
        if kind == "application/json":
            jsonschema.Draft202012Validator(self.inline(content[kind]["schema"])).validate(json.loads(body))
        print(f"ok: {what}: {status} {kind}")
        return status
