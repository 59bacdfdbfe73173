/* The atlas fills itself: an agent that has come, and a source that is new, have no traceroutes between them
 * yet. And what an operator wants to read in a log. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "revtr/coordinator_inside.h"

void coordinator_tell(const struct coordinator *c, const char *format, ...)
{
	char text[300];
	va_list arguments;
	if (!c->options.tell)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	c->options.tell(text);
}

void coordinator_tell_agent(const struct coordinator *c, uint32_t agent)
{
	const struct agent_entry *entry = &c->agents[agent];
	char text[ADDR_TEXT_SIZE];
	if (entry->status.online)
		coordinator_tell(c, "agent %s has come: %s%s", entry->name,
			addr_format(entry->status.address, text),
			entry->status.may_spoof ? ", may send in the names of sources" : "");
	else
		coordinator_tell(c, "agent %s has gone", entry->name);
}

/* Of the broker; what the agent says of itself comes after it and is for its owner. */
void coordinator_tell_warning(struct coordinator *c, uint32_t agent)
{
	static const char head[] = "WARNING: ";
	char text[sizeof(c->warned)], shown[sizeof(c->warned)];
	const char *trouble = c->agents[agent].status.trouble;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(trouble, ";"), trouble);
	if (strncmp(text, head, sizeof(head) - 1) != 0 || strcmp(text, c->warned) == 0)
		return;
	snprintf(c->warned, sizeof(c->warned), "%s", text);
	coordinator_tell(c, "agent %s: %s", c->agents[agent].name, escape_text(text, shown, sizeof(shown)));
}

void coordinator_tell_atlas(const struct coordinator *c, uint32_t source)
{
	char text[ADDR_TEXT_SIZE];
	for (uint32_t i = 0; i < EXPECTED_MAX; i++) {
		const struct expected *slot = &c->expected[i];
		if (slot->task & OWN_TASK && slot->probe == REVTR_TRACEROUTE && slot->source == source)
			return; /* more will come */
	}
	coordinator_tell(c, "atlas of %s: %u traceroutes",
		addr_format(c->sources[source].stored.address, text),
		revtr_engine_tree(c->engine, c->sources[source].engine_index)->trace_count);
}

/* Has the agent told its way to the source, or is it about to? */
static bool has_traced(const struct coordinator *c, uint32_t source, uint32_t agent)
{
	const struct tree *tree = revtr_engine_tree(c->engine, c->sources[source].engine_index);
	uint32_t own = (uint32_t)c->agents[agent].status.address.low;
	for (uint32_t i = 0; i < tree->trace_count; i++)
		if (tree->traces[i].count > 0 && tree->traces[i].addresses[0] == own)
			return true;
	for (uint32_t i = 0; i < EXPECTED_MAX; i++) {
		const struct expected *slot = &c->expected[i];
		if (slot->task & OWN_TASK && slot->probe == REVTR_TRACEROUTE && slot->source == source &&
			slot->sender == agent)
			return true;
	}
	return false;
}

void coordinator_fill_atlas(struct coordinator *c, uint32_t source, uint32_t agent)
{
	if (c->agents[agent].status.online && c->sources[source].agent != agent &&
		c->sources[source].stored.consents &&
		!addr_equal(c->agents[agent].status.address, c->sources[source].stored.address) &&
		!has_traced(c, source, agent))
		coordinator_ask_trace(c, source, agent);
}
