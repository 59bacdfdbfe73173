/* traceroute's marks, back into what the router said. Several codes share a mark; then it is the one that the
 * mark is named after, which tells the sender the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/build.h"

struct mark {
	const char *text;
	int v4_code, v6_code; /* of "destination unreachable" (RFC 792, RFC 4443 3.1); -1: none */
};

/* The letters of Linux, BSD and Cisco; where they differ, those of more. */
static const struct mark marks[] = {
	{"!N", 0, 0},
	{"!H", 1, 3},
	{"!P", 2, -1},
	{"!U", 3, 4}, /* Cisco: port unreachable */
	{"!S", 5, -1},
	{"!A", 13, 1}, /* Cisco: administratively */
	{"!X", 13, 1},
	{"!Z", 10, 1},
	{"!V", 14, -1},
	{"!C", 15, -1},
};

static void unreachable(struct probe_result *probe, uint8_t family, int code)
{
	if (code < 0 || code > 255)
		return;
	probe->icmp_type = family == 6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE;
	probe->icmp_code = code;
}

static void too_big(struct probe_result *probe, uint8_t family, const char *mtu)
{
	unsigned long value = strtoul(mtu, NULL, 10);
	probe->icmp_type = family == 6 ? ICMP6_PACKET_TOO_BIG : ICMP4_UNREACHABLE;
	probe->icmp_code = family == 6 ? 0 : 4;
	probe->mtu = value < 65536 ? (uint32_t)value : 0;
}

void build_mark(struct probe_result *probe, uint8_t family, const char *mark)
{
	if (!probe)
		return;
	snprintf(probe->mark, sizeof(probe->mark), "%.11s", mark);
	if (strncmp(mark, "!F", 2) == 0) {
		too_big(probe, family, mark[2] == '-' ? mark + 3 : "0");
		return;
	}
	if (strncmp(mark, "!<", 2) == 0) {
		char *end;
		long first = strtol(mark + 2, &end, 10);
		long second = *end == '-' ? strtol(end + 1, NULL, 10) : -1;
		if (second < 0) {
			unreachable(probe, family, (int)MIN(first, 256));
		} else if (first >= 0 && first < 256 && second < 256) { /* !<type-code> */
			probe->icmp_type = (int)first;
			probe->icmp_code = (int)second;
		}
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (strcmp(marks[i].text, mark) == 0)
			unreachable(probe, family, family == 6 ? marks[i].v6_code : marks[i].v4_code);
}

/* RFC 792 and 1122 3.2.2.1 for IPv4, RFC 4443 for IPv6; "" where the target itself answers so. */
static const char *const v4_letters[] = {
	"!N", "!H", "!P", "", "", "!S", "!N", "!H", "!N", "!X", "!X", "!N", "!H", "!X", "!V", "!C"};
static const char *const v6_letters[] = {"!N", "!X", "!H", "!H", ""};

void build_icmp_mark(struct probe_result *probe, uint8_t family)
{
	bool v6 = family == 6;
	int type = probe->icmp_type, code = probe->icmp_code;
	size_t known = v6 ? ARRAY_LEN(v6_letters) : ARRAY_LEN(v4_letters);
	bool big = v6 ? type == ICMP6_PACKET_TOO_BIG : type == ICMP4_UNREACHABLE && code == 4;
	if (big && probe->mtu > 0)
		snprintf(probe->mark, sizeof(probe->mark), "!F-%u", (unsigned)MIN(probe->mtu, 65535));
	else if (big)
		strcpy(probe->mark, "!F");
	else if (type != (v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE) || code < 0)
		return;
	else if ((size_t)code < known)
		strcpy(probe->mark, v6 ? v6_letters[code] : v4_letters[code]);
	else
		snprintf(probe->mark, sizeof(probe->mark), "!<%d>", code & 255);
}
