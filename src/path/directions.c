#include "path/directions.h"

#include "base/clock.h"
#include "path/json.h"

static const struct spread no_spread = {RTT_NONE, RTT_NONE, RTT_NONE};

struct directions directions_none(void)
{
	struct way way = {
		.variation_median_ns = RTT_NONE,
		.variation_p95_ns = RTT_NONE,
		.variation_max_ns = RTT_NONE,
		.jitter_ns = RTT_NONE,
		.delay = no_spread,
	};
	return (struct directions){
		.forward = way,
		.reverse = way,
		.rtt = no_spread,
		.residence_ns = RTT_NONE,
		.clock_error_ns = RTT_NONE,
	};
}

const char *directions_word(enum directions_status status)
{
	static const char *const words[] = {
		"not-asked", "asked", "silent", "refused", "round-trip", "separate"};
	return words[status];
}

/* Negative values are delays, too; only RTT_NONE, which no clock yields, is unknown. */
static json_t *ms(int64_t ns)
{
	return ns == RTT_NONE ? json_null() : json_real((double)(ns / 100) / 1e4);
}

static json_t *spread_json(const struct spread *spread)
{
	return spread->median_ns == RTT_NONE
		? json_null()
		: json_pack("{s:o, s:o, s:o}", "min", ms(spread->min_ns), "median", ms(spread->median_ns),
			  "max", ms(spread->max_ns));
}

static json_t *way_json(const struct way *way, bool apart)
{
	struct share share = share_of(way->lost, way->sent);
	json_t *variation = way->variation_max_ns == RTT_NONE
		? json_null()
		: json_pack("{s:o, s:o, s:o}", "median", ms(way->variation_median_ns), "p95",
			  ms(way->variation_p95_ns), "max", ms(way->variation_max_ns));
	json_t *loss = apart && way->sent > 0
		? json_pack("{s:i, s:i, s:f, s:[f, f]}", "sent", (int)way->sent, "lost", (int)way->lost,
			  "share", (double)way->lost / way->sent, "interval_95", share.low, share.high)
		: json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "loss", loss, "reordered",
		apart ? json_integer(way->reordered) : json_null(), "variation_ms", variation, "jitter_ms",
		ms(way->jitter_ns), "delay_ms", spread_json(&way->delay));
}

json_t *directions_to_json(const struct directions *directions)
{
	bool apart = directions->status == DIRECTIONS_APART;
	bool reflects = apart || directions->status == DIRECTIONS_ROUND_TRIP;
	json_t *json = json_pack("{s:s, s:i, s:s}", "method", "stamp", "port", directions->port, "status",
		directions_word(directions->status));
	if (!json || !reflects)
		return json;
	json_t *clocks = json_pack("{s:b, s:b, s:o, s:o}", "synchronised", directions->synchronised,
		"contradicted", directions->contradicted, "error_ms", ms(directions->clock_error_ns),
		"drift_ppm", directions->drift_known ? json_real(directions->drift * 1e6) : json_null());
	json_t *rest = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:i, s:o, s:o, s:o}", "sent",
		(int)directions->sent, "received", (int)directions->received, "undecided",
		(int)directions->undecided, "late", (int)directions->late, "duplicates",
		(int)directions->duplicates, "restarts", (int)directions->restarts, "send_errors",
		(int)directions->send_errors, "rtt_ms", spread_json(&directions->rtt), "residence_ms",
		ms(directions->residence_ns), "delay_samples", (int)directions->delay_samples, "clocks",
		clocks, "forward", way_json(&directions->forward, apart), "reverse",
		way_json(&directions->reverse, apart));
	json_object_update(json, rest);
	json_decref(rest);
	return json;
}
