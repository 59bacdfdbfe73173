#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spec {
	const char *address; /* NULL: silent */
	const char *name;
	uint32_t asn;
	double rtt_ms; /* median of the probes */
};

static const char *as_name(uint32_t asn)
{
	return asn == 64500    ? "Homenet Access"
		: asn == 64501 ? "Alpine Transit"
		: asn == 64502 ? "Borealis Backbone"
		: asn == 64510 ? "Campus Hosting"
			       : NULL;
}

static struct addr address(const char *text)
{
	struct addr addr = ADDR_NONE;
	if (text && !addr_parse(text, &addr))
		abort();
	return addr;
}

static struct hop *add_hop(struct path *path, const struct spec *spec, enum technique technique)
{
	struct hop *hop = path_add_hop(path, (int)path->hop_count + 1, technique);
	for (int i = 0; i < 3; i++) {
		struct probe_result *probe = hop_add_probe(hop);
		probe->sent_ns = (i * 40 + hop->ttl) * 1000000LL;
		if (!spec->address)
			continue;
		probe->address = address(spec->address);
		probe->rtt_ns = (int64_t)(spec->rtt_ms * 1e6) + (i - 1) * 50000;
		bool v4 = probe->address.family == 4;
		probe->icmp_type = v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED;
		probe->icmp_code = 0;
		probe->quoted.ttl = 1;
		probe->reply.ttl = 255 - hop->ttl + 1;
	}
	hop->name = spec->name ? strdup(spec->name) : NULL;
	hop->asn = spec->asn;
	hop->as_name = as_name(spec->asn) ? strdup(as_name(spec->asn)) : NULL;
	return hop;
}

static struct path *make_path(
	struct measurement *m, enum direction direction, const struct spec *specs, size_t count)
{
	bool forward = direction == DIRECTION_FORWARD;
	struct path *path = path_new(direction, forward ? "ttl" : "responder");
	path->protocol = PROBE_UDP;
	path->source = forward ? m->source : m->target;
	path->destination = forward ? m->target : m->source;
	path->flow = (struct flow){.source_port = 45123, .destination_port = 33434};
	path->started_wall_ns = m->started_wall_ns;
	path->duration_ns = 61 * 1000000LL;
	for (size_t i = 0; i < count; i++)
		add_hop(path, &specs[i], forward ? TECHNIQUE_TTL : TECHNIQUE_RESPONDER);
	struct hop *last = &path->hops[count - 1];
	path->reached = addr_is_set(path->destination) && specs[count - 1].address &&
		addr_equal(last->probes[0].address, path->destination);
	path->stop_reason = path->reached ? STOP_REACHED : STOP_GAP_LIMIT;
	for (size_t i = 0; path->reached && i < last->probe_count; i++) {
		last->probes[i].icmp_type =
			last->probes[i].address.family == 4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
		last->probes[i].icmp_code = last->probes[i].address.family == 4 ? 3 : 4;
	}
	return path;
}

static void set_ends(struct measurement *m, const char *source, const char *target)
{
	m->started_wall_ns = 1795312243123456000; /* 2026-11-22T01:50:43.123456Z */
	m->finished_wall_ns = m->started_wall_ns + 130 * 1000000LL;
	m->source = address(source);
	m->source_name = strdup("client.lab");
	m->target = address(target);
	m->target_name = strdup("server.lab");
}

/* Shared: the access routers at our end (link numbered as /31) and the campus routers at the far end. In
 * between the way there runs through Alpine, the way back through Borealis. Forward hop 5 is silent. */
