"""A name server at 127.0.0.1:53 that answers late and with what harms a terminal: dns.py DELAY_SECONDS
PTR: a name with an escape sequence; TXT below asn.test: origins and AS names in Team Cymru's form."""
import heapq
import select
import socket
import struct
import sys
import time

delay = float(sys.argv[1])


def labels(message):
    position, names = 12, []
    while message[position]:
        names.append(message[position + 1:position + 1 + message[position]])
        position += 1 + message[position]
    return names, position + 5


def text_for(names):
    words = [name.decode("latin-1").lower() for name in names]
    if words[0].startswith("as"):
        return f"{words[0][2:]} | DE | test | | \x1b]0;owned\x07Evil \"Name\", Inc, DE"
    if "origin" in words:
        return f"64666 64667 | {'.'.join(words[3::-1])}/32 | DE | test | "
    return None


def answer(message):
    names, end = labels(message)
    kind, = struct.unpack(">H", message[end - 4:end - 2])
    data = b""
    if kind == 12:
        data = b"\x0aev\x1b[31mil<\x04test\x00"
    elif kind == 16 and text_for(names):
        text = text_for(names).encode("latin-1")
        data = bytes([len(text)]) + text
    head = message[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, 1 if data else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data if data else b""
    return head + message[12:end] + record


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
waiting = []
print("ready", flush=True)
while True:
    wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    if select.select([server], [], [], wait)[0]:
        message, source = server.recvfrom(2048)
        heapq.heappush(waiting, (time.monotonic() + delay, message, source))
    while waiting and waiting[0][0] <= time.monotonic():
        _, message, source = heapq.heappop(waiting)
        server.sendto(answer(message), source)
