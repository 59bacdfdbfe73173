#include "cli/lab_truth.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/lab_reveal.h"
#include "sim/truth.h"

#define PATHS_MAX 64
#define ANY_FLOW  "udp:33434:33434" /* goes through where reveals are about no flow in particular */

/* What is asked, and what was found. */
struct ask {
	const struct world *world;
	struct sim *sim;
	const char *names[2];
	uint32_t ends[2];
	uint8_t family;
	struct truth *truths;
	unsigned count;
	/* Where wanted, else NULL: what the nodes of one path reveal, and where that is found out. */
	struct reveal *reveals;
	struct sim *scratch;
	uint8_t packet[128]; /* of the flow */
	size_t length;
};

static uint32_t find(const struct world *world, const char *name)
{
	char node[256];
	size_t length = strlen(name);
	if (length > 4 && strcmp(name + length - 4, ".lab") == 0)
		length -= 4;
	snprintf(node, sizeof(node), "%.*s", (int)length, name);
	return world_find_node(world, node);
}

static void reveal(const struct ask *ask, const struct truth *truth)
{
	if (ask->reveals)
		sim_reveal(ask->scratch, truth, ask->packet, ask->length, ask->reveals);
}

static void print_path(const struct ask *ask, const struct truth *truth)
{
	const struct world *world = ask->world;
	reveal(ask, truth);
	for (unsigned i = 0; i < truth->hop_count; i++) {
		const struct truth_hop *hop = &truth->hops[i];
		const struct world_node *node = &world->nodes[hop->node];
		char text[ADDR_TEXT_SIZE], ttl[12] = "-";
		const char *hidden = truth_hidden_word(hop->hidden);
		if (hop->ttl >= 0)
			snprintf(ttl, sizeof(ttl), "%d", hop->ttl);
		printf("%3s  %-12s %-24s AS%-6u %9.3f ms%s%s", ttl, node->name,
			addr_format(hop->address, text), world->ases[node->as].asn, ns_to_ms(hop->delay_ns),
			hidden ? "  " : "", hidden ? hidden : "");
		if (hop->label)
			printf("  label %u", hop->label);
		putchar('\n');
		if (ask->reveals)
			print_reveal(&ask->reveals[i]);
	}
	if (truth->end != TRUTH_REACHED)
		printf("     %s\n", truth_end_word(truth->end));
	else if (truth->hop_count == 0)
		puts("     it is there already");
}

static json_t *addresses_json(const struct world *world, uint32_t node, uint8_t family)
{
	const struct world_node *n = &world->nodes[node];
	json_t *list = json_array();
	char text[ADDR_TEXT_SIZE];
	for (unsigned i = 0; i < n->interface_count; i++) {
		struct addr address = world->interfaces[n->interfaces[i]].address[family_index(family)];
		json_array_append_new(list, json_string(addr_format(address, text)));
	}
	if (!n->is_host)
		json_array_append_new(
			list, json_string(addr_format(n->loopback[family_index(family)], text)));
	return list;
}

