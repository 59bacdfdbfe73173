#include "serve/reflector.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "packet/stamp.h"
#include "serve/limits.h"

#define SETS		 2048 /* a power of two */
#define WAYS		 8
#define IDLE_NS		 (900 * NS_PER_S) /* as TWAMP's REFWAIT (RFC 5357 3.5): then a session is forgotten */
#define ESTABLISHED	 4		  /* answers, after which a session is preferred to newcomers */
#define PROTECTED_NS	 (60 * NS_PER_S)  /* as long as it goes on */
#define BURST_SECONDS	 2
#define PRIVILEGED_PORTS 1024

struct session {
	uint64_t hash; /* of addresses, ports and session identifier; 0 = free */
	int64_t last_ns;
	uint32_t count; /* answers so far: the number of the next */
};

struct reflector {
	struct reflector_config config;
	struct reflector_counters counters;
	struct stamp_error error;
	struct limit prefix_limit, total_limit;
	struct bucket_table prefixes;
	struct token_bucket established, newcomers;
	struct session sessions[SETS * WAYS];
};

struct reflector *reflector_new(const struct reflector_config *config)
{
	struct reflector *reflector = calloc(1, sizeof(*reflector));
	if (!reflector)
		return NULL;
	unsigned rate = config->rate ? config->rate : REFLECTOR_RATE_DEFAULT;
	unsigned prefix_rate = config->prefix_rate ? config->prefix_rate : REFLECTOR_PREFIX_RATE_DEFAULT;
	reflector->config = *config;
	reflector->total_limit = limit_per_second(MAX(rate / 2, 1u), (uint64_t)rate * BURST_SECONDS / 2);
	reflector->prefix_limit = limit_per_second(prefix_rate, (uint64_t)prefix_rate * BURST_SECONDS);
	reflector_set_clock(reflector, false, 0);
	if (bucket_table_init(&reflector->prefixes, config->key) < 0) {
		free(reflector);
		return NULL;
	}
	return reflector;
}

void reflector_free(struct reflector *reflector)
{
	if (reflector)
		bucket_table_deinit(&reflector->prefixes);
	free(reflector);
}

void reflector_set_clock(struct reflector *reflector, bool synchronised, int64_t error_ns)
{
	reflector->error = stamp_error_of(synchronised, error_ns);
}

void reflector_send_failed(struct reflector *reflector)
{
	reflector->counters.send_failed++;
}

struct reflector_counters reflector_counters(const struct reflector *reflector)
{
	return reflector->counters;
}

/* ---- sessions ---- */

static bool is_established(const struct session *session, int64_t now_ns)
{
	return session->hash != 0 && session->count >= ESTABLISHED &&
		now_ns - session->last_ns < PROTECTED_NS;
}

/* Whose loss hurts less? */
static bool gives_way(const struct session *a, const struct session *b, int64_t now_ns)
{
	if ((a->hash == 0) != (b->hash == 0))
		return a->hash == 0;
	bool a_stays = is_established(a, now_ns), b_stays = is_established(b, now_ns);
	return a_stays != b_stays ? b_stays : a->last_ns < b->last_ns;
}

/* The session of this packet, or the one whose place it may take. */
static struct session *find_session(struct reflector *reflector, uint64_t hash, int64_t now_ns)
{
	struct session *set = &reflector->sessions[(hash >> 32) % SETS * WAYS];
	struct session *least = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (gives_way(&set[i], least, now_ns))
			least = &set[i];
	}
	return least;
}

static uint64_t session_hash(
	const struct reflector *reflector, const struct reflector_packet *packet, uint16_t identifier)
{
	uint64_t words[5] = {packet->from.high, packet->from.low, packet->to.high, packet->to.low,
		(uint64_t)packet->from_port << 48 | (uint64_t)packet->to_port << 32 |
			(uint64_t)identifier << 16 | packet->from.family};
	uint64_t hash = hash_bytes(reflector->config.key, words, sizeof(words));
	return hash ? hash : 1;
}

