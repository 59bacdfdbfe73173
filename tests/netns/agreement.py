"""The worlds of agreement.sh. One description, two builds: Linux routers in namespaces, and a world of the lab.

    agreement.py list                the names of the worlds
    agreement.py linux WORLD         shell commands for the functions of lib.sh
    agreement.py lab WORLD           the world file

Both sides have the same addresses: cable N is 10.77.N.0/30 and fd77:0:0:N::/126. Linux has its routes written
out, the lab works them out from the same costs, so that this is compared as well.
"""
import sys

# What Linux does by itself. Its rate limits are switched off on both sides but where they are the matter.
LINUX = ("error_source: linux, record_route: outbound, timestamp: linux, own_stamps: twice, "
         "initial_ttl: {error: 64, echo: 64, reset: 64}")
UNLIMITED = "error_limit: {burst: 1000000, per_second: 1000000}"


class World:
    def __init__(self, routers, links, costs=None, routes=(), limited=False, balance=None, mtu=None):
        self.routers = routers
        self.links = links  # (from, to), numbered from 1
        self.costs = costs or {}  # (from, to): cost of that direction; 10 otherwise
        self.routes = routes  # (router, target, action): on top of the shortest paths
        self.limited = limited
        self.balance = balance
        self.mtu = mtu or {}  # link: bytes

    def nodes(self):
        return ["near", "far"] + self.routers

    def neighbours(self, node):
        for number, (left, right) in enumerate(self.links, 1):
            if node in (left, right):
                yield number, right if node == left else left

    def distances(self, targets):
        """Of every node to the nearest of the targets; hosts carry no transit."""
        distance = {node: 0 if node in targets else 1 << 30 for node in self.nodes()}
        for _ in self.nodes():
            for node in self.routers + ["near", "far"]:
                if node in ("near", "far") and node not in targets:
                    continue
                for _, other in self.neighbours(node):
                    through = distance[node] + self.costs.get((other, node), 10)
                    distance[other] = min(distance[other], through)
        return distance

    def ways(self, node, target):
        """The neighbours that are on a shortest path from `node` to the node `target`."""
        distance = self.distances([target])
        return [
            other
            for _, other in self.neighbours(node)
            if (other in self.routers or other == target)
            and distance[other] + self.costs.get((node, other), 10) == distance[node]
        ]


def chain(length):
    nodes = ["near"] + [f"r{i}" for i in range(1, length + 1)] + ["far"]
    return nodes[1:-1], list(zip(nodes, nodes[1:]))


def ring():
    """There by the f's, back by the b's."""
    routers = ["g1", "f1", "f2", "f3", "g2", "b1", "b2", "b3", "b4"]
    links = [("near", "g1"), ("g1", "f1"), ("f1", "f2"), ("f2", "f3"), ("f3", "g2"), ("g2", "far"),
             ("g2", "b1"), ("b1", "b2"), ("b2", "b3"), ("b3", "b4"), ("b4", "g1")]
    return World(routers, links, costs={("g2", "f3"): 100, ("g1", "b4"): 100})


def diamond():
    routers = ["d1", "u1", "u2", "v1", "v2", "w1", "w2", "d2"]
    links = [("near", "d1"), ("d1", "u1"), ("d1", "v1"), ("d1", "w1"), ("u1", "u2"), ("v1", "v2"), ("w1", "w2"),
             ("u2", "d2"), ("v2", "d2"), ("w2", "d2"), ("d2", "far")]
    return World(routers, links, balance="flow", costs={("d2", "v2"): 20, ("d2", "w2"): 20})


WORLDS = {
    "chain": World(*chain(6)),
    "long": World(*chain(12)),
    "asymmetric": ring(),
    "diamond": diamond(),
    "unreachable": World(*chain(4), routes=[("r3", "far", "unreachable")]),
    "prohibit": World(*chain(4), routes=[("r3", "far", "prohibit")]),
    "blackhole": World(*chain(4), routes=[("r3", "far", "blackhole")]),
    "loop": World(*chain(4), routes=[("r3", "far", "via r2")]),
    "narrow": World(*chain(4), mtu={3: 1400}),
    "limited": World(*chain(4), limited=True),
}


def address(family, number, end):
    return f"10.77.{number}.{end}" if family == 4 else f"fd77:0:0:{number:x}::{end}"


def cable(family, number):
    return f"10.77.{number}.0/30" if family == 4 else f"fd77:0:0:{number:x}::/126"


