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

struct announcement {
	struct prefix prefix;
	const struct file_as *as;
};

struct announcements {
	struct announcement *all;
	size_t count;
};

static int compare_announcements(const void *a, const void *b)
{
	const struct announcement *x = a, *y = b;
	int order = addr_compare(x->prefix.addr, y->prefix.addr);
	return order ? order : (int)x->prefix.length - (int)y->prefix.length;
}

static void announce(struct announcements *list, const struct file_as *as, const char *text)
{
	struct prefix prefix;
	if (text && prefix_parse(text, &prefix))
		list->all[list->count++] = (struct announcement){prefix, as};
}

/* Every announced prefix, sorted. `all` is NULL without memory. */
static struct announcements announcements_of(const struct world *world)
{
	const struct world_file *f = world->file;
	struct announcements list = {0};
	size_t most = 1;
	for (unsigned i = 0; i < f->ases_count; i++)
		most += 2 + f->ases[i].prefixes_count;
	list.all = calloc(most, sizeof(*list.all));
	for (unsigned i = 0; list.all && i < f->ases_count; i++) {
		const struct file_as *as = &f->ases[i];
		announce(&list, as, as->prefix);
		announce(&list, as, as->prefix6);
		for (unsigned k = 0; k < as->prefixes_count; k++)
			announce(&list, as, as->prefixes[k]);
	}
	if (list.all)
		qsort(list.all, list.count, sizeof(*list.all), compare_announcements);
	return list;
}

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

static void write_range(FILE *out, const struct announcement *a)
{
	char first[ADDR_TEXT_SIZE], last[ADDR_TEXT_SIZE];
	addr_format(a->prefix.addr, first);
	addr_format(last_of(a->prefix), last);
	fprintf(out, "%s\t%s\t%u\t%s\t%s\n", first, last, a->as->asn, a->as->country, a->as->name);
}

static void write_prefix(FILE *out, const struct announcement *a)
{
	char text[ADDR_TEXT_SIZE];
	fprintf(out, "%s\t%u\t%u\n", addr_format(a->prefix.addr, text), a->prefix.length, a->as->asn);
}

static char *write_announcements(
	const struct world *world, void (*write)(FILE *out, const struct announcement *announcement))
{
	char *text = NULL;
	size_t size;
	struct announcements list = announcements_of(world);
	FILE *out = list.all ? open_memstream(&text, &size) : NULL;
	for (size_t i = 0; out && i < list.count; i++)
		write(out, &list.all[i]);
	free(list.all);
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

/* As outside, an exchange and its LAN have the same number. */
char *export_exchanges(const struct world *world)
{
	json_t *exchanges = json_array(), *lans = json_array(), *prefixes = json_array();
	for (unsigned i = 0; i < world->file->ixps_count; i++) {
		const struct file_ixp *ixp = &world->file->ixps[i];
		json_int_t id = (json_int_t)i + 1;
		json_array_append_new(exchanges,
			json_pack("{s:I, s:s, s:s*}", "id", id, "name", ixp->name, "country", ixp->country));
		json_array_append_new(lans, json_pack("{s:I, s:I}", "id", id, "ix_id", id));
		add_lan(prefixes, id, "IPv4", ixp->prefix);
		add_lan(prefixes, id, "IPv6", ixp->prefix6);
	}
	json_t *root = json_pack("{s:{s:o}, s:{s:o}, s:{s:o}}", "ix", "data", exchanges, "ixlan", "data", lans,
		"ixpfx", "data", prefixes);
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
