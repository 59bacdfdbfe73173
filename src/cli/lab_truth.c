#include "cli/lab_truth.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "sim/truth.h"

#define PATHS_MAX 64

static uint32_t find(const struct world *world, const char *name)
{
	char node[256];
	size_t length = strlen(name);
	if (length > 4 && strcmp(name + length - 4, ".lab") == 0)
		length -= 4;
	snprintf(node, sizeof(node), "%.*s", (int)length, name);
	return world_find_node(world, node);
}

static void print_path(const struct world *world, const struct truth *truth)
{
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
	}
	if (truth->end != TRUTH_REACHED)
		printf("     %s\n", truth_end_word(truth->end));
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

static json_t *hop_json(const struct world *world, const struct truth_hop *hop)
{
	const struct world_node *node = &world->nodes[hop->node];
	const struct world_as *as = &world->ases[node->as];
	const char *hidden = truth_hidden_word(hop->hidden);
	char text[ADDR_TEXT_SIZE];
	return json_pack("{s:o, s:s, s:s, s:s, s:o, s:I, s:s, s:f, s:o, s:o}", "ttl",
		hop->ttl >= 0 ? json_integer(hop->ttl) : json_null(), "node", node->name, "name",
		world->interfaces[hop->interface].name, "address", addr_format(hop->address, text),
		"addresses", addresses_json(world, hop->node, hop->address.family), "asn",
		(json_int_t)as->asn, "as_name", as->name, "delay_ms", ns_to_ms(hop->delay_ns), "hidden",
		hidden ? json_string(hidden) : json_null(), "label",
		hop->label ? json_integer(hop->label) : json_null());
}

static json_t *hops_json(const struct world *world, const struct truth *truth)
{
	json_t *hops = json_array();
	for (unsigned i = 0; i < truth->hop_count; i++)
		json_array_append_new(hops, hop_json(world, &truth->hops[i]));
	return hops;
}

static void print_json(const struct world *world, char *const *names, uint8_t family,
	const struct truth *truths, unsigned count)
{
	json_t *root = json_pack("{s:s, s:s, s:i, s:s, s:o}", "from", names[0], "to", names[1], "family",
		family, "end", truth_end_word(truths[0].end), "hops", hops_json(world, &truths[0]));
	if (count > 1) {
		json_t *paths = json_array();
		for (unsigned i = 0; i < count; i++)
			json_array_append_new(paths,
				json_pack("{s:s, s:o}", "end", truth_end_word(truths[i].end), "hops",
					hops_json(world, &truths[i])));
		json_object_set_new(root, "paths", paths);
	}
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

int cli_lab_truth(const struct world *world, char *const *names, uint8_t family, bool json)
{
	uint32_t ends[2];
	for (unsigned i = 0; i < 2; i++) {
		ends[i] = find(world, names[i]);
		if (ends[i] == WORLD_NONE || (i == 0 && !world->nodes[ends[i]].is_host)) {
			fprintf(stderr, "retour lab: no %s is called '%s'\n",
				i == 0 ? "host" : "host or router", names[i]);
			return EXIT_USAGE;
		}
	}
	struct sim *sim = sim_new(world, 1);
	struct truth *truths = calloc(PATHS_MAX, sizeof(*truths));
	unsigned count = 0;
	if (sim && truths)
		count = sim_truths(
			sim, ends[0], world_node_address(world, ends[1], family), truths, PATHS_MAX);
	if (count > 0 && json)
		print_json(world, names, family, truths, count);
	for (unsigned i = 0; i < count && !json; i++) {
		if (count > 1)
			printf("%spath %u of %u\n", i ? "\n" : "", i + 1, count);
		print_path(world, &truths[i]);
	}
	free(truths);
	sim_free(sim);
	return count > 0 ? EXIT_OK : EXIT_CANNOT_MEASURE;
}
