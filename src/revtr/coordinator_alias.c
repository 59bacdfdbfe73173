/* Aliases by asking: who refuses a UDP packet to one of its addresses from another one has both (Mercator,
 * INFOCOM 2000). What else the packet's own list shows of that router is taken, too: the packet ended there,
 * so whatever was written from one of its addresses on was written by it. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "reverse/rr_evidence.h"
#include "revtr/coordinator_inside.h"

#define TRIES_MAX 2 /* packets of a kind to one address, for different sources where there are several */

struct probed {
	uint32_t address, from, source, task; /* task 0: its turn has not come; from 0: nobody has refused */
	uint32_t others[1 + RECORD_ROUTE_SLOTS_MAX];
	unsigned other_count, tries;
	enum coordinator_alias state;
	bool checking; /* by echo requests: is it as far away as who refused? */
	int passed;    /* routers that the refusal passed, -1 = not known */
	int64_t deadline_ns;
	const char *why;
};

struct alias_round {
	unsigned number;
	bool done; /* as far as coordinator_alias_due has seen */
	size_t count;
	struct probed probed[];
};

static bool is_public(struct addr address)
{
	return address.family == 4 && addr_is_unicast(address) && !addr_is_loopback(address) &&
		!addr_is_private(address);
}

static void end(struct probed *probed, enum coordinator_alias state, const char *why)
{
	probed->task = 0;
	probed->state = state;
	probed->why = why;
}

/* What can be said without another answer. */
static void end_without(struct probed *probed, enum coordinator_alias otherwise, const char *why)
{
	if (probed->checking)
		end(probed, ALIAS_ELSEWHERE, NULL);
	else if (probed->from)
		end(probed, ALIAS_ITSELF, NULL);
	else
		end(probed, otherwise, why);
}

/* ---- asking */

/* The next one whose agent hears answers, this one last; UINT32_MAX: none. */
static uint32_t next_source(const struct coordinator *c, uint32_t before)
{
	for (uint32_t i = 1; i <= c->source_count; i++) {
		uint32_t source = (before + i) % c->source_count;
		if (c->sources[source].stored.consents && c->agents[c->sources[source].agent].status.online)
			return source;
	}
	return UINT32_MAX;
}

static void ask(struct coordinator *c, struct probed *probed, uint32_t source)
{
	probed->task = 0;
	probed->source = source;
	if (source == UINT32_MAX)
		end_without(probed, ALIAS_NOT_ASKED, "no source's agent is connected");
	else if (!coordinator_queue_alias(c, source, probed->address))
		end_without(probed, ALIAS_NOT_ASKED, "too much waits to be sent");
}

void coordinator_alias_ask(struct coordinator *c, const struct hop_ask *turn)
{
	const struct source_entry *source = &c->sources[turn->source];
	struct probed *probed = NULL;
	for (size_t i = 0; c->alias_round && i < c->alias_round->count; i++)
		if (c->alias_round->probed[i].address == turn->target)
			probed = &c->alias_round->probed[i];
	if (!probed || probed->state != ALIAS_WAITING || probed->task != 0)
		return;
	struct revtr_task task = {.probe = REVTR_RR_PING,
		.agent = source->agent,
		.source = turn->source,
		.target = addr_v4(turn->target),
		.id = coordinator_own_task(c)};
	if (!probed->checking) {
		task.probe = REVTR_RR_UDP;
		task.id = OWN_UDP_TASK | (task.id & (OWN_TASK - OWN_UDP_TASK - 1));
	}
	if (!source->stored.consents || !c->agents[source->agent].status.online) {
		end_without(probed, ALIAS_NOT_ASKED, "the source's agent went away");
		return;
	}
	if (!coordinator_may_spend(c, task.target)) {
		end_without(probed, ALIAS_NOT_ASKED, "its network had its packets for today");
		return;
	}
	probed->task = task.id;
	probed->tries++;
	probed->deadline_ns = coordinator_now_ns() + c->options.engine.direct_wait_ns;
	struct expected expected = {.task = task.id,
		.receiver = source->agent,
		.sender = source->agent,
		.source = turn->source,
		.target = task.target,
		.trace = TREE_NONE};
	coordinator_dispatch(c, &task, expected);
}

