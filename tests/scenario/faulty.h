/* Worlds out of a seed with one fault of a known kind, on a known way and at a known place.
 *
 * client - campus - outbound carrier - hosting - server is the way there; the way back is the same, or goes
 * through an inbound carrier of another length. Lengths, delays, habits of routers and the place of the fault
 * are drawn. */
#ifndef RETOUR_TESTS_SCENARIO_FAULTY_H
#define RETOUR_TESTS_SCENARIO_FAULTY_H

#include "ways.h"

#include "base/rng.h"

enum fault {
	FAULT_NONE,
	FAULT_LOSS,
	FAULT_HOLE,	    /* a router drops what is for the end of this way */
	FAULT_ANSWERS_HOLE, /* a router beside the way back drops what is for us */
	FAULT_LOOP,
	FAULT_LIMIT,
	FAULT_MTU,	  /* a narrow link whose router says so */
	FAULT_MTU_SILENT, /* and one that does not */
	FAULT_DELAY,
	FAULT_DROPS_UDP,
	FAULT_REFUSES_UDP,
	FAULT_SLOW_REPLY,
	FAULT_LINK_DOWN,
	FAULTS,
};

static const char *const fault_words[] = {"none", "loss", "black hole", "hole for some answers", "loop",
	"limit on replies", "narrow link", "narrow link, silent", "delay", "drops UDP", "refuses UDP",
	"slow replies", "link down"};

enum { WAY_THERE, WAY_BACK };

/* `at` acts on what it sends to `next`; `before` comes before it on that way. */
struct fault_place {
	enum fault fault;
	int way;
	double size; /* share lost, ms, bytes, as the fault has it */
	char before[8], at[8], next[8];
};

struct faulty {
	struct rng rng;
	bool asymmetric, bent; /* bent: some routers of the outbound carrier answer by the inbound one */
	unsigned campus, out, in, hosting, bent_from;
	uint8_t family;
	struct text routers, links;
};

static inline bool chance(struct faulty *faulty, double share)
{
	return rng_unit(&faulty->rng) < share;
}

static inline unsigned between(struct faulty *faulty, unsigned low, unsigned high)
{
	return low + (unsigned)rng_below(&faulty->rng, high - low + 1);
}

static inline bool is_at_fault(const struct fault_place *place, enum fault fault, const char *name)
{
	return place->fault == fault && strcmp(place->at, name) == 0;
}

static inline void add_router(
	struct faulty *faulty, const struct fault_place *place, unsigned asn, const char *name)
{
	static const char *const sources[] = {
		"inbound", "inbound", "inbound", "inbound", "outbound", "loopback"};
	struct text *text = &faulty->routers;
	bool deaf = chance(faulty, 0.06), linux_limits = chance(faulty, 0.15), plain = chance(faulty, 0.3);
	add(text, "  - {name: %s, as: %u, behaviour: {error_source: %s", name, asn,
		sources[between(faulty, 0, ARRAY_LEN(sources) - 1)]);
	if (deaf)
		add(text, ", silent: true");
	if (plain)
		add(text, ", record_route: none");
	if (is_at_fault(place, FAULT_LIMIT, name))
		add(text, ", error_limit: {burst: %u, per_second: %g}", (unsigned)place->size,
			place->size - (double)(unsigned)place->size);
	else if (linux_limits)
		add(text, ", limits: linux");
	if (is_at_fault(place, FAULT_SLOW_REPLY, name))
		add(text, ", reply_delay_ms: %g", place->size);
	if (is_at_fault(place, FAULT_MTU_SILENT, name))
		add(text, ", too_big: silent");
	if (is_at_fault(place, FAULT_DROPS_UDP, name) || is_at_fault(place, FAULT_REFUSES_UDP, name))
		add(text, ", firewall: [{do: %s, protocol: udp, %s: %s}]",
			place->fault == FAULT_DROPS_UDP ? "drop" : "refuse",
			place->way == WAY_THERE ? "to" : "from",
			faulty->family == 4 ? "198.18.18.80/32" : "\"2001:db8:a00:50::80/128\"");
	add(text, "}}\n");
}

static inline void add_link(struct faulty *faulty, const struct fault_place *place, const char *from,
	const char *to, double delay_ms, unsigned cost, unsigned cost_back)
{
	struct text *text = &faulty->links;
	bool there = strcmp(place->at, from) == 0 && strcmp(place->next, to) == 0;
	bool back = strcmp(place->at, to) == 0 && strcmp(place->next, from) == 0;
	bool narrow = place->fault == FAULT_MTU || place->fault == FAULT_MTU_SILENT;
	bool slow = place->fault == FAULT_DELAY;
	add(text, "  - {from: %s, to: %s, delay_ms: %.2f, delay_back_ms: %.2f, cost: %u, cost_back: %u", from,
		to, delay_ms + (slow && there ? place->size : 0), delay_ms + (slow && back ? place->size : 0),
		cost, cost_back);
	if (narrow && (there || back))
		add(text, ", mtu: %u", (unsigned)place->size);
	add(text, "}\n");
}

