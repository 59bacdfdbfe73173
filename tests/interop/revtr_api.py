#!/usr/bin/python3
"""Asks a coordinator for every path and method of its OpenAPI description: each answers, with a status, a type and a form
that stand there.

usage: revtr_api.py DESCRIPTION BASE-URL KEY SOURCE DESTINATION
"""
import json
import sys
import time
import urllib.parse

from openapi import Interface

interface = Interface(sys.argv[1], sys.argv[2])
key, source, destination = sys.argv[3:6]
BODIES = {
    "/api/v2/batches": {"request": "described", "measurements": [{"source": source, "destination": destination}]},
    "/api/v2/sources": {"address": source, "agent": "here"},
    "/api/v2/atlas/{source}/traceroutes": {
        "traceroutes": [{"from": None, "seen_ms": int(1000 * time.time()), "hops": ["192.0.43.1", None, destination]}]},
    "/api/v2/aliases": {"sets": [["192.0.43.1", "192.0.43.5"]]},
    "/api/v2/aliases/probe": {"addresses": ["192.0.43.1"]},
    "/api/v2/keys": {"name": "described"},
    "/api/v1/revtr": {"revtrs": [{"src": source, "dst": destination, "label": "ü \"'"}]},
}


def ask(method, path, body=None, shown=key):
    return interface.ask(method, path, {"source": source, **({"Revtr-Key": shown} if shown else {})}, body)


def check(path, method, operation, *answer):
    return interface.check(f"{method} {path}", operation, *answer)


def concrete(path, item, batch):
    path = path.replace("{batch}", str(batch)).replace("{source}", source).replace("{agent}", "here")
    return path + (f"?batchid={batch}" if path == "/api/v1/revtr" else "")


batch = json.loads(ask("POST", "/api/v2/batches", BODIES["/api/v2/batches"])[2])["batch"]
assert json.loads(ask("POST", "/api/v2/batches", BODIES["/api/v2/batches"])[2])["batch"] == batch, "the same request"
for path, item in interface.description["paths"].items():
    for method in ("post", "get", "delete"):
        operation = item.get(method)
        url = concrete(path, item, batch) if method == "get" else concrete(path, item, batch).partition("?")[0]
        if not operation:
            assert ask(method, url, {} if method == "post" else None)[0] == 405, f"{method} {path} is served but not described"
            continue
        status = check(path, method, operation, *ask(method, url, BODIES.get(path) if method == "post" else None))
        # There is no agent that is connected.
        alone = path in ("/api/v2/health", "/api/v2/agents/{agent}/test") or (status == 503 and ("atlas" in path or "probe" in path))
        assert status < 300 or alone, f"{method} {path}: {status}"
        if operation.get("security") != []:
            assert ask(method, url, shown=None)[0] == 401 and ask(method, url, shown="0" * 64)[0] == 401, f"{path} needs no key"
        if "requestBody" in operation:
            assert check(path, method, operation, *ask(method, url, {"measurements": 1, "revtrs": [{}], "name": "a b"})) == 400
        if "{source}" in path:
            assert ask(method, path.replace("{source}", "198.51.100.1"), BODIES.get(path))[0] == 404, f"{method} {path}: a source"
        if "{batch}" in path:
            assert check(path, method, operation, *ask(method, path.replace("{batch}", "4711"))) == 404
assert ask("GET", "/api/v2/nothing")[0] == 404

# What others traced: what was taken is there, and was looked at.
now = int(1000 * time.time())
body = {"traceroutes": [
    {"from": "203.0.113.9", "seen_ms": now, "hops": ["203.0.113.10", None, "10.0.0.1", "203.0.113.14"]},
    {"from": "203.0.113.9", "seen_ms": 1, "hops": ["203.0.113.10"]},
    {"seen_ms": now, "hops": ["203.0.113.10", "203.0.113.11", "203.0.113.10"]}]}
status, _, answer = ask("POST", f"/api/v2/atlas/{source}/traceroutes", body)
assert json.loads(answer) == {"taken": 1, "refused": {"too-old": 1, "loop": 1}}, answer
assert json.loads(ask("POST", f"/api/v2/atlas/{source}/traceroutes", body)[2])["refused"]["not-newer"] == 1
atlas = json.loads(ask("GET", f"/api/v2/atlas/{source}")[2])
assert (atlas["imported"], atlas["used"], atlas["doubted"]) == (1, 0, 0), atlas
assert [(one["origin"], one["hops"], one["imported"]) for one in atlas["list"] if one["imported"]] == [("import:203.0.113.9", 5, True)], atlas
for wrong in ({}, {"hops": [], "seen_ms": "now"}, {"hops": ["x"], "seen_ms": 1}, {"hops": [None] * 65, "seen_ms": 1},
              {"hops": ["2001:db8::1"], "seen_ms": 1}, {"from": 5, "hops": [], "seen_ms": 1}):
    assert ask("POST", f"/api/v2/atlas/{source}/traceroutes", {"traceroutes": [wrong]})[0] == 400, wrong
assert ask("POST", f"/api/v2/atlas/{source}/traceroutes", {"traceroutes": [{}] * 2001})[0] == 413
assert ask("POST", f"/api/v2/atlas/{destination}/traceroutes", body)[0] == 404
assert json.loads(ask("GET", "/api/v2/aliases")[2]) == {"sets": 1, "addresses": 2}
for wrong in ([], ["203.0.113.1"], ["203.0.113.1", "x"], ["203.0.113.1", None], "x"):
    assert ask("POST", "/api/v2/aliases", {"sets": [wrong]})[0] == 400, wrong
