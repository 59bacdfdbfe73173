/* Loss and delay of each direction, beside the rounds: up to three packets ask the far end whether it
 * reflects test packets, since one may be lost; if it does, one more goes with every round. To a silent one
 * nothing more is sent, unless the rounds show that packets get lost, and the questions or their answers may
 * have been among them. */
#include "base/clock.h"
#include "cli/watch_inside.h"

#define ASKS	 3
#define ASKS_MAX 6

int watch_directions_start(struct watch *watch)
{
	const struct session *session = &watch->session;
	const struct rounds_config *rounds = &watch->rounds.config;
	struct stamp_config config = stamp_defaults();
	bool can = session->channel.protocols & CHANNEL_PROTOCOL(PROBE_UDP) && session->flow.source_port;
	if (!can)
		return 0;
	config.source = session->source;
	config.destination = session->target;
	config.asks = ASKS;
	config.dormant = true;
	config.source_port = session->flow.source_port;
	config.flow_label = session->raw && session->target.family == 6 ? session->flow.flow_label : 0;
	config.tos = rounds->engine.tos;
	config.interval_ns = rounds->interval_ns;
	config.wall_offset_ns = clock_wall_ns() - clock_monotonic_ns();
	config.synchronised = clock_synchronised(&config.clock_error_ns);
	config.key = hash_key_random();
	stamp_init(&watch->stamp, &config);
	watch->asks_directions = true;
	return driver_add(&watch->driver, stamp_machine(&watch->stamp));
}

/* What was sent last is settled within a round trip, or a few packets more where it was lost. */
bool watch_directions_finish(struct watch *watch)
{
	if (!watch->asks_directions || !watch->stamp.answered || watch->stamp.phase == STAMP_DONE)
		return false;
	stamp_stop(&watch->stamp);
	driver_wake(&watch->driver);
	return true;
}

static bool loses(const struct timeline *timeline)
{
	const struct timeline_hop *end = timeline->end ? timeline_hop(timeline, timeline->end) : NULL;
	return end && end->now.lost > 0;
}

void watch_directions_update(struct watch *watch)
{
	if (!watch->asks_directions)
		return;
	watch->directions = stamp_directions(&watch->stamp);
	if (watch->directions.status != DIRECTIONS_SILENT || watch->stamp.config.asks >= ASKS_MAX ||
		!loses(&watch->rounds.timeline))
		return;
	stamp_ask_again(&watch->stamp);
	driver_wake(&watch->driver);
}

const struct directions *watch_directions(const struct watch *watch)
{
	return watch->asks_directions && watch->directions.port != 0 ? &watch->directions : NULL;
}
