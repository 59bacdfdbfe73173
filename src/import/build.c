#include "import/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct responder {
	struct addr address;
	char *name;
	uint32_t asns[LEX_ASNS_MAX];
	size_t asn_count;
};

void build_init(
	struct build *build, struct import *import, const char *dialect, const struct import_hints *hints)
{
	*build = (struct build){.import = import, .dialect = dialect};
	if (hints)
		build->hints = *hints;
}

static void forget_responders(struct build *build)
{
	for (size_t i = 0; i < build->responder_count; i++)
		free(build->responders[i].name);
	free(build->responders);
	build->responders = NULL;
	build->responder_count = 0;
}

/* The trace is put into the list at once, and taken out again when nothing comes of it. */
void build_trace(struct build *build, enum probe_protocol protocol)
{
	struct import *import = build->import;
	build_end(build);
	if (build->status < 0)
		return;
	if (import->count >= IMPORT_TRACES_MAX) {
		import->partial = true;
		snprintf(import->note, sizeof(import->note), "only the first %d traces were read",
			IMPORT_TRACES_MAX);
		return;
	}
	struct imported *traces = import->traces;
	if ((import->count & (import->count - 1)) == 0)
		traces = reallocarray(traces, import->count ? import->count * 2 : 1, sizeof(*traces));
	struct path *path = traces ? path_new(DIRECTION_FORWARD, "ttl") : NULL;
	if (traces)
		import->traces = traces;
	if (!path) {
		build->status = -ENOMEM;
		return;
	}
	path->protocol = protocol;
	build->trace = &traces[import->count++];
	*build->trace = (struct imported){.dialect = build->dialect};
	measurement_init(&build->trace->measurement);
	build->trace->measurement.command = "explain";
	build->trace->measurement.forward = path;
	build->path = path;
	memset(build->sums, 0, sizeof(build->sums));
	build->hops_max = 0;
	build->unread = 0;
	build->cut = build->reached = false;
}

void build_drop(struct build *build)
{
	if (!build->trace)
		return;
	measurement_deinit(&build->trace->measurement);
	build->import->count--;
	build_keep(build);
}

void build_keep(struct build *build)
{
	forget_responders(build);
	build->trace = NULL;
	build->path = NULL;
}

void build_reject(struct build *build, const char *why)
{
	build->import->partial = true;
	snprintf(build->import->note, sizeof(build->import->note), "%.*s", IMPORT_NOTE_SIZE - 1, why);
}

static void set_text(struct build *build, char **slot, const char *text)
{
	if (*slot || !text || !*text)
		return;
	*slot = strndup(text, LEX_NAME_SIZE - 1);
	if (!*slot)
		build->status = -ENOMEM;
}

void build_target(struct build *build, const char *name, struct addr address)
{
	if (!build->trace)
		return;
	struct measurement *measurement = &build->trace->measurement;
	set_text(build, &measurement->target_name, name);
	if (addr_is_set(address))
		measurement->target = build->path->destination = address;
}

void build_source(struct build *build, const char *name, struct addr address)
{
	if (!build->trace)
		return;
	struct measurement *measurement = &build->trace->measurement;
	set_text(build, &measurement->source_name, name);
	if (addr_is_set(address))
		measurement->source = build->path->source = address;
}

struct hop *build_hop(struct build *build, int ttl)
{
	struct path *path = build->path;
	if (!path || build->status < 0)
		return NULL;
	for (size_t i = path->hop_count; i > 0; i--)
		if (path->hops[i - 1].ttl == ttl)
			return &path->hops[i - 1];
	if (ttl < 1 || ttl > 255 || path->hop_count >= BUILD_HOPS_MAX) {
		build->cut = true;
		return NULL;
	}
	struct hop *hop = path_add_hop(path, ttl, TECHNIQUE_TTL);
	if (!hop)
		build->status = -ENOMEM;
	return hop;
}

