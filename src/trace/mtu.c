#include "trace/mtu.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

#define FIRST_TIMEOUT_NS (1000 * NS_PER_MS)
#define LIMITER_PAUSE_NS (1100 * NS_PER_MS) /* longer than the second in which Linux refills one reply */
#define SILENCES	 3		    /* until a size counts as vanishing */
#define SILENCES_AGAIN	 2		    /* where another size vanished already */
#define VOIDS_MAX	 3 /* rounds without any answer until the end counts as one hop nearer */
#define LOCATE_ROUNDS	 2
#define SEND_ERRORS_MAX	 20

/* Of links and tunnels that are common: jumbo frames, Ethernet, PPPoE (RFC 2516), IP in IP, GRE, IPsec,
 * WireGuard, the least of IPv6 (RFC 8200 5), and what IPv4 hosts must take (RFC 791). */
static const uint16_t usual[] = {9216, 9000, 4470, 1500, 1492, 1480, 1476, 1460, 1450, 1440, 1438, 1420, 1400,
	1380, 1360, 1300, 1280, 1006, 576, 296};

void mtu_init(struct mtu *mtu, const struct mtu_config *config)
{
	memset(mtu, 0, sizeof(*mtu));
	mtu->config = *config;
	mtu->config.probe.dont_fragment = true;
	mtu->config.probe.size = 0;
	engine_init(&mtu->engine, &mtu->config.probe);
	mtu->started_ns = mtu->finished_ns = TIME_NEVER;
	mtu->rtt_ns = config->rtt_ns;
	mtu->small = engine_size_min(&mtu->config.probe);
	mtu->end = config->end_ttl;
	mtu->size = usual[0];
	mtu->stage = mtu->end == 0 ? MTU_DONE : MTU_SEARCH;
}

void mtu_deinit(struct mtu *mtu)
{
	engine_deinit(&mtu->engine);
}

/* ---- rounds ---- */

static void aim(struct mtu *mtu, unsigned size, unsigned ttl)
{
	if (mtu->shot_count < MTU_SHOTS_MAX)
		mtu->shots[mtu->shot_count++] = (struct mtu_shot){
			.size = (uint16_t)size, .ttl = (uint8_t)ttl, .fate = FATE_NONE, .hop = -1};
}

/* Behind a black hole, the hops that answer take turns. */
static unsigned next_end(const struct mtu *mtu)
{
	if (!mtu->black_hole || mtu->proving)
		return mtu->end;
	for (unsigned ttl = mtu->asked + 1; ttl <= mtu->end; ttl++)
		if (ttl > mtu->located && mtu->config.answers[ttl])
			return ttl;
	for (unsigned ttl = mtu->located + 1; ttl < mtu->end; ttl++)
		if (mtu->config.answers[ttl])
			return ttl;
	return mtu->end;
}

/* The large packet and, behind it, a small one; behind a black hole only once the large one stayed without
 * answer. */
static void aim_question(struct mtu *mtu)
{
	bool control = !mtu->black_hole || mtu->silences + mtu->voids > 0;
	mtu->shot_count = 0;
	mtu->round++;
	mtu->asked = next_end(mtu);
	if (mtu->size != mtu->small)
		aim(mtu, mtu->size, mtu->asked);
	if (control)
		aim(mtu, mtu->small, mtu->asked);
}

static void pause_for_limiters(struct mtu *mtu)
{
	mtu->not_before_ns = mtu->last_sent_ns + LIMITER_PAUSE_NS;
}

/* ---- which size next ---- */

static bool is_between(const struct mtu *mtu, unsigned size)
{
	return size > mtu->low && (mtu->high == 0 || size < mtu->high);
}

/* The very next size where a usual one passed, since that often is all that does; else the middle one of the
 * usual sizes between what passed and what did not, else the middle. */
