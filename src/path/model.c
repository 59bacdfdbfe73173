#include "path/model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more zeroed element at the end of an array; `slot` is the address of the pointer to it. NULL
 * when memory is out, and then nothing changed. */
static void *grow(void *slot, size_t count, size_t size)
{
	unsigned char *array;
	memcpy(&array, slot, sizeof(array));
	/* Doubling at powers of two needs no capacity field. */
	if (count == 0 || (count & (count - 1)) == 0) {
		array = reallocarray(array, count == 0 ? 1 : count * 2, size);
		if (!array)
			return NULL;
		memcpy(slot, &array, sizeof(array));
	}
	return memset(array + count * size, 0, size);
}

void measurement_init(struct measurement *measurement)
{
	*measurement = (struct measurement){.command = "both"};
}

static void hop_deinit(struct hop *hop)
{
	free(hop->addresses);
	free(hop->name);
	free(hop->as_name);
	free(hop->origins);
	free(hop->operator_reason);
	free(hop->ixp);
	free(hop->probes);
}

void finding_deinit(struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence_count; i++)
		free(finding->evidence[i]);
	free(finding->evidence);
	free(finding->id);
	free(finding->hops);
	free(finding->summary);
	free(finding->disproof);
	free(finding->advice);
}

void measurement_deinit(struct measurement *measurement)
{
	free(measurement->source_name);
	free(measurement->target_name);
	path_free(measurement->forward);
	path_free(measurement->reverse);
	for (size_t i = 0; i < measurement->attempt_count; i++) {
		free(measurement->attempts[i].method);
		free(measurement->attempts[i].detail);
	}
	free(measurement->attempts);
	alignment_free(measurement->alignment);
	for (size_t i = 0; i < measurement->finding_count; i++)
		finding_deinit(&measurement->findings[i]);
	free(measurement->findings);
	measurement_init(measurement);
}

struct path *path_new(enum direction direction, const char *method)
{
	struct path *path = calloc(1, sizeof(*path));
	if (!path)
		return NULL;
	path->direction = direction;
	path->stop_reason = STOP_PARTIAL;
	path->tos = -1;
	path->method = strdup(method);
	if (!path->method) {
		free(path);
		return NULL;
	}
	return path;
}

void path_free(struct path *path)
{
	if (!path)
		return;
	for (size_t i = 0; i < path->hop_count; i++)
		hop_deinit(&path->hops[i]);
	free(path->hops);
	free(path->edges);
	free(path->mtu.steps);
	free(path->tries);
	free(path->gaps);
	if (path->vantage)
		free(path->vantage->name);
	free(path->vantage);
	free(path->method);
	free(path);
}

void alignment_free(struct alignment *alignment)
{
	if (!alignment)
		return;
	free(alignment->shared);
	free(alignment->as_path_forward);
	free(alignment->as_path_reverse);
	free(alignment);
}

struct hop *path_add_hop(struct path *path, int ttl, enum technique technique)
{
	struct hop *hop = grow(&path->hops, path->hop_count, sizeof(*hop));
	if (!hop)
		return NULL;
	path->hop_count++;
	hop->ttl = ttl;
	hop->technique = technique;
	hop->protocol = -1;
	hop->rtt_min_ns = hop->rtt_median_ns = hop->rtt_max_ns = RTT_NONE;
	return hop;
}

struct edge *path_add_edge(struct path *path)
{
	struct edge *edge = grow(&path->edges, path->edge_count, sizeof(*edge));
	if (!edge)
		return NULL;
	path->edge_count++;
	edge->rtt_ns = RTT_NONE;
	return edge;
}

struct mtu_step *path_add_mtu_step(struct path *path)
{
	struct mtu_step *step = grow(&path->mtu.steps, path->mtu.step_count, sizeof(*step));
	if (step)
		path->mtu.step_count++;
	return step;
}

struct path_gap *path_add_gap(struct path *path)
{
	struct path_gap *gap = grow(&path->gaps, path->gap_count, sizeof(*gap));
	if (gap)
		path->gap_count++;
	return gap;
}

struct path_try *path_add_try(struct path *path)
{
	struct path_try *attempt = grow(&path->tries, path->try_count, sizeof(*attempt));
	if (attempt)
		path->try_count++;
	return attempt;
}

