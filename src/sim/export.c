#include "sim/export.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/places.h"

const struct export exports[] = {
	{"ip2asn-combined.tsv", export_ranges},
	{"pfx2as.txt", export_prefixes},
	{"as-rel.txt", export_relations},
	{"peeringdb.json", export_exchanges},
	{"places.tsv", export_places},
	{NULL, NULL},
};

static struct addr last_of(struct prefix prefix)
{
	struct addr addr = prefix.addr;
	unsigned host_bits = addr_bits(addr) - prefix.length;
	if (host_bits >= 64) {
		addr.low = UINT64_MAX;
		addr.high |= host_bits > 64 ? (1ULL << (host_bits - 64)) - 1 : 0;
	} else {
		addr.low |= (1ULL << host_bits) - 1;
	}
	return addr;
}

/* There is room for one origin only. */
static void write_range(FILE *out, const struct world *world, const struct world_prefix *prefix)
{
	const struct file_as *as = &world->file->ases[prefix->as];
	char first[ADDR_TEXT_SIZE], last[ADDR_TEXT_SIZE];
	addr_format(prefix->prefix.addr, first);
	addr_format(last_of(prefix->prefix), last);
	fprintf(out, "%s\t%s\t%u\t%s\t%s\n", first, last, as->asn, as->country, as->name);
}

static void write_prefix(FILE *out, const struct world *world, const struct world_prefix *prefix)
{
	char text[ADDR_TEXT_SIZE];
	fprintf(out, "%s\t%u", addr_format(prefix->prefix.addr, text), prefix->prefix.length);
	for (uint32_t i = 0; i < prefix->origin_count; i++)
		fprintf(out, "%c%u", i ? '_' : '\t',
			world->ases[world->origins[prefix->first_origin + i]].asn);
	fputc('\n', out);
}

static char *write_announcements(const struct world *world,
	void (*write)(FILE *out, const struct world *world, const struct world_prefix *prefix))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	for (uint32_t i = 0; out && i < world->prefix_count; i++)
		write(out, world, &world->prefixes[i]);
	return out && fclose(out) == 0 ? text : NULL;
}

char *export_ranges(const struct world *world)
{
	return write_announcements(world, write_range);
}

char *export_prefixes(const struct world *world)
{
	return write_announcements(world, write_prefix);
}

char *export_relations(const struct world *world)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fputs("# provider|customer|-1, peer|peer|0\n", out);
	for (unsigned i = 0; i < world->file->relations_count; i++) {
		const struct file_relation *relation = &world->file->relations[i];
		if (relation->peers_count == 2)
			fprintf(out, "%u|%u|0\n", relation->peers[0], relation->peers[1]);
		else
			fprintf(out, "%u|%u|-1\n", relation->provider, relation->customer);
	}
	return fclose(out) == 0 ? text : NULL;
}

static void add_lan(json_t *list, json_int_t id, const char *protocol, const char *prefix)
{
	if (prefix)
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:s, s:s, s:b}", "id", (json_int_t)json_array_size(list) + 1,
				"ixlan_id", id, "protocol", protocol, "prefix", prefix, "in_dfz", 0));
}

static void add_member(
	json_t *list, json_int_t lan, const struct world *world, const struct world_ixp *ixp, unsigned member)
{
	const struct world_as *as = &world->ases[world->nodes[ixp->members[member]].as];
	char text4[ADDR_TEXT_SIZE], text6[ADDR_TEXT_SIZE];
	addr_format(world_member_address(ixp, member, 4), text4);
	addr_format(world_member_address(ixp, member, 6), text6);
	json_array_append_new(list,
		json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:s}", "id", (json_int_t)json_array_size(list) + 1,
			"ix_id", lan, "ixlan_id", lan, "asn", (json_int_t)as->asn, "name", ixp->name,
			"ipaddr4", text4, "ipaddr6", text6));
}

/* As outside, an exchange and its LAN have the same number. */
char *export_exchanges(const struct world *world)
{
	json_t *exchanges = json_array(), *lans = json_array(), *prefixes = json_array();
	json_t *members = json_array();
	for (unsigned i = 0; i < world->file->ixps_count; i++) {
		const struct file_ixp *ixp = &world->file->ixps[i];
		json_int_t id = (json_int_t)i + 1;
		json_array_append_new(exchanges,
			json_pack("{s:I, s:s, s:s*}", "id", id, "name", ixp->name, "country", ixp->country));
		json_array_append_new(lans, json_pack("{s:I, s:I}", "id", id, "ix_id", id));
		add_lan(prefixes, id, "IPv4", ixp->prefix);
		add_lan(prefixes, id, "IPv6", ixp->prefix6);
		for (unsigned k = 0; k < world->ixps[i].member_count; k++)
			add_member(members, id, world, &world->ixps[i], k);
	}
	json_t *root = json_pack("{s:{s:o}, s:{s:o}, s:{s:o}, s:{s:o}}", "ix", "data", exchanges, "ixlan",
		"data", lans, "ixpfx", "data", prefixes, "netixlan", "data", members);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}

static void write_degrees(FILE *out, int tenths)
{
	fprintf(out, "\t%s%d.%d", tenths < 0 ? "-" : "", abs(tenths) / 10, abs(tenths) % 10);
}

char *export_places(const struct world *world)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	(void)world;
	if (!out)
		return NULL;
	for (unsigned i = 0; i < place_count; i++) {
		fprintf(out, "%s\t%s", places[i].code, places[i].country);
		write_degrees(out, places[i].latitude);
		write_degrees(out, places[i].longitude);
		fputc('\n', out);
	}
	return fclose(out) == 0 ? text : NULL;
}
