#!/usr/bin/python3
"""Clients that mean no good to an HTTP server.

usage: http_flood.py ADDRESS PORT SECONDS hold|drip|bodies|hammer|vanish [SOURCE PREFIX]

  hold    10,000 connections that say nothing
  drip    as many as are let in, each sending one byte of a header a second
  bodies  600 requests with 4 MB that do not end
  hammer  requests as fast as they are answered, on 16 connections
  vanish  traces whose clients reset the connection at once
With a source prefix such as 10.88 connections come from 10.88.N.1 in turn. Prints how many were open at most.
"""
import resource
import socket
import struct
import sys
import time

address, port, seconds, mode = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
prefix = sys.argv[5] if len(sys.argv) > 5 else None
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 12000), hard))
family = socket.AF_INET6 if ":" in address else socket.AF_INET
deadline = time.monotonic() + seconds


def connect(number):
    connection = socket.socket(family, socket.SOCK_STREAM)
    if prefix:
        connection.bind((f"{prefix}.{number % 250}.{1 + number // 250 % 250}", 0))
    connection.settimeout(0.5)
    connection.connect((address, port))
    return connection


def still_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def hold(line):
    held, most, number, limit = [], 0, 0, 10000 if mode == "hold" else 600
    while time.monotonic() < deadline:
        begun = time.monotonic()
        while number < limit and time.monotonic() < min(deadline, begun + 1):
            number += 1
            try:
                held.append(connect(number))
                held[-1].send(line)
            except OSError:
                pass
        held = [c for c in held if still_open(c)]
        most = max(most, len(held))
        for connection in held if mode == "drip" else []:
            try:
                connection.send(b"x")
            except OSError:
                pass
        time.sleep(max(0, begun + 1 - time.monotonic()))
    print(f"{number} {most}")


def hammer():
    request = b"GET /api/v1/address HTTP/1.1\r\nHost: x\r\n\r\n" * 8
    held, answers = [], 0
    while time.monotonic() < deadline:
        while len(held) < 16:
            try:
                held.append(connect(len(held)))
            except OSError:
                break
        for connection in list(held):
            try:
                connection.send(request)
                answers += connection.recv(65536).count(b"200 OK")
            except OSError:
                held.remove(connection)
    print(answers)


def bodies():
    head = b"POST /api/v2/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 4000001\r\n\r\n"
    waiting, sent, number = {}, 0, 0
    while time.monotonic() < deadline:
        while len(waiting) < 600 and number < 6000:
            number += 1
            try:
                connection = connect(number)
                connection.setblocking(False)
                waiting[connection] = memoryview(head + b"x" * 4000000)
            except OSError:
                break
        for connection, left in list(waiting.items()):
            try:
                count = connection.send(left[:65536]) if left else 0
                waiting[connection] = left[count:]
                sent += count
                if not left and not still_open(connection):
                    del waiting[connection]
            except BlockingIOError:
                pass
            except OSError:
                del waiting[connection]
        time.sleep(0.01)
    print(f"{number} {sent >> 20} MiB")


def vanish():
    number = 0
    while time.monotonic() < deadline:
        try:
            connection = connect(number)
            connection.send(b"GET /api/v1/trace HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            number += 1
        except OSError:
            pass
        time.sleep(0.01)
    print(number)


{"hold": lambda: hold(b""), "drip": lambda: hold(b"GET / HTTP/1.1\r\nX: "), "bodies": bodies, "hammer": hammer, "vanish": vanish}[mode]()
