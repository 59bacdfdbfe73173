/* DNS messages (RFC 1035), as much as a small authoritative server needs: one question in, answers out. */
#ifndef RETOUR_SIM_DNS_H
#define RETOUR_SIM_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/cursor.h"

#define DNS_PORT      53
#define DNS_NAME_SIZE 256 /* text, without the final dot, and the terminator */

enum dns_type { DNS_A = 1, DNS_SOA = 6, DNS_PTR = 12, DNS_TXT = 16, DNS_AAAA = 28 };
enum dns_code { DNS_OK = 0, DNS_FORMAT_ERROR = 1, DNS_NO_NAME = 3, DNS_NOT_IMPLEMENTED = 4 };

struct dns_query {
	uint16_t id;
	bool recursion_desired;
	uint8_t opcode;
	char name[DNS_NAME_SIZE]; /* lower case */
	uint16_t type;
	uint16_t class;
};

/* 0; -EBADMSG for what is not a query with exactly one question of plain labels (letters, digits, '-', '_').
 */
int dns_query_read(struct cursor *cursor, struct dns_query *query) MUST_USE;

/* An answer is a header, the question again, then records; `answers` in the header is counted as they come.
 */
struct dns_answer {
	struct writer *writer;
	size_t start;
	uint16_t count;
};
struct dns_answer dns_answer_begin(struct writer *writer, const struct dns_query *query, enum dns_code code);
void dns_answer_addr(struct dns_answer *answer, struct addr addr);
void dns_answer_name(struct dns_answer *answer, const char *name); /* PTR */
void dns_answer_text(struct dns_answer *answer, const char *text); /* TXT, at most 255 bytes */

/* The address that "4.3.2.1.<suffix>" or nibbles stand for; false when it is not such a name. */
bool dns_reverse_name(const char *name, const char *suffix4, const char *suffix6, struct addr *addr);

#endif