for wrong in ({}, {"addresses": []}, {"addresses": ["x"]}, {"addresses": [None]}, {"addresses": ["2001:db8::1"]}):
    assert ask("POST", "/api/v2/aliases/probe", wrong)[0] == 400, wrong
assert ask("POST", "/api/v2/aliases/probe", {"addresses": ["192.0.43.1"] * 1001})[0] == 413
print("ok: an atlas from elsewhere")

# Whoever has a key sees his own batches only, and is no administrator.
other = json.loads(ask("POST", "/api/v2/keys", {"name": "limited", "per_day": 3, "parallel": 2})[2])["key"]
assert ask("GET", f"/api/v2/batches/{batch}", shown=other)[0] == 404
assert ask("POST", "/api/v2/keys", {"name": "x"}, shown=other)[0] == 403
assert ask("POST", f"/api/v2/atlas/{source}/traceroutes", body, shown=other)[0] == 403
assert ask("POST", "/api/v2/aliases", BODIES["/api/v2/aliases"], shown=other)[0] == 403
assert ask("POST", "/api/v2/aliases/probe", BODIES["/api/v2/aliases/probe"], shown=other)[0] == 403
assert ask("DELETE", f"/api/v2/atlas/{source}", shown=other)[0] == 403
one = {"source": source, "destination": destination}
status, _, body = ask("POST", "/api/v2/batches", {"measurements": [one] * 3}, shown=other)
assert status == 429 and b"at a time" in body, body
status, _, body = ask("POST", "/api/v2/batches", {"measurements": [one] * 2, "request": "mine", "interactive": True}, shown=other)
assert status == 201, body
mine = json.loads(body)["batch"]
assert json.loads(ask("POST", "/api/v2/batches", {"measurements": [one] * 2, "request": "mine", "interactive": True}, shown=other)[2])["batch"] == mine
lines = ask("GET", f"/api/v2/batches/{mine}/stream", shown=other)[2].decode().split("\n")
assert json.loads([line for line in lines if line][-1])["end"], lines
status, _, body = ask("POST", "/api/v2/batches", {"measurements": [one] * 2}, shown=other)
assert status == 429 and b"a day" in body, body
assert json.loads(ask("GET", "/api/v2/budget", shown=other)[2])["spent_today"] == 2

# By label: in one batch, and in all batches of the key; nobody sees those of others.
marked = {"source": source, "destination": destination, "label": "ü&x"}
label = urllib.parse.quote(marked["label"])
batches = [json.loads(ask("POST", "/api/v2/batches", {"measurements": [one, marked, marked, one]})[2])["batch"] for _ in range(2)]
for where, expected in ((f"/api/v1/revtr?label={label}", 4), (f"/api/v1/revtr?batchid={batches[0]}&label={label}", 2),
                        (f"/api/v1/revtr?batchid={batches[0]}", 4), ("/api/v1/revtr?label=none", 0)):
    found = json.loads(ask("GET", where)[2])["revtrs"]
    assert len(found) == expected == len({one["id"] for one in found}), (where, found)
    assert "label" not in where or {one["label"] for one in found} <= {marked["label"]}, found
assert json.loads(ask("GET", f"/api/v1/revtr?label={label}", shown=other)[2])["revtrs"] == []
found = json.loads(ask("GET", f"/api/v2/batches/{batches[1]}/results?label={label}&limit=1")[2])
rest = json.loads(ask("GET", f"/api/v2/batches/{batches[1]}/results?label={label}&after={found['next']}")[2])
assert [one["label"] for one in found["results"] + rest["results"]] == [marked["label"]] * 2 and not rest["next"], (found, rest)
for entry, where, name in ((one, "/api/v2/batches", "measurements"), ({"src": source, "dst": destination}, "/api/v1/revtr", "revtrs")):
    assert ask("POST", where, {name: [{**entry, "label": "ü" * 64}]})[0] == 400, "a label that would be cut"
    assert ask("POST", where, {name: [{**entry, "label": "ü" * 63}]})[0] < 300
assert ask("GET", "/api/v1/revtr")[0] == 400 and ask("GET", f"/api/v2/batches/{batch}/stream?after=x")[0] == 400

# What cannot be measured is refused with its reason, and nothing of the batch is taken.
for wrong, reason in ((destination, "not a registered source"), ("10.0.0.1", "not a registered"), ("224.0.0.1", "not a registered")):
    status, _, body = ask("POST", "/api/v2/batches", {"measurements": [one, {"source": wrong, "destination": destination}]})
    assert status == 403 and reason in body.decode(), body
for wrong in ("10.0.0.1", "224.0.0.1", "2001:db8::1", "127.0.0.1"):
    status, _, body = ask("POST", "/api/v2/batches", {"measurements": [{"source": source, "destination": wrong}]})
    assert status == 400, body
status, _, body = ask("POST", "/api/v2/batches", {"measurements": [one] * 10001})
assert status == 413 and b"10000" in body, body
status, _, body = ask("POST", "/api/v2/batches", {"measurements": [{"label": "x" * 5000000}]})
assert status == 413, (status, body)
print("ok: limits, refusals")