int path_join(struct path *path, size_t kept, struct path *rest)
{
	while (path->hop_count > kept)
		hop_deinit(&path->hops[--path->hop_count]);
	path->gap_count = 0; /* they counted other hops */
	for (size_t i = 0; i < rest->hop_count; i++) {
		struct hop *hop = path_add_hop(path, rest->hops[i].ttl, rest->hops[i].technique);
		if (!hop)
			return -ENOMEM;
		*hop = rest->hops[i];
		memset(&rest->hops[i], 0, sizeof(rest->hops[i]));
	}
	rest->hop_count = 0;
	return 0;
}

struct probe_result probe_result_none(void)
{
	return (struct probe_result){
		.rtt_ns = RTT_NONE,
		.icmp_type = -1,
		.icmp_code = -1,
		.reply = {.ttl = -1, .tos = -1, .id = -1, .size = -1},
		.quoted = {.ttl = -1,
			.tos = -1,
			.id = -1,
			.size = -1,
			.source_port = -1,
			.destination_port = -1,
			.checksum = -1},
	};
}

struct probe_result *hop_add_probe(struct hop *hop)
{
	struct probe_result *probe = grow(&hop->probes, hop->probe_count, sizeof(*probe));
	if (!probe)
		return NULL;
	hop->probe_count++;
	*probe = probe_result_none();
	return probe;
}

bool probe_answered(const struct probe_result *probe)
{
	return addr_is_set(probe->address) || probe->rtt_ns != RTT_NONE;
}

bool hop_known(const struct hop *hop)
{
	return addr_is_set(hop->address) && hop->certainty != CERTAINTY_ASSUMED;
}

int path_hop_number(const struct path *path, size_t index)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].ttl < 0)
			return (int)index + 1;
	return path->hops[index].ttl;
}

int hop_add_address(struct hop *hop, struct addr address)
{
	for (size_t i = 0; i < hop->address_count; i++)
		if (addr_equal(hop->addresses[i], address))
			return 0;
	struct addr *slot = grow(&hop->addresses, hop->address_count, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = address;
	hop->address_count++;
	return 0;
}

struct attempt *measurement_add_attempt(
	struct measurement *measurement, const char *method, enum attempt_status status, const char *detail)
{
	char *method_copy = strdup(method);
	char *detail_copy = detail ? strdup(detail) : NULL;
	struct attempt *attempt = NULL;
	if (method_copy && (detail_copy || !detail))
		attempt = grow(&measurement->attempts, measurement->attempt_count, sizeof(*attempt));
	if (!attempt) {
		free(method_copy);
		free(detail_copy);
		return NULL;
	}
	measurement->attempt_count++;
	attempt->method = method_copy;
	attempt->status = status;
	attempt->detail = detail_copy;
	return attempt;
}

struct finding *measurement_add_finding(struct measurement *measurement, const char *id,
	enum severity severity, enum confidence confidence, enum direction direction, const char *summary,
	...)
{
	va_list arguments;
	va_start(arguments, summary);
	char *text = NULL;
	if (vasprintf(&text, summary, arguments) < 0)
		text = NULL;
	va_end(arguments);
	char *id_copy = strdup(id);
	struct finding *finding = NULL;
	if (text && id_copy)
		finding = grow(&measurement->findings, measurement->finding_count, sizeof(*finding));
	if (!finding) {
		free(text);
		free(id_copy);
		return NULL;
	}
	measurement->finding_count++;
	finding->id = id_copy;
	finding->severity = severity;
	finding->confidence = confidence;
	finding->direction = direction;
	finding->summary = text;
	return finding;
}

void finding_add_hop(struct finding *finding, int ttl)
{
	int *slot = grow(&finding->hops, finding->hop_count, sizeof(*slot));
	if (!slot)
		return;
	*slot = ttl;
	finding->hop_count++;
}

void finding_add_evidence(struct finding *finding, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = NULL;
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	char **slot = text ? grow(&finding->evidence, finding->evidence_count, sizeof(*slot)) : NULL;
	if (!slot) {
		free(text);
		return;
	}
	*slot = text;
	finding->evidence_count++;
}
