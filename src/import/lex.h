/* One line of a traceroute in pieces. The pieces are the same in all dialects; their order is not. */
#ifndef RETOUR_IMPORT_LEX_H
#define RETOUR_IMPORT_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "packet/packet.h"

#define LEX_NAME_SIZE 256
#define LEX_ASNS_MAX  8

enum token_kind {
	TOKEN_END,
	TOKEN_STAR,    /* nobody answered */
	TOKEN_TIME,    /* 9.1 ms, 12 msec, <1 ms, 1.2ms, 850us */
	TOKEN_ADDRESS, /* ADDR, NAME (ADDR), NAME [ADDR], (ADDR) */
	TOKEN_AS,      /* [AS64501], [AS 64501, 64502], [*], AS=64501 */
	TOKEN_MARK,    /* !H, !<13>, !F-1480, ! */
	TOKEN_LABELS,  /* <MPLS:...>, [MPLS: ...], MPLS Label=..., Label=... */
	TOKEN_WORD,    /* anything else */
};

struct token {
	enum token_kind kind;
	int64_t rtt_ns;
	struct addr address;
	char name[LEX_NAME_SIZE]; /* of an address, or the word; "" = none */
	uint32_t asns[LEX_ASNS_MAX];
	size_t asn_count;
	char mark[12];
	struct mpls_entry labels[MPLS_STACK_MAX];
	uint8_t label_count;
};

/* The next piece; moves past it. */
void lex_next(const char **at, struct token *token);
/* A whole text that is an address, with or without a scope (%eth0), brackets or a comma behind it. */
bool lex_address(const char *text, size_t length, struct addr *address);
/* "9.1", "9,1" or "<1" and a unit, blanks allowed between; false and no move when it is none. Less than one
 * of something counts as one of it: at most that. */
bool lex_time(const char **at, int64_t *rtt_ns);
/* Labels as MPLS:L=1,E=0,S=1,T=1/L=2..., Lbl 1 TC 0 S 1 TTL 1, Labels 1/2 Exp 0, Label=1 CoS=0 TTL=1 S=1. */
uint8_t lex_labels(const char *text, size_t length, struct mpls_entry labels[static MPLS_STACK_MAX]);
/* The numbers in "AS1/AS2", "AS 1, 2", "1". */
size_t lex_asns(const char *text, size_t length, uint32_t asns[static LEX_ASNS_MAX]);
/* The text, cut to the size. */
void lex_copy(char *out, size_t size, const char *text, size_t length);

#endif
