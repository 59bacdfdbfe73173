#include "reverse/recheck.h"

#include <string.h>

#include "base/clock.h"

/* Third parties are asked as seldom as this, however often the way back is measured. */
#define OTHERS_NS (900 * NS_PER_S)

void recheck_init(struct recheck *recheck, const struct reverse_task *task, const char *names)
{
	memset(recheck, 0, sizeof(*recheck));
	recheck->task = *task;
	recheck->names = names;
	measurement_init(&recheck->latest);
}

void recheck_deinit(struct recheck *recheck)
{
	climb_free(recheck->climb);
	measurement_deinit(&recheck->latest);
	memset(recheck, 0, sizeof(*recheck));
}

void recheck_request(struct recheck *recheck)
{
	recheck->wanted = true;
}

void recheck_hint(struct recheck *recheck, int64_t rtt_ns)
{
	recheck->task.rtt_hint_ns = rtt_ns;
	if (recheck->climb)
		climb_hint(recheck->climb, rtt_ns);
}

void recheck_known(struct recheck *recheck)
{
	struct path *forward = recheck->climb && recheck->forward ? recheck->forward(recheck->context) : NULL;
	if (forward)
		climb_known(recheck->climb, forward);
}

/* What a third party said stands until it is asked again, as long as there is nothing better; it has an age
 * by then. */
static void keep_others_word(struct recheck *recheck, struct measurement *found)
{
	struct path *known = recheck->latest.reverse;
	bool nothing = !found->reverse || strcmp(found->reverse->method, "inferred") == 0;
	const struct reverse_method *method = known ? ladder_find(known->method) : NULL;
	if (!recheck->task.spare_others || !nothing || !method || !method->third_party)
		return;
	for (size_t i = 0; i < known->hop_count; i++)
		known->hops[i].age_s += (double)(recheck->started_ns - recheck->latest_ns) / NS_PER_S;
	path_free(found->reverse);
	found->reverse = known;
	recheck->latest.reverse = NULL;
}

static void collect(struct recheck *recheck)
{
	struct measurement found;
	measurement_init(&found);
	found.forward = recheck->forward ? recheck->forward(recheck->context) : NULL;
	int result = climb_collect(recheck->climb, &found);
	/* It was lent to those who infer from it. */
	path_free(found.forward);
	found.forward = NULL;
	if (result == 0) {
		keep_others_word(recheck, &found);
		measurement_deinit(&recheck->latest);
		recheck->latest = found;
		recheck->latest_ns = recheck->started_ns;
		recheck->runs++;
	} else {
		measurement_deinit(&found);
	}
	climb_free(recheck->climb);
	recheck->climb = NULL;
	if (recheck->done)
		recheck->done(recheck->context);
}

void recheck_stop(struct recheck *recheck)
{
	recheck->stopping = true;
	recheck->wanted = false;
	if (recheck->climb)
		collect(recheck);
}

static enum machine_want recheck_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct recheck *recheck = self;
	if (recheck->stopping)
		return MACHINE_DONE;
	if (!recheck->climb && recheck->wanted) {
		recheck->wanted = false;
		recheck->started_ns = now_ns;
		recheck->task.seed++;
		recheck->task.spare_others = recheck->others_ns && now_ns - recheck->others_ns < OTHERS_NS;
		if (!recheck->task.spare_others)
			recheck->others_ns = now_ns;
		if (climb_new(&recheck->climb, &recheck->task, recheck->names, NULL) < 0)
			recheck->climb = NULL;
	}
	if (recheck->climb) {
		struct machine machine = climb_machine(recheck->climb);
		enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, wake_ns);
		if (want != MACHINE_DONE)
			return want;
		collect(recheck);
	}
	*wake_ns = recheck->wanted ? now_ns : TIME_NEVER;
	return MACHINE_WAIT;
}

static void recheck_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct recheck *recheck = self;
	if (!recheck->climb)
		return;
	struct machine machine = climb_machine(recheck->climb);
	machine.ops->sent(machine.self, token, sent_ns, error);
}

static void recheck_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct recheck *recheck = self;
	if (!recheck->climb)
		return;
	struct machine machine = climb_machine(recheck->climb);
	machine.ops->packet(machine.self, received_ns, packet);
}

struct machine recheck_machine(struct recheck *recheck)
{
	static const struct machine_ops ops = {
		.next = recheck_next, .sent = recheck_sent, .packet = recheck_packet};
	return (struct machine){.ops = &ops, .self = recheck};
}