struct probe_result *build_probe(struct build *build, struct hop *hop, struct addr address, int64_t rtt_ns)
{
	if (!hop || build->status < 0)
		return NULL;
	if (hop->probe_count >= BUILD_PROBES_MAX || build->probes >= BUILD_ALL_PROBES_MAX) {
		build->cut = true;
		return NULL;
	}
	struct probe_result *probe = hop_add_probe(hop);
	if (!probe) {
		build->status = -ENOMEM;
		return NULL;
	}
	build->probes++;
	probe->address = address;
	probe->rtt_ns = rtt_ns;
	return probe;
}

static struct responder *find_responder(struct build *build, struct addr address)
{
	for (size_t i = build->responder_count; i > 0; i--)
		if (addr_equal(build->responders[i - 1].address, address))
			return &build->responders[i - 1];
	return NULL;
}

static struct responder *responder_of(struct build *build, struct addr address)
{
	if (!build->path || build->status < 0 || !addr_is_set(address))
		return NULL;
	struct responder *responder = find_responder(build, address);
	size_t count = build->responder_count;
	if (responder || count >= BUILD_HOPS_MAX * 32)
		return responder;
	if ((count & (count - 1)) == 0) {
		struct responder *grown =
			reallocarray(build->responders, count ? count * 2 : 1, sizeof(*build->responders));
		if (!grown) {
			build->status = -ENOMEM;
			return NULL;
		}
		build->responders = grown;
	}
	build->responder_count++;
	responder = &build->responders[count];
	*responder = (struct responder){.address = address};
	return responder;
}

void build_name(struct build *build, struct addr address, const char *name)
{
	struct responder *responder = name && *name ? responder_of(build, address) : NULL;
	if (responder)
		set_text(build, &responder->name, name);
}

void build_origins(struct build *build, struct addr address, const uint32_t *asns, size_t count)
{
	struct responder *responder = count > 0 ? responder_of(build, address) : NULL;
	if (!responder || responder->asn_count > 0)
		return;
	responder->asn_count = MIN(count, (size_t)LEX_ASNS_MAX);
	memcpy(responder->asns, asns, responder->asn_count * sizeof(*asns));
}

void build_sums(struct build *build, struct hop *hop, struct addr address, unsigned sent, unsigned received,
	int64_t best_ns, int64_t worst_ns)
{
	if (!hop || build->status < 0)
		return;
	received = MIN(received, sent);
	build->sums[hop->ttl] = (struct sums){.told = true,
		.sent = sent,
		.received = received,
		.best_ns = received > 0 ? best_ns : RTT_NONE,
		.worst_ns = received > 0 ? worst_ns : RTT_NONE};
	if (!addr_is_set(hop->address))
		hop->address = address;
}

/* Hops of which sums are told keep these: the few probes that they may have, too, are not all there were. */
static int summarise(struct build *build)
{
	struct path *path = build->path;
	size_t hidden[BUILD_HOPS_MAX];
	for (size_t i = 0; i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		const struct sums *sums = &build->sums[hop->ttl];
		hidden[i] = hop->probe_count;
		if (!sums->told)
			continue;
		hop->probe_count = 0;
		hop->sent = sums->sent;
		hop->received = sums->received;
		hop->rtt_min_ns = sums->best_ns;
		hop->rtt_max_ns = sums->worst_ns;
		hop->rtt_median_ns = sums->best_ns == sums->worst_ns ? sums->best_ns : RTT_NONE;
	}
	int status = path_summarise(path);
	for (size_t i = 0; i < path->hop_count; i++)
		path->hops[i].probe_count = hidden[i];
	return status;
}

void build_hop_name(struct build *build, struct hop *hop, const char *name)
{
	if (hop && build->status == 0)
		set_text(build, &hop->name, name);
}

void build_note(struct build *build, const char *note)
{
	if (!build->trace)
		return;
	build->trace->partial = true;
	if (build->trace->note[0] == '\0')
		snprintf(build->trace->note, sizeof(build->trace->note), "%s", note);
}

void build_remark(struct build *build, const char *remark)
{
	if (build->trace && build->trace->note[0] == '\0')
		snprintf(build->trace->note, sizeof(build->trace->note), "%s", remark);
}

