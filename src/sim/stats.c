/* Statistics of a world from its truth. Sources of what was published:
 *
 *   [N10]  Katz-Bassett et al., "Reverse traceroute", NSDI 2010
 *   [RR17] Goodchild et al., "The Record Route Option is an Option!", IMC 2017
 *   [V22]  Vermeulen et al., "Internet Scale Reverse Traceroute", IMC 2022, as its agent's manual quotes it
 *   [H04]  He et al., "Quantifying routing asymmetry in the Internet at the AS level", GLOBECOM 2004
 *   [S03]  Siganos et al., "Power laws and the AS-level Internet topology", IEEE/ACM ToN 2003
 *   [RIPE] RIPE Labs, "AS path lengths over time", 2012
 *   [ARK]  CAIDA, Archipelago monitor statistics, path lengths to destinations that answer */
#include "sim/stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/core.h"
#include "sim/truth.h"

#define PAIRS	    2000 /* of vantage points and destinations */
#define TARGETS_MAX 1000

struct sample {
	const struct world *world;
	struct sim *sim;
	struct rng rng;
	uint32_t *vantage_points, *targets;
	unsigned vantage_count, target_count;
	/* of the pairs that reach each other */
	unsigned pairs, asymmetric_as, asymmetric_router;
	double as_paths;		   /* sum of their lengths */
	double hops[PAIRS], shared[PAIRS]; /* shared: of the routers back, those that are also there */
	double agree[2], asked[2];	   /* hops before in the same AS, in another */
};

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Sorts. */
static double quantile(double *values, unsigned count, double share)
{
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof(*values), compare_doubles);
	return values[(unsigned)(share * (count - 1) + 0.5)];
}

static void add(
	struct stats *stats, const char *what, double value, double low, double high, const char *source)
{
	if (stats->count < STATS_ROWS_MAX)
		stats->rows[stats->count++] = (struct stats_row){what, value, low, high, source};
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : NAN;
}

static int find_hosts(struct sample *s)
{
	const struct world *w = s->world;
	s->vantage_points = calloc(w->host_count + 1, sizeof(*s->vantage_points));
	s->targets = calloc(w->host_count + 1, sizeof(*s->targets));
	if (!s->vantage_points || !s->targets)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->host_count; i++) {
		const char *name = w->nodes[i].name;
		if (strncmp(name, "vp", 2) == 0)
			s->vantage_points[s->vantage_count++] = i;
		else if (name[0] == 'd')
			s->targets[s->target_count++] = i;
	}
	/* A random order: the first TARGETS_MAX are a sample. */
	for (unsigned i = s->target_count; i > 1; i--) {
		unsigned at = (unsigned)rng_below(&s->rng, i);
		uint32_t other = s->targets[at];
		s->targets[at] = s->targets[i - 1];
		s->targets[i - 1] = other;
	}
	return 0;
}

static bool walk(struct sample *s, uint32_t from, uint32_t to, struct truth *truth)
{
	uint8_t bytes[64];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	struct packet_spec spec = {
		.ip = {.source = world_node_address(s->world, from, 4),
			.destination = world_node_address(s->world, to, 4),
			.ttl = 64,
			.protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = ICMP4_ECHO_REQUEST, .icmp_id = 1, .icmp_seq = 1},
	};
	return packet_write(&writer, &spec) == 0 &&
		sim_truth(s->sim, from, bytes, writer.length, truth) == 0 && truth->end == TRUTH_REACHED;
}

/* The ASes of a path, the sender's first; returns how many. */
static unsigned as_path(const struct world *world, uint32_t from, const struct truth *truth, uint32_t *path)
{
	unsigned count = 0;
	path[count++] = world->nodes[from].as;
	for (unsigned i = 0; i < truth->hop_count; i++) {
		uint32_t as = world->nodes[truth->hops[i].node].as;
		if (as != path[count - 1])
			path[count++] = as;
	}
	return count;
}

static bool on_path(const struct truth *truth, uint32_t node)
{
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (truth->hops[i].node == node)
			return true;
	return false;
}

/* The assumption of symmetry, as it is asked for: at routers in the network of the target, where other means
 * come to an end. Would the router send what is for the sender to the hop before? Where it balances, with a
 * probability. */
