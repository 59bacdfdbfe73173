#include "revtr/capability.h"

#include "base/clock.h"

#define SENDING_NS  (60 * NS_PER_S) /* an agent may have much to do before */
#define PATIENCE_NS (5 * NS_PER_S)  /* after the last one that left */
#define OWN_TASK    0x80000000u	    /* numbers that are not the engine's */

/* ---- what is sent */

/* Numbers nobody can guess: who tells one has seen the packet, or was told to send it. */
static uint32_t number_of(const struct capability_test *test, uint32_t place)
{
	return OWN_TASK | (uint32_t)hash_bytes(test->secret, &place, sizeof(place));
}

static void add(struct capability_test *test, struct trial trial)
{
	for (unsigned i = 0; i < CAPABILITY_EACH && test->count < CAPABILITY_TRIALS; i++) {
		trial.task = number_of(test, test->count);
		test->trials[test->count++] = trial;
	}
}

/* Another partner, at neither this one's agent nor the sender's, from `from` on. */
static uint8_t other_partner(const struct capability_test *test, uint8_t target, unsigned from)
{
	for (unsigned i = 0; i < test->partner_count; i++) {
		unsigned other = (from + i) % test->partner_count;
		if (test->partners[other].agent != test->partners[target].agent)
			return (uint8_t)other;
	}
	return TRIAL_SUBJECT;
}

static void add_receive(struct capability_test *test, uint8_t sender)
{
	for (uint8_t target = 0; target < test->partner_count; target++)
		if (test->partners[target].agent != test->senders[sender])
			add(test,
				(struct trial){.kind = TRIAL_RECEIVE,
					.ttl = TRIAL_TTL,
					.target = target,
					.name = TRIAL_SUBJECT,
					.sender = sender});
}

void capability_start(struct capability_test *test, int64_t now_ns)
{
	test->started_ns = now_ns;
	for (uint8_t target = 0; target < test->partner_count; target++) {
		uint8_t name = other_partner(test, target, target + 1u);
		struct trial trial = {
			.ttl = TRIAL_TTL, .target = target, .name = TRIAL_SUBJECT, .sender = TRIAL_SUBJECT};
		add(test, trial);
		trial.kind = TRIAL_OPTIONS;
		add(test, trial);
		trial.kind = TRIAL_SPOOFED;
		trial.name = name;
		if (test->may_spoof && name != TRIAL_SUBJECT)
			add(test, trial);
	}
	if (addr_is_set(test->source.address))
		for (uint8_t sender = 0; sender < test->sender_count; sender++)
			add_receive(test, sender);
}

bool capability_reached(const struct capability_test *test, uint8_t *partner, unsigned *routers)
{
	for (unsigned i = 0; i < test->count; i++) {
		const struct trial *trial = &test->trials[i];
		if (trial->kind != TRIAL_PLAIN || !trial->came || trial->came_ttl == 0 ||
			trial->came_ttl > TRIAL_TTL)
			continue;
		*partner = trial->target;
		*routers = TRIAL_TTL - trial->came_ttl;
		return true;
	}
	return false;
}

bool capability_unheard(const struct capability_test *test, enum trial_kind kind)
{
	bool sent = false;
	for (unsigned i = 0; i < test->count; i++) {
		const struct trial *trial = &test->trials[i];
		if (trial->kind == kind && (trial->came || trial->answered))
			return false;
		sent |= trial->kind == kind && trial->sent;
	}
	return sent;
}

/* Two names, as the answers may be filtered before one of those who stand there. */
static void add_hop(struct capability_test *test, struct trial trial, bool options, bool spoofed)
{
	add(test, trial);
	trial.kind = TRIAL_OPTIONS;
	if (options)
		add(test, trial);
	trial.kind = TRIAL_SPOOFED;
	for (unsigned i = 0; spoofed && i < CAPABILITY_EACH && test->count < CAPABILITY_TRIALS; i++) {
		trial.name = other_partner(test, trial.target, trial.target + 1 + i);
		trial.task = number_of(test, test->count);
		test->trials[test->count++] = trial;
	}
}

static bool add_sweep(struct capability_test *test)
{
	bool options = capability_unheard(test, TRIAL_OPTIONS),
	     spoofed = capability_unheard(test, TRIAL_SPOOFED);
	uint8_t target;
	unsigned routers;
	if (!(options || spoofed) || !capability_reached(test, &target, &routers))
		return false;
	for (unsigned hop = 1; hop <= MIN(routers, (unsigned)CAPABILITY_HOPS); hop++)
		add_hop(test,
			(struct trial){.ttl = (uint8_t)hop,
				.target = target,
				.name = TRIAL_SUBJECT,
				.sender = TRIAL_SUBJECT},
			options, spoofed);
	return routers > 0;
}

