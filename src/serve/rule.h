/* The firewall rule that keeps the kernel from echoing requests to the responder.
 *
 * A request is an ICMP echo request with code 1, and Linux answers those whatever their code, faster than any
 * program. A stock client would take that echo for the responder's answer. So one rule drops echo requests of
 * code 1, and those alone, on their way in; packet sockets still see them. The table is owned by the netlink
 * socket that made it (NFT_TABLE_F_OWNER, Linux 5.12): the kernel removes it when that socket closes, however
 * the process ends. */
#ifndef RETOUR_SERVE_RULE_H
#define RETOUR_SERVE_RULE_H

#include "base/compiler.h"
#include "base/error.h"
#include "net/nftables.h"

struct rule {
	struct nftables nftables; /* without context = not installed */
};

int rule_install(struct rule *rule, struct error *error) MUST_USE;
void rule_remove(struct rule *rule);

#endif