static void assume_symmetry(struct sample *s, uint32_t from, const struct truth *there)
{
	struct addr sender = world_node_address(s->world, from, 4);
	uint32_t target_as = s->world->nodes[there->hops[there->hop_count - 1].node].as;
	for (unsigned i = 1; i + 1 < there->hop_count; i++) {
		uint32_t node = there->hops[i].node, before = there->hops[i - 1].node;
		bool between = s->world->nodes[node].as != s->world->nodes[before].as;
		if (s->world->nodes[node].as != target_as)
			continue;
		struct route route = route_lookup(s->sim, node, sender);
		bool balances = s->world->nodes[node].behaviour.balance != BALANCE_NONE;
		unsigned ways = balances ? route.via_count : MIN(route.via_count, 1);
		for (unsigned k = 0; k < ways; k++)
			if (s->world->interfaces[route.via[k] ^ 1].node == before)
				s->agree[between] += 1.0 / ways;
		s->asked[between]++;
	}
}

static void compare_ways(
	struct sample *s, uint32_t from, uint32_t to, const struct truth *there, const struct truth *back)
{
	uint32_t ases[2][TRUTH_HOPS_MAX + 1];
	unsigned counts[] = {as_path(s->world, from, there, ases[0]), as_path(s->world, to, back, ases[1])};
	unsigned shared = 0, routers = back->hop_count - 1;
	bool same = counts[0] == counts[1], same_routers = there->hop_count == back->hop_count;
	for (unsigned i = 0; same && i < counts[0]; i++)
		same = ases[0][i] == ases[1][counts[1] - 1 - i];
	for (unsigned i = 0; i < routers; i++) {
		shared += on_path(there, back->hops[i].node);
		same_routers = same_routers && there->hops[routers - 1 - i].node == back->hops[i].node;
	}
	s->hops[s->pairs] = there->hop_count;
	s->shared[s->pairs++] = share(shared, routers);
	s->as_paths += counts[0];
	s->asymmetric_as += !same;
	s->asymmetric_router += !same_routers;
}

static void sample_paths(struct sample *s)
{
	struct truth there, back;
	for (unsigned i = 0; i < PAIRS && s->vantage_count && s->target_count; i++) {
		uint32_t from = s->vantage_points[rng_below(&s->rng, s->vantage_count)];
		uint32_t to = s->targets[rng_below(&s->rng, s->target_count)];
		if (s->world->nodes[from].as == s->world->nodes[to].as || !walk(s, from, to, &there) ||
			!walk(s, to, from, &back))
			continue;
		compare_ways(s, from, to, &there, &back);
		assume_symmetry(s, from, &there);
	}
}

static void path_rows(struct sample *s, struct stats *stats)
{
	unsigned n = s->pairs;
	add(stats, "path length, ASes, mean", share(s->as_paths, n), 3.5, 4.5, "about 4 [RIPE]");
	add(stats, "path length, hops, 10th percentile", quantile(s->hops, n, 0.1), 7, 12, "7 to 12 [ARK]");
	add(stats, "path length, hops, median", quantile(s->hops, n, 0.5), 11, 16, "11 to 16 [ARK]");
	add(stats, "path length, hops, 90th percentile", quantile(s->hops, n, 0.9), 17, 21, "17 to 21 [ARK]");
	add(stats, "pairs with different AS paths", share(s->asymmetric_as, n), 0.14, 0.98,
		"0.14 [H04] to 0.98 [N10]");
	add(stats, "pairs with different routers", share(s->asymmetric_router, n), 0.88, 0.98,
		"0.88 to 0.98 [N10]");
	add(stats, "routers back that are also there, median", quantile(s->shared, n, 0.5), 0.33, 0.66,
		"0.38 (addresses) to 0.61 (places), +-0.05 [N10]");
	add(stats, "next hop back is the hop before, same AS", share(s->agree[0], s->asked[0]), 0.85, 0.95,
		"0.90 +-0.05 [V22]");
	add(stats, "next hop back is the hop before, other AS", share(s->agree[1], s->asked[1]), 0.52, 0.62,
		"0.57 +-0.05 [V22]");
}

