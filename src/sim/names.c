/* Names in the world's DNS: NAME.lab for hosts and routers, an operator's names for interfaces, and origins
 * in the manner of Team Cymru: TXT of 4.3.2.1.origin.asn.lab is "64500 | 198.51.100.0/24 | DE | lab | ". */
#include "sim/names.h"

#include <stdio.h>
#include <string.h>

#include "sim/dns.h"

bool names_is_server(struct addr addr)
{
	struct addr server;
	const char *text = addr.family == 4 ? NAMES_ADDRESS4 : NAMES_ADDRESS6;
	return addr_parse(text, &server) && addr_equal(addr, server);
}

/* "NAME.lab" -> the node, or WORLD_NONE */
static uint32_t node_of(const struct world *world, const char *name)
{
	size_t length = strlen(name);
	char node[DNS_NAME_SIZE];
	if (length < 5 || strcmp(name + length - 4, ".lab") != 0)
		return WORLD_NONE;
	snprintf(node, sizeof(node), "%.*s", (int)(length - 4), name);
	return world_find_node(world, node);
}

static bool is_nameless(const struct world_node *node)
{
	return node->dns && strcmp(node->dns, "none") == 0;
}

/* The router that is called so by its operator, or WORLD_NONE. */
static uint32_t router_of(const struct world *world, const char *name)
{
	for (uint32_t i = world->host_count; i < world->node_count; i++)
		if (world->nodes[i].dns && !is_nameless(&world->nodes[i]) &&
			strcmp(world->nodes[i].dns, name) == 0)
			return i;
	return WORLD_NONE;
}

/* "ae3.NAME": the interface, or WORLD_NONE. */
static uint32_t interface_of(const struct world *world, const char *name)
{
	const char *rest = strchr(name, '.');
	uint32_t router = rest ? router_of(world, rest + 1) : WORLD_NONE;
	if (rest && router == WORLD_NONE)
		router = node_of(world, rest + 1);
	for (unsigned i = 0; router != WORLD_NONE && i < world->nodes[router].interface_count; i++) {
		uint32_t interface = world->nodes[router].interfaces[i];
		const char *own = world->interfaces[interface].name;
		if (own && strcmp(own, name) == 0)
			return interface;
	}
	return WORLD_NONE;
}

/* All nodes and interfaces of that name; returns whether the name exists at all. */
static bool find_addresses(const struct world *world, const char *name, uint8_t family, struct addr *found)
{
	uint32_t node = node_of(world, name);
	uint32_t interface = WORLD_NONE;
	if (node == WORLD_NONE)
		node = router_of(world, name);
	if (node == WORLD_NONE)
		interface = interface_of(world, name);
	if (node != WORLD_NONE)
		*found = world_node_address(world, node, family);
	else if (interface != WORLD_NONE)
		*found = world->interfaces[interface].address[family_index(family)];
	return node != WORLD_NONE || interface != WORLD_NONE;
}

static bool name_of(const struct world *world, struct addr addr, char *out, size_t size)
{
	const struct world_address *owner = world_find_address(world, addr);
	if (!owner || is_nameless(&world->nodes[owner->node]))
		return false;
	const struct world_node *node = &world->nodes[owner->node];
	if (owner->interface != WORLD_NONE)
		snprintf(out, size, "%s", world->interfaces[owner->interface].name);
	else if (node->dns)
		snprintf(out, size, "%s", node->dns);
	else
		snprintf(out, size, "%s.lab", node->name);
	return true;
}

static bool origin_of(const struct world *world, struct addr addr, char *out, size_t size)
{
	uint32_t index = world_find_prefix(world, addr);
	char prefix[PREFIX_TEXT_SIZE];
	if (index == WORLD_NONE)
		return false;
	const struct world_as *as = &world->ases[world->prefixes[index].as];
	snprintf(out, size, "%u | %s | %s | lab | ", as->asn,
		prefix_format(world->prefixes[index].prefix, prefix), as->country);
	return true;
}