static inline double some_ms(struct faulty *faulty)
{
	static const double most[] = {1, 1, 3, 8};
	return 0.1 + rng_unit(&faulty->rng) * most[between(faulty, 0, 3)];
}

/* A chain `prefix`1 ... `prefix`COUNT; its links cost the same both ways, but from `bent_from` on back. */
static inline void add_chain(struct faulty *faulty, const struct fault_place *place, char prefix,
	unsigned asn, unsigned count, unsigned bent_from)
{
	char name[8], before[8] = "";
	for (unsigned i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "%c%u", prefix, i);
		add_router(faulty, place, asn, name);
		if (before[0])
			add_link(
				faulty, place, before, name, some_ms(faulty), 10, bent_from == i ? 2000 : 10);
		snprintf(before, sizeof(before), "%s", name);
	}
}

static inline void add_ends(struct faulty *faulty, const struct fault_place *place)
{
	char c[8], a[8], b[8], h[8];
	snprintf(c, sizeof(c), "c%u", faulty->campus);
	snprintf(a, sizeof(a), "a%u", faulty->out);
	snprintf(b, sizeof(b), "b%u", faulty->in);
	snprintf(h, sizeof(h), "h%u", faulty->hosting);
	add_link(faulty, place, "client", "c1", 0.3, 10, 10);
	add_link(faulty, place, c, "a1", some_ms(faulty), 10, 10);
	add_link(faulty, place, a, "h1", some_ms(faulty), 10, faulty->asymmetric ? 1000 : 10);
	add_link(faulty, place, h, "server", 0.2, 10, 10);
	/* Counted from the hosting company's side: the way home. */
	add_link(faulty, place, "h1", "b1", some_ms(faulty), faulty->asymmetric ? 10 : 5000, 5000);
	add_link(faulty, place, b, c, some_ms(faulty), 10, 5000);
}

/* The text of the world, `place` included; the shape depends on the seed alone. */
static inline void faulty_text(struct faulty *faulty, uint64_t seed, uint8_t family,
	const struct fault_place *place, struct text *all)
{
	faulty->rng = rng_seed(seed);
	faulty->family = family;
	faulty->routers.used = faulty->links.used = all->used = 0;
	faulty->asymmetric = chance(faulty, 0.7);
	faulty->campus = between(faulty, 1, 2);
	faulty->out = between(faulty, 1, 5);
	faulty->in = between(faulty, 1, 5);
	faulty->hosting = between(faulty, 1, 3);
	faulty->bent = faulty->asymmetric && faulty->out >= 2 && chance(faulty, 0.4);
	faulty->bent_from = faulty->bent ? between(faulty, 2, faulty->out) : 0;
	add_chain(faulty, place, 'c', 64496, faulty->campus, 0);
	add_chain(faulty, place, 'a', 64500, faulty->out, faulty->bent_from);
	add_chain(faulty, place, 'b', 64501, faulty->in, 0);
	add_chain(faulty, place, 'h', 64510, faulty->hosting, 0);
	add_ends(faulty, place);
	add(all,
		"ases:\n"
		"  - {asn: 64496, name: Campus, country: DE, prefix: 198.51.100.0/24, prefix6: "
		"\"2001:db8:100::/40\"}\n"
		"  - {asn: 64500, name: Out, country: NL, prefix: 203.0.113.0/24, prefix6: "
		"\"2001:db8:500::/40\"}\n"
		"  - {asn: 64501, name: In, country: FR, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:600::/40\"}\n"
		"  - {asn: 64510, name: Host, country: GB, prefix: 198.18.16.0/22, prefix6: "
		"\"2001:db8:a00::/40\"}\n"
		"hosts:\n"
		"  - {name: client, as: 64496, address: 198.51.100.77, address6: \"2001:db8:100:cafe::77\"}\n"
		"  - {name: server, as: 64510, address: 198.18.18.80, address6: \"2001:db8:a00:50::80\"}\n"
		"routers:\n%slinks:\n%s",
		faulty->routers.bytes, faulty->links.bytes);
	const char *end = place->way == WAY_THERE ? "server" : "client";
	if (place->fault == FAULT_LOSS)
		add(all, "faults:\n  - {link: [%s, %s], loss: %g, one_way: true}\n", place->at, place->next,
			place->size);
	if (place->fault == FAULT_LINK_DOWN)
		add(all, "faults:\n  - {link: [%s, %s], down: true}\n", place->at, place->next);
	if (place->fault == FAULT_HOLE || place->fault == FAULT_ANSWERS_HOLE)
		add(all, "routes:\n  - {at: %s, to: %s, drop: true}\n", place->at,
			place->fault == FAULT_HOLE ? end : "client");
	if (place->fault == FAULT_LOOP)
		add(all, "routes:\n  - {at: %s, to: %s, via: [%s]}\n", place->at, end, place->before);
}

#endif