static const struct capability_partner *named(const struct capability_test *test, const struct trial *trial)
{
	return trial->name == TRIAL_SUBJECT ? &test->source : &test->partners[trial->name];
}

static bool in_others_name(const struct trial *trial)
{
	return trial->kind == TRIAL_SPOOFED || trial->kind == TRIAL_RECEIVE;
}

static uint32_t sender_of(const struct capability_test *test, const struct trial *trial)
{
	return trial->sender == TRIAL_SUBJECT ? test->subject : test->senders[trial->sender];
}

static struct agent_order order_of(const struct capability_test *test, const struct trial *trial)
{
	const struct capability_partner *target = &test->partners[trial->target], *name = named(test, trial);
	bool spoofed = in_others_name(trial);
	struct addr source = spoofed ? name->address : test->own;
	return (struct agent_order){
		.task = {.id = trial->task,
			.probe = REVTR_TRIAL,
			.agent = sender_of(test, trial),
			.spoofed = spoofed,
			.target = target->address,
			.ttl = trial->ttl,
			.options = trial->kind == TRIAL_OPTIONS || trial->kind == TRIAL_RECEIVE},
		.source = source,
		/* Its sender knows its own again by the number, and so needs no key. */
		.tag = agent_tag(spoofed ? name->key : test->secret, source, target->address, trial->task),
		.target_tag = agent_tag(target->key, target->address, target->address, trial->task),
	};
}

/* ---- its course */

static bool all_left(const struct capability_test *test)
{
	for (unsigned i = 0; i < test->count; i++)
		if (!test->trials[i].sent && !test->trials[i].refused)
			return false;
	return true;
}

static bool all_heard(const struct capability_test *test)
{
	for (unsigned i = 0; i < test->count; i++)
		if (!test->trials[i].refused && !(test->trials[i].came && test->trials[i].answered))
			return false;
	return true;
}

static bool phase_ended(const struct capability_test *test, int64_t now_ns, int64_t *wake_ns)
{
	*wake_ns = test->started_ns + SENDING_NS;
	if (all_left(test))
		*wake_ns = MIN(*wake_ns, test->sent_ns + PATIENCE_NS);
	return now_ns >= *wake_ns || (!test->sweeping && all_heard(test));
}

enum capability_want capability_next(
	struct capability_test *test, int64_t now_ns, struct agent_order *order, int64_t *wake_ns)
{
	if (test->ordered == test->count) {
		if (!phase_ended(test, now_ns, wake_ns))
			return CAPABILITY_WAIT;
		if (test->sweeping || !add_sweep(test))
			return CAPABILITY_DONE;
		test->sweeping = true;
		test->started_ns = now_ns;
	}
	*order = order_of(test, &test->trials[test->ordered++]);
	return CAPABILITY_ORDER;
}

/* ---- what others say */

/* Who alone can have seen that. */
static uint32_t witness_of(
	const struct capability_test *test, const struct trial *trial, enum revtr_seen seen)
{
	switch (seen) {
	case REVTR_SEEN_REQUEST: return test->partners[trial->target].agent;
	case REVTR_SEEN_REPLY:
	case REVTR_SEEN_EXCEEDED:
		return trial->name == TRIAL_SUBJECT ? test->subject : test->partners[trial->name].agent;
	default: return sender_of(test, trial);
	}
}

static void take(struct trial *trial, const struct revtr_answer *answer)
{
	switch (answer->seen) {
	case REVTR_SEEN_REQUEST:
		trial->came = true;
		trial->came_listed |= answer->reply.present;
		trial->came_ttl = (uint8_t)answer->reply_ttl;
		trial->seen_as = answer->from;
		break;
	case REVTR_SEEN_REPLY:
		trial->answered = true;
		trial->answer_listed |= answer->reply.present;
		break;
	case REVTR_SEEN_EXCEEDED:
		if (trial->ttl < TRIAL_TTL)
			trial->router = answer->from;
		break;
	case REVTR_SEEN_FAILED:
		trial->refused = true;
		trial->error = answer->error;
		break;
	case REVTR_SEEN_SENT: trial->sent = true; break;
	case REVTR_SEEN_NOTHING: trial->refused = true; break;
	}
}

bool capability_answer(
	struct capability_test *test, uint32_t agent, const struct revtr_answer *answer, int64_t now_ns)
{
	for (unsigned i = 0; i < test->ordered; i++) {
		struct trial *trial = &test->trials[i];
		if (trial->task != answer->task)
			continue;
		if (witness_of(test, trial, answer->seen) != agent)
			return false;
		if (answer->seen == REVTR_SEEN_SENT && !trial->sent)
			test->sent_ns = now_ns;
		/* It has come, and so it was sent, whatever its sender says and whenever. */
		take(trial, answer);
		return true;
	}
	return false;
}
