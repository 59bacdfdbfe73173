/* The world file: one entry a line, so that it is quick to read for a program and for a person. */
#include <inttypes.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

static void write_ms(FILE *out, const char *key, unsigned us)
{
	fprintf(out, ", %s: %u.%03u", key, us / 1000, us % 1000);
}

static void write_ases(struct generator *g, FILE *out)
{
	char text[PREFIX_TEXT_SIZE];
	fputs("\nases:\n", out);
	for (unsigned i = 0; i < g->as_count; i++) {
		const struct gen_as *as = &g->ases[i];
		fprintf(out, "  - {asn: %u, name: %s, country: %s, prefixes: [", as->asn, as->name,
			places[as->home].country);
		for (unsigned k = 0; k < as->prefix_count; k++)
			fprintf(out, "%s, ", prefix_format(as->prefixes[k], text));
		if (!as->unannounced)
			fprintf(out, "%s, ", prefix_format(as->infrastructure, text));
		fprintf(out, "\"%s\"]", prefix_format(as->prefix6, text));
		fprintf(out, ", infrastructure: [%s", prefix_format(as->infrastructure, text));
		fprintf(out, ", \"%s\"]%s", prefix_format(as->infrastructure6, text),
			as->private_links ? ", private_links: true" : "");
		generate_write_as_behaviour(g, as, out);
		fputs("}\n", out);
	}
}

static void write_routers(struct generator *g, FILE *out)
{
	char name[40];
	fputs("\nrouters:\n", out);
	for (unsigned i = 0; i < g->routers.count; i++) {
		const struct gen_router *router = LIST_AT(struct gen_router, g->routers, i);
		const struct gen_as *as = &g->ases[router->as];
		fprintf(out, "  - {name: %s, as: %u, place: %s", generate_router_name(g, i, name), as->asn,
			places[router->place].code);
		if (as->nameless)
			fputs(", dns: none", out);
		else
			fprintf(out, ", dns: %s%u.%s1.%s.lab", router->role, router->number,
				places[router->misleading_place].code, as->domain);
		generate_write_behaviour(g, router, out);
		fputs("}\n", out);
	}
}

static void write_hosts(struct generator *g, FILE *out)
{
	char text[ADDR_TEXT_SIZE], name[40];
	fputs("\nhosts:\n", out);
	for (unsigned i = 0; i < g->hosts.count; i++) {
		const struct gen_host *host = LIST_AT(struct gen_host, g->hosts, i);
		if (host->is_idle)
			continue;
		fprintf(out, "  - {name: %s, as: %u, address: %s", host->name, g->ases[host->as].asn,
			addr_format(host->address, text));
		fprintf(out, ", address6: \"%s\", router: %s", addr_format(host->address6, text),
			generate_router_name(g, host->router, name));
		write_ms(out, "delay_ms", host->delay_us);
		generate_write_host_behaviour(g, host, out);
		fputs("}\n", out);
	}
}

static void write_queue(const char *key, const struct gen_queue *queue, FILE *out)
{
	if (queue->peak_ms)
		fprintf(out, ", %s: {peak_ms: %u, hour: %u, width_h: %u, noise_ms: %u}", key, queue->peak_ms,
			queue->hour, queue->width_h, queue->noise_ms);
}

static void write_subscriber(unsigned subscriber, FILE *out)
{
	char text[ADDR_TEXT_SIZE];
	fprintf(out, ", from_address: %s", addr_format(generate_subscriber_address(subscriber, false), text));
	fprintf(out, ", to_address: %s", addr_format(generate_subscriber_address(subscriber, true), text));
}

static void write_links(const struct generator *g, FILE *out)
{
	char from[40], to[40];
	fputs("\nlinks:\n", out);
	for (unsigned i = 0; i < g->links.count; i++) {
		const struct gen_link *link = LIST_AT(struct gen_link, g->links, i);
		fprintf(out, "  - {from: %s, to: %s", generate_router_name(g, link->from, from),
			generate_router_name(g, link->to, to));
		write_ms(out, "delay_ms", link->delay_us);
		fprintf(out, ", cost: %u", link->cost);
		if (link->cost_back != link->cost)
			fprintf(out, ", cost_back: %u", link->cost_back);
		if (link->narrow)
			fputs(", mtu: 1400", out);
		if (link->subscriber)
			write_subscriber(link->subscriber, out);
		write_queue("queue", &link->queue, out);
		write_queue("queue_back", &link->queue_back, out);
		fputs("}\n", out);
	}
}