static unsigned next_size(const struct mtu *mtu)
{
	unsigned candidates[ARRAY_LEN(usual)], count = 0;
	if (mtu->high_said && is_between(mtu, mtu->high_said) && mtu->high_said >= mtu->small)
		return mtu->high_said;
	for (unsigned i = 0; i < ARRAY_LEN(usual); i++) {
		if (usual[i] == mtu->low && is_between(mtu, mtu->low + 1))
			return mtu->low + 1;
		if (is_between(mtu, usual[i]) && usual[i] > mtu->small)
			candidates[count++] = usual[i];
	}
	/* What only the kernel refuses costs nothing: from the top. */
	if (count > 0)
		return mtu->high_fate == FATE_LOCAL ? candidates[0] : candidates[count / 2];
	return mtu->low + (mtu->high - mtu->low) / 2;
}

static bool is_settled(const struct mtu *mtu)
{
	if (mtu->low == 0)
		return false;
	bool confirmed = mtu->high_fate == FATE_TOO_BIG && mtu->high_said == mtu->low;
	return mtu->high != 0 ? mtu->high - mtu->low <= 1 || confirmed : mtu->low >= usual[0];
}

static void finish(struct mtu *mtu)
{
	mtu->stage = MTU_DONE;
	mtu->shot_count = 0;
}

/* The size that vanishes, to every hop limit that it was not seen at yet. */
static void aim_everywhere(struct mtu *mtu)
{
	mtu->stage = MTU_LOCATE;
	mtu->shot_count = 0;
	mtu->round++;
	for (unsigned ttl = mtu->located + 1; ttl <= mtu->end; ttl++)
		aim(mtu, mtu->high, ttl);
}

static void ask_size(struct mtu *mtu, unsigned size)
{
	mtu->stage = MTU_SEARCH;
	mtu->silences = mtu->voids = 0;
	mtu->size = size;
	aim_question(mtu);
}

static void note_black_hole(struct mtu *mtu)
{
	if (mtu->step_count < ARRAY_LEN(mtu->steps))
		mtu->steps[mtu->step_count++] =
			(struct mtu_step){.ttl = (int)mtu->located, .bytes = mtu->low};
	mtu->black_hole = false;
}

static void go_on(struct mtu *mtu)
{
	if (!is_settled(mtu)) {
		ask_size(mtu, next_size(mtu));
	} else if (mtu->black_hole && !mtu->proving) {
		mtu->proving = true;
		ask_size(mtu, mtu->low);
	} else {
		if (mtu->black_hole)
			note_black_hole(mtu);
		finish(mtu);
	}
}

/* ---- what a round says ---- */

static void note_too_big(struct mtu *mtu, const struct mtu_shot *shot)
{
	struct mtu_step *last = mtu->step_count > 0 ? &mtu->steps[mtu->step_count - 1] : NULL;
	if (last && addr_equal(last->said_by, shot->from)) {
		last->said_bytes = shot->said ? shot->said : last->said_bytes;
		return;
	}
	if (mtu->step_count < ARRAY_LEN(mtu->steps))
		mtu->steps[mtu->step_count++] =
			(struct mtu_step){.ttl = shot->hop, .said_by = shot->from, .said_bytes = shot->said};
}

static void did_not_pass(struct mtu *mtu, const struct mtu_shot *shot)
{
	mtu->high = shot->size;
	mtu->high_fate = shot->fate;
	mtu->high_said = shot->fate == FATE_TOO_BIG ? shot->said : 0;
	if (shot->fate == FATE_TOO_BIG)
		note_too_big(mtu, shot);
}

/* What was found behind a black hole does not get to the end: there is another one. */
static void disprove(struct mtu *mtu)
{
	if (mtu->black_hole)
		note_black_hole(mtu);
	mtu->proving = false;
	mtu->low = mtu->small;
}

static void vanished(struct mtu *mtu)
{
	if (mtu->proving)
		disprove(mtu);
	did_not_pass(mtu, &mtu->shots[0]);
	if (mtu->black_hole) {
		go_on(mtu);
		return;
	}
	mtu->black_hole = true;
	mtu->locating = mtu->located = 0;
	aim_everywhere(mtu);
}

