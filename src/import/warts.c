/* scamper's binary format, its trace records (scamper's warts(5)).
 *
 * A file is a row of objects: magic, type, length, and that many bytes, so what is not a trace is stepped
 * over. A record begins with flags, seven a byte, the eighth says that another byte follows; then the length
 * of the parameters, then those whose flag is set, in order. Parameters we do not know come last, and are
 * stepped over with that length. An address stands in full the first time in an object and as its number
 * later on. */
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "import/dialect.h"
#include "import/scamper.h"

#define WARTS_MAGIC   0x1205
#define WARTS_TRACE   6
#define FLAG_BYTES    16
#define ADDRESSES_MAX 1024 /* different ones in a trace */

struct table {
	struct addr addresses[ADDRESSES_MAX];
	size_t count;
};

struct params {
	uint8_t flags[FLAG_BYTES];
	struct cursor bytes;
};

int warts_score(const struct source *source, const char *dialect)
{
	(void)dialect;
	struct cursor cursor = cursor_init(source->bytes, source->length);
	return cursor_u16(&cursor) == WARTS_MAGIC ? 100 : 0;
}

static struct params read_params(struct cursor *cursor)
{
	struct params params = {0};
	bool any = false, more = true;
	for (size_t i = 0; more; i++) {
		uint8_t byte = cursor_u8(cursor);
		more = byte & 0x80;
		any |= (byte & 0x7f) != 0;
		if (i < FLAG_BYTES)
			params.flags[i] = byte & 0x7f;
	}
	params.bytes = cursor_take(cursor, any ? cursor_u16(cursor) : 0);
	return params;
}

/* Flags count from 1. */
static bool has(const struct params *params, unsigned flag)
{
	return params->flags[(flag - 1) / 7] & 1u << (flag - 1) % 7;
}

static struct addr read_address(struct cursor *cursor, struct table *table)
{
	uint8_t size = cursor_u8(cursor);
	if (size == 0) {
		uint32_t number = cursor_u32(cursor);
		if (number >= table->count)
			cursor->bad = true;
		return cursor_ok(cursor) ? table->addresses[number] : ADDR_NONE;
	}
	uint8_t type = cursor_u8(cursor);
	struct addr address = ADDR_NONE;
	if ((type == 1 && size == 4) || (type == 2 && size == 16))
		address = cursor_addr(cursor, type == 1 ? 4 : 6);
	else
		cursor_skip(cursor, size);
	if (table->count < ADDRESSES_MAX)
		table->addresses[table->count++] = address;
	return address;
}

static int64_t read_time(struct cursor *cursor)
{
	int64_t seconds = cursor_u32(cursor);
	return seconds * NS_PER_S + (int64_t)cursor_u32(cursor) * NS_PER_US;
}

struct trace {
	struct addr source, destination;
	int64_t start_ns;
	int stop, attempts, type, first, hop_count;
	uint16_t source_port, destination_port, probes;
};

/* The width of a parameter that is not used here. */
static void skip_param(struct cursor *cursor, unsigned width)
{
	cursor_skip(cursor, width);
}

static struct trace read_head(struct cursor *cursor, struct table *table)
{
	/* By flag: bytes of the parameter; 0 = read below. */
	static const uint8_t widths[] = {[1] = 4,
		[2] = 4,
		[3] = 4,
		[4] = 4,
		[7] = 1,
		[8] = 1,
		[10] = 1,
		[12] = 2,
		[16] = 1,
		[17] = 1,
		[18] = 1,
		[20] = 1,
		[21] = 1,
		[22] = 1,
		[24] = 1,
		[25] = 1};
	struct trace trace = {.first = 1, .attempts = 1};
	struct params params = read_params(cursor);
	struct cursor *bytes = &params.bytes;
	for (unsigned flag = 1; flag <= 27; flag++) {
		if (!has(&params, flag))
			continue;
		switch (flag) {
		case 5: trace.start_ns = read_time(bytes); break;
		case 6: trace.stop = cursor_u8(bytes); break;
		case 9: trace.attempts = cursor_u8(bytes); break;
		case 11: trace.type = cursor_u8(bytes); break;
		case 13: trace.source_port = cursor_u16(bytes); break;
		case 14: trace.destination_port = cursor_u16(bytes); break;
		case 15: trace.first = cursor_u8(bytes); break;
		case 19: trace.hop_count = cursor_u16(bytes); break;
		case 23: trace.probes = cursor_u16(bytes); break;
		case 26: trace.source = read_address(bytes, table); break;
		case 27: trace.destination = read_address(bytes, table); break;
		default: skip_param(bytes, widths[flag]); break;
		}
	}
	if (!cursor_ok(bytes))
		cursor->bad = true;
	return trace;
}

/* RFC 4884 objects as scamper keeps them; class 1 type 1 is a label stack (RFC 4950). */
static void read_extensions(struct cursor *cursor, struct probe_result *probe)
{
	struct cursor objects = cursor_take(cursor, cursor_u16(cursor));
	while (cursor_left(&objects) >= 4) {
		uint16_t length = cursor_u16(&objects);
		uint8_t class = cursor_u8(&objects), type = cursor_u8(&objects);
		struct cursor object = cursor_take(&objects, length);
		while (class == 1 && type == 1 && cursor_left(&object) >= 4 &&
			probe->mpls_count < MPLS_STACK_MAX) {
			uint32_t entry = cursor_u32(&object);
			probe->mpls[probe->mpls_count++] = (struct mpls_entry){.label = entry >> 12,
				.traffic_class = entry >> 9 & 7,
				.bottom = entry >> 8 & 1,
				.ttl = entry & 0xff};
		}
	}
}

