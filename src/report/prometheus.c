#include "report/prometheus.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LABEL_SIZE 400

/* In a label's value a backslash, a quote and a line feed are escaped; what is not ASCII text becomes '?'. */
static void label_value(const char *text, char *out, size_t size)
{
	size_t used = 0;
	for (; *text && used + 3 < size; text++) {
		if (*text == '\\' || *text == '"')
			out[used++] = '\\';
		out[used++] = *text >= ' ' && *text <= '~' ? *text : '?';
	}
	out[used] = '\0';
}

struct exposition {
	FILE *out;
	const struct watch_view *view;
	char target[LABEL_SIZE];
};

static void family(const struct exposition *x, const char *name, const char *type, const char *help)
{
	fprintf(x->out, "# HELP retour_%s %s\n# TYPE retour_%s %s\n", name, help, name, type);
}

static void whole(
	const struct exposition *x, const char *name, const char *type, const char *help, double value)
{
	family(x, name, type, help);
	fprintf(x->out, "retour_%s{target=\"%s\"} %.10g\n", name, x->target, value);
}

typedef bool hop_value(const struct watch_view *view, const struct timeline_hop *hop, double *value);

static bool hop_sent(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	(void)view;
	*value = series_settled(&hop->total);
	return true;
}

static bool hop_received(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	(void)view;
	*value = hop->total.received;
	return true;
}

static bool hop_loss(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	struct loss loss = timeline_loss(view->timeline, hop->ttl);
	*value = loss.sent ? (double)loss.lost / loss.sent : 0;
	return loss.sent > 0;
}

static bool hop_last(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	(void)view;
	*value = (double)hop->now.last_ns / 1e9;
	return hop->now.received > 0;
}

static bool hop_best(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	(void)view;
	*value = (double)hop->now.best_ns / 1e9;
	return hop->now.received > 0;
}

static bool hop_mean(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	(void)view;
	*value = hop->now.mean_ns / 1e9;
	return hop->now.received > 0;
}

static bool hop_limits(const struct watch_view *view, const struct timeline_hop *hop, double *value)
{
	(void)view;
	*value = hop->limit == LIMIT_LIMITS;
	return true;
}

static void each_hop(
	const struct exposition *x, const char *name, const char *type, const char *help, hop_value *of)
{
	family(x, name, type, help);
	for (unsigned ttl = 1; ttl <= timeline_last(x->view->timeline); ttl++) {
		const struct timeline_hop *hop = timeline_hop(x->view->timeline, ttl);
		double value;
		if (hop && of(x->view, hop, &value))
			fprintf(x->out, "retour_%s{target=\"%s\",hop=\"%u\"} %.10g\n", name, x->target, ttl,
				value);
	}
}

/* ---- each flow for itself, where rounds take several in turn: no more than TIMELINE_FLOWS ---- */

typedef bool flow_value(const struct timeline *flow, const struct timeline_hop *hop, double *value);

static bool flow_sent(const struct timeline *flow, const struct timeline_hop *hop, double *value)
{
	(void)flow;
	*value = series_settled(&hop->total);
	return true;
}

static bool flow_received(const struct timeline *flow, const struct timeline_hop *hop, double *value)
{
	(void)flow;
	*value = hop->total.received;
	return true;
}

static bool flow_loss(const struct timeline *flow, const struct timeline_hop *hop, double *value)
{
	struct loss loss = timeline_loss(flow, hop->ttl);
	*value = loss.sent ? (double)loss.lost / loss.sent : 0;
	return loss.sent > 0;
}

static bool flow_mean(const struct timeline *flow, const struct timeline_hop *hop, double *value)
{
	(void)flow;
	*value = hop->now.mean_ns / 1e9;
	return hop->now.received > 0;
}

static void each_flow(
	const struct exposition *x, const char *name, const char *type, const char *help, flow_value *of)
{
	const struct timeline *timeline = x->view->timeline;
	family(x, name, type, help);
	for (unsigned i = 0; i < timeline->flow_count; i++)
		for (unsigned ttl = 1; ttl <= timeline_last(timeline->flows[i]); ttl++) {
			const struct timeline_hop *hop = timeline_hop(timeline->flows[i], ttl);
			double value;
			if (hop && of(timeline->flows[i], hop, &value))
				fprintf(x->out, "retour_%s{target=\"%s\",hop=\"%u\",flow=\"%u\"} %.10g\n",
					name, x->target, ttl, i, value);
		}
}

