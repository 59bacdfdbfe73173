#!/usr/bin/python3
"""A stretch of road on which packets wait: reads them from a TUN device, and gives each back after a random while.

waiting.py DEVICE LOG LEAST_MS MOST_MS: uniform in between; LOG gets the time that each UDP packet really waited, in
milliseconds, a line each.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

device, log, least, most = sys.argv[1], open(sys.argv[2], "w"), float(sys.argv[3]), float(sys.argv[4])
tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22s", device.encode(), 0x1001, b""))  # TUNSETIFF: TUN, no header
print("ready", flush=True)
waiting = []
while True:
    left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    if select.select([tun], [], [], left)[0]:
        packet, now = os.read(tun, 65536), time.monotonic()
        heapq.heappush(waiting, (now + random.uniform(least, most) / 1000, now, packet))
    while waiting and waiting[0][0] <= time.monotonic():
        _, came, packet = heapq.heappop(waiting)
        os.write(tun, packet)
        if packet[0] >> 4 == 4 and packet[9] == 17:
            print((time.monotonic() - came) * 1000, file=log, flush=True)
