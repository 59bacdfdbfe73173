#include "report/scamper.h"

#include <errno.h>
#include <jansson.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "probe/engine.h"

#define NAME_SIZE 1024

/* Fails on what an earlier failure left behind, and remembers. */
struct out {
	bool bad;
	unsigned probe_size;
};

static void set(struct out *out, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		out->bad = true;
}

static void set_number(struct out *out, json_t *object, const char *key, int64_t value)
{
	set(out, object, key, json_integer(value));
}

static json_t *time_of(struct out *out, int64_t wall_ns, bool with_text)
{
	json_t *object = json_object();
	char text[32];
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm parts;
	set_number(out, object, "sec", seconds);
	set_number(out, object, "usec", wall_ns % NS_PER_S / NS_PER_US);
	if (with_text && gmtime_r(&seconds, &parts)) {
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
		set(out, object, "ftime", json_string(text));
	}
	return object;
}

/* RFC 4950: class 1, type 1, four bytes an entry. */
static json_t *labels_of(struct out *out, const struct probe_result *probe)
{
	json_t *labels = json_array(), *object = json_object(), *extensions = json_array();
	for (unsigned i = 0; i < probe->mpls_count; i++) {
		json_t *label = json_object();
		set_number(out, label, "mpls_ttl", probe->mpls[i].ttl);
		set_number(out, label, "mpls_s", probe->mpls[i].bottom);
		set_number(out, label, "mpls_exp", probe->mpls[i].traffic_class);
		set_number(out, label, "mpls_label", probe->mpls[i].label);
		if (json_array_append_new(labels, label) < 0)
			out->bad = true;
	}
	set_number(out, object, "ie_cn", 1);
	set_number(out, object, "ie_ct", 1);
	set_number(out, object, "ie_dl", 4 * probe->mpls_count);
	set(out, object, "mpls_labels", labels);
	if (json_array_append_new(extensions, object) < 0)
		out->bad = true;
	return extensions;
}

static void set_icmp(struct out *out, json_t *object, const struct probe_result *probe)
{
	set_number(out, object, "icmp_type", probe->icmp_type);
	set_number(out, object, "icmp_code", MAX(probe->icmp_code, 0));
	if (probe->quoted.ttl >= 0)
		set_number(out, object, "icmp_q_ttl", probe->quoted.ttl);
	if (probe->quoted.size >= 0)
		set_number(out, object, "icmp_q_ipl", probe->quoted.size);
	if (probe->quoted.tos >= 0 && probe->address.family == 4)
		set_number(out, object, "icmp_q_tos", probe->quoted.tos);
	if (probe->mtu > 0)
		set_number(out, object, "icmp_nhmtu", probe->mtu);
	if (probe->mpls_count > 0)
		set(out, object, "icmpext", labels_of(out, probe));
}

static json_t *answer_of(struct out *out, const struct path *path, const struct hop *hop, size_t index)
{
	const struct probe_result *probe = &hop->probes[index];
	char text[ADDR_TEXT_SIZE], name[NAME_SIZE];
	json_t *object = json_object();
	set(out, object, "addr", json_string(addr_format(probe->address, text)));
	if (hop->name && addr_equal(probe->address, hop->address))
		set(out, object, "name", json_string(escape_text(hop->name, name, sizeof(name))));
	set_number(out, object, "probe_ttl", hop->ttl);
	set_number(out, object, "probe_id", (int64_t)index + 1);
	set_number(out, object, "probe_size", probe->size ? probe->size : out->probe_size);
	set(out, object, "tx", time_of(out, path->started_wall_ns + probe->sent_ns, false));
	if (probe->rtt_ns != RTT_NONE)
		set(out, object, "rtt", json_real((double)(probe->rtt_ns / NS_PER_US) / 1000.0));
	if (probe->reply.ttl >= 0)
		set_number(out, object, "reply_ttl", probe->reply.ttl);
	if (probe->reply.tos >= 0)
		set_number(out, object, "reply_tos", probe->reply.tos);
	/* scamper has 0 for IPv6. */
	if (probe->reply.id >= 0 || probe->address.family == 6)
		set_number(out, object, "reply_ipid", MAX(probe->reply.id, 0));
	if (probe->reply.size >= 0)
		set_number(out, object, "reply_size", probe->reply.size);
	if (probe->tcp_flags != 0)
		set_number(out, object, "tcp_flags", probe->tcp_flags);
	else if (probe->icmp_type >= 0)
		set_icmp(out, object, probe);
	return object;
}

static const char *method_word(const struct path *path)
{
	switch (path->protocol) {
	case PROBE_ICMP: return "icmp-echo-paris";
	case PROBE_UDP: return "udp-paris";
	case PROBE_TCP: return "tcp";
	case PROBE_UDPLITE:
	case PROBE_IP: break;
	}
	return protocol_word(path->protocol); /* scamper has no such method */
}

