#!/usr/bin/python3
"""Plays Globalping, RIPE Atlas, a looking glass and STUN servers inside a lab world, as they document themselves. What its probes tell
is what Debian's traceroute printed on that host of the world. The first part of the path says how it misbehaves:
http://probe.lab:8080/MODE/v1/measurements.

  platforms.py probe    everything; the probe is this host
  platforms.py server   only runs traceroutes for the other one, http://server.lab:8081/trace?...
"""
import http.server
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

NEAR = 64510  # the AS in which the probe stands
KEY = "f00dfeed-secret-key"
lock = threading.Lock()
orders = {}  # id -> order


def traceroute(target, protocol, queries, names):
    family = "-6" if ":" in target else "-4"
    flags = {"ICMP": ["-I"], "TCP": ["-T"], "UDP": []}[protocol]
    command = ["traceroute", family, *flags, "-m", "20", "-w", "1", "-q", str(queries), "-N", "20"]
    run = subprocess.run(command + ([] if names else ["-n"]) + [target], capture_output=True, text=True)
    return run.stdout


def read_lines(text):
    """(ttl, [(name or address, address, rtt or None)])"""
    for line in text.splitlines()[1:]:
        found = re.match(r" *(\d+) (.*)", line)
        slots, name, address = [], None, None
        for word in re.findall(r"\S+ \([0-9a-f.:]+\)|\d[0-9.]* ms|\*|[0-9a-f.:]+(?= )", found[2] + " "):
            if word == "*":
                slots.append((None, None, None))
            elif word.endswith(" ms"):
                slots.append((name, address, float(word[:-3])))
            elif "(" in word:
                name, address = word[:-1].split(" (")
            else:
                name = address = word
        yield int(found[1]), slots


# ---- Globalping


def globalping_hops(text):
    hops = []
    for ttl, slots in read_lines(text):
        answered = [s for s in slots if s[1]]
        hops.append({
            "resolvedAddress": answered[0][1] if answered else None,
            "resolvedHostname": ("_gateway" if ttl == 1 else answered[0][0]) if answered else None,
            "timings": [{"rtt": s[2]} for s in answered],
        })
    return hops


def globalping_wrong(order):
    if order.get("type") != "traceroute" or not order.get("target"):
        return "type"
    if set(order) - {"type", "target", "locations", "limit", "measurementOptions", "timeout", "inProgressUpdates"}:
        return "unknown key"
    for location in order.get("locations", []):
        if set(location) - {"continent", "region", "country", "state", "city", "asn", "network", "tags", "magic"}:
            return "locations"
        if "asn" in location and not isinstance(location["asn"], int):
            return "locations.asn"
    if not 1 <= order.get("limit", 1) <= 500:
        return "limit"
    options = order.get("measurementOptions", {})
    if options.get("protocol", "ICMP") not in ("ICMP", "TCP", "UDP") or "ipVersion" in options:
        return "measurementOptions"
    return None


def error(kind, message, **params):
    return {"error": {"type": kind, "message": message, "params": params}, "links": {"documentation": "..."}}