static json_t *address_json(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static json_t *hop_json(const struct ask *ask, const struct truth_hop *hop)
{
	const struct world *world = ask->world;
	const struct world_node *node = &world->nodes[hop->node];
	const struct world_as *as = &world->ases[node->as];
	const char *hidden = truth_hidden_word(hop->hidden);
	int64_t back_ns =
		sim_delay(ask->sim, hop->node, world_node_address(world, ask->ends[0], ask->family));
	char text[ADDR_TEXT_SIZE];
	const char *name = world->interfaces[hop->interface].name;
	return json_pack("{s:o, s:s, s:o, s:s, s:o, s:I, s:s, s:f, s:o, s:o, s:o, s:o}", "ttl",
		hop->ttl >= 0 ? json_integer(hop->ttl) : json_null(), "node", node->name, "name",
		*name ? json_string(name) : json_null(), "address", addr_format(hop->address, text),
		"addresses", addresses_json(world, hop->node, hop->address.family), "asn",
		(json_int_t)as->asn, "as_name", as->name, "delay_ms", ns_to_ms(hop->delay_ns),
		"delay_back_ms", back_ns >= 0 ? json_real(ns_to_ms(back_ns)) : json_null(), "hidden",
		hidden ? json_string(hidden) : json_null(), "label",
		hop->label ? json_integer(hop->label) : json_null(), "record_route",
		address_json(hop->recorded));
}

static json_t *hops_json(const struct ask *ask, const struct truth *truth)
{
	json_t *hops = json_array();
	reveal(ask, truth);
	for (unsigned i = 0; i < truth->hop_count; i++) {
		json_t *hop = hop_json(ask, &truth->hops[i]);
		if (ask->reveals)
			json_object_set_new(hop, "reveals", reveal_json(&ask->reveals[i]));
		json_array_append_new(hops, hop);
	}
	return hops;
}

static void print_json(const struct ask *ask, size_t flags)
{
	json_t *root = json_pack("{s:s, s:s, s:i, s:s, s:o}", "from", ask->names[0], "to", ask->names[1],
		"family", ask->family, "end", truth_end_word(ask->truths[0].end), "hops",
		hops_json(ask, &ask->truths[0]));
	if (ask->count > 1) {
		json_t *paths = json_array();
		for (unsigned i = 0; i < ask->count; i++)
			json_array_append_new(paths,
				json_pack("{s:s, s:o}", "end", truth_end_word(ask->truths[i].end), "hops",
					hops_json(ask, &ask->truths[i])));
		json_object_set_new(root, "paths", paths);
	}
	json_dumpf(root, stdout, flags | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

static void print_text(const struct ask *ask)
{
	for (unsigned i = 0; i < ask->count; i++) {
		if (ask->count > 1)
			printf("%spath %u of %u\n", i ? "\n" : "", i + 1, ask->count);
		print_path(ask, &ask->truths[i]);
	}
}

/* One line: the ends, how it ends, and the nodes with the addresses they show. */
static void print_line(const struct ask *ask)
{
	const struct truth *truth = &ask->truths[0];
	char text[ADDR_TEXT_SIZE];
	printf("%s %s %s", ask->names[0], ask->names[1], truth_end_word(truth->end));
	for (unsigned i = 0; i < truth->hop_count; i++)
		printf(" %s=%s", ask->world->nodes[truth->hops[i].node].name,
			truth->hops[i].hidden == HIDDEN_SILENT ? "-"
							       : addr_format(truth->hops[i].address, text));
	putchar('\n');
}

/* "udp:33434:33435"; for icmp, identifier and sequence number. */
static bool parse_flow(const char *text, uint8_t family, struct packet_spec *spec)
{
	char protocol[8];
	unsigned source, destination;
	int end = 0;
	if (sscanf(text, "%7[a-z]:%u:%u%n", protocol, &source, &destination, &end) != 3 || text[end] ||
		source > UINT16_MAX || destination > UINT16_MAX)
		return false;
	spec->transport.source_port = (uint16_t)source;
	spec->transport.destination_port = (uint16_t)destination;
	spec->ip.ttl = 64;
	if (strcmp(protocol, "udp") == 0) {
		spec->ip.protocol = PROTOCOL_UDP;
	} else if (strcmp(protocol, "tcp") == 0) {
		spec->ip.protocol = PROTOCOL_TCP;
	} else if (strcmp(protocol, "icmp") == 0) {
		spec->ip.protocol = family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
		spec->transport.icmp_type = family == 4 ? 8 : 128;
		spec->transport.icmp_id = (uint16_t)source;
		spec->transport.icmp_seq = (uint16_t)destination;
	} else {
		return false;
	}
	return true;
}

/* A packet of the flow, between the ends. */
static void make_packet(struct ask *ask, const char *flow, struct addr destination)
{
	struct packet_spec spec = {0};
	struct writer writer = writer_init(ask->packet, sizeof(ask->packet));
	(void)parse_flow(flow ? flow : ANY_FLOW, ask->family, &spec);
	spec.ip.source = world_node_address(ask->world, ask->ends[0], ask->family);
	spec.ip.destination = destination;
	ask->length = packet_write(&writer, &spec) == 0 ? writer.length : 0;
}

/* False: said why. */
static bool find_ends(struct ask *ask)
{
	for (unsigned i = 0; i < 2; i++) {
		ask->ends[i] = find(ask->world, ask->names[i]);
		if (ask->ends[i] != WORLD_NONE && (i == 1 || ask->world->nodes[ask->ends[i]].is_host))
			continue;
		fprintf(stderr, "retour lab: no %s is called '%s'\n", i == 0 ? "host" : "host or router",
			ask->names[i]);
		return false;
	}
	return true;
}

static bool answer(struct ask *ask, const struct lab_truth_arguments *arguments)
{
	struct addr destination = world_node_address(ask->world, ask->ends[1], ask->family);
	make_packet(ask, arguments->flow, destination);
	ask->count = sim_truths_now(ask->sim, ask->ends[0], destination, arguments->flow ? ask->packet : NULL,
		ask->length, ask->truths, arguments->bulk ? 1 : PATHS_MAX);
	if (ask->count == 0)
		return false;
	if (arguments->json)
		print_json(ask, arguments->bulk ? JSON_COMPACT : JSON_INDENT(2));
	else if (arguments->bulk)
		print_line(ask);
	else
		print_text(ask);
	return true;
}

static int answer_bulk(struct ask *ask, const struct lab_truth_arguments *arguments)
{
	char line[600], from[256], to[256];
	int status = EXIT_OK;
	ask->names[0] = from;
	ask->names[1] = to;
	while (fgets(line, sizeof(line), stdin)) {
		if (line[strspn(line, " \t\n")] == '\0')
			continue;
		if (sscanf(line, "%255s %255s", from, to) != 2) {
			fputs("retour lab: expected lines of two names: FROM TO\n", stderr);
			status = EXIT_USAGE;
		} else if (!find_ends(ask) || !answer(ask, arguments)) {
			status = EXIT_USAGE;
		}
	}
	return status;
}

/* False: no memory. */
static bool prepare(struct ask *ask, const struct lab_truth_arguments *arguments)
{
	int64_t at_ns = (int64_t)(arguments->at_s * NS_PER_S);
	ask->sim = sim_new(ask->world, arguments->seed);
	ask->truths = calloc(PATHS_MAX, sizeof(*ask->truths));
	if (!ask->sim || !ask->truths)
		return false;
	sim_advance(ask->sim, at_ns);
	if (!arguments->reveals)
		return true;
	ask->scratch = sim_new(ask->world, arguments->seed);
	ask->reveals = calloc(TRUTH_HOPS_MAX, sizeof(*ask->reveals));
	if (!ask->scratch || !ask->reveals)
		return false;
	sim_advance(ask->scratch, at_ns);
	return true;
}

int cli_lab_truth(const struct world *world, char *const *names, const struct lab_truth_arguments *arguments)
{
	struct ask ask = {.world = world, .family = arguments->family};
	struct packet_spec spec = {0};
	int status = EXIT_CANNOT_MEASURE;
	if (arguments->flow && !parse_flow(arguments->flow, arguments->family, &spec)) {
		fprintf(stderr,
			"retour lab: --flow '%s': expected udp:PORT:PORT, tcp:PORT:PORT or "
			"icmp:ID:SEQUENCE\n",
			arguments->flow);
		return EXIT_USAGE;
	}
	bool prepared = prepare(&ask, arguments);
	if (prepared && arguments->bulk) {
		status = answer_bulk(&ask, arguments);
	} else if (prepared) {
		ask.names[0] = names[0];
		ask.names[1] = names[1];
		status = !find_ends(&ask)	  ? EXIT_USAGE
			: answer(&ask, arguments) ? EXIT_OK
						  : EXIT_CANNOT_MEASURE;
	}
	free(ask.reveals);
	sim_free(ask.scratch);
	free(ask.truths);
	sim_free(ask.sim);
	return status;
}