static void write_flows(const struct exposition *x)
{
	const struct timeline *timeline = x->view->timeline;
	if (timeline->flow_count == 0)
		return;
	family(x, "flow_number", "gauge", "What the flow is told by: its source port, of ICMP its checksum.");
	for (unsigned i = 0; i < timeline->flow_count; i++)
		fprintf(x->out, "retour_flow_number{target=\"%s\",flow=\"%u\"} %u\n", x->target, i,
			x->view->protocol == PROBE_ICMP ? timeline->flow_of[i].icmp_checksum
							: timeline->flow_of[i].source_port);
	each_flow(x, "flow_hop_probes_total", "counter", "Probes of the flow to the hop whose fate is known.",
		flow_sent);
	each_flow(x, "flow_hop_answers_total", "counter", "Answers of the hop to the flow.", flow_received);
	each_flow(x, "flow_hop_loss_ratio", "gauge", "Loss of the flow that carries through to its end.",
		flow_loss);
	each_flow(x, "flow_hop_rtt_mean_seconds", "gauge", "The mean round trip of the flow to the hop.",
		flow_mean);
}

/* ---- each direction for itself, where the far end reflects and counts ---- */

typedef double way_value(const struct way *way);

static double way_sent(const struct way *way)
{
	return way->sent;
}

static double way_lost(const struct way *way)
{
	return way->lost;
}

static double way_median(const struct way *way)
{
	return (double)way->variation_median_ns / 1e9;
}

static double way_p95(const struct way *way)
{
	return (double)way->variation_p95_ns / 1e9;
}

static void each_way(
	const struct exposition *x, const char *name, const char *type, const char *help, way_value *of)
{
	const struct directions *directions = x->view->directions;
	family(x, name, type, help);
	fprintf(x->out, "retour_%s{target=\"%s\",direction=\"forward\"} %.10g\n", name, x->target,
		of(&directions->forward));
	fprintf(x->out, "retour_%s{target=\"%s\",direction=\"reverse\"} %.10g\n", name, x->target,
		of(&directions->reverse));
}

static void write_directions(const struct exposition *x)
{
	const struct directions *directions = x->view->directions;
	if (!directions || directions->status != DIRECTIONS_APART || directions->delay_samples == 0)
		return;
	each_way(x, "direction_packets_total", "counter", "Test packets whose fate on this way is known.",
		way_sent);
	each_way(x, "direction_lost_total", "counter", "Of these, lost on this way.", way_lost);
	each_way(x, "direction_delay_variation_median_seconds", "gauge",
		"Delay above the least on this way, median of the latest test packets.", way_median);
	each_way(x, "direction_delay_variation_p95_seconds", "gauge", "The same, 95 % are below.", way_p95);
}

int prometheus_write(FILE *out, const struct watch_view *view)
{
	struct exposition x = {.out = out, .view = view};
	const struct timeline *timeline = view->timeline;
	const struct path *back = view->back ? view->back->reverse : NULL;
	label_value(view->target_name, x.target, sizeof(x.target));
	whole(&x, "rounds_total", "counter", "Finished rounds.", timeline->rounds);
	whole(&x, "reached", "gauge", "Whether the last round reached the target.",
		timeline->end != 0 && timeline->end_missed == 0);
	whole(&x, "path_hops", "gauge", "Hops to the target, or to the last that answers.",
		timeline_last(timeline));
	whole(&x, "path_changes_total", "counter", "Changes of the way.", timeline->changes_ever);
	/* A gauge of 32 bits of it: exact as a floating-point number. */
	whole(&x, "path_id", "gauge", "A number that names the present way.",
		(double)(timeline_path_id(timeline) & 0xffffffff));
	whole(&x, "return_path_hops", "gauge", "Hops of the way back as last measured, 0 = unknown.",
		back ? (double)back->hop_count : 0);
	whole(&x, "send_errors_total", "counter", "Probes that could not be sent.", timeline->send_errors);
	each_hop(&x, "hop_probes_total", "counter", "Probes to the hop whose fate is known.", hop_sent);
	each_hop(&x, "hop_answers_total", "counter", "Answers of the hop.", hop_received);
	each_hop(&x, "hop_loss_ratio", "gauge",
		"Loss that carries through to the end; skipped answers are not in it.", hop_loss);
	each_hop(&x, "hop_limits_replies", "gauge",
		"Whether slower asking showed that the hop limits its replies.", hop_limits);
	each_hop(&x, "hop_rtt_seconds", "gauge", "The last round trip.", hop_last);
	each_hop(&x, "hop_rtt_best_seconds", "gauge", "The least round trip.", hop_best);
	each_hop(&x, "hop_rtt_mean_seconds", "gauge", "The mean round trip.", hop_mean);
	write_flows(&x);
	write_directions(&x);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}

int prometheus_file(const char *path, const struct watch_view *view, struct error *error)
{
	char temporary[PATH_MAX];
	if (snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid()) >=
		(int)sizeof(temporary))
		return error_set(error, -ENAMETOOLONG, "%s: the name is too long", path);
	FILE *out = fopen(temporary, "we");
	if (!out)
		return error_set(error, -errno, "cannot write %s: %s", path, strerror(errno));
	int result = prometheus_write(out, view);
	if (fclose(out) != 0 && result == 0)
		result = -EIO;
	if (result == 0 && rename(temporary, path) < 0)
		result = -errno;
	if (result < 0) {
		unlink(temporary);
		return error_set(error, result, "cannot write %s: %s", path, strerror(-result));
	}
	return 0;
}