static void write_ixp_name(const struct generator *g, uint32_t index, FILE *out)
{
	const struct gen_ixp *ixp = LIST_AT(struct gen_ixp, g->ixps, index);
	fprintf(out, "IX-%s-%u", places[ixp->place].code, ixp->number);
}

static void write_relations(const struct generator *g, FILE *out)
{
	fputs("\nrelations:\n", out);
	for (unsigned i = 0; i < g->relations.count; i++) {
		const struct gen_relation *relation = LIST_AT(struct gen_relation, g->relations, i);
		unsigned a = g->ases[relation->a].asn, b = g->ases[relation->b].asn;
		if (!relation->peers) {
			fprintf(out, "  - {provider: %u, customer: %u}\n", a, b);
			continue;
		}
		fprintf(out, "  - {peers: [%u, %u]", a, b);
		if (relation->ixp != NONE) {
			fputs(", ixp: ", out);
			write_ixp_name(g, relation->ixp, out);
		}
		fputs("}\n", out);
	}
}

static void write_exchanges(const struct generator *g, FILE *out)
{
	char text[PREFIX_TEXT_SIZE], name[40];
	fputs("\nixps:\n", out);
	for (unsigned i = 0; i < g->ixps.count; i++) {
		const struct gen_ixp *ixp = LIST_AT(struct gen_ixp, g->ixps, i);
		fputs("  - {name: ", out);
		write_ixp_name(g, i, out);
		fprintf(out, ", country: %s, prefix: %s", places[ixp->place].country,
			prefix_format(ixp->prefix, text));
		fprintf(out, ", prefix6: \"%s\", members: [", prefix_format(ixp->prefix6, text));
		for (unsigned k = 0; k < ixp->member_count; k++)
			fprintf(out, "%s%s", k ? ", " : "", generate_router_name(g, ixp->members[k], name));
		fputs("]}\n", out);
	}
}

/* What one side of a relation does that is not usual: towards the other. */
static void write_policy(const struct generator *g, uint32_t as, uint32_t neighbour, int preference,
	bool prepends, bool *any, FILE *out)
{
	if (preference == 0 && !prepends)
		return;
	fprintf(out, "%s  - {as: %u, neighbour: %u", *any ? "" : "\npolicies:\n", g->ases[as].asn,
		g->ases[neighbour].asn);
	if (preference)
		fprintf(out, ", local_preference: %d", preference);
	if (prepends)
		fputs(", prepend: 2", out);
	fputs("}\n", out);
	*any = true;
}

static void write_policies(const struct generator *g, FILE *out)
{
	bool any = false;
	for (unsigned i = 0; i < g->relations.count; i++) {
		const struct gen_relation *r = LIST_AT(struct gen_relation, g->relations, i);
		/* The usual ones: customer 300, peer 200, provider 100. */
		int of_b = r->favour[0] ? (r->peers ? 200 : 300) + r->favour[0] : 0;
		int of_a = r->favour[1] ? (r->peers ? 200 : 100) + r->favour[1] : 0;
		write_policy(g, r->a, r->b, of_b, false, &any, out);
		write_policy(g, r->b, r->a, of_a, r->prepends, &any, out);
	}
}

static void write_faults(const struct generator *g, FILE *out)
{
	char from[40], to[40];
	bool any = false;
	for (unsigned i = 0; i < g->links.count; i++) {
		const struct gen_link *link = LIST_AT(struct gen_link, g->links, i);
		if (link->up_s == 0)
			continue;
		fprintf(out, "%s  - {link: [%s, %s], after_s: %u, until_s: %u, down: true, reroute: true}\n",
			any ? "" : "\nfaults:\n", generate_router_name(g, link->from, from),
			generate_router_name(g, link->to, to), link->down_s, link->up_s);
		any = true;
	}
}

void generate_write(struct generator *g, const struct generate_options *options, FILE *out)
{
	fprintf(out, "# retour lab generate --ases %u --seed %" PRIu64 " --profile %s\n", options->ases,
		options->seed, options->profile->name);
	fprintf(out, "summary: %u networks, %s (profile %s, seed %" PRIu64 ")\n", options->ases,
		options->profile->summary, options->profile->name, options->seed);
	write_ases(g, out);
	write_hosts(g, out);
	write_routers(g, out);
	write_links(g, out);
	write_exchanges(g, out);
	write_relations(g, out);
	write_policies(g, out);
	generate_write_tunnels(g, out);
	generate_write_detours(g, out);
	write_faults(g, out);
	fputs("\nservices:\n  - {host: server, run: retour serve}\n", out);
}
