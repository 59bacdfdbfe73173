/* The ASes: how many of each kind, where they are, what they are called. */
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

/* IANA has reserved 65552-131071: nobody has these. */
#define FIRST_ASN 70000

struct mixture {
	enum kind kind;
	unsigned count;
};

static unsigned between(unsigned value, unsigned low, unsigned high)
{
	return MIN(MAX(value, low), high);
}

/* Most ASes carry nobody else's packets; a dozen carry everybody's. */
static void mix(unsigned total, struct mixture parts[static 7])
{
	unsigned given = 0;
	parts[0] = (struct mixture){TIER1, between(2 + total / 60, 3, 14)};
	parts[1] = (struct mixture){CARRIER, MAX(total * 3 / 100, 1)};
	parts[2] = (struct mixture){REGIONAL, MAX(total * 12 / 100, 1)};
	parts[3] = (struct mixture){GIANT, MAX(total * 4 / 1000, 1)};
	parts[4] = (struct mixture){HOSTING, MAX(total * 5 / 100, 1)};
	for (unsigned i = 0; i < 5; i++)
		given += parts[i].count;
	parts[5] = (struct mixture){ACCESS, MAX((total - given) * 2 / 5, 1)};
	parts[6] = (struct mixture){ENTERPRISE, total - given - parts[5].count};
}

/* A place by its weight; of one region unless that is REGIONS. */
static unsigned draw_place(struct generator *g, enum region region)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < place_count; i++)
		if (region == REGIONS || places[i].region == region)
			sum += places[i].weight;
	unsigned at = draw(g, sum);
	for (unsigned i = 0; i < place_count; i++) {
		if (region != REGIONS && places[i].region != region)
			continue;
		if (at < places[i].weight)
			return i;
		at -= places[i].weight;
	}
	return 0;
}

const struct gen_pop *generate_pop_at(const struct gen_as *as, unsigned place)
{
	for (unsigned i = 0; i < as->pop_count; i++)
		if (as->pops[i].place == place)
			return &as->pops[i];
	return NULL;
}

static void add_pop(struct gen_as *as, unsigned place)
{
	if (as->pop_count < PLACES_MAX && !generate_pop_at(as, place))
		as->pops[as->pop_count++] = (struct gen_pop){.place = place};
}

/* How many places, and how far from home. Big worlds have bigger networks. */
static void spread(struct generator *g, struct gen_as *as)
{
	enum region home = places[as->home].region;
	unsigned total = g->as_total, near = 0, anywhere = 0;
	switch (as->kind) {
	case TIER1: anywhere = draw_between(g, between(total / 40, 3, 25), between(total / 16, 5, 50)); break;
	case CARRIER:
		near = draw_between(g, 1, between(total / 60, 2, 14));
		anywhere = draw(g, between(total / 100, 2, 6));
		break;
	case REGIONAL: near = draw(g, between(total / 50, 2, 6)); break;
	case GIANT: anywhere = draw_between(g, between(total / 25, 2, 20), between(total / 15, 4, 40)); break;
	case HOSTING:
		near = draw(g, 2);
		anywhere = draw(g, 3) == 0;
		break;
	case ACCESS: near = draw(g, 3); break;
	case ENTERPRISE: near = draw(g, 10) == 0; break;
	}
	as->pops = calloc(1 + near + anywhere, sizeof(*as->pops));
	if (!as->pops) {
		g->failed = true;
		return;
	}
	add_pop(as, as->home);
	for (unsigned i = 0; i < near; i++)
		add_pop(as, draw_place(g, home));
	for (unsigned i = 0; i < anywhere; i++)
		add_pop(as, draw_place(g, REGIONS));
}

static const char *const heads[] = {"al", "bor", "cas", "del", "ebro", "fal", "gran", "hel", "ister", "jun",
	"kal", "lum", "mar", "nor", "ost", "pal", "quin", "ros", "sol", "tal", "ulm", "ver", "wes", "xan",
	"yar", "zen", "bright", "clear", "deep", "high"};
static const char *const middles[] = {"a", "be", "ca", "de", "e", "fi", "go", "hu", "i", "ka", "la", "mo",
	"ne", "o", "pi", "ra", "se", "ti", "u", "vo"};
static const char *const tails[] = {"bridge", "com", "dale", "field", "gate", "haven", "land", "line", "link",
	"lux", "mark", "mere", "mont", "net", "nova", "port", "reach", "ridge", "star", "stone", "tel", "ton",
	"vale", "via", "ville", "wave", "way", "wick", "works", "yard"};
static const char *const trades[][3] = {
	[TIER1] = {"Backbone", "Global Networks", "Transit"},
	[CARRIER] = {"Carrier", "Telecom", "Long Haul"},
	[REGIONAL] = {"Regional", "Networks", "Connect"},
	[GIANT] = {"Cloud", "Content", "Media"},
	[HOSTING] = {"Hosting", "Data Centers", "Servers"},
	[ACCESS] = {"Broadband", "Cable", "Mobile"},
	[ENTERPRISE] = {"University", "Bank", "Industries"},
};

/* All different: the step has no factor in common with the number of words, and that exceeds the ASes. */
static void name_as(struct generator *g, struct gen_as *as, unsigned index, unsigned offset)
{
	const unsigned step = 7919, a = ARRAY_LEN(heads), b = ARRAY_LEN(middles), c = ARRAY_LEN(tails);
	unsigned word = (index * step + offset) % (a * b * c * 3);
	unsigned trade = word % 3, rest = word / 3;
	snprintf(as->domain, sizeof(as->domain), "%s%s%s", heads[rest % a], middles[rest / a % b],
		tails[rest / a / b]);
	if (trade)
		strcat(as->domain, trade == 1 ? "1" : "2");
	snprintf(as->name, sizeof(as->name), "%s %s", as->domain, trades[as->kind][draw(g, 3)]);
	as->name[0] = (char)(as->name[0] - 'a' + 'A');
}

void generate_ases(struct generator *g)
{
	struct mixture parts[7];
	unsigned offset = draw(g, 10000);
	mix(g->as_total, parts);
	for (unsigned p = 0; p < ARRAY_LEN(parts); p++)
		for (unsigned i = 0; i < parts[p].count && !g->failed; i++) {
			struct gen_as *as = &g->ases[g->as_count];
			*as = (struct gen_as){.asn = FIRST_ASN + g->as_count, .kind = parts[p].kind};
			as->home = draw_place(g, REGIONS);
			name_as(g, as, g->as_count++, offset);
			spread(g, as);
		}
}
