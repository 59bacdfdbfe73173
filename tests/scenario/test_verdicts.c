/* What is said of faults of known kind and place, in worlds out of seeds: every finding is held against the
 * truth. A finding that names a place, a way or a cause that is not so is wrong: none that is certain may be,
 * and few others.
 *
 * RETOUR_VERDICTS=WORLDS,FIRST_SEED tries more worlds for each fault; wrong verdicts are printed. */
#include "campaign.h"

#include "insight/insight.h"

static struct campaign campaign;

/* ---- the judge */

static const struct truth_hop *true_hop(const struct campaign *c, int way, int ttl)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (truth->hops[i].ttl == ttl)
			return &truth->hops[i];
	return NULL;
}

static int hop_at(const struct campaign *c, int way, const char *name)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	if (strcmp(name, way == WAY_THERE ? "client" : "server") == 0)
		return 0;
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (strcmp(name_of(c, truth, i), name) == 0)
			return truth->hops[i].ttl;
	return -1;
}

/* The hop behind which it starts, as the summary has it; 0 = this host. */
static int named_before(const struct finding *finding, const struct path *path, int ttl)
{
	const char *words = strstr(finding->summary, "between ");
	char address[ADDR_TEXT_SIZE + 2];
	for (size_t i = 0; words && i < path->hop_count && path->hops[i].ttl < ttl; i++) {
		const char *and = strstr(words, " and ");
		addr_format(path->hops[i].address, address);
		strcat(address, ")");
		const char *at = path->hops[i].received > 0 ? strstr(words, address) : NULL;
		if (at && at < and)
			return path->hops[i].ttl;
	}
	return 0;
}

static bool end_is_hit(const struct campaign *c, int way)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	return c->hit[way][truth->hop_count];
}

static bool is_limited(const struct campaign *c, int way, int ttl)
{
	const struct truth_hop *hop = true_hop(c, way, ttl);
	if (!hop)
		return false;
	const struct world_node *node = &c->world->nodes[hop->node];
	return node->is_host || node->behaviour.limit_given || node->behaviour.limits == LIMITS_LINUX;
}

enum verdict { BESIDE, RIGHT, WRONG };

static bool may_be_lost(const struct campaign *c, int way, int ttl)
{
	/* What a responder reports crosses both ways whole. */
	return c->place.fault == FAULT_LOSS && way == WAY_BACK
		? true
		: c->place.fault == FAULT_LOSS && ttl > 0 && ttl < TTLS && c->hit[way][ttl];
}

/* Its answers are late: it takes its time, or they come a longer way than those of a hop behind it. */
static enum verdict is_slower(const struct campaign *c, int way, int ttl)
{
	const struct truth *truth = way == WAY_THERE ? &c->there : &c->back;
	struct addr asker = way == WAY_THERE ? c->from : c->to;
	const struct truth_hop *hop = true_hop(c, way, ttl);
	struct sim *sim = sim_new(c->world, 1);
	bool slower = c->place.fault == FAULT_SLOW_REPLY && hop_at(c, way, c->place.at) == ttl;
	for (unsigned i = 0; hop && !slower && i < truth->hop_count; i++)
		slower = truth->hops[i].ttl > ttl &&
			hop->delay_ns + sim_delay(sim, hop->node, asker) >
				truth->hops[i].delay_ns + sim_delay(sim, truth->hops[i].node, asker);
	sim_free(sim);
	return slower ? c->place.fault == FAULT_SLOW_REPLY ? RIGHT : BESIDE : WRONG;
}

static enum verdict is(bool right)
{
	return right ? RIGHT : WRONG;
}

static bool is_kind(const struct finding *finding, const char *id)
{
	return strcmp(finding->id, id) == 0;
}

static enum verdict judge_loss(
	const struct campaign *c, const struct finding *finding, const struct path *path, int way)
{
	int from = finding->hop_count > 0 ? finding->hops[0] : 0, before = named_before(finding, path, from);
	if (c->place.fault != FAULT_LOSS || from <= 0 || from >= TTLS)
		return WRONG;
	if (is_kind(finding, "loss-forward") && c->place.way != WAY_THERE)
		return WRONG;
	if (is_kind(finding, "loss-reverse") && c->place.way != WAY_BACK)
		return WRONG;
	if (strstr(finding->summary, "is not known"))
		return BESIDE;
	return is(c->hit[way][from] && !c->hit[way][before]);
}

