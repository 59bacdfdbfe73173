#!/usr/bin/python3
"""Looking glasses of every kind on one port, which run a real traceroute on this host; and the ways they go wrong.

lg_server.py PORT [LOG]. The first part of a path is how it behaves (see Mood), the rest is the looking glass's own.
LOG gets a line for each request: method, path, body. The dialects are written after the programs' public source and
documents, not after our client.
"""
import http.server
import json
import subprocess
import sys
import time
import urllib.parse

ROOT = "/.well-known/looking-glass/v1/"
LOG = open(sys.argv[2], "a", buffering=1) if len(sys.argv) > 2 else None


def trace(target, program="traceroute"):
    """What the far host's traceroute prints; None where it is no address."""
    if not target or target.startswith("-"):
        return None
    version = "-6" if ":" in target else "-4"
    if program == "mtr":
        command = ["mtr", version, "-w", "-c1", "-Z1", "-G1", "-b", target]
    else:
        command = ["traceroute", version, "-q1", "-N32", "-w1", target]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


class LookingGlass(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sessions = {}

    def log_message(self, *_):
        pass

    # ---- replies

    def reply(self, body, status=200, kind="text/plain", headers=()):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, data, status=200):
        self.reply(json.dumps(data), status, "application/json")

    def chunk(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def begin_chunks(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    # ---- moods: True = that was the answer

    def mood_busy(self):
        self.reply("slow down", 429, headers=[("Retry-After", "17")])

    def mood_full(self):
        self.reply("Service Unavailable", 503)

    def mood_closed(self):
        self.reply("who are you?", 403)

    def mood_never(self):
        time.sleep(300)

    def mood_garbage(self):
        self.reply(bytes((i * 73 + i // 256) % 256 for i in range(5000)))

    def mood_html(self):
        self.reply("<html><title>Hello</title><body><h1>Welcome &amp; enjoy</h1></body></html>", kind="text/html")

    def mood_huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        block = b"x" * 65536
        for _ in range(1600):
            self.wfile.write(block)

    def mood_truncated(self):
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"status":"success","data":{"output":["traceroute to ')
        self.close_connection = True

    def mood_drip(self):
        self.begin_chunks()
        for _ in range(3000):
            self.chunk(" ")
            time.sleep(0.1)

    def mood_redirect(self):
        self.reply("", 302, headers=[("Location", "file:///etc/passwd")])

    # ---- RFC 8522

    def rfc8522(self, path, query):
        router = query.get("router", "edge1.lab")
        if path == "routers":
            self.json({"status": "success", "data": {"routers": ["edge1.lab", "edge2.lab"]}})
        elif path == "cmd":
            self.json({"status": "success", "data": {"commands": [
                {"href": "/x", "arguments": "{addr}", "description": "", "command": "show route"}]}})
        elif not path.startswith("traceroute/"):
            self.json({"status": "fail", "data": {}}, 404)
        elif router not in ("edge1.lab", "edge2.lab"):
            self.json({"status": "fail", "data": {"router": router, "message": "no such router"}}, 404)
        elif query.get("format") == "application/json":
            self.json({"status": "error", "message": "this format is not implemented"}, 501)
        else:
            lines = trace(urllib.parse.unquote(path[11:])).splitlines()
            self.json({"status": "success", "data": {
                "router": router, "performed_at": "2026-11-22T01:02:03Z", "runtime": 1.1, "format": "text/plain",
                "output": lines}})

    # ---- hyperglass

    def hyperglass(self, path, body):
        ids = {"Traceroute": "__hyperglass_frr_traceroute__", "Ping": "__hyperglass_frr_ping__"}
        devices = [{"id": "harbour", "name": "Harbour", "group": "London"}]
        if path == "/api/devices":
            self.json(devices)
        elif path == "/api/queries":
            self.json(list(ids))
        elif path == "/api/query" and body["queryLocation"] not in ("harbour", "Harbour"):
            self.json({"output": "nowhere does not exist.", "level": "danger", "keywords": []}, 400)
        elif path == "/api/query" and body["queryType"] not in ids.values():
            self.json({"output": body["queryType"] + " does not exist.", "level": "warning", "keywords": []}, 400)
        elif path == "/api/query":
            self.json({"output": trace(body["queryTarget"]), "id": "cache.1", "cached": False, "runtime": 1,
                       "timestamp": "2026-11-22 01:02:03", "format": "text/plain", "random": "1",
                       "level": "success", "keywords": []})
        else:
            locations = [dict(device, avatar=None, description=None, directives=[
                {"id": value, "name": name, "field_type": "text", "groups": [], "description": "", "info": None}
                for name, value in ids.items()]) for device in devices]
            page = {"props": {"config": {"devices": [{"group": "London", "locations": locations}]}}}
            self.reply('<!DOCTYPE html><html><body><div id="__next"></div><script id="__NEXT_DATA__" '
                       'type="application/json">%s</script></body></html>' % json.dumps(page), kind="text/html")

    # ---- bird-lg-go

    def bird(self, body):
        if body["type"] == "server_list":
            self.json({"error": "", "result": [{"server": "fra1", "data": ""}, {"server": "lon1", "data": ""}]})
        elif body["type"] == "traceroute" and body["servers"] == ["fra1"]:
            self.json({"error": "", "result": [{"server": "fra1", "data": self.thinned(trace(body["args"]))}]})
        elif body["type"] == "traceroute":
            self.json({"error": "", "result": [{"server": body["servers"][0], "data": "request failed: invalid server"}]})
        else:
            self.json({"error": "invalid request type"})

    @staticmethod
    def thinned(text):
        """Lines of hops that say nothing are taken out, and counted."""
        lines = text.splitlines()
        said = [line for line in lines if not line.rstrip().endswith(" *")]
        silent = len(lines) - len(said)
        return "\n".join(said) + ("\n\n%d hops not responding." % silent if silent else "")

    def bird_proxy(self, query):
        target = query.get("q", "")
        text = trace(target)
        if text is None:
            self.reply("Invalid request\n", 400)
        else:
            self.reply(self.thinned(text))

    # ---- gmazoyer

    def gmazoyer(self, path, form):
        if path != "/execute.php":
            self.reply('<form action="execute.php" method="post"><select size="5" name="routers" id="routers">'
                       '<option value="router1" selected="selected">Edge London</option>'
                       '<option value="router2">Edge Paris</option></select></form>', kind="text/html")
        elif form.get("dontlook") != "":
            self.reply("Spam detected")
        elif form.get("routers") != "router1":
            self.json({"error": "Router not found."})
        elif form.get("query") == "traceroute":
            text = trace(form["parameter"]).replace("&", "&amp;").replace("<", "&lt;")
            self.reply(json.dumps({"result": "<p><kbd>Command: traceroute</kbd></p>\n<pre class=\"text-start\">"
                                   "<code>" + text + "</code></pre>"}), kind="text/html")
        else:
            self.json({"error": "Unknown request."})

    # ---- hybula

    def hybula(self, path, form, mood):
        cookie = self.headers.get("Cookie", "")
        session = self.sessions.setdefault(cookie, {}) if "HYLOOKINGGLASS=" in cookie else None
        if path == "/backend.php":
            if session and session.pop("call", None):
                self.hybula_stream(session["host"])
            else:
                self.reply("")
        elif form:
            if session is None or form.get("csrfToken") != session.get("csrf"):
                error = "Missing or incorrect CSRF token."
            elif "submitForm" not in form or form.get("backendMethod") not in ("traceroute", "traceroute6", "mtr"):
                error = "Unsupported POST received."
            elif "checkTerms" not in form:
                error = "You must agree with the Terms of Service."
            else:
                error = None
                session.update(host=form["targetHost"], call=True)
            if session is not None:
                session["error"] = error
            self.reply("", 302, headers=[("Location", "/" + mood + "/hybula/")])
        else:
            self.hybula_page(session)

    def hybula_page(self, session):
        headers = []
        if session is None:
            cookie = "HYLOOKINGGLASS=s%d" % len(self.sessions)
            session = self.sessions.setdefault(cookie, {})
            headers = [("Set-Cookie", cookie + "; path=/")]
        session["csrf"] = "c0ffee%d" % time.monotonic_ns()
        error = session.pop("error", None)
        shown = '<div class="alert alert-danger mt-3" role="alert">%s</div>' % error if error else ""
        self.reply('<form method="POST" autocomplete="off"><input type="hidden" name="csrfToken" value="%s">'
                   '<input type="text" name="targetHost"><select name="backendMethod" id="backendMethod">'
                   '<option value="ping">ping</option><option value="mtr">mtr</option>'
                   '<option value="traceroute">traceroute</option><option value="traceroute6">traceroute6</option>'
                   '</select><input type="checkbox" name="checkTerms">%s</form>' % (session["csrf"], shown),
                   kind="text/html", headers=headers)

    def hybula_stream(self, host):
        self.begin_chunks()
        for line in trace(host).splitlines():
            line = line.strip().replace("<", "&lt;")
            if line[1:2] == " ":
                line = "&nbsp;" + line
            self.chunk((line + "<br />").ljust(4096))
        self.chunk("")

    # ---- a form of no known make

    def form(self, fields):
        if fields.get("token") == "t0k&n" and fields.get("cmd") in ("tr", "tr6") and fields.get("pop") == "lon":
            self.reply("<html><body>Result: <textarea>%s</textarea></body></html>" % trace(fields["host"]),
                       kind="text/html")
        else:
            self.reply("<input type=hidden name=token value='t0k&amp;n'>", kind="text/html")

    # ---- who is asked

    def answer(self, body):
        parts = urllib.parse.urlsplit(self.path)
        mood, _, path = parts.path[1:].partition("/")
        path = "/" + path
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        if LOG:
            print(self.command, self.path, body, file=LOG)
        if hasattr(self, "mood_" + mood):
            getattr(self, "mood_" + mood)()
        elif path.startswith(ROOT):
            self.rfc8522(path[len(ROOT):], query)
        elif path.startswith("/hyperglass"):
            self.hyperglass(path[11:], json.loads(body) if body else None)
        elif path.startswith("/bird/api/"):
            self.bird(json.loads(body))
        elif path in ("/traceroute", "/traceroute6"):
            self.bird_proxy(query)
        elif path.startswith("/gmazoyer"):
            self.gmazoyer(path[9:], form)
        elif path.startswith("/hybula"):
            self.hybula(path[7:], form, mood)
        elif path.startswith("/form"):
            self.form(form or query)
        else:
            self.reply("404 page not found", 404)

    def do_GET(self):
        self.answer("")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        pass  # clients may leave at any time


Server(("", int(sys.argv[1])), LookingGlass).serve_forever()