static uint32_t next_number(
	struct reflector *reflector, struct session *session, uint64_t hash, int64_t now_ns)
{
	if (session->hash != hash || now_ns - session->last_ns >= IDLE_NS) {
		reflector->counters.sessions++;
		reflector->counters.replaced +=
			session->hash != 0 && session->hash != hash && now_ns - session->last_ns < IDLE_NS;
		*session = (struct session){.hash = hash};
	}
	session->last_ns = now_ns;
	return session->count++;
}

/* ---- admission ---- */

/* A reflector answers to wherever a packet claims to come from: two of them would go on for ever, and so
 * would one with an echo service. Senders use ports of their own (RFC 8762 4.1). */
static bool source_is_sane(const struct reflector_packet *packet)
{
	return addr_is_unicast(packet->from) && addr_is_unicast(packet->to) &&
		packet->from_port >= PRIVILEGED_PORTS && packet->from_port != packet->to_port;
}

static bool is_allowed(const struct reflector *reflector, struct addr from)
{
	for (size_t i = 0; i < reflector->config.allow_count; i++)
		if (prefix_contains(reflector->config.allow[i], from))
			return true;
	return reflector->config.allow_count == 0;
}

static bool admit(struct reflector *reflector, const struct reflector_packet *packet,
	const struct session *session, uint64_t hash, int64_t now_ns)
{
	struct reflector_counters *counters = &reflector->counters;
	bool known = session->hash == hash && is_established(session, now_ns);
	struct token_bucket *total = known ? &reflector->established : &reflector->newcomers;
	/* The prefix first: whoever is over his own limit must not use up everybody's. */
	if (!bucket_table_take(&reflector->prefixes, &reflector->prefix_limit, packet->from, now_ns, 1)) {
		counters->over_prefix++;
		return false;
	}
	if (!bucket_take(total, &reflector->total_limit, now_ns, 1)) {
		counters->over_total++;
		return false;
	}
	return true;
}

/* ---- answers ---- */

static void write_answer(const struct reflector *reflector, const struct reflector_packet *packet,
	const struct stamp_question *question, uint32_t number, int64_t now_wall_ns, uint8_t *answer)
{
	struct writer writer = writer_init(answer, packet->length);
	struct stamp_answer fields = {
		.sequence = number,
		.sent = stamp_time(now_wall_ns),
		.error = reflector->error,
		.session = question->session,
		.received = stamp_time(packet->received_wall_ns),
		.question =
			{
				.sequence = question->sequence,
				.sent = question->sent,
				.error = question->error,
				.ttl = packet->ttl,
			},
	};
	stamp_answer_write(&writer, &fields);
	/* Padding, and extensions that nobody here knows, which their flag says already (RFC 8972 4). */
	writer_bytes(&writer, packet->payload + STAMP_SIZE, packet->length - STAMP_SIZE);
}

size_t reflector_answer(struct reflector *reflector, const struct reflector_packet *packet, int64_t now_ns,
	int64_t now_wall_ns, uint8_t *answer)
{
	struct stamp_question question;
	struct cursor cursor = cursor_init(packet->payload, packet->length);
	if (packet->length > REFLECTOR_PACKET_MAX || stamp_question_read(&cursor, &question) < 0) {
		reflector->counters.malformed++;
		return 0;
	}
	reflector->counters.questions++;
	if (!source_is_sane(packet)) {
		reflector->counters.refused_source++;
		return 0;
	}
	if (!is_allowed(reflector, packet->from)) {
		reflector->counters.refused_allow++;
		return 0;
	}
	uint64_t hash = session_hash(reflector, packet, question.session);
	struct session *session = find_session(reflector, hash, now_ns);
	if (!admit(reflector, packet, session, hash, now_ns))
		return 0;
	uint32_t number = next_number(reflector, session, hash, now_ns);
	write_answer(reflector, packet, &question, number, now_wall_ns, answer);
	reflector->counters.answers++;
	return packet->length;
}