/* The name and origin of the address that is shown. */
static int label_hop(struct build *build, struct hop *hop)
{
	const struct responder *responder = find_responder(build, hop->address);
	if (!responder || !addr_is_set(hop->address))
		return 0;
	if (!hop->name && responder->name)
		hop->name = strdup(responder->name);
	if (!hop->name && responder->name)
		return -ENOMEM;
	if (responder->asn_count > 0)
		hop->asn = responder->asns[0];
	if (responder->asn_count > 1) {
		hop->origins = calloc(responder->asn_count, sizeof(*hop->origins));
		if (!hop->origins)
			return -ENOMEM;
		memcpy(hop->origins, responder->asns, responder->asn_count * sizeof(*hop->origins));
		hop->origin_count = responder->asn_count;
	}
	return 0;
}

static int compare_hops(const void *a, const void *b)
{
	const struct hop *x = a, *y = b;
	return x->ttl < y->ttl ? -1 : x->ttl > y->ttl;
}

static bool seen(const struct hop *hop, struct addr address)
{
	for (size_t i = 0; i < hop->address_count; i++)
		if (addr_equal(hop->addresses[i], address))
			return true;
	return false;
}

/* A router will not pass it on. Port unreachable, which Cisco marks as well, is how a target answers. */
static bool is_refusal(const struct probe_result *probe)
{
	int port = probe->address.family == 6 ? 4 : 3;
	return probe->mark[0] == '!' && probe->mark[1] != '\0' && probe->icmp_code != port;
}

static bool refused(const struct hop *hop)
{
	for (size_t i = 0; i < hop->probe_count; i++)
		if (is_refusal(&hop->probes[i]))
			return true;
	return false;
}

/* How it ended, as far as the input shows. Readers whose format says it have set it already. */
static void set_end(struct build *build)
{
	struct path *path = build->path;
	const struct hop *last = path->hop_count > 0 ? &path->hops[path->hop_count - 1] : NULL;
	path->reached = build->reached;
	for (size_t i = 0; i < path->hop_count && !path->reached; i++)
		path->reached = addr_is_set(path->destination) && seen(&path->hops[i], path->destination) &&
			!refused(&path->hops[i]);
	if (path->reached)
		path->stop_reason = STOP_REACHED;
	else if (path->stop_reason == STOP_PARTIAL && last && refused(last))
		path->stop_reason = STOP_UNREACHABLE;
	else if (path->stop_reason == STOP_PARTIAL && last && build->hops_max > 0 &&
		last->ttl >= build->hops_max)
		path->stop_reason = STOP_MAX_HOPS;
}

static void set_note(struct build *build)
{
	char note[IMPORT_NOTE_SIZE];
	if (build->unread > 0) {
		snprintf(note, sizeof(note), "%u line%s between the hops could not be read", build->unread,
			build->unread == 1 ? "" : "s");
		build_note(build, note);
	}
	if (build->cut)
		build_note(build, "there was more than can be held, or the end is missing");
	if (!addr_is_set(build->path->destination))
		build_remark(build,
			"the address of the target is not said, so it is not known whether it was reached");
	else if (build->path->stop_reason == STOP_PARTIAL)
		build_note(build, "it ends before the destination, and does not say why");
}

/* Some tell the target by name only; a responder of that name is it. */
static void identify_target(struct build *build)
{
	const char *name = build->trace->measurement.target_name;
	struct path *path = build->path;
	if (!addr_is_set(path->destination))
		build_target(build, NULL, build->hints.destination);
	for (size_t i = 0; name && i < build->responder_count && !addr_is_set(path->destination); i++)
		if (build->responders[i].name && strcasecmp(build->responders[i].name, name) == 0)
			build_target(build, NULL, build->responders[i].address);
}

void build_end(struct build *build)
{
	if (!build->trace)
		return;
	struct path *path = build->path;
	if (path->hop_count == 0 || build->status < 0) {
		build_drop(build);
		return;
	}
	identify_target(build);
	qsort(path->hops, path->hop_count, sizeof(*path->hops), compare_hops);
	int status = summarise(build);
	for (size_t i = 0; i < path->hop_count && status == 0; i++)
		status = label_hop(build, &path->hops[i]);
	if (status < 0)
		build->status = status;
	set_end(build);
	set_note(build);
	build_keep(build);
}
