/* Bad habits, drawn from the rates of the profile: what holds for a whole AS, then links, routers and hosts.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

/* Seconds: faults are over by then. */
#define DAY_S 86400

static void as_habits(struct generator *g, struct gen_as *as)
{
	const struct profile *p = g->profile;
	bool transit = is_transit(as);
	as->drops_options = chance(g, transit ? p->core_drops_options : p->edge_drops_options);
	as->never_stamps = transit && chance(g, p->core_never_stamps);
	as->sometimes_stamps = transit && chance(g, p->core_sometimes);
	as->filters_sources = !transit && chance(g, p->source_filter);
	/* What translators of users' addresses put in their place must be reachable. */
	bool has_users = as->has_homes || as->is_cellular;
	as->private_links = chance(g, p->private_links) && !has_users;
	as->unannounced = chance(g, p->unannounced) && !has_users;
	as->nameless = chance(g, p->nameless);
	as->translates = has_users && chance(g, as->is_cellular ? p->cgn_cellular : p->cgn);
}

/* Operators do not treat all their neighbours of a kind alike; customers stay before peers, and those before
 * providers, so that routing settles. */
static void relation_habits(struct generator *g, struct gen_relation *relation)
{
	const struct profile *p = g->profile;
	const struct gen_as *ends[] = {&g->ases[relation->a], &g->ases[relation->b]};
	for (unsigned side = 0; side < 2 && relation->ixp == NONE; side++) {
		unsigned alike = relation->peers ? ends[side]->peers
			: side == 0		 ? ends[side]->customers
						 : ends[side]->providers;
		if (alike > 1 && chance(g, p->traffic_engineering))
			relation->favour[side] = (int)draw_between(g, 1, 4) * 10;
	}
	relation->prepends = !relation->peers && ends[1]->providers > 1 && chance(g, p->prepending);
}

/* Worst in the evening of the place, by the sun; worlds begin at midnight in Greenwich. */
static struct gen_queue draw_queue(struct generator *g, uint32_t router, unsigned peak_ms)
{
	int longitude = places[LIST_AT(struct gen_router, g->routers, router)->place].longitude; /* tenths */
	unsigned ahead_h = (unsigned)(longitude + 1800 + 75) / 150; /* of the date line; 15 degrees an hour */
	struct gen_queue queue = {.peak_ms = draw_between(g, peak_ms / 2, peak_ms)};
	queue.hour = (draw_between(g, 19, 22) + 36 - ahead_h) % 24;
	queue.width_h = draw_between(g, 3, 8);
	queue.noise_ms = draw_between(g, 1, 8);
	return queue;
}

/* Between ASes mostly in one direction; on the line to a home, where its own sending and receiving wait, in
 * both. */
static void congest(struct generator *g, struct gen_link *link, bool inside)
{
	const struct profile *p = g->profile;
	const struct gen_router *to = LIST_AT(struct gen_router, g->routers, link->to);
	if (inside ? !to->home || !chance(g, p->access_congested) : !chance(g, p->congested))
		return;
	unsigned which = inside ? 2 : draw(g, 10);
	if (which != 0)
		link->queue = draw_queue(g, link->to, 50);
	if (which <= 2)
		link->queue_back = draw_queue(g, link->to, inside ? 120 : 50);
}

/* Between ASes one of several links; inside any, which may cut off what is behind it. */
static bool may_fail(const struct generator *g, uint32_t index, bool inside)
{
	const struct gen_link *link = LIST_AT(struct gen_link, g->links, index);
	const struct gen_router *routers = g->routers.items;
	if (inside || index == 0)
		return inside && !routers[link->to].home;
	const struct gen_link *before = link - 1;
	return before->up_s == 0 && routers[before->from].as == routers[link->from].as &&
		routers[before->to].as == routers[link->to].as;
}

