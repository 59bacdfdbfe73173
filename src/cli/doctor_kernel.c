#include <stdio.h>

#include "cli/doctor_check.h"

/* How this host answers others: as a target, as a hop, as `retour serve`. */
static void check_rate(struct checkup *checkup)
{
	long token_ms, per_second, burst;
	if (!check_sysctl("net/ipv4/icmp_ratelimit", &token_ms) ||
		!check_sysctl("net/ipv4/icmp_msgs_per_sec", &per_second) ||
		!check_sysctl("net/ipv4/icmp_msgs_burst", &burst)) {
		check_add(checkup, "icmp-limit", CHECK_UNKNOWN,
			"the kernel does not tell how it limits its ICMP errors");
		return;
	}
	if (token_ms == 0 && per_second >= 1000) {
		check_add(checkup, "icmp-limit", CHECK_OK,
			"this host sends up to %ld ICMP errors a second, %ld at once", per_second, burst);
		return;
	}
	struct check *check = check_add(checkup, "icmp-limit", CHECK_LIMITED,
		"this host sends one ICMP error in %ld ms to each other host (6 at once), %ld a second to "
		"all: as the end of a path it seems lossy",
		token_ms, per_second);
	check_remedy(check, "sudo sysctl -w net.ipv4.icmp_ratelimit=0");
}

static void check_rate6(struct checkup *checkup)
{
	long token_ms;
	if (!check_sysctl("net/ipv6/icmp/ratelimit", &token_ms))
		return;
	if (token_ms == 0)
		check_add(checkup, "icmpv6-limit", CHECK_OK, "this host sends ICMPv6 errors without a limit");
	else {
		struct check *check = check_add(checkup, "icmpv6-limit", CHECK_LIMITED,
			"this host sends one ICMPv6 error in %ld ms to each other host (6 at once): as the "
			"end of a path it seems lossy",
			token_ms);
		check_remedy(check, "sudo sysctl -w net.ipv6.icmp.ratelimit=0");
	}
}

/* Strict reverse-path filtering (RFC 3704) drops answers that come in by another way than packets go out. */
static void check_path_filter(struct checkup *checkup)
{
	long all, fresh;
	if (!check_sysctl("net/ipv4/conf/all/rp_filter", &all) ||
		!check_sysctl("net/ipv4/conf/default/rp_filter", &fresh)) {
		check_add(checkup, "rp-filter", CHECK_UNKNOWN,
			"the kernel does not tell whether it filters by reverse path");
		return;
	}
	if (all != 1 && (fresh != 1 || all == 2))
		check_add(checkup, "rp-filter", CHECK_OK, "answers may come in by any interface");
	else {
		struct check *check = check_add(checkup, "rp-filter", CHECK_LIMITED,
			"answers that come in by another interface than packets go out are dropped: with "
			"several uplinks hops seem silent");
		check_remedy(check, "sudo sysctl -w net.ipv4.conf.all.rp_filter=2");
	}
}

void doctor_kernel(struct checkup *checkup)
{
	check_rate(checkup);
	check_rate6(checkup);
	check_path_filter(checkup);
}