def address_of(world, family, node, number):
    return address(family, number, 1 if world.links[number - 1][0] == node else 2)


def number_between(world, node, other):
    return next(number for number, neighbour in world.neighbours(node) if neighbour == other)


def linux_route(world, node, family, prefix, hops):
    gateways = [address_of(world, family, hop, number_between(world, node, hop)) for hop in hops]
    word = "via " + gateways[0] if len(gateways) == 1 else " ".join(f"nexthop via {g}" for g in gateways)
    return f"ip -n {node} -{family} route replace {prefix} {word}"


def linux(world):
    yield ("REPLY_LIMIT_MS='' " if world.limited else "") + "node " + " ".join(world.nodes())
    for number, (left, right) in enumerate(world.links, 1):
        yield f"link {left} {right} {number}"
        if number in world.mtu:
            yield f"ip -n {left} link set to-{right} mtu {world.mtu[number]}"
            yield f"ip -n {right} link set to-{left} mtu {world.mtu[number]}"
    for host in ("near", "far"):
        for family in (4, 6):
            yield linux_route(world, host, family, "default", [next(world.neighbours(host))[1]])
    for router in world.routers:
        for number, ends in enumerate(world.links, 1):
            if router in ends:
                continue
            for family in (4, 6):
                # An address belongs to a node, and so does the way to it.
                for end, owner in enumerate(ends, 1):
                    prefix = address(family, number, end) + ("/32" if family == 4 else "/128")
                    yield linux_route(world, router, family, prefix, world.ways(router, owner))
    for at, target, action in world.routes:
        number = next(world.neighbours(target))[0]
        for family in (4, 6):
            prefix = address_of(world, family, target, number) + ("/32" if family == 4 else "/128")
            if action.startswith("via"):
                yield linux_route(world, at, family, prefix, [action.split()[1]])
            else:
                yield f"ip -n {at} -{family} route replace {action} {prefix}"


def lab(world):
    behaviour = f"{LINUX}, limits: linux" if world.limited else f"{LINUX}, {UNLIMITED}"
    if world.balance:
        behaviour += f", balance: {world.balance}"
    yield "summary: written by tests/netns/agreement.py"
    yield 'ases:\n  - {asn: 64496, name: One, country: DE, prefix: 10.77.0.0/16, prefix6: "fd77::/32"}'
    yield "hosts:"
    for host in ("near", "far"):
        number = next(world.neighbours(host))[0]
        four, six = (address_of(world, family, host, number) for family in (4, 6))
        yield f'  - {{name: {host}, as: 64496, address: {four}, address6: "{six}"}}'
    yield "routers:"
    for router in world.routers:
        yield f"  - {{name: {router}, as: 64496, behaviour: {{{behaviour}}}}}"
    yield "links:"
    for number, (left, right) in enumerate(world.links, 1):
        ends = "".join(
            f", {end}_address: {address(4, number, i)}, {end}_address6: \"{address(6, number, i)}\""
            for end, i, node in (("from", 1, left), ("to", 2, right)) if node in world.routers)
        cost, back = (world.costs.get(pair, 10) for pair in ((left, right), (right, left)))
        mtu = f", mtu: {world.mtu[number]}" if number in world.mtu else ""
        yield f"  - {{from: {left}, to: {right}, delay_ms: 0.2, cost: {cost}, cost_back: {back}{mtu}{ends}}}"
    if world.routes:
        yield "routes:"
    for at, target, action in world.routes:
        number = next(world.neighbours(target))[0]
        if action == "blackhole":
            # Linux swallows before it looks at the TTL and does not show: as a hole behind the router before it
            at = f"r{int(at[1:]) - 1}"
        for family in (4, 6):
            # Linux calls it host unreachable in IPv4 and no route in IPv6
            word = {"unreachable": "refuse: host" if family == 4 else "refuse: net", "prohibit": "refuse: admin",
                    "blackhole": "drop: true"}.get(action) or f"via: [{action.split()[-1]}]"
            yield f'  - {{at: {at}, to: "{address_of(world, family, target, number)}", {word}}}'
    if not world.limited:
        yield "services:\n  - {host: far, run: sysctl -q net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0}"


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print("\n".join(WORLDS))
    else:
        print("\n".join({"linux": linux, "lab": lab}[sys.argv[1]](WORLDS[sys.argv[2]])))
