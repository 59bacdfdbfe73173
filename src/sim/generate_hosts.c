/* Hosts: vantage points in well connected places, one source for each twenty of those, and destinations
 * everywhere; users, in homes and on mobile phones; and services, whose hosts share an address (anycast):
 * those of a content network in many of its places, and those that several hosting networks have together.
 * `client` and `server` are where a person starts. */
#include <string.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

#define VANTAGE_POINTS_MAX 146 /* sites of the measurement platform that the published studies used */
#define ASES_PER_VANTAGE   16
#define VANTAGE_POINTS_FEW 45
#define HOMES_MAX	   200
#define ASES_PER_HOME	   20
#define ASES_PER_MOBILE	   40
#define ASES_PER_SERVICE   250
#define SERVICE_HOSTS_MAX  8

static struct gen_host *add_host_at(
	struct generator *g, uint32_t as, const struct gen_pop *pop, const char *word, unsigned number)
{
	struct gen_host *host = generate_add(g, &g->hosts, sizeof(*host));
	if (!host)
		return NULL;
	const struct gen_as *home = &g->ases[as];
	if (number)
		snprintf(host->name, sizeof(host->name), "%s%u", word, number);
	else
		snprintf(host->name, sizeof(host->name), "%s", word);
	host->as = as;
	host->router = pop->access;
	host->delay_us = home->kind == ACCESS ? draw_between(g, 1000, 12000) : draw_between(g, 50, 900);
	return host;
}

static struct gen_host *add_host(struct generator *g, uint32_t as, const char *word, unsigned number)
{
	const struct gen_as *home = &g->ases[as];
	return add_host_at(g, as, &home->pops[draw(g, home->pop_count)], word, number);
}

/* A random AS of a kind. */
static uint32_t draw_as(struct generator *g, enum kind kind)
{
	uint32_t first = 0, count = 0;
	for (uint32_t i = 0; i < g->as_count; i++)
		if (g->ases[i].kind == kind) {
			first = count ? first : i;
			count++;
		}
	return first + draw(g, count);
}

static void add_destination(struct generator *g, uint32_t as, unsigned number)
{
	struct gen_host *host = add_host(g, as, "d", number);
	if (host)
		host->is_destination = true;
}

static void add_destinations(struct generator *g)
{
	unsigned number = 1;
	for (uint32_t i = 0; i < g->as_count; i++) {
		enum kind kind = g->ases[i].kind;
		unsigned count = 1;
		if (kind == TIER1 || kind == CARRIER || (kind == ENTERPRISE && chance(g, 200)))
			count = 0;
		else if (kind == ACCESS || kind == HOSTING || kind == GIANT)
			count = draw_between(g, 1, 2);
		for (unsigned k = 0; k < count; k++)
			add_destination(g, i, number++);
	}
}

/* A home: a router of its own at the edge of an access network, and a host behind it. */
static void add_home(struct generator *g, unsigned number)
{
	uint32_t as = draw_as(g, ACCESS);
	struct gen_host *host = add_host(g, as, "home", number);
	if (!host)
		return;
	unsigned place = LIST_AT(struct gen_router, g->routers, host->router)->place;
	uint32_t router = generate_router(g, as, place, "cpe", number, number);
	if (g->failed)
		return;
	host->gateway = host->router;
	host->home_link = g->links.count;
	generate_link(g, host->gateway, router, draw_between(g, 1000, 12000));
	host->router = router;
	host->home = number;
	host->is_user = true;
	host->delay_us = draw_between(g, 300, 3000);
	g->ases[as].has_homes = true;
}

static void add_mobile(struct generator *g, unsigned number)
{
	uint32_t as = draw_as(g, ACCESS);
	struct gen_host *host = add_host(g, as, "mobile", number);
	if (!host)
		return;
	host->gateway = host->router;
	host->is_user = true;
	host->delay_us = draw_between(g, 15000, 40000);
	g->ases[as].is_cellular = true;
}

static void add_users(struct generator *g)
{
	for (unsigned i = 0; i < MIN(MAX(g->as_total / ASES_PER_HOME, 1), HOMES_MAX); i++)
		add_home(g, i + 1);
	for (unsigned i = 0; i < MIN(MAX(g->as_total / ASES_PER_MOBILE, 1), HOMES_MAX); i++)
		add_mobile(g, i + 1);
}

static void add_to_service(
	struct generator *g, uint32_t as, const struct gen_pop *pop, unsigned service, unsigned number)
{
	char word[16];
	snprintf(word, sizeof(word), "any%u-", service);
	struct gen_host *host = add_host_at(g, as, pop, word, number);
	if (host)
		host->service = service;
}

/* In up to SERVICE_HOSTS_MAX different ASes; one that is drawn twice is left out. */
static void add_shared_service(struct generator *g, unsigned service)
{
	uint32_t ases[SERVICE_HOSTS_MAX];
	unsigned wanted = draw_between(g, 3, SERVICE_HOSTS_MAX), count = 0;
	for (unsigned i = 0; i < wanted; i++) {
		uint32_t as = draw_as(g, HOSTING);
		bool again = false;
		for (unsigned k = 0; k < count; k++)
			again |= ases[k] == as;
		if (again)
			continue;
		ases[count++] = as;
		add_to_service(g, as, &g->ases[as].pops[0], service, count);
	}
}

/* All that there might be: the profile decides which there are. */
static void add_services(struct generator *g)
{
	unsigned service = 0;
	for (uint32_t i = 0; i < g->as_count; i++) {
		const struct gen_as *as = &g->ases[i];
		if (as->kind != GIANT)
			continue;
		service++;
		for (unsigned k = 0; k < MIN(as->pop_count, SERVICE_HOSTS_MAX); k++)
			add_to_service(g, i, &as->pops[k], service, k + 1);
	}
	for (unsigned i = 0; i < MAX(g->as_total / ASES_PER_SERVICE, 1); i++)
		add_shared_service(g, ++service);
}

void generate_hosts(struct generator *g)
{
	/* A small world needs more of them for its size, or most of it is out of their sight. */
	unsigned few = MIN(MAX(g->as_total / 6, 3), VANTAGE_POINTS_FEW);
	unsigned vantage_points = MIN(MAX(g->as_total / ASES_PER_VANTAGE, few), VANTAGE_POINTS_MAX);
	(void)add_host(g, draw_as(g, ACCESS), "client", 0);
	(void)add_host(g, draw_as(g, HOSTING), "server", 0);
	for (unsigned i = 0; i < vantage_points; i++)
		(void)add_host(g,
			draw_as(g,
				i % 4 == 3	     ? ENTERPRISE
					: i % 4 == 2 ? ACCESS
						     : HOSTING),
			"vp", i + 1);
	for (unsigned i = 0; i < MAX(vantage_points / 20, 2); i++)
		(void)add_host(g, draw_as(g, i % 2 ? ENTERPRISE : HOSTING), "source", i + 1);
	add_destinations(g);
	add_users(g);
	add_services(g);
}