/* ---- what is found */

static void add(uint32_t *set, size_t *count, size_t room, uint32_t address)
{
	for (size_t i = 0; i < *count; i++)
		if (set[i] == address)
			return;
	if (*count < room)
		set[(*count)++] = address;
}

/* Together with what is known of each of them. */
static void keep(struct coordinator *c, struct probed *probed)
{
	uint32_t set[ALIASES_SET_MAX];
	size_t count = 0, known;
	struct error error;
	bool news = false;
	end(probed, ALIAS_FOUND, NULL);
	add(set, &count, ARRAY_LEN(set), probed->address);
	for (unsigned i = 0; i < probed->other_count; i++) {
		news |= !aliases_same(&c->aliases, probed->address, probed->others[i]);
		add(set, &count, ARRAY_LEN(set), probed->others[i]);
	}
	for (size_t i = 0, found = count; i < found; i++) {
		const uint32_t *members = aliases_of(&c->aliases, set[i], &known);
		for (size_t j = 0; j < known; j++)
			add(set, &count, ARRAY_LEN(set), members[j]);
	}
	unsigned length = (unsigned)count;
	if (news && coordinator_import_aliases(c, set, &length, 1, &error) < 0)
		c->health.store_failed = true;
}

/* Addresses of who refused; true: the packet's list has the target, so it was there. */
static bool collect(struct probed *probed, const struct revtr_answer *answer)
{
	size_t count = 0;
	bool ended = false, there = false;
	if (probed->from != probed->address && is_public(answer->from))
		add(probed->others, &count, ARRAY_LEN(probed->others), probed->from);
	for (unsigned i = 0; answer->reply.present && i < MIN(answer->reply.used, RECORD_ROUTE_SLOTS_MAX);
		i++) {
		uint32_t stamp = (uint32_t)answer->reply.addrs[i].low;
		there |= stamp == probed->address;
		ended |= there || stamp == probed->from;
		if (ended && stamp != probed->address && is_public(answer->reply.addrs[i]))
			add(probed->others, &count, ARRAY_LEN(probed->others), stamp);
	}
	probed->other_count = (unsigned)count;
	return there;
}

static void take_refusal(struct coordinator *c, struct probed *probed, const struct revtr_answer *answer)
{
	uint32_t another = next_source(c, probed->source);
	probed->from = (uint32_t)answer->from.low;
	probed->passed = rr_hops_passed(answer->reply_ttl);
	bool there = collect(probed, answer);
	if (probed->other_count > 0 && there) {
		keep(c, probed);
	} else if (probed->from != probed->address && probed->other_count > 0) {
		probed->checking = true;
		probed->tries = 0;
		ask(c, probed, probed->source);
	} else if (probed->from != probed->address) {
		end(probed, ALIAS_ELSEWHERE, NULL);
	} else if (another != UINT32_MAX && another != probed->source && probed->tries < TRIES_MAX) {
		ask(c, probed, another); /* whose answers may leave it by another interface */
	} else {
		end(probed, ALIAS_ITSELF, NULL);
	}
}

static struct probed *find_task(const struct coordinator *c, uint32_t task)
{
	for (size_t i = 0; task > REVTR_TASK_MAX && c->alias_round && i < c->alias_round->count; i++)
		if (c->alias_round->probed[i].task == task)
			return &c->alias_round->probed[i];
	return NULL;
}

bool coordinator_alias_answer(struct coordinator *c, const struct revtr_answer *answer)
{
	struct probed *probed = find_task(c, answer->task);
	if (!probed)
		return false;
	probed->task = 0;
	if (!answer->answered)
		end_without(probed, ALIAS_NOT_ASKED,
			"the agent's owner does not allow it, or its packets for today are spent");
	else if (!probed->checking)
		take_refusal(c, probed, answer);
	else if (probed->passed >= 0 && probed->passed == rr_hops_passed(answer->reply_ttl))
		keep(c, probed);
	else
		end(probed, ALIAS_ELSEWHERE, NULL);
	return true;
}

