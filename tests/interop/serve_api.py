#!/usr/bin/python3
"""Asks an HTTP interface for every path of its OpenAPI description: each answers, with a status, a type and a form that
stand there.

usage: serve_api.py DESCRIPTION BASE-URL
"""
import json
import sys

from openapi import Interface

interface = Interface(sys.argv[1], sys.argv[2])


def ask(path, accept="application/json"):
    return interface.ask("GET", path, {"Accept": accept})


def check(path, operation, accept="application/json"):
    return interface.check(path, operation, *ask(path, accept))


us = json.loads(ask("/api/v1/address")[2])["address"]
for path, item in interface.description["paths"].items():
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
    if "text/plain" in interface.resolve(operation["responses"].get("200", {})).get("content", {}):
        statuses.add(check(concrete, operation, "text/plain"))
    expected = "501" if "200" not in operation["responses"] else "200"
    assert int(expected) in statuses, f"{path}: never {expected}, only {statuses}"