static enum verdict judge_size(const struct campaign *c, const struct finding *finding)
{
	bool silent = is_kind(finding, "mtu-black-hole");
	int first = finding->hop_count == 0 ? 0 : finding->hops[0], last = first + 1;
	int at = hop_at(c, WAY_THERE, c->place.at), next = hop_at(c, WAY_THERE, c->place.next);
	bool narrow = c->place.fault == FAULT_MTU || c->place.fault == FAULT_MTU_SILENT;
	/* A link on both ways is narrow on both. */
	int place = at < next ? at : next;
	bool deaf = at > 0 && !c->answers[WAY_THERE][at];
	if (!narrow || at < 0 || next < 0 ||
		(silent && c->place.fault != FAULT_MTU_SILENT && c->place.way == WAY_THERE && !deaf))
		return WRONG;
	/* Hops that never answer leave a stretch. */
	while (silent && last < TTLS && !c->answers[WAY_THERE][last])
		last++;
	return is(first <= place && place < last);
}

static bool is_on(const struct truth *truth, uint32_t node)
{
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (truth->hops[i].node == node)
			return true;
	return false;
}

/* The first router that only one way has is on no other. */
static bool parts_there(const struct campaign *c, const struct measurement *m, const char *summary)
{
	const struct alignment *a = m->alignment;
	const struct truth_hop *there = true_hop(c, WAY_THERE, a->divergence_forward_ttl);
	const struct truth_hop *back = true_hop(c, WAY_BACK, a->divergence_reverse_ttl);
	if (!a->diverges || strstr(summary, " near "))
		return true;
	return (there && !is_on(&c->back, there->node)) || (back && !is_on(&c->there, back->node));
}

static uint32_t node_of_hop(const struct campaign *c, const struct path *path, int number)
{
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		const struct world_address *at = world_find_address(c->world, hop->address);
		const struct truth_hop *truth = true_hop(c, path->direction == DIRECTION_REVERSE, hop->ttl);
		if (path_hop_number(path, i) == number)
			return at ? at->node : truth ? truth->node : WORLD_NONE;
	}
	return WORLD_NONE;
}

/* What is said to be measured of the way back is on it. */
static unsigned false_hops(const struct campaign *c, const struct measurement *m)
{
	unsigned count = 0;
	for (size_t i = 0; m->reverse && i < m->reverse->hop_count; i++) {
		const struct hop *hop = &m->reverse->hops[i];
		const struct world_address *at = world_find_address(c->world, hop->address);
		count += hop->certainty == CERTAINTY_MEASURED && addr_is_set(hop->address) &&
			!(at && is_on(&c->back, at->node));
	}
	return count;
}

/* Routers that are said to be on both ways, and are not. */
static unsigned false_routers(const struct campaign *c, const struct measurement *m)
{
	const struct alignment *a = m->alignment;
	unsigned count = 0;
	for (size_t i = 0; a && i < a->shared_count; i++)
		count += a->shared[i].by != SHARED_BY_AS &&
			node_of_hop(c, m->forward, a->shared[i].forward_ttl) !=
				node_of_hop(c, m->reverse, a->shared[i].reverse_ttl);
	return count;
}

