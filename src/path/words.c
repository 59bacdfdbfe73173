#include "path/words.h"

#include <string.h>

#include "path/model.h"

#define WORDS(name, ...)                                                                                     \
	static const char *const name##_list[] = {__VA_ARGS__};                                              \
	const struct word_table name##_words = {name##_list, ARRAY_LEN(name##_list)}

WORDS(direction, "forward", "reverse", "both", "unknown");
WORDS(protocol, "icmp", "udp", "tcp", "udplite", "ip");
WORDS(stop_reason, "reached", "gap-limit", "max-hops", "unreachable", "loop", "interrupted", "partial");
WORDS(technique, "ttl", "responder", "inband", "record-route", "record-route-spoofed", "timestamp",
	"timestamp-spoofed", "atlas", "atlas-interval", "source-route", "remote-trace", "symmetric-intra",
	"symmetric-inter", "inferred");
WORDS(certainty, "measured", "inferred", "assumed");
WORDS(attempt_status, "ok", "partial", "unsupported", "refused", "timeout", "unavailable", "failed");
WORDS(severity, "info", "warning", "problem");
WORDS(confidence, "certain", "likely", "possible");
WORDS(shared_by, "address", "alias", "subnet", "as");
WORDS(vantage_distance, "same-prefix", "same-as", "upstream", "elsewhere", "unknown");
/* RFC 5837 4.1, in the order of the role bits. */
WORDS(interface_role, "incoming", "sub-ip", "outgoing", "next-hop");
WORDS(command, "both", "trace", "back", "watch", "ping", "explain");

int word_value(const struct word_table *table, const char *word)
{
	for (int i = 0; i < table->count; i++)
		if (strcmp(table->words[i], word) == 0)
			return i;
	return -1;
}

const char *word_text(const struct word_table *table, int value)
{
	return value >= 0 && value < table->count ? table->words[value] : NULL;
}

const char *direction_word(enum direction direction)
{
	return word_text(&direction_words, (int)direction);
}

const char *protocol_word(enum probe_protocol protocol)
{
	return word_text(&protocol_words, (int)protocol);
}

const char *stop_reason_word(enum stop_reason reason)
{
	return word_text(&stop_reason_words, (int)reason);
}

const char *technique_word(enum technique technique)
{
	return word_text(&technique_words, (int)technique);
}

const char *certainty_word(enum certainty certainty)
{
	return word_text(&certainty_words, (int)certainty);
}

const char *attempt_status_word(enum attempt_status status)
{
	return word_text(&attempt_status_words, (int)status);
}

const char *severity_word(enum severity severity)
{
	return word_text(&severity_words, (int)severity);
}

const char *confidence_word(enum confidence confidence)
{
	return word_text(&confidence_words, (int)confidence);
}