static const char *stop_word(enum stop_reason reason)
{
	switch (reason) {
	case STOP_REACHED: return "COMPLETED";
	case STOP_GAP_LIMIT: return "GAPLIMIT";
	case STOP_MAX_HOPS: return "HOPLIMIT";
	case STOP_UNREACHABLE: return "UNREACH";
	case STOP_LOOP: return "LOOP";
	case STOP_INTERRUPTED: return "HALTED";
	case STOP_PARTIAL: break;
	}
	return "NONE";
}

/* The code of the message that ended the trace. */
static int stop_data(const struct path *path)
{
	for (size_t i = path->hop_count; path->stop_reason == STOP_UNREACHABLE && i > 0; i--)
		for (size_t k = 0; k < path->hops[i - 1].probe_count; k++)
			if (path->hops[i - 1].probes[k].mark[0])
				return MAX(path->hops[i - 1].probes[k].icmp_code, 0);
	return 0;
}

static void set_flow(struct out *out, json_t *object, const struct path *path)
{
	if (path->protocol == PROBE_ICMP && path->flow.icmp_checksum)
		set_number(out, object, "icmp_sum", path->flow.icmp_checksum);
	if (path->protocol == PROBE_ICMP || path->protocol == PROBE_IP)
		return;
	set_number(out, object, "sport", path->flow.source_port);
	set_number(out, object, "dport", path->flow.destination_port);
}

static json_t *hops_of(struct out *out, const struct path *path, size_t *attempts)
{
	json_t *hops = json_array();
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		*attempts = MAX(*attempts, hop->probe_count);
		for (size_t k = 0; k < hop->probe_count; k++)
			if (probe_answered(&hop->probes[k]) && addr_is_set(hop->probes[k].address) &&
				json_array_append_new(hops, answer_of(out, path, hop, k)) < 0)
				out->bad = true;
	}
	return hops;
}

static unsigned size_of_probes(const struct path *path, const struct scamper_options *options)
{
	const struct engine_config config = {.protocol = path->protocol, .destination = path->destination};
	return options->size && path->direction == DIRECTION_FORWARD ? options->size
								     : engine_size_min(&config);
}

static json_t *trace_of(struct out *out, const struct path *path, const struct scamper_options *options)
{
	char source[ADDR_TEXT_SIZE], destination[ADDR_TEXT_SIZE];
	json_t *object = json_object();
	size_t attempts = 0;
	bool forward = path->direction == DIRECTION_FORWARD;
	const struct hop *first = path->hop_count > 0 ? &path->hops[0] : NULL;
	const struct hop *last = path->hop_count > 0 ? &path->hops[path->hop_count - 1] : NULL;
	out->probe_size = size_of_probes(path, options);
	json_t *hops = hops_of(out, path, &attempts);
	set(out, object, "type", json_string("trace"));
	set(out, object, "version", json_string("0.1"));
	set_number(out, object, "userid", 0);
	set(out, object, "method", json_string(method_word(path)));
	set(out, object, "src", json_string(addr_format(path->source, source)));
	set(out, object, "dst", json_string(addr_format(path->destination, destination)));
	set_flow(out, object, path);
	set(out, object, "stop_reason", json_string(stop_word(path->stop_reason)));
	set_number(out, object, "stop_data", stop_data(path));
	set(out, object, "start", time_of(out, path->started_wall_ns, true));
	set_number(out, object, "hop_count", last ? MAX(last->ttl, 0) : 0);
	set_number(out, object, "attempts", (int64_t)attempts);
	set_number(out, object, "hoplimit", 0);
	set_number(out, object, "firsthop", first && first->ttl > 0 ? first->ttl : 1);
	set_number(out, object, "wait", 0);
	set_number(out, object, "wait_probe", 0);
	set_number(out, object, "tos", forward ? options->tos : 0);
	set_number(out, object, "probe_size", out->probe_size);
	set_number(out, object, "probe_count", path->probes_sent);
	if (json_array_size(hops) > 0)
		set(out, object, "hops", hops);
	else
		json_decref(hops);
	return object;
}

static int print_path(FILE *file, const struct path *path, const struct scamper_options *options)
{
	struct out out = {0};
	if (!path)
		return 0;
	json_t *trace = trace_of(&out, path, options);
	int code = out.bad ? -ENOMEM : 0;
	if (code == 0 &&
		(json_dumpf(trace, file, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)) < 0 ||
			fputc('\n', file) < 0))
		code = -EIO;
	json_decref(trace);
	return code;
}

int report_scamper(FILE *out, const struct measurement *measurement, const struct scamper_options *options)
{
	int code = print_path(out, measurement->forward, options);
	if (code == 0)
		code = print_path(out, measurement->reverse, options);
	return code < 0 ? code : fflush(out) != 0 ? -EIO : 0;
}
