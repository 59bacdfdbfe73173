"""What a coordinator tells agents: revtr_order.py key SOURCE KEY | task ID PROBE TARGET SOURCE KEY [spoofed] [LISTED...].

KEY is 32 hexadecimal digits. The tag of a probe is made here after the paper on SipHash-2-4 (Aumasson and Bernstein,
2012), independently of the program."""
import ipaddress
import json
import sys

MASK = (1 << 64) - 1


def rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def rounds(v, count):
    for _ in range(count):
        v[0] = (v[0] + v[1]) & MASK
        v[1] = rotate(v[1], 13) ^ v[0]
        v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & MASK
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & MASK
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & MASK
        v[1] = rotate(v[1], 17) ^ v[2]
        v[2] = rotate(v[2], 32)


def siphash(k0, k1, data):
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def tag(key, source, target, task):
    data = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed + task.to_bytes(4, "big")
    return siphash(int(key[:16], 16), int(key[16:], 16), data)


def main():
    if sys.argv[1] == "key":
        print(json.dumps({"keys": [{"source": sys.argv[2], "key": sys.argv[3]}]}))
        return
    task, probe, target, source, key = int(sys.argv[2]), *sys.argv[3:7]
    spoofed, listed = sys.argv[7:8] == ["spoofed"], [word for word in sys.argv[7:] if word != "spoofed"]
    print(json.dumps({"task": task, "probe": probe, "target": target, "source": source, "spoofed": spoofed,
                      "tag": "%016x" % tag(key, source, target, task)} | ({"listed": listed} if listed else {})))


main()