void coordinator_alias_lost(struct coordinator *c, uint32_t task)
{
	struct probed *probed = find_task(c, task);
	if (probed)
		end_without(probed, ALIAS_NOT_ASKED, "the source's agent went away");
}

static bool is_done(const struct alias_round *round)
{
	for (size_t i = 0; round && i < round->count; i++)
		if (round->probed[i].state == ALIAS_WAITING)
			return false;
	return true;
}

int64_t coordinator_alias_due(struct coordinator *c)
{
	struct alias_round *round = c->alias_round;
	int64_t next_ns = TIME_NEVER, now_ns = coordinator_now_ns();
	if (!round || round->done)
		return TIME_NEVER;
	round->done = is_done(round);
	for (size_t i = 0; i < round->count; i++) {
		struct probed *probed = &round->probed[i];
		if (probed->task == 0)
			continue;
		if (probed->deadline_ns > now_ns)
			next_ns = MIN(next_ns, probed->deadline_ns);
		else if (probed->tries < TRIES_MAX)
			ask(c, probed, probed->checking ? probed->source : next_source(c, probed->source));
		else
			end_without(probed, ALIAS_SILENT, NULL);
	}
	return next_ns;
}

/* ---- rounds */

static void begin(struct coordinator *c, struct probed *probed)
{
	struct addr address = addr_v4(probed->address);
	if (!is_public(address))
		end(probed, ALIAS_NOT_ASKED, "it is not the address of a host on the Internet");
	else if (coordinator_opted_out(c, address))
		end(probed, ALIAS_NOT_ASKED, "its owner does not want to be measured");
	else
		ask(c, probed, next_source(c, probed->source));
}

int coordinator_probe_aliases(
	struct coordinator *c, const uint32_t *addresses, size_t count, unsigned *number, struct error *error)
{
	if (count == 0)
		return error_set(error, -EINVAL, "expected addresses");
	if (count > COORDINATOR_PROBED_MAX)
		return error_set(error, -E2BIG, "more than %d addresses", COORDINATOR_PROBED_MAX);
	if (!is_done(c->alias_round))
		return error_set(error, -EBUSY, "other addresses are being probed; they take some seconds");
	if (c->source_count == 0 || next_source(c, 0) == UINT32_MAX)
		return error_set(error, -ENOTCONN, "no agent of a registered source is connected");
	struct alias_round *round = calloc(1, sizeof(*round) + count * sizeof(round->probed[0]));
	if (!round)
		return error_set(error, -ENOMEM, "out of memory");
	*number = round->number = c->alias_round ? c->alias_round->number + 1 : 1;
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		for (size_t j = 0; j < round->count && !known; j++)
			known = round->probed[j].address == addresses[i];
		if (!known)
			round->probed[round->count++] = (struct probed){.address = addresses[i],
				.source = (uint32_t)i % c->source_count,
				.passed = -1};
	}
	free(c->alias_round);
	c->alias_round = round;
	for (size_t i = 0; i < round->count; i++)
		begin(c, &round->probed[i]);
	coordinator_pump(c);
	return 0;
}

unsigned coordinator_each_probed(const struct coordinator *c,
	void (*each)(void *context, const struct coordinator_probed *probed), void *context, bool *done)
{
	const struct alias_round *round = c->alias_round;
	*done = is_done(round);
	for (size_t i = 0; round && i < round->count; i++) {
		const struct probed *probed = &round->probed[i];
		each(context,
			&(struct coordinator_probed){.address = addr_v4(probed->address),
				.state = probed->state,
				.from = probed->from ? addr_v4(probed->from) : ADDR_NONE,
				.others = probed->others,
				.other_count = probed->state == ALIAS_FOUND ? probed->other_count : 0,
				.why = probed->why});
	}
	return round ? round->number : 0;
}
