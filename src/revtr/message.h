/* What travels between a coordinator and its agents, as JSON: one object a message. What comes from the other side
 * is checked: a message that is not one of these is refused. */
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
/* Fit for a topic and a file: letters, digits, '.', '-', '_'. */
bool agent_name_good(const char *name);

/* {"task":N,"probe":"rr-ping","target":A,"source":A,"spoofed":B,"tag":"0123456789abcdef"}; the caller frees it, NULL:
 * out of memory. */
char *order_to_json(const struct agent_order *order) MUST_USE;
bool order_from_json(const char *text, size_t length, struct agent_order *order) MUST_USE;

/* {"task":N,"from":A,"ttl":N,"list":{"slots":N,"stamps":[A,...]}}, {"task":N,"reached":B,"trace":[A|null,...]}, or
 * {"task":N,"refused":"why"} */
char *answer_to_json(const struct revtr_answer *answer) MUST_USE;
char *refusal_to_json(uint32_t task, enum agent_verdict verdict) MUST_USE;
/* A refusal is an answer that is not `answered`. */
bool answer_from_json(const char *text, size_t length, struct revtr_answer *answer) MUST_USE;

/* What an agent says of itself. {"online":B,"address":A,"spoof":B,"sources":[A,...],"version":"..."} */
struct agent_status {
	bool online, may_spoof;
	struct addr address;
	struct addr sources[STATUS_SOURCES_MAX]; /* that stand there and consent to be measured */
	size_t source_count;
};
char *status_to_json(const struct agent_status *status) MUST_USE;
bool status_from_json(const char *text, size_t length, struct agent_status *status) MUST_USE;

#endif