static void build_demo(struct measurement *m)
{
	static const struct spec there[] = {
		{"192.0.2.1", "gw.home.lab", 64500, 0.45},
		{"100.64.0.1", "bng1.homenet.lab", 64500, 2.31},
		{"203.0.113.1", "edge1.zrh.alpine.lab", 64501, 4.92},
		{"203.0.113.5", "core1.zrh.alpine.lab", 64501, 5.08},
		{NULL, NULL, 0, 0},
		{"203.0.113.13", "edge2.fra.alpine.lab", 64501, 11.73},
		{"198.51.100.1", "border.campus.lab", 64510, 12.02},
		{"198.51.100.80", "server.lab", 64510, 12.31},
	};
	static const struct spec back[] = {
		{"198.51.100.81", "border-sv.campus.lab", 64510, 0.27},
		{"203.0.113.129", "pe3.fra.borealis.lab", 64502, 0.61},
		{"203.0.113.133", "p1.ams.borealis.lab", 64502, 7.40},
		{"203.0.113.137", "p4.par.borealis.lab", 64502, 13.92},
		{"203.0.113.141", "pe1.zrh.borealis.lab", 64502, 21.10},
		{"100.64.0.9", "bng1-core.homenet.lab", 64500, 22.75},
		{"100.64.0.0", "gw-wan.home.lab", 64500, 24.60},
		{"192.0.2.10", "client.lab", 64500, 25.05},
	};
	set_ends(m, "192.0.2.10", "198.51.100.80");
	m->forward = make_path(m, DIRECTION_FORWARD, there, ARRAY_LEN(there));
	m->reverse = make_path(m, DIRECTION_REVERSE, back, ARRAY_LEN(back));
	measurement_add_attempt(m, "responder", ATTEMPT_OK, NULL)->duration_ns = 58 * 1000000LL;
}

/* The same routers both ways, always numbered by the link (/127); hop 2 limits its replies. */
static void build_symmetric6(struct measurement *m)
{
	static const struct spec there[] = {
		{"2001:db8:0:1::1", "r1.lab", 64500, 0.41},
		{"2001:db8:0:12::1", NULL, 64500, 1.20},
		{"2001:db8:0:23::1", "r3.lab", 64501, 3.04},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:80", "server.lab", 64501, 3.51},
	};
	static const struct spec back[] = {
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:81", "r3-s.lab", 64501, 0.22},
		{"2001:db8:0:23::", NULL, 64500, 2.15},
		{"2001:db8:0:12::", "r1-2.lab", 64500, 3.03},
		{"2001:db8:0:1::2", "client.lab", 64500, 3.49},
	};
	set_ends(m, "2001:db8:0:1::2", "2001:db8:ffff:ffff:ffff:ffff:ffff:80");
	m->forward = make_path(m, DIRECTION_FORWARD, there, ARRAY_LEN(there));
	m->reverse = make_path(m, DIRECTION_REVERSE, back, ARRAY_LEN(back));
	m->forward->flow.flow_label = m->reverse->flow.flow_label = 0x5a5a5;
	for (int i = 1; i < 3; i++) {
		struct probe_result *probe = &m->forward->hops[1].probes[i];
		int64_t sent_ns = probe->sent_ns;
		*probe = probe_result_none();
		probe->sent_ns = sent_ns;
	}
	measurement_add_attempt(m, "responder", ATTEMPT_OK, NULL);
}

/* Hop 3 reports the target unreachable once, then says no more; no way back could be had. MPLS on hop 2. */
static void build_refused(struct measurement *m)
{
	static const struct spec there[] = {
		{"192.0.2.1", "gw.home.lab", 64500, 0.45},
		{"203.0.113.1", "edge1.zrh.alpine.lab", 64501, 4.92},
		{"203.0.113.5", "evil\x1b[31m\xff.lab", 64501, 5.08},
	};
	set_ends(m, "192.0.2.10", "198.51.100.80");
	m->public_address = address("203.0.113.77");
	m->forward = make_path(m, DIRECTION_FORWARD, there, ARRAY_LEN(there));
	m->forward->stop_reason = STOP_UNREACHABLE;
	struct probe_result *probe = &m->forward->hops[2].probes[0];
	probe->icmp_type = ICMP4_UNREACHABLE;
	probe->icmp_code = 1;
	strcpy(probe->mark, "!H");
	probe = &m->forward->hops[1].probes[0];
	probe->mpls_count = 2;
	probe->mpls[0] = (struct mpls_entry){.label = 24017, .traffic_class = 0, .bottom = false, .ttl = 1};
	probe->mpls[1] = (struct mpls_entry){.label = 16, .traffic_class = 5, .bottom = true, .ttl = 1};
	probe->has_interface = true;
	probe->interface = (struct interface_info){.role = 0, .index = 7, .mtu = 9000, .name = "ge-0/0/1"};
	measurement_add_attempt(
		m, "responder", ATTEMPT_TIMEOUT, "198.51.100.80 did not answer the hello within 0.5 s");
	measurement_add_attempt(m, "record-route", ATTEMPT_UNAVAILABLE, "needs cap_net_raw");
}

