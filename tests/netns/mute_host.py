"""A host that does not write itself down: mute_host.py INTERFACE. It gives back the Record Route option of a ping as it
came, and refuses UDP packets with as little of them as RFC 792 asks for. The kernel beside it must not hear these packets."""
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data[: len(data) & ~1])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, options, icmp):
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(icmp), 0, 0, 64, 1, 0,
                         source, destination)
    return header + options + icmp


def main():
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    heard.bind((sys.argv[1], 0))
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    print("listening", flush=True)
    while True:
        data, where = heard.recvfrom(2048)
        length = (data[0] & 15) * 4
        if where[2] == socket.PACKET_OUTGOING or length <= 20 or len(data) < length + 8:
            continue
        body = data[length : struct.unpack("!H", data[2:4])[0]]
        source, destination, options = data[16:20], data[12:16], data[20:length]
        if data[9] == 1 and body[0] == 8:
            reply = packet(source, destination, options, b"\0\0\0\0" + body[4:])
        elif data[9] == 17:
            reply = packet(source, destination, b"", b"\3\3\0\0\0\0\0\0" + data[: length + 8])
        else:
            continue
        out.sendto(reply, (socket.inet_ntoa(destination), 0))


main()
