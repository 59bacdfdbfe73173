/* What travels between a coordinator and its agents, as JSON: one object a message. What comes from the other
 * side is checked: a message that is not one of these is refused. */
#ifndef RETOUR_REVTR_MESSAGE_H
#define RETOUR_REVTR_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "revtr/agent.h"

#define TOPIC_SIZE	   128
#define AGENT_NAME_SIZE	   64
#define STATUS_SOURCES_MAX 8

/* "retour/1/agent/NAME/KIND" */
const char *topic_of(char out[static TOPIC_SIZE], const char *agent, const char *kind);
/* The NAME in such a topic; false: it is none. */
bool topic_agent(const char *topic, char name[static AGENT_NAME_SIZE]) MUST_USE;
/* As it stands in tasks. */
const char *message_probe_word(enum revtr_probe probe);
/* Fit for a topic and a file: letters, digits, '.', '-', '_'. */
bool agent_name_good(const char *name);

/* {"task":N,"probe":"rr-ping","target":A,"source":A,"spoofed":B,"tag":"0123456789abcdef"}, of "ts-ping" with
 * "listed":[A,...] too, of "trial" with "target_tag", "ttl":N, "options":B; the caller frees it, NULL: out of
 * memory. */
char *order_to_json(const struct agent_order *order) MUST_USE;
bool order_from_json(const char *text, size_t length, struct agent_order *order) MUST_USE;

/* {"task":N,"from":A,"ttl":N,"list":{"slots":N,"stamps":[A,...]}},
 * {"task":N,"from":A,"ttl":N,"times":{"listed":[A,...],"stamps":[MS,...]}},
 * {"task":N,"seen":"sent"|"failed","errno":N},
 * {"task":N,"seen":"request"|"reply"|"exceeded","from":A,"ttl":N,"list":...},
 * {"task":N,"reached":B,"trace":[A|null,...]},
 * {"task":N,"nonce":"0123456789abcdef"}, or {"task":N,"refused":"why"} */
char *answer_to_json(const struct revtr_answer *answer) MUST_USE;
char *refusal_to_json(uint32_t task, enum agent_verdict verdict) MUST_USE;
/* A refusal is an answer that is not `answered`. */
bool answer_from_json(const char *text, size_t length, struct revtr_answer *answer) MUST_USE;

/* What an agent says of itself. {"online":B,"address":A,"spoof":B,"sources":[A,...],"sends_options":B|null,
 * "trouble":"text"|null,"version":"..."} */
enum agent_can { AGENT_CAN_UNKNOWN, AGENT_CAN, AGENT_CANNOT };
struct agent_status {
	bool online, may_spoof;
	struct addr address;
	struct addr sources[STATUS_SOURCES_MAX]; /* that stand there and consent to be measured */
	size_t source_count;
	enum agent_can sends_options; /* and gets them back */
	char trouble[340];	      /* what it found out about itself and its broker, "" = nothing */
};
char *status_to_json(const struct agent_status *status) MUST_USE;
bool status_from_json(const char *text, size_t length, struct agent_status *status) MUST_USE;

/* The keys of the sources that stand at an agent, kept: {"keys":[{"source":A,"key":"32 hexadecimal
 * digits"},...]} */
struct agent_keys {
	struct addr sources[STATUS_SOURCES_MAX];
	struct hash_key keys[STATUS_SOURCES_MAX];
	size_t count;
};
char *keys_to_json(const struct agent_keys *keys) MUST_USE;
bool keys_from_json(const char *text, size_t length, struct agent_keys *keys) MUST_USE;

#endif