/* Not even a small packet was answered: a limiter, loss, or an end that does not answer this protocol. */
static void read_void(struct mtu *mtu)
{
	mtu->voids++;
	if (mtu->voids >= VOIDS_MAX && mtu->low == 0) {
		mtu->voids = 0;
		do
			mtu->end--;
		while (mtu->end > 0 && !mtu->config.answers[mtu->end]);
	} else if (mtu->voids > 1 || mtu->low != 0) {
		pause_for_limiters(mtu);
	}
	if (mtu->end == 0 || mtu->voids > 2 * VOIDS_MAX)
		finish(mtu);
	else
		aim_question(mtu);
}

static void read_search(struct mtu *mtu)
{
	const struct mtu_shot *large = &mtu->shots[0], *small = &mtu->shots[mtu->shot_count - 1];
	if (small->size == mtu->small && small->fate == FATE_THERE)
		mtu->low = MAX(mtu->low, mtu->small);
	if (large->fate == FATE_THERE) {
		mtu->low = MAX(mtu->low, large->size);
		go_on(mtu);
	} else if (large->fate != FATE_NONE) {
		if (mtu->proving)
			disprove(mtu);
		did_not_pass(mtu, large);
		go_on(mtu);
	} else if (small == large && large->size != mtu->small) {
		mtu->voids++;
		aim_question(mtu);
	} else if (small->fate != FATE_THERE) {
		read_void(mtu);
	} else {
		mtu->voids = 0;
		if (++mtu->silences >= (mtu->black_hole ? SILENCES_AGAIN : SILENCES))
			vanished(mtu);
		else
			aim_question(mtu);
	}
}

static void read_locate(struct mtu *mtu)
{
	for (unsigned i = 0; i < mtu->shot_count; i++)
		if (mtu->shots[i].fate == FATE_THERE)
			mtu->located = MAX(mtu->located, mtu->shots[i].ttl);
	if (++mtu->locating < LOCATE_ROUNDS && mtu->located < mtu->end)
		aim_everywhere(mtu);
	else
		go_on(mtu);
}

/* ---- the machine ---- */

static int64_t deadline_ns(const struct mtu *mtu)
{
	if (mtu->rtt_ns == RTT_NONE)
		return mtu->last_sent_ns + FIRST_TIMEOUT_NS;
	return mtu->last_sent_ns + MAX(3 * mtu->rtt_ns, mtu->rtt_ns + 40 * NS_PER_MS);
}

static bool is_round_over(const struct mtu *mtu, int64_t now_ns)
{
	bool all = true;
	for (unsigned i = 0; i < mtu->shot_count; i++) {
		if (!mtu->shots[i].sent)
			return false;
		all &= mtu->shots[i].fate != FATE_NONE;
	}
	return all || now_ns >= deadline_ns(mtu);
}

static bool send_next(struct mtu *mtu, int64_t now_ns, struct outgoing *outgoing)
{
	for (unsigned i = 0; i < mtu->shot_count; i++) {
		struct mtu_shot *shot = &mtu->shots[i];
		if (shot->sent)
			continue;
		shot->sent = true;
		struct probe_request request = {.ttl = shot->ttl,
			.size = shot->size,
			.user = mtu->round << 16 | i,
			.dont_fragment = true};
		if (engine_probe(&mtu->engine, &request, now_ns, outgoing) < 0) {
			shot->fate = FATE_LOCAL;
			continue;
		}
		shot->token = outgoing->token;
		mtu->last_sent_ns = now_ns;
		mtu->sent++;
		return true;
	}
	return false;
}