static enum verdict judge(
	const struct campaign *c, const struct measurement *m, const struct finding *finding)
{
	int way = finding->direction == DIRECTION_REVERSE ? WAY_BACK : WAY_THERE;
	const struct path *path = way == WAY_BACK ? m->reverse : m->forward;
	enum fault fault = c->place.fault;
	int first = finding->hop_count > 0 ? finding->hops[0] : -1;
	if (strncmp(finding->id, "loss-", 5) == 0)
		return judge_loss(c, finding, path, way);
	if (strncmp(finding->id, "mtu-", 4) == 0)
		return judge_size(c, finding);
	if (is_kind(finding, "loop"))
		return is(fault == FAULT_LOOP && way == c->place.way);
	if (is_kind(finding, "refused"))
		return is(fault == FAULT_HOLE || fault == FAULT_REFUSES_UDP);
	if (is_kind(finding, "filtered"))
		return is((fault == FAULT_DROPS_UDP || fault == FAULT_REFUSES_UDP) && way == c->place.way);
	if (is_kind(finding, "black-hole"))
		return is(end_is_hit(c, way));
	if (is_kind(finding, "reply-rate-limited"))
		return is(is_limited(c, way, first) ||
			(strstr(finding->summary, " lost") && may_be_lost(c, way, first)));
	if (is_kind(finding, "silent-hop")) {
		/* That none comes is true of whose answers the fault takes. */
		if (fault == FAULT_ANSWERS_HOLE || fault == FAULT_LOSS || fault == FAULT_LOOP)
			return BESIDE;
		for (size_t i = 0; i < finding->hop_count; i++)
			if (c->answers[way][finding->hops[i]])
				return WRONG;
		return BESIDE;
	}
	if (is_kind(finding, "replies-lost"))
		return is(may_be_lost(c, way, first) ||
			(strstr(finding->summary, "limits") && is_limited(c, way, first)));
	if (is_kind(finding, "slow-reply"))
		return is_slower(c, way, first);
	if (is_kind(finding, "paths-differ"))
		return c->faulty.asymmetric && parts_there(c, m, finding->summary) ? BESIDE : WRONG;
	if (is_kind(finding, "paths-same"))
		return c->faulty.asymmetric ? WRONG : BESIDE;
	if (is_kind(finding, "latency-step"))
		return BESIDE;
	return WRONG;
}

static void show_ways(const struct campaign *c, const struct measurement *m)
{
	const struct path *paths[] = {m->forward, m->reverse};
	for (unsigned p = 0; p < 2; p++) {
		printf("#     %s:", p ? "back" : "there");
		for (size_t i = 0; paths[p] && i < paths[p]->hop_count; i++) {
			const struct hop *hop = &paths[p]->hops[i];
			const struct world_address *at = world_find_address(c->world, hop->address);
			char address[ADDR_TEXT_SIZE];
			printf(" %d:%s %s AS%u (%u/%u %.0f)", hop->ttl,
				at ? c->world->nodes[at->node].name : "*", addr_format(hop->address, address),
				hop->asn, hop->received, hop->sent,
				hop->rtt_min_ns == RTT_NONE ? -1 : (double)hop->rtt_min_ns / 1e6);
		}
		printf("  truth");
		const struct truth *truth = p ? &c->back : &c->there;
		for (unsigned i = 0; i < truth->hop_count; i++)
			printf(" %s%s", name_of(c, truth, i), c->hit[p][truth->hops[i].ttl] ? "!" : "");
		printf("\n");
	}
}

static void judge_all(struct campaign *c, const struct measurement *m, enum command command)
{
	struct tally *tally = &c->tallies[c->place.fault][c->place.way][command];
	bool right = false, wrong = false;
	for (size_t i = 0; i < m->finding_count; i++) {
		const struct finding *finding = &m->findings[i];
		enum verdict verdict = judge(c, m, finding);
		right |= verdict == RIGHT;
		if (verdict != WRONG)
			continue;
		wrong = true;
		tally->wrong_by[finding->confidence]++;
		printf("# WRONG %s, seed %llu IPv%u%s%s: %s %s at %s-%s (%g)\n#   %s (%s): %s\n",
			command_words[command], (unsigned long long)c->seed, c->faulty.family,
			c->faulty.asymmetric ? " asymmetric" : "", c->faulty.bent ? " bent" : "",
			fault_words[c->place.fault], c->place.way ? "back" : "there", c->place.at,
			c->place.next, c->place.size, finding->id, confidence_word(finding->confidence),
			finding->summary);
		show_ways(c, m);
	}
	unsigned untrue = false_hops(c, m);
	tally->false_hops += untrue;
	tally->false_routers += false_routers(c, m);
	tally->shared += m->alignment ? (unsigned)m->alignment->shared_count : 0;
	if (untrue > 0) {
		printf("# UNTRUE %u, %s, seed %llu%s: %s %s at %s-%s\n", untrue, command_words[command],
			(unsigned long long)c->seed, c->faulty.asymmetric ? " asymmetric" : "",
			fault_words[c->place.fault], c->place.way ? "back" : "there", c->place.at,
			c->place.next);
		show_ways(c, m);
	}
	tally->worlds++;
	tally->right += right;
	tally->wrong += wrong;
	tally->silent += !right && !wrong;
}