/* Nothing answers behind hop 2, the trace gave up; only a part of the way back is known, and one hop is
 * inferred. */
static void build_partial(struct measurement *m)
{
	static const struct spec there[] = {
		{"192.0.2.1", "gw.home.lab", 64500, 0.45},
		{"100.64.0.1", "bng1.homenet.lab", 64500, 2.31},
		{NULL, NULL, 0, 0},
		{NULL, NULL, 0, 0},
		{NULL, NULL, 0, 0},
	};
	static const struct spec back[] = {
		{"198.51.100.81", "border-sv.campus.lab", 64510, 0.27},
		{"203.0.113.129", "pe3.fra.borealis.lab", 64502, 0.61},
		{NULL, NULL, 0, 0},
		{"100.64.0.0", "gw-wan.home.lab", 64500, 24.60},
	};
	set_ends(m, "192.0.2.10", "198.51.100.80");
	m->forward = make_path(m, DIRECTION_FORWARD, there, ARRAY_LEN(there));
	m->reverse = make_path(m, DIRECTION_REVERSE, back, ARRAY_LEN(back));
	m->reverse->stop_reason = STOP_PARTIAL;
	struct hop *hop = &m->reverse->hops[3];
	hop->technique = TECHNIQUE_SYMMETRIC_INTRA;
	hop->certainty = CERTAINTY_ASSUMED;
	hop->address = hop->probes[0].address;
	hop->probe_count = 0;
	measurement_add_attempt(
		m, "responder", ATTEMPT_PARTIAL, "the far host stopped answering after 3 of 8 hops");
}

/* Trace only, ICMP, packets circle between two routers; a balanced hop on the way. */
static void build_loop(struct measurement *m)
{
	static const struct spec there[] = {
		{"192.0.2.1", "gw.home.lab", 64500, 0.45},
		{"203.0.113.1", "a.lab", 64501, 4.92},
		{"203.0.113.5", "b.lab", 64501, 5.08},
		{"203.0.113.9", "c.lab", 64501, 6.08},
		{"203.0.113.5", "b.lab", 64501, 7.08},
		{"203.0.113.9", "c.lab", 64501, 8.08},
		{"203.0.113.5", "b.lab", 64501, 9.08},
		{"203.0.113.9", "c.lab", 64501, 10.08},
	};
	m->command = "trace";
	set_ends(m, "192.0.2.10", "198.51.100.80");
	m->forward = make_path(m, DIRECTION_FORWARD, there, ARRAY_LEN(there));
	m->forward->stop_reason = STOP_LOOP;
	m->forward->protocol = PROBE_ICMP;
	m->forward->flow = (struct flow){.icmp_id = 4711, .icmp_checksum = 0x1234};
	m->forward->hops[1].probes[1].address = address("203.0.113.2");
	struct edge *edge = path_add_edge(m->forward);
	*edge = (struct edge){.from = address("192.0.2.1"), .to = address("203.0.113.2"), .ttl = 2, .flows = 1,
		.sent = 1, .received = 1, .rtt_ns = 4920000};
}

/* Nothing known at all: the name was resolved, nothing else. */
static void build_nothing(struct measurement *m)
{
	m->command = "back";
	m->target = address("198.51.100.80");
	measurement_add_attempt(m, "responder", ATTEMPT_REFUSED, "status 2: asking address not allowed");
}

const struct sample samples[] = {
	{"demo", build_demo},
	{"symmetric6", build_symmetric6},
	{"refused", build_refused},
	{"partial", build_partial},
	{"loop", build_loop},
	{"nothing", build_nothing},
};
const unsigned sample_count = ARRAY_LEN(samples);