static void link_habits(struct generator *g, uint32_t index)
{
	const struct profile *p = g->profile;
	struct gen_link *link = LIST_AT(struct gen_link, g->links, index);
	bool inside = LIST_AT(struct gen_router, g->routers, link->from)->as ==
		LIST_AT(struct gen_router, g->routers, link->to)->as;
	if (inside && chance(g, p->igp_asymmetric))
		link->cost_back += link->cost * draw_between(g, 1, 4) / 2;
	congest(g, link, inside);
	link->narrow = chance(g, p->narrow);
	if (may_fail(g, index, inside) && chance(g, inside ? p->flapping : p->border_flapping)) {
		link->down_s = draw_between(g, 600, DAY_S / 2);
		link->up_s = link->down_s + draw_between(g, 60, DAY_S / 4);
	}
}

/* Users whose network has no public addresses for them. */
static void subscribe(struct generator *g)
{
	unsigned count = 0;
	for (unsigned i = 0; i < g->hosts.count; i++) {
		struct gen_host *host = LIST_AT(struct gen_host, g->hosts, i);
		if (!host->is_user || !g->ases[host->as].translates)
			continue;
		host->subscriber = ++count;
		LIST_AT(struct gen_router, g->routers, host->gateway)->translates = true;
		if (host->home)
			LIST_AT(struct gen_link, g->links, host->home_link)->subscriber = count;
		else
			host->address = generate_subscriber_address(count, true);
	}
}

static void choose_services(struct generator *g)
{
	bool idle = false;
	unsigned last = 0;
	for (unsigned i = 0; i < g->hosts.count; i++) {
		struct gen_host *host = LIST_AT(struct gen_host, g->hosts, i);
		if (host->service != last)
			idle = !chance(g, g->profile->anycast);
		last = host->service;
		host->is_idle = last && idle;
	}
}

/* Numbers of its own, so that the same seed gives the same networks with every profile. */
void generate_habits(struct generator *g)
{
	g->rng = rng_seed(rng_u64(&g->rng));
	for (unsigned i = 0; i < g->as_count; i++)
		as_habits(g, &g->ases[i]);
	for (unsigned i = 0; i < g->relations.count; i++)
		relation_habits(g, LIST_AT(struct gen_relation, g->relations, i));
	for (unsigned i = 0; i < g->links.count; i++)
		link_habits(g, i);
	subscribe(g);
	choose_services(g);
	for (unsigned i = 0; i < g->routers.count; i++) {
		struct gen_router *router = LIST_AT(struct gen_router, g->routers, i);
		if (chance(g, g->profile->misleading))
			router->misleading_place = draw(g, place_count);
	}
}

struct keys {
	struct generator *g;
	FILE *out;
	bool any;
};

static void key(struct keys *keys, const char *format, ...) PRINTF_LIKE(2, 3);
static void key(struct keys *keys, const char *format, ...)
{
	va_list arguments;
	fputs(keys->any ? ", " : ", behaviour: {", keys->out);
	va_start(arguments, format);
	vfprintf(keys->out, format, arguments);
	va_end(arguments);
	keys->any = true;
}

static void end_keys(const struct keys *keys)
{
	if (keys->any)
		fputc('}', keys->out);
}

struct word {
	unsigned share;
	const char *text;
};

/* At most one of the words, each as likely as its share says. */
static void key_of(struct keys *keys, const struct word *words, size_t count)
{
	unsigned at = draw(keys->g, 1000);
	for (size_t i = 0; i < count; i++) {
		if (at < words[i].share) {
			key(keys, "%s", words[i].text);
			return;
		}
		at -= words[i].share;
	}
}

static void write_stamps(struct keys *keys, const struct gen_as *as)
{
	const struct profile *p = keys->g->profile;
	const struct word stamps[] = {
		{as->never_stamps		       ? 1000
				: as->sometimes_stamps ? 500
						       : p->stamp_none,
			"record_route: none"},
		{p->strip, "record_route: strip"},
		{p->stamp_private, "record_route: private"},
		{p->stamp_inbound, "record_route: inbound"},
		{p->stamp_loopback, "record_route: loopback"},
	};
	if (!as->drops_options)
		key_of(keys, stamps, ARRAY_LEN(stamps));
}