static enum machine_want mtu_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct mtu *mtu = self;
	if (mtu->started_ns == TIME_NEVER) {
		mtu->started_ns = now_ns;
		if (mtu->stage == MTU_SEARCH)
			aim_question(mtu);
	}
	for (;;) {
		if (mtu->stage == MTU_DONE || mtu->send_errors >= SEND_ERRORS_MAX) {
			mtu->stage = MTU_DONE;
			mtu->finished_ns = mtu->finished_ns == TIME_NEVER ? now_ns : mtu->finished_ns;
			return MACHINE_DONE;
		}
		if (now_ns < mtu->not_before_ns) {
			*wake_ns = mtu->not_before_ns;
			return MACHINE_WAIT;
		}
		/* What the kernel refuses to send needs no small packet beside it. */
		if (mtu->stage == MTU_SEARCH && mtu->shot_count == 2 && mtu->shots[0].fate == FATE_LOCAL &&
			!mtu->shots[1].sent) {
			did_not_pass(mtu, &mtu->shots[0]);
			go_on(mtu);
			continue;
		}
		if (send_next(mtu, now_ns, outgoing))
			return MACHINE_SEND;
		if (!is_round_over(mtu, now_ns)) {
			*wake_ns = deadline_ns(mtu);
			return MACHINE_WAIT;
		}
		if (mtu->stage == MTU_SEARCH)
			read_search(mtu);
		else
			read_locate(mtu);
	}
}

static void mtu_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct mtu *mtu = self;
	if (error == 0) {
		mtu->send_errors = 0;
		engine_sent(&mtu->engine, token, sent_ns);
		return;
	}
	if (error != -EMSGSIZE) {
		mtu->send_errors++;
		mtu->send_error = error;
		return;
	}
	for (unsigned i = 0; i < mtu->shot_count; i++)
		if (mtu->shots[i].sent && mtu->shots[i].token == token && mtu->shots[i].fate == FATE_NONE) {
			mtu->shots[i].fate = FATE_LOCAL;
			mtu->local_high = mtu->shots[i].size;
			mtu->sent--;
		}
}

/* The router's distance: hop limits are counted down from ours, and it quotes what was left when it came. */
static int hop_of(const struct mtu_shot *shot, const struct reply *reply)
{
	int hop = (int)shot->ttl - reply->quoted.ttl + 1;
	return reply->quoted.ttl > 0 && hop >= 1 && hop <= shot->ttl ? hop : -1;
}

static void mtu_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct mtu *mtu = self;
	struct reply reply;
	if (mtu->stage == MTU_DONE || !engine_match(&mtu->engine, received_ns, packet, &reply))
		return;
	mtu->received++;
	mtu->rtt_ns = MAX(mtu->rtt_ns, reply.rtt_ns);
	if (reply.user >> 16 != (mtu->round & UINT16_MAX) || (reply.user & UINT16_MAX) >= mtu->shot_count)
		return;
	struct mtu_shot *shot = &mtu->shots[reply.user & UINT16_MAX];
	shot->from = reply.from;
	shot->said = reply.mtu;
	shot->hop = hop_of(shot, &reply);
	shot->fate = reply.kind == ICMP_PACKET_TOO_BIG ? FATE_TOO_BIG : FATE_THERE;
}

struct machine mtu_machine(struct mtu *mtu)
{
	static const struct machine_ops ops = {.next = mtu_next, .sent = mtu_sent, .packet = mtu_packet};
	return (struct machine){.ops = &ops, .self = mtu};
}

/* ---- telling ---- */

static int ttl_of(const struct path *path, struct addr address, int otherwise)
{
	for (size_t i = 0; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].address_count; j++)
			if (addr_equal(path->hops[i].addresses[j], address))
				return path->hops[i].ttl;
	return otherwise;
}

int mtu_tell(const struct mtu *mtu, struct path *path)
{
	path->mtu.measured = true;
	path->mtu.bytes = mtu->low;
	path->mtu.sent = mtu->sent;
	path->mtu.received = mtu->received;
	for (unsigned i = 0; i < mtu->step_count; i++) {
		struct mtu_step *step = path_add_mtu_step(path);
		if (!step)
			return -ENOMEM;
		*step = mtu->steps[i];
		bool last = i + 1 == mtu->step_count;
		if (addr_is_set(step->said_by))
			step->bytes = last ? mtu->low : step->said_bytes;
		if (addr_is_set(step->said_by))
			step->ttl = ttl_of(path, step->said_by, step->ttl);
	}
	return 0;
}
