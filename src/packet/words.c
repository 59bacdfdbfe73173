/* Words for ICMP types and codes. IPv4: RFC 792, 1122 3.2.2.1, 1812 5.2.7; IPv6: RFC 4443, 7112, 8754,
 * 8883. */
#include "packet/packet.h"

static const char *const unreachable4[] = {
	"net-unreachable",
	"host-unreachable",
	"protocol-unreachable",
	"port-unreachable",
	"fragmentation-needed",
	"source-route-failed",
	"net-unknown",
	"host-unknown",
	"host-isolated",
	"net-prohibited",
	"host-prohibited",
	"net-tos-unreachable",
	"host-tos-unreachable",
	"admin-prohibited",
	"precedence-violation",
	"precedence-cutoff",
};
static const char *const redirect4[] = {
	"redirect-net",
	"redirect-host",
	"redirect-net-tos",
	"redirect-host-tos",
};
static const char *const exceeded4[] = {"ttl-exceeded", "reassembly-timeout"};
static const char *const parameter4[] = {"bad-header", "missing-option", "bad-length"};
static const char *const echo_request[] = {"echo-request"};
static const char *const echo_reply[] = {"echo-reply"};

static const char *const unreachable6[] = {
	"no-route",
	"admin-prohibited",
	"beyond-scope",
	"address-unreachable",
	"port-unreachable",
	"source-policy-failed",
	"reject-route",
	"source-route-failed",
	"headers-too-long",
};
static const char *const too_big6[] = {"packet-too-big"};
static const char *const exceeded6[] = {"hop-limit-exceeded", "reassembly-timeout"};
static const char *const parameter6[] = {
	"bad-header",
	"unknown-next-header",
	"unknown-option",
	"incomplete-header-chain",
	"segment-routing-upper-layer",
	"unknown-next-header-at-router",
	"extension-header-too-big",
	"header-chain-too-long",
	"too-many-extension-headers",
	"too-many-options",
	"option-too-big",
};

struct code_words {
	uint8_t family;
	uint8_t type;
	uint8_t count;
	const char *const *words;
};
#define WORDS(family, type, words)                                                                           \
	{                                                                                                    \
		family, type, ARRAY_LEN(words), words                                                        \
	}

static const struct code_words table[] = {
	WORDS(4, ICMP4_ECHO_REPLY, echo_reply),
	WORDS(4, ICMP4_UNREACHABLE, unreachable4),
	WORDS(4, ICMP4_REDIRECT, redirect4),
	WORDS(4, ICMP4_ECHO_REQUEST, echo_request),
	WORDS(4, ICMP4_TIME_EXCEEDED, exceeded4),
	WORDS(4, ICMP4_PARAMETER_PROBLEM, parameter4),
	WORDS(6, ICMP6_UNREACHABLE, unreachable6),
	WORDS(6, ICMP6_PACKET_TOO_BIG, too_big6),
	WORDS(6, ICMP6_TIME_EXCEEDED, exceeded6),
	WORDS(6, ICMP6_PARAMETER_PROBLEM, parameter6),
	WORDS(6, ICMP6_ECHO_REQUEST, echo_request),
	WORDS(6, ICMP6_ECHO_REPLY, echo_reply),
};

const char *icmp_code_word(uint8_t family, uint8_t type, uint8_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].family == family && table[i].type == type)
			return code < table[i].count ? table[i].words[code] : NULL;
	return NULL;
}