static void try_world(struct campaign *c, enum fault fault, int way, uint64_t seed)
{
	c->seed = seed;
	draw(c, fault, way);
	for (enum command command = 0; command < COMMANDS; command++) {
		struct rounds *rounds = calloc(1, sizeof(*rounds));
		struct measurement m;
		if (command == COMMAND_WATCH)
			measure_watch(c, rounds, &m);
		else
			measure_both(c, command == COMMAND_HELPED, &m);
		annotate(c, m.forward);
		annotate(c, m.reverse);
		assert_int_equal(insight_run(&m), 0);
		judge_all(c, &m, command);
		measurement_deinit(&m);
		if (command == COMMAND_WATCH)
			rounds_deinit(rounds);
		free(rounds);
	}
}

static void print_table(const struct campaign *c)
{
	printf("# %-22s %-6s %-17s %6s %6s %6s %6s  wrong: certain likely possible\n", "fault", "way",
		"command", "worlds", "right", "wrong", "silent");
	for (enum fault fault = 0; fault < FAULTS; fault++)
		for (int way = WAY_THERE; way <= WAY_BACK; way++)
			for (enum command command = 0; command < COMMANDS; command++) {
				const struct tally *t = &c->tallies[fault][way][command];
				printf("# %-22s %-6s %-17s %6u %6u %6u %6u  %14u %6u %8u\n",
					fault_words[fault], way ? "back" : "there", command_words[command],
					t->worlds, t->right, t->wrong, t->silent,
					t->wrong_by[CONFIDENCE_CERTAIN], t->wrong_by[CONFIDENCE_LIKELY],
					t->wrong_by[CONFIDENCE_POSSIBLE]);
			}
}

static struct tally sum_of(const struct campaign *c)
{
	struct tally sum = {0};
	const struct tally *tallies = &c->tallies[0][0][0];
	for (unsigned i = 0; i < FAULTS * 2 * COMMANDS; i++) {
		sum.worlds += tallies[i].worlds;
		sum.right += tallies[i].right;
		sum.false_routers += tallies[i].false_routers;
		sum.false_hops += tallies[i].false_hops;
		sum.shared += tallies[i].shared;
		for (unsigned j = 0; j < ARRAY_LEN(sum.wrong_by); j++)
			sum.wrong_by[j] += tallies[i].wrong_by[j];
	}
	return sum;
}

static void test_verdicts(void **state)
{
	(void)state;
	unsigned worlds = 4;
	unsigned long long first = 700001;
	const char *wish = getenv("RETOUR_VERDICTS");
	if (wish)
		sscanf(wish, "%u,%llu", &worlds, &first);
	for (enum fault fault = 0; fault < FAULTS; fault++)
		for (int way = WAY_THERE; way <= WAY_BACK; way++)
			for (unsigned i = 0; i < worlds; i++)
				try_world(&campaign, fault, way, first + i);
	/* So much was lost that the destination's own hop was taken for a router's that fell silent. */
	static const uint64_t silent_end[] = {3000010, 3000123};
	for (unsigned i = 0; i < ARRAY_LEN(silent_end); i++)
		try_world(&campaign, FAULT_LOSS, WAY_THERE, silent_end[i]);
	print_table(&campaign);
	world_free(campaign.world);
	struct tally sum = sum_of(&campaign);
	printf("# of %u: wrong and certain %u, likely %u, possible %u; right %u\n", sum.worlds,
		sum.wrong_by[CONFIDENCE_CERTAIN], sum.wrong_by[CONFIDENCE_LIKELY],
		sum.wrong_by[CONFIDENCE_POSSIBLE], sum.right);
	printf("# %u hops back are none; of %u routers on both ways %u are not\n", sum.false_hops, sum.shared,
		sum.false_routers);
	assert_int_equal(sum.false_hops, 0);
	assert_true(sum.false_routers * 50 <= sum.shared);
	assert_int_equal(sum.wrong_by[CONFIDENCE_CERTAIN], 0);
	assert_true(sum.wrong_by[CONFIDENCE_LIKELY] * 200 <= sum.worlds);
	assert_true(sum.wrong_by[CONFIDENCE_POSSIBLE] * 50 <= sum.worlds);
	/* Saying nothing is no way out. */
	assert_true(sum.right * 5 >= sum.worlds * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