def globalping_create(mode, order, key):
    limits = {"X-RateLimit-Limit": "250", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800"}
    if mode == "throttle":
        return 429, error("rate_limit_exceeded", "Too many requests."), {**limits, "Retry-After": "1700"}
    if mode == "reset":
        return 429, error("rate_limit_exceeded", "Too many requests."), limits
    if mode == "credits":
        return 429, error("insufficient_credits", "You do not have enough credits."), limits
    if mode == "echo":
        return 400, error("validation_error", f"no such thing as {key}"), {}
    if mode == "broken":
        return 503, error("api_error", "try later"), {}
    if key != f"Bearer {KEY}" and (key or mode == "key"):
        return 401, error("unauthorized", f"Unauthorized: {key}"), {}
    wrong = globalping_wrong(order)
    if wrong:
        return 400, error("validation_error", "Parameter validation failed.", **{wrong: "wrong"}), {}
    place = order.get("locations", [{}])[0]
    near = NEAR if mode != "upstream" else 64500
    if mode == "noprobes" or place.get("asn", near) != near or place.get("magic", "London") not in ("London",):
        return 422, error("no_probes_found", "No suitable probes found."), {}
    with lock:
        number = f"mEaSuRe{len(orders)}"
        orders[number] = {"order": order, "mode": mode, "polls": 0, "last": 0, "asn": near}
    left = {"X-RateLimit-Limit": "250", "X-RateLimit-Consumed": "3", "X-RateLimit-Remaining": "247",
            "X-RateLimit-Reset": "3600", "X-Request-Cost": "3"}
    if key:
        left |= {"X-Credits-Consumed": "0", "X-Credits-Remaining": "4000"}
    return 202, {"id": number, "probesCount": 3}, {"Location": f"/v1/measurements/{number}", **left}


def globalping_results(entry):
    order, mode = entry["order"], entry["mode"]
    probe = {"continent": "EU", "region": "Northern Europe", "country": "GB", "state": None, "city": "London",
             "asn": entry["asn"], "network": "Harbour \x1b[31mHosting", "latitude": 51.5, "longitude": -0.1,
             "tags": ["datacenter-network"], "resolvers": ["private"]}
    protocol = order.get("measurementOptions", {}).get("protocol", "ICMP")
    raw = traceroute(order["target"], protocol, 2, True)
    result = {"status": "finished", "resolvedAddress": order["target"], "resolvedHostname": order["target"],
              "rawOutput": raw, "hops": globalping_hops(raw)}
    if mode == "lies":
        result["hops"][2]["resolvedAddress"] = "203.0.113.99"
    if mode == "elsewhere":
        result["resolvedAddress"] = "203.0.113.99"
    return [
        {"probe": {**probe, "city": "Leeds"}, "result": {"status": "offline", "rawOutput": "probe disconnected"}},
        {"probe": probe, "result": result},
        {"probe": {**probe, "city": "York"}, "result": {"status": "failed", "failureSource": "probe",
                                                         "rawOutput": "Private IP ranges are not allowed."}},
    ]


def globalping_poll(number, tag):
    entry = orders.get(number)
    if not entry:
        return 404, error("not_found", "Couldn't find the requested measurement."), {}
    early, entry["polls"] = time.monotonic() - entry["last"] < 0.4, entry["polls"] + 1
    entry["last"] = time.monotonic()
    if early:
        return 400, error("validation_error", "polled too soon"), {}
    if entry["mode"] == "slow429" and entry["polls"] == 1:
        return 429, error("rate_limit_exceeded", "Too many requests."), {"Retry-After": "1"}
    if entry["polls"] == 2 and tag == '"1"':
        return 304, None, {"ETag": '"1"'}
    done = entry["polls"] > 2
    if done and "results" not in entry:
        entry["results"] = globalping_results(entry)
    waiting = [{"probe": {}, "result": {"status": "in-progress", "rawOutput": ""}}] * 3
    body = {"id": number, "type": "traceroute", "status": "finished" if done else "in-progress",
            "createdAt": "2026-11-22T01:02:03.000Z", "updatedAt": "2026-11-22T01:02:04.000Z",
            "target": entry["order"]["target"], "probesCount": 3, "results": entry["results"] if done else waiting,
            "measurementOptions": entry["order"].get("measurementOptions", {})}
    entry["last"] = time.monotonic()
    return 200, body, {"ETag": '"2"' if done else '"1"'}


# ---- RIPE Atlas


def atlas_error(status, detail):
    return {"error": {"status": status, "code": 104, "detail": detail, "title": "Forbidden", "errors": []}}


def atlas_create(mode, order, key):
    if key != f"Key {KEY}":
        return 403, atlas_error(403, f"The provided API key does not exist: {key}"), {}
    if mode == "credits":
        return 402, atlas_error(402, "You do not have enough credits to schedule this measurement."), {}
    definition, probes = order["definitions"][0], order["probes"][0]
    missing = {"description", "af", "target", "protocol", "type"} - set(definition)
    if missing or definition["protocol"] not in ("ICMP", "UDP", "TCP") or not order["is_oneoff"] or \
            probes["type"] not in ("area", "country", "prefix", "asn", "probes", "msm") or \
            (probes["type"] == "asn" and not isinstance(probes["value"], int)):
        return 400, {"error": {"status": 400, "code": 104, "title": "Bad Request", "detail": "There was a problem",
                               "errors": [{"source": {"pointer": "/"}, "detail": f"missing: {missing}"}]}}, {}
    with lock:
        number = 1000 + len(orders)
        orders[number] = {"definition": definition, "mode": mode, "polls": 0,
                          "suitable": probes["value"] in (NEAR, "198.18.16.0/22") and mode != "noprobes"}
    return 201, {"measurements": [number]}, {}


def atlas_result(number, probe, address, definition, text):
    steps = [{"hop": ttl, "result": [{"from": a, "rtt": rtt, "size": 48, "ttl": 60} if a else {"x": "*"}
                                      for _, a, rtt in slots]} for ttl, slots in read_lines(text)]
    now = int(time.time())
    return {"fw": 5080, "mver": "2.6.2", "lts": 12, "endtime": now, "dst_name": definition["target"],
            "dst_addr": definition["target"], "src_addr": "192.168.7.9", "from": address,
            "proto": definition["protocol"], "af": definition["af"], "size": 48, "paris_id": 1, "result": steps,
            "msm_id": number, "prb_id": probe, "timestamp": now, "msm_name": "Traceroute", "type": "traceroute"}


def atlas_results(number, entry):
    definition = entry["definition"]
    target, protocol, six = definition["target"], definition["protocol"], definition["af"] == 6
    if "results" not in entry:
        address = "2001:db8:a00:50::90" if six else "198.18.18.90"
        entry["results"] = [atlas_result(number, 1, address, definition, traceroute(target, protocol, 3, False))]
    if entry["polls"] > 2 and entry["mode"] == "samehost" and len(entry["results"]) == 1:
        query = urllib.parse.urlencode({"to": target, "protocol": protocol})
        text = urllib.request.urlopen(f"http://198.18.18.80:8081/trace?{query}").read().decode()
        entry["results"].append(atlas_result(number, 2, "198.18.18.80", definition, text))
    return entry["results"]


def atlas_poll(number, results):
    entry = orders.get(int(number))
    if not entry:
        return 404, atlas_error(404, "Not found."), {}
    entry["polls"] += 1
    if results:
        return 200, atlas_results(int(number), entry) if entry["polls"] > 1 else [], {}
    name = "Ongoing" if entry["polls"] < 4 else "Stopped"
    return 200, {"id": int(number), "status": {"id": 2, "name": name if entry["suitable"] else "No suitable probes"}}, {}


# ---- HTTP


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers):
        data = b"" if body is None else json.dumps(body).encode()
        mode = self.path.split("/")[1]
        if mode == "garbage":
            data = b"<html><body>Just a moment...</body></html>"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        cut = mode == "truncated" and self.command == "GET"
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if cut:
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
        elif mode == "drip":
            for at in range(0, len(data), 40):
                self.wfile.write(data[at:at + 40])
                self.wfile.flush()
                time.sleep(0.02)
        else:
            self.wfile.write(data)

    def answer_text(self, text):
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        _, mode, rest = self.path.split("/", 2)
        key = self.headers.get("Authorization", "")
        create = {"v1/measurements": globalping_create, "api/v2/measurements/": atlas_create}[rest]
        self.answer(*create(mode, order, key))

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == "/trace":
            self.answer_text(traceroute(query["to"][0], query["protocol"][0], 3, False))
            return
        if url.path.startswith("/traceroute"):  # as bird-lg-go's proxy
            self.answer_text(traceroute(query["q"][0], "UDP", 1, True))
            return
        parts = url.path.strip("/").split("/")
        if parts[1] == "v1":
            self.answer(*globalping_poll(parts[3], self.headers.get("If-None-Match")))
        else:
            self.answer(*atlas_poll(parts[4], parts[-1] == "results"))


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def serve_http(port):
    Server(("::", port), Handler).serve_forever()