static int survey_rows(struct sample *s, uint64_t seed, struct stats *stats)
{
	unsigned count = MIN(s->target_count, TARGETS_MAX);
	double ping = 0, options = 0, within[2] = {0, 0};
	struct survey_target *targets = calloc(count + 1, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		targets[i].host = s->targets[i];
	int result = stats_survey(s->world, seed, s->vantage_points, s->vantage_count, targets, count);
	for (unsigned i = 0; i < count; i++) {
		ping += targets[i].answers_ping;
		options += targets[i].answers_ping && targets[i].answers_options;
		for (unsigned k = 0; k < 2; k++)
			within[k] +=
				targets[i].answers_ping && targets[i].slot > 0 && targets[i].slot <= 8 + k;
	}
	bool any = s->vantage_count > 0 && count > 0;
	add(stats, "destinations that answer ping", any ? ping / count : NAN, 0.72, 0.82,
		"0.77 +-0.05 [RR17]");
	add(stats, "of those, answer Record Route", share(options, ping), 0.72, 0.85,
		"0.75 by address, 0.82 by AS, +-0.03 [RR17]");
	add(stats, "of those, stamped by slot 8 from some vantage point", share(within[0], options), 0.55,
		0.65, "0.60 +-0.05 [RR17]");
	add(stats, "of those, stamped by slot 9 from some vantage point", share(within[1], options), 0.61,
		0.71, "0.66 +-0.05 [RR17]");
	free(targets);
	return result;
}

static int compare_unsigned(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Lengths of the runs of equal numbers; returns how many. */
static unsigned run_lengths(const unsigned *sorted, unsigned count, unsigned *lengths)
{
	unsigned runs = 0;
	for (unsigned i = 0; i < count; i++) {
		if (i == 0 || sorted[i] != sorted[i - 1])
			lengths[runs++] = 0;
		lengths[runs - 1]++;
	}
	return runs;
}

/* How straight the line is of the logarithm of "share of ASes with at least that degree" over that of the
 * degree: |r| of the two, as [S03] states it. */
static double straightness(const unsigned *degrees, unsigned count)
{
	double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
	for (unsigned i = 0; i < count; i++) {
		if (i > 0 && degrees[i] == degrees[i - 1])
			continue;
		double log_degree = log(degrees[i]), log_share = log((double)(count - i) / count);
		n++;
		x += log_degree;
		y += log_share;
		xx += log_degree * log_degree;
		yy += log_share * log_share;
		xy += log_degree * log_share;
	}
	return n > 2 ? fabs(n * xy - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y)) : NAN;
}

static void degree_rows(unsigned *ends, unsigned end_count, unsigned *degrees, unsigned as_count,
	unsigned peerings, struct stats *stats)
{
	qsort(ends, end_count, sizeof(*ends), compare_unsigned);
	unsigned count = run_lengths(ends, end_count, degrees);
	qsort(degrees, count, sizeof(*degrees), compare_unsigned);
	add(stats, "AS degree, mean", share(end_count, as_count), 0, 0, "");
	add(stats, "AS degree, highest", count ? degrees[count - 1] : (double)NAN, 0, 0, "");
	add(stats, "AS degree, how straight the power law (|r|)", straightness(degrees, count), 0.95, 1,
		"above 0.99, -0.04 for the size [S03]");
	add(stats, "peerings among the relations", share(peerings, end_count / 2), 0, 0, "");
}

static int relation_rows(const struct world *world, struct stats *stats)
{
	const struct world_file *f = world->file;
	unsigned *ends = calloc(2 * (size_t)f->relations_count + 1, sizeof(*ends));
	unsigned *degrees = calloc(2 * (size_t)f->relations_count + 1, sizeof(*degrees));
	unsigned count = 0, peerings = 0;
	for (unsigned i = 0; i < f->relations_count && ends && degrees; i++) {
		const struct file_relation *relation = &f->relations[i];
		bool peers = relation->peers_count == 2;
		ends[count++] = peers ? relation->peers[0] : relation->provider;
		ends[count++] = peers ? relation->peers[1] : relation->customer;
		peerings += peers;
	}
	int result = ends && degrees ? 0 : -ENOMEM;
	if (result == 0)
		degree_rows(ends, count, degrees, world->as_count, peerings, stats);
	free(ends);
	free(degrees);
	return result;
}

int stats_of(const struct world *world, uint64_t seed, struct stats *stats, struct error *error)
{
	struct sample *s = calloc(1, sizeof(*s));
	int result = s ? 0 : -ENOMEM;
	*stats = (struct stats){0};
	if (s) {
		s->world = world;
		s->rng = rng_seed(seed);
		s->sim = sim_new(world, seed);
		result = s->sim ? find_hosts(s) : -ENOMEM;
	}
	if (result == 0) {
		add(stats, "ASes", world->as_count, 0, 0, "");
		add(stats, "routers", world->node_count - world->host_count, 0, 0, "");
		add(stats, "hosts", world->host_count, 0, 0, "");
		sample_paths(s);
		path_rows(s, stats);
		result = survey_rows(s, seed, stats);
	}
	if (result == 0)
		result = relation_rows(world, stats);
	if (s) {
		sim_free(s->sim);
		free(s->vantage_points);
		free(s->targets);
	}
	free(s);
	return result < 0 ? error_set(error, result, "out of memory") : 0;
}
