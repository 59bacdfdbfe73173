#!/usr/bin/python3
"""A client of the deployed reverse-traceroute protocol, as plain as it can be: requests of the minimal size, one at
a time, and the first message that could be the answer is the answer. Prints one hop a line.

usage: stock_client.py ADDRESS icmp|udp|tcp [FLOW [THIRD-PARTY]]
"""
import ipaddress
import socket
import struct
import sys
import time

PROTOCOLS = {"icmp": 0, "udp": 17, "tcp": 6}


class Client:
    def __init__(self, target):
        self.target = target
        self.v6 = ":" in target
        if self.v6:  # the kernel computes ICMPv6 checksums
            self.socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        else:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.number = 0
        self.extension = b""

    def ask_about(self, address):
        """The way to a third party: an extension with one object, class 5, type 0, whose length leaves out its header."""
        packed = ipaddress.ip_address(address).packed
        if len(packed) == 4:
            packed = bytes(10) + b"\xff\xff" + packed
        self.extension = struct.pack("!HHHBB", 0x2000, 0, len(packed), 5, 0) + packed

    def request(self, ttl, protocol, flow):
        body = struct.pack("!BBH", ttl, protocol, flow) + (self.extension if ttl else b"")
        checksum = 0
        kind = 128 if self.v6 else 8
        for attempt in range(2):
            message = struct.pack("!BBHHH", kind, 1, checksum, self.number, 0) + body
            total = sum(struct.unpack(f"!{len(message) // 2}H", message))
            while total > 0xFFFF:
                total = (total & 0xFFFF) + (total >> 16)
            checksum = total ^ 0xFFFF
            if attempt == 1 or self.v6:
                return message

    def ask(self, ttl, protocol, flow):
        self.number += 1
        self.socket.sendto(self.request(ttl, protocol, flow), (self.target, 0))
        deadline = time.monotonic() + 2
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                message, sender = self.socket.recvfrom(2048)
            except socket.timeout:
                return None
            if not self.v6:
                message = message[(message[0] & 15) * 4 :]
            kind, code, _, number = struct.unpack("!BBHH", message[:6])
            if kind == (129 if self.v6 else 0) and code == 1 and number == self.number and sender[0] == self.target:
                return message[6:]
        return None


def hop_text(raw):
    if raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return str(ipaddress.ip_address(raw))


def main():
    client = Client(sys.argv[1])
    protocol = PROTOCOLS[sys.argv[2]]
    flow = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    hello = client.ask(0, 0, 0)
    if hello is None:
        sys.exit("no answer to the hello")
    if hello != bytes([0, 0, 1, 0, 0, 0]):
        sys.exit("not a responder: " + hello.hex())
    if len(sys.argv) > 4:
        client.ask_about(sys.argv[4])
    last = None
    for ttl in range(1, 16):
        answer = client.ask(ttl, protocol, flow)
        if answer is None:
            print("*")
            continue
        if answer[2]:
            sys.exit(f"refused: {answer[2]} {answer[4]} {answer[5]}")
        if len(answer) != 30 or answer[:6] != bytes(6):
            sys.exit("bad response: " + answer.hex())
        hop, rtt, rest = struct.unpack("!16sII", answer[6:])
        if not 0 <= rtt < 1_000_000_000 or rest:
            sys.exit(f"bad round-trip time: {rtt} {rest}")
        if hop == last:  # the client itself, again
            break
        last = hop
        print(hop_text(hop))


main()
