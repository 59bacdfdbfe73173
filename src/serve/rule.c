#include "serve/rule.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <unistd.h>

#include "net/privilege.h"

/* Ahead of other filters and of connection tracking's verdicts: whatever they allow, this must go. */
static const char rule_text[] = "add table inet retour-%d { flags owner; "
				"chain input { type filter hook input priority -300; policy accept; "
				"icmp type echo-request icmp code 1 drop; "
				"icmpv6 type echo-request icmpv6 code 1 drop; }; }";

int rule_install(struct rule *rule, struct error *error)
{
	char text[400];
	rule->nftables.context = NULL;
	/* Asked first, because without it libnftables prints a complaint of its own. */
	if (!privilege_has(CAP_NET_ADMIN))
		return error_set(error, -EPERM, "no nftables rule without cap_net_admin");
	int result = nftables_open(&rule->nftables, error);
	if (result < 0)
		return result;
	snprintf(text, sizeof(text), rule_text, (int)getpid());
	result = nftables_run(&rule->nftables, text, -EOPNOTSUPP, error);
	if (result < 0)
		rule_remove(rule);
	return result;
}

void rule_remove(struct rule *rule)
{
	nftables_close(&rule->nftables);
}