/* "AS64500.asn.lab" */
static bool as_name_of(const struct world *world, const char *name, char *out, size_t size)
{
	unsigned asn;
	int end = 0;
	if (sscanf(name, "as%u.asn.lab%n", &asn, &end) != 1 || end == 0 || name[end])
		return false;
	uint32_t index = world_find_asn(world, asn);
	if (index == WORLD_NONE)
		return false;
	snprintf(out, size, "%u | %s | lab | | %s, %s", asn, world->ases[index].country,
		world->ases[index].name, world->ases[index].country);
	return true;
}

static void answer_reverse(const struct world *world, const struct dns_query *query, struct writer *writer)
{
	struct addr addr;
	char name[DNS_NAME_SIZE];
	bool known = dns_reverse_name(query->name, "in-addr.arpa", "ip6.arpa", &addr) &&
		name_of(world, addr, name, sizeof(name));
	struct dns_answer answer = dns_answer_begin(writer, query, known ? DNS_OK : DNS_NO_NAME);
	if (known && query->type == DNS_PTR)
		dns_answer_name(&answer, name);
}

static void answer_origin(const struct world *world, const struct dns_query *query, struct writer *writer)
{
	struct addr addr;
	char text[256];
	bool known = dns_reverse_name(query->name, "origin.asn.lab", "origin6.asn.lab", &addr)
		? origin_of(world, addr, text, sizeof(text))
		: as_name_of(world, query->name, text, sizeof(text));
	struct dns_answer answer = dns_answer_begin(writer, query, known ? DNS_OK : DNS_NO_NAME);
	if (known && query->type == DNS_TXT)
		dns_answer_text(&answer, text);
}

static void answer_forward(const struct world *world, const struct dns_query *query, struct writer *writer)
{
	struct addr addr = ADDR_NONE;
	bool known = find_addresses(world, query->name, query->type == DNS_AAAA ? 6 : 4, &addr);
	struct dns_answer answer = dns_answer_begin(writer, query, known ? DNS_OK : DNS_NO_NAME);
	if (known && (query->type == DNS_A || query->type == DNS_AAAA))
		dns_answer_addr(&answer, addr);
}

static bool ends_with(const char *text, const char *tail)
{
	size_t length = strlen(text), tail_length = strlen(tail);
	return length >= tail_length && strcmp(text + length - tail_length, tail) == 0;
}

bool names_resolve(const struct world *world, struct cursor *message, struct writer *writer)
{
	struct dns_query query;
	if (dns_query_read(message, &query) < 0)
		return false;
	if (query.opcode != 0 || query.class != 1)
		(void)dns_answer_begin(writer, &query, DNS_NOT_IMPLEMENTED);
	else if (ends_with(query.name, ".arpa"))
		answer_reverse(world, &query, writer);
	else if (ends_with(query.name, ".asn.lab"))
		answer_origin(world, &query, writer);
	else
		answer_forward(world, &query, writer);
	return writer_ok(writer);
}

bool names_answer(const struct world *world, const struct packet *packet, struct writer *writer)
{
	uint8_t message[512];
	struct writer body = writer_init(message, sizeof(message));
	struct cursor query = cursor_init(packet->transport.payload, packet->transport.payload_length);
	if (packet->ip.protocol != PROTOCOL_UDP || packet->transport.destination_port != DNS_PORT ||
		!packet->checksum_ok || !names_resolve(world, &query, &body))
		return false;
	struct packet_spec spec = {
		.ip = {.source = packet->ip.destination,
			.destination = packet->ip.source,
			.ttl = 64,
			.protocol = PROTOCOL_UDP},
		.transport = {.source_port = DNS_PORT,
			.destination_port = packet->transport.source_port,
			.payload = message,
			.payload_length = body.length},
	};
	return packet_write(writer, &spec) == 0;
}