struct answer {
	int ttl, attempt;
	int64_t sent_ns;
	struct probe_result probe;
};

static void read_param(struct cursor *bytes, unsigned flag, struct answer *answer, struct table *table)
{
	struct probe_result *probe = &answer->probe;
	uint16_t both;
	switch (flag) {
	case 1: cursor_skip(bytes, 4); break;
	case 2: answer->ttl = cursor_u8(bytes); break;
	case 3: probe->reply.ttl = cursor_u8(bytes); break;
	case 4: cursor_skip(bytes, 1); break;
	case 5: answer->attempt = cursor_u8(bytes) + 1; break;
	case 6: probe->rtt_ns = (int64_t)cursor_u32(bytes) * NS_PER_US; break;
	case 7:
		both = cursor_u16(bytes);
		probe->icmp_type = both >> 8;
		probe->icmp_code = both & 0xff;
		break;
	case 8: cursor_skip(bytes, 2); break;
	case 9: probe->reply.size = cursor_u16(bytes); break;
	case 10: probe->reply.id = cursor_u16(bytes); break;
	case 11: probe->reply.tos = cursor_u8(bytes); break;
	case 12: probe->mtu = cursor_u16(bytes); break;
	case 13: probe->quoted.size = cursor_u16(bytes); break;
	case 14: probe->quoted.ttl = cursor_u8(bytes); break;
	case 15: probe->tcp_flags = cursor_u8(bytes); break;
	case 16: probe->quoted.tos = cursor_u8(bytes); break;
	case 17: read_extensions(bytes, probe); break;
	case 18: probe->address = read_address(bytes, table); break;
	case 19: answer->sent_ns = read_time(bytes); break;
	default: break;
	}
}

static struct answer read_answer(struct cursor *cursor, struct table *table)
{
	struct answer answer = {.attempt = 1, .probe = probe_result_none()};
	struct params params = read_params(cursor);
	for (unsigned flag = 1; flag <= 19; flag++)
		if (has(&params, flag))
			read_param(&params.bytes, flag, &answer, table);
	/* Written by what came by ICMP only; its absence there means 255 would be wrong, so it is not
	 * guessed. */
	if (answer.probe.tcp_flags != 0)
		answer.probe.icmp_type = answer.probe.icmp_code = -1;
	if (!cursor_ok(&params.bytes))
		cursor->bad = true;
	return answer;
}

static void take_answer(struct build *build, const struct trace *trace, const struct answer *answer)
{
	struct probe_result *probe = scamper_answer(
		build, answer->ttl, answer->attempt, answer->probe.address, answer->probe.rtt_ns);
	if (!probe)
		return;
	*probe = answer->probe;
	if (answer->sent_ns > trace->start_ns)
		probe->sent_ns = answer->sent_ns - trace->start_ns;
	if (probe->address.family != 4)
		probe->reply.id = -1;
	build_icmp_mark(probe, probe->address.family);
}

static const char *method_of(int type)
{
	static const char *const methods[] = {"", "icmp", "udp", "tcp", "icmp", "udp", "tcp"};
	return type > 0 && (size_t)type < ARRAY_LEN(methods) ? methods[type] : "udp";
}

static void begin(struct build *build, const struct trace *trace)
{
	build_trace(build, scamper_protocol(method_of(trace->type)));
	if (!build->trace)
		return;
	struct path *path = build->path;
	build_target(build, NULL, trace->destination);
	build_source(build, NULL, trace->source);
	build->trace->measurement.started_wall_ns = path->started_wall_ns = trace->start_ns;
	path->stop_reason = scamper_stop(trace->stop);
	path->probes_sent = trace->probes;
	if (path->protocol == PROBE_ICMP) {
		path->flow.icmp_checksum = trace->source_port;
	} else {
		path->flow.source_port = trace->source_port;
		path->flow.destination_port = trace->destination_port;
	}
}

static void read_trace(struct build *build, struct cursor *record)
{
	struct table table = {.count = 0};
	struct trace trace = read_head(record, &table);
	uint16_t count = cursor_u16(record);
	if (!cursor_ok(record)) {
		build->import->partial = true;
		return;
	}
	begin(build, &trace);
	for (uint16_t i = 0; i < count && cursor_ok(record); i++) {
		struct answer answer = read_answer(record, &table);
		if (cursor_ok(record))
			take_answer(build, &trace, &answer);
	}
	build->cut |= !cursor_ok(record);
	scamper_fill(build, trace.first, trace.hop_count, trace.attempts);
	build_end(build);
}

void warts_read(struct build *build, const struct source *source)
{
	struct cursor cursor = cursor_init(source->bytes, source->length);
	while (cursor_left(&cursor) >= 8 && cursor_u16(&cursor) == WARTS_MAGIC) {
		uint16_t type = cursor_u16(&cursor);
		uint32_t length = cursor_u32(&cursor);
		bool whole = length <= cursor_left(&cursor);
		struct cursor record = whole ? cursor_take(&cursor, length) : cursor_rest(&cursor);
		if (type == WARTS_TRACE)
			read_trace(build, &record);
		if (!whole)
			build->import->partial = true;
	}
}