# ---- STUN: port 3478 tells the truth; 3479 never answers; 3480 forges first, with another transaction's identifier;
# 3481 sees a new address from the second question on; 3482 refuses; 3483 stands inside the provider's NAT


def stun_answer(identifier, address, port):
    magic = struct.pack("!I", 0x2112A442)
    raw = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    hidden = bytes(a ^ b for a, b in zip(raw, magic + identifier))
    value = struct.pack("!BBH", 0, 2 if len(raw) == 16 else 1, port ^ 0x2112) + hidden
    attributes = struct.pack("!HH", 0x20, len(value)) + value
    return struct.pack("!HH", 0x101, len(attributes)) + magic + identifier + attributes


def serve_stun(port):
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", port))
    asked = set()
    while True:
        data, sender = server.recvfrom(2000)
        address, source_port = sender[0].removeprefix("::ffff:"), sender[1]
        if len(data) != 20 or data[:8] != bytes.fromhex("000100002112a442"):
            continue
        identifier = data[8:]
        if port == 3479:
            continue
        if port == 3480:
            server.sendto(stun_answer(b"another one!", "203.0.113.66", 1), sender)
            server.sendto(b"\x01\x01\xff\xff" + data[4:], sender)
        if port == 3481:
            asked.add(identifier)
            address = "198.51.100.99" if len(asked) > 1 else address
        if port == 3483:
            address = "100.64.7.7"
        answer = stun_answer(identifier, address, source_port)
        if port == 3482:
            answer = struct.pack("!HH", 0x111, 8) + data[4:] + bytes.fromhex("0009000400000414")
        server.sendto(answer, sender)


if sys.argv[1] == "probe":
    for number in range(3478, 3484):
        threading.Thread(target=serve_stun, args=(number,), daemon=True).start()
serve_http(8080 if sys.argv[1] == "probe" else 8081)