static void write_firewall(struct keys *keys, const struct gen_as *as)
{
	if (as->kind != ENTERPRISE || !chance(keys->g, keys->g->profile->firewall))
		return;
	if (chance(keys->g, 500))
		key(keys, "firewall: [{do: drop, protocol: udp, port: 33434, port_end: 33534}]");
	else
		key(keys,
			"firewall: [{do: refuse, refuse: admin, protocol: udp, port: 33434, port_end: "
			"33534}]");
}

/* The home's own router: what is not translated is not let in. */
static bool write_translation(struct keys *keys, const struct gen_router *router)
{
	char text[PREFIX_TEXT_SIZE];
	if (!router->home || !keys->g->profile->nat)
		return false;
	key(keys, "nat: {inside: %s}", prefix_format(generate_home_prefix(router->home), text));
	return true;
}

void generate_write_behaviour(struct generator *g, const struct gen_router *router, FILE *out)
{
	const struct profile *p = g->profile;
	struct keys keys = {.g = g, .out = out};
	const struct word sources[] = {{p->source_outbound, "error_source: outbound"},
		{p->source_loopback, "error_source: loopback"}};
	const struct word balances[] = {{p->balance_flow, "balance: flow"},
		{p->balance_packet, "balance: packet"}, {p->balance_options, "balance: options"}};
	const struct word limits[] = {{p->silent, "silent: true"},
		{p->limited, "error_limit: {burst: 10, per_second: 10}"},
		{p->limited_as_linux, "limits: linux"}};
	const struct word ttls[] = {{p->ttl_echo_64, "initial_ttl: {echo: 64}"},
		{p->ttl_64, "initial_ttl: {error: 64, echo: 64}"},
		{p->ttl_128, "initial_ttl: {error: 128, echo: 128}"}};
	const struct word bleaches[] = {{p->bleach_ecn, "bleach: ecn"}, {p->bleach_dscp, "bleach: dscp"}};
	if (write_translation(&keys, router)) {
		end_keys(&keys);
		return;
	}
	if (router->translates)
		key(&keys, "nat: {inside: 100.64.0.0/10}");
	key_of(&keys, sources, ARRAY_LEN(sources));
	write_stamps(&keys, &g->ases[router->as]);
	key_of(&keys, balances, ARRAY_LEN(balances));
	key_of(&keys, limits, ARRAY_LEN(limits));
	key_of(&keys, ttls, ARRAY_LEN(ttls));
	key_of(&keys, bleaches, ARRAY_LEN(bleaches));
	if (chance(g, p->options_limited))
		key(&keys, "options_limit: {burst: 20, per_second: %u}", draw_between(g, 1, 10) * 10);
	if (chance(g, p->slow))
		key(&keys, "reply_delay_ms: %u", draw_between(g, 5, 150));
	if (chance(g, p->zero_ttl))
		key(&keys, "zero_ttl: true");
	if (chance(g, p->too_big_silent))
		key(&keys, "too_big: silent");
	if (router->role[0] == 'e')
		write_firewall(&keys, &g->ases[router->as]);
	end_keys(&keys);
}

void generate_write_as_behaviour(struct generator *g, const struct gen_as *as, FILE *out)
{
	struct keys keys = {.g = g, .out = out};
	if (as->drops_options)
		key(&keys, "record_route: drop");
	if (as->filters_sources)
		key(&keys, "source_filter: hosts");
	end_keys(&keys);
}

/* Those who measure are well behaved; so is where a person starts. */
void generate_write_host_behaviour(struct generator *g, const struct gen_host *host, FILE *out)
{
	const struct profile *p = g->profile;
	struct keys keys = {.g = g, .out = out};
	const struct word pings[] = {{p->host_silent, "ping: none"}, {p->host_plain, "ping: plain"}};
	const struct word stamps[] = {{p->host_stamps_once, "own_stamps: once"},
		{p->host_alias, "own_stamps: alias"}, {p->host_no_stamp, "own_stamps: none"}};
	const struct word times[] = {
		{p->host_no_time, "timestamp: none"}, {p->host_careless_time, "timestamp: careless"}};
	if (!host->is_destination)
		return;
	key_of(&keys, pings, ARRAY_LEN(pings));
	key_of(&keys, stamps, ARRAY_LEN(stamps));
	key_of(&keys, times, ARRAY_LEN(times));
	end_keys(&keys);
}
