#!/usr/bin/python3
"""Answers every probe that passes an interface with replies that a careful program must not believe.

noise.py INTERFACE SOURCE FORGED: SOURCE is whose probes to look for, FORGED the address that lies.
None of these replies quotes the probe correctly; whoever shows FORGED as a hop was fooled.
"""
import sys

from scapy.all import ICMP, IP, L3RawSocket, Raw, TCP, UDP, conf, raw, sniff

interface, source, forged = sys.argv[1:]
conf.verb = 0
out = L3RawSocket()


def lies(probe):
    quote = raw(probe)
    reply = IP(src=forged, dst=source, ttl=60)
    exceeded = ICMP(type=11, code=0)
    yield reply / exceeded  # nothing quoted
    yield reply / exceeded / Raw(quote[:12])  # ends inside the quoted IP header
    yield reply / exceeded / Raw(b"\x4f" + quote[1:28])  # a header length beyond the quote
    yield reply / exceeded / Raw(b"\x40" + quote[1:28])  # a header length of zero
    yield reply / ICMP(type=11, code=0, chksum=0xDEAD) / Raw(quote)  # a wrong checksum
    stranger = probe.copy()  # somebody else's probe, and one to somewhere else: nothing of ours in the payload
    if TCP in probe:
        stranger[TCP].seq ^= 0x5A5A5A5A
    else:
        stranger[IP].payload[1].load = bytes(len(stranger[IP].payload[1].load))
    yield reply / exceeded / Raw(raw(stranger))
    stranger.dst = forged
    yield reply / exceeded / Raw(raw(stranger))
    guess = probe.copy()  # the shortest quote that is allowed, by someone who knows the flow and guesses the rest
    guess.id ^= 0x1234
    yield reply / exceeded / Raw(raw(guess)[:28])
    if TCP in probe and probe[TCP].flags == "S":  # in the target's name, but to a sequence number that nobody sent
        answer = TCP(sport=probe[TCP].dport, dport=probe[TCP].sport, ack=probe[TCP].seq ^ 0x10001)
        for answer.flags in ("SA", "RA", "R"):
            yield IP(src=probe.dst, dst=source, ttl=60) / answer
    if UDP in probe:
        stranger[UDP].sport ^= 0x5555
        yield reply / ICMP(type=3, code=3) / Raw(raw(stranger))
    yield reply / ICMP(type=0, id=0x5A5A, seq=1) / Raw(b"x" * 32)  # an answer to nobody
    yield reply / ICMP(type=3, code=4) / Raw(bytes(28))
    yield reply / ICMP(type=11, code=0) / Raw(bytes(range(256)) * 4)
    yield IP(src=forged, dst=source, ttl=60, proto=1) / Raw(b"\x0b")  # cut inside the ICMP header


def answer(packet):
    if IP in packet and packet[IP].src == source:
        for lie in lies(packet[IP]):
            out.send(lie)


print("ready", flush=True)
sniff(iface=interface, filter=f"src host {source}", prn=answer, store=False)
