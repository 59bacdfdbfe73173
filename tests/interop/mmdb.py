"""Write a small MMDB file, after the format's specification (MaxMind DB 2.0): mmdb.py KIND FILE
KIND is asn, country (keys as in GeoLite2) or ipinfo (keys as in IPinfo Lite)."""
import ipaddress
import struct
import sys

RECORDS = {
    "asn": ("Test-ASN", [
        ("198.51.100.0/24", {"autonomous_system_number": 64700, "autonomous_system_organization": "MMDB Campus"}),
        ("2001:db8:100::/40", {"autonomous_system_number": 64700, "autonomous_system_organization": "MMDB Campus"}),
    ]),
    "country": ("Test-Country", [
        ("203.0.113.0/24", {"country": {"iso_code": "CH"}}),
        ("198.18.16.0/22", {"registered_country": {"iso_code": "AT"}}),
    ]),
    "ipinfo": ("ipinfo test_lite.mmdb", [
        ("203.0.113.0/25", {"asn": "AS64701", "as_name": "Info Transit", "country_code": "LU", "country": "Luxembourg"}),
        ("198.18.18.80/32", {"asn": "AS64702", "name": "Info Hosting", "country": "BE"}),
    ]),
    "useless": ("Test-Useless", [("198.51.100.0/24", {"is_nice": "yes"})]),
}


def control(kind, size):
    head = bytes([kind << 5 | min(size, 29)]) if kind < 8 else bytes([min(size, 29), kind - 7])
    return head + (bytes([size - 29]) if size >= 29 else b"")


def encode(value, kind=6):
    if isinstance(value, str):
        data = value.encode()
        return control(2, len(data)) + data
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(
            encode(key) + encode(*(item if isinstance(item, tuple) else (item,))) for key, item in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(encode(item) for item in value)
    data = value.to_bytes(8, "big").lstrip(b"\0")
    return control(kind, len(data)) + data


def build(name, records):
    nodes, data, offsets = [[None, None]], b"", []
    for text, value in records:
        network = ipaddress.ip_network(text)
        bits, length = int(network.network_address), network.prefixlen
        if network.version == 4:
            length += 96
        offsets.append(len(data))
        data += encode(value)
        at = 0
        for depth in range(length):
            bit = bits >> (127 - depth) & 1
            if depth == length - 1:
                nodes[at][bit] = ("data", offsets[-1])
            elif nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = ("node", len(nodes) - 1)
                at = len(nodes) - 1
            else:
                at = nodes[at][bit][1]
    count = len(nodes)

    def record(entry):
        if entry is None:
            return count
        return entry[1] if entry[0] == "node" else count + 16 + entry[1]

    tree = b"".join(struct.pack(">I", record(entry))[1:] for node in nodes for entry in node)
    metadata = {
        "binary_format_major_version": (2, 5), "binary_format_minor_version": (0, 5), "build_epoch": (1795000000, 9),
        "database_type": name, "description": {"en": "made for a test"}, "ip_version": (6, 5),
        "languages": ["en"], "node_count": (count, 6), "record_size": (24, 5),
    }
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata)


with open(sys.argv[2], "wb") as file:
    file.write(build(*RECORDS[sys.argv[1]]))
