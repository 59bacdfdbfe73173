#!/usr/bin/python3
"""Asks an HTTP interface for every path of its OpenAPI description: each answers, with a status, a type and a form that
stand there.

usage: serve_api.py DESCRIPTION BASE-URL
"""
import json
import sys
import urllib.error
import urllib.request

import jsonschema
import yaml

description = yaml.safe_load(open(sys.argv[1]))
base = sys.argv[2]


def resolve(node):
    while "$ref" in node:
        path = node["$ref"].removeprefix("#/").split("/")
        node = description
        for part in path:
            node = node[part]
    return node


def inline(schema):
    """nullable is OpenAPI's word, not JSON Schema's."""
    schema = dict(resolve(schema))
    if schema.pop("nullable", False):
        schema["type"] = [schema["type"], "null"]
    if "properties" in schema:
        schema["properties"] = {name: inline(part) for name, part in schema["properties"].items()}
    return schema


def ask(path, accept="application/json"):
    request = urllib.request.Request(base + path, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=25) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read()


def check(path, operation, accept="application/json"):
    status, kind, body = ask(path, accept)
    assert str(status) in operation["responses"], f"{path}: status {status} is not described"
    content = resolve(operation["responses"][str(status)])["content"]
    assert kind in content, f"{path}: {kind} is not among {list(content)}"
    assert body, f"{path}: nothing"
    if kind == "application/json":
        jsonschema.Draft202012Validator(inline(content[kind]["schema"])).validate(json.loads(body))
    print(f"ok: {path}: {status} {kind}")
    return status


us = json.loads(ask("/api/v1/address")[2])["address"]
for path, item in description["paths"].items():
    operation = item["get"]
    assert list(item) == ["get"], f"{path}: only GET is served"
    concrete = path
    for parameter in operation.get("parameters", []):
        value = parameter.get("example", us)
        concrete = concrete.replace("{" + parameter["name"] + "}", value)
    statuses = {check(concrete, operation)}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            for value in parameter["schema"].get("enum", []):
                statuses.add(check(f"{concrete}?{parameter['name']}={value}", operation))
            statuses.add(check(f"{concrete}?{parameter['name']}=%ff", operation))
    if "text/plain" in resolve(operation["responses"].get("200", {})).get("content", {}):
        statuses.add(check(concrete, operation, "text/plain"))
    expected = "501" if "200" not in operation["responses"] else "200"
    assert int(expected) in statuses, f"{path}: never {expected}, only {statuses}"
