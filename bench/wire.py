#!/usr/bin/python3
"""Round trips as a program reports them, beside those that its own interface saw.

  wire.py PROGRAM OUTPUT CAPTURE...

For each probe to hop 2 or farther: the reported round trip and the true one, in microseconds. True is the time from
the probe's arrival at the other end of the source's cable (which has no length) until the answer's arrival at the
source, as the kernel stamps them for tcpdump: captures of what came in, so that tcpdump's own work on a packet lies
behind its stamp. Probes of a hop are paired in the order in which they were sent."""
import json
import re
import struct
import sys

TIME_EXCEEDED, UNREACHABLE, ECHO_REPLY, ECHO = 11, 3, 0, 8
ICMP, UDP = 1, 17


def frames(path):
    with open(path, "rb") as file:
        magic, *_, link = struct.unpack("<IHHiIII", file.read(24))
        assert magic == 0xA1B23C4D and link == 1, "nanoseconds and Ethernet are expected"
        while len(head := file.read(16)) == 16:
            seconds, nanoseconds, length, _ = struct.unpack("<IIII", head)
            frame = file.read(length)
            if frame[12:14] == b"\x08\x00":
                yield seconds * 10**9 + nanoseconds, frame[14:]


def header(packet):
    length = (packet[0] & 15) * 4
    return packet[8], packet[9], packet[4:6], packet[length:]  # TTL, protocol, id, the rest


def wire(paths):
    """Per hop limit a list of round trips in the order of sending; None = no answer."""
    sent, hops = {}, {}
    for stamp, packet in sorted(frame for path in paths for frame in frames(path)):
        ttl, protocol, number, rest = header(packet)
        kind = rest[0] if protocol == ICMP else None
        if protocol == UDP or kind == ECHO:
            # As errors quote it, and as echo replies do.
            entry = [stamp, None]
            hops.setdefault(ttl, []).append(entry)
            sent[protocol, number, rest[:8]] = entry
            if kind == ECHO:
                sent[rest[4:8]] = entry
        elif kind in (TIME_EXCEEDED, UNREACHABLE):
            _, protocol, number, quoted = header(rest[8:])
            answer(sent.get((protocol, number, quoted[:8])), stamp)
        elif kind == ECHO_REPLY:
            answer(sent.get(rest[4:8]), stamp)
    return {ttl: [(b - a) / 1000 if b else None for a, b in probes] for ttl, probes in hops.items()}


def answer(entry, stamp):
    if entry and entry[1] is None:
        entry[1] = stamp


def read_retour(text):
    for hop in json.loads(text)["forward"]["hops"]:
        for probe in hop["probes"]:
            yield hop["ttl"], probe["rtt_ms"] and probe["rtt_ms"] * 1000


def read_traceroute(text):
    for line in text.splitlines()[1:]:
        for time in re.findall(r"([\d.]+) ms|(?<= )\*", line):
            yield int(line.split()[0]), float(time) * 1000 if time else None


def read_mtr(text):
    for line in text.splitlines():
        words = line.split()
        if words and words[0] == "p":
            yield int(words[1]) + 1, float(words[2])


def read_scamper(text):
    for line in text.splitlines():
        document = json.loads(line)
        if document["type"] == "trace":
            for hop in document["hops"]:
                yield hop["probe_ttl"], hop["rtt"] * 1000


def main():
    program, output, *captures = sys.argv[1:]
    truth = wire(captures)
    reported = {}
    with open(output, encoding="utf-8") as file:
        for ttl, time in globals()["read_" + program](file.read()):
            reported.setdefault(ttl, []).append(time)
    for ttl, times in reported.items():
        for time, true in zip(times, truth.get(ttl, [])):
            if ttl > 1 and time is not None and true is not None:
                print(f"{time:.1f} {true:.1f}")


main()
