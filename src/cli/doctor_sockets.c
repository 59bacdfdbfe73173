#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/addr.h"
#include "cli/doctor_check.h"
#include "net/privilege.h"
#include "net/route.h"
#include "net/trial.h"

static const char *const raw_ids[] = {"raw-ipv4", "raw-ipv6"};
static const char *const ping_ids[] = {"ping-ipv4", "ping-ipv6"};
static const char *const queue_ids[] = {"error-queue-ipv4", "error-queue-ipv6"};
static const char *const route_ids[] = {"route-ipv4", "route-ipv6"};

static const char *own_path(char path[static PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[MAX(length, 0)] = '\0';
	return length > 0 ? path : "retour";
}

static void check_privilege(struct checkup *checkup)
{
	char path[PATH_MAX], attribute[64];
	own_path(path);
	bool file = getxattr(path, "security.capability", attribute, sizeof(attribute)) > 0;
	bool raw = privilege_has(CAP_NET_RAW), admin = privilege_has(CAP_NET_ADMIN);
	if (raw) {
		check_add(checkup, "privilege", CHECK_OK,
			"cap_net_raw%s%s: every kind of probe, quoted headers, ways back",
			admin ? " and cap_net_admin" : "",
			geteuid() == 0 ? ", as root"
				: file ? ", from the file"
				       : "");
		return;
	}
	struct check *check = check_add(checkup, "privilege", CHECK_LIMITED,
		"no cap_net_raw%s: probes go through the error queue; no quoted headers, no ways back",
		file ? ", although the file has capabilities (no_new_privs, or a mount with nosuid?)" : "");
	check_remedy(check, "sudo setcap cap_net_raw+ep %s", path);
}

static void check_sockets(struct checkup *checkup, unsigned which, const struct trial *trial)
{
	struct check *check;
	if (trial->raw == 0)
		check_add(checkup, raw_ids[which], CHECK_OK, "raw sockets work");
	else
		check_add(
			checkup, raw_ids[which], CHECK_MISSING, "no raw sockets: %s", strerror(-trial->raw));
	if (trial->ping == 0) {
		check_add(checkup, ping_ids[which], CHECK_OK, "ICMP echo sockets work without privilege");
	} else {
		check = check_add(checkup, ping_ids[which], CHECK_LIMITED,
			"no ICMP echo sockets without privilege: %s", strerror(-trial->ping));
		if (trial->ping == -EACCES)
			check_remedy(check, "sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"");
	}
	if (trial->error_queue == 0) {
		check_add(checkup, queue_ids[which], CHECK_OK, "ICMP errors come through the error queue");
		return;
	}
	check = check_add(checkup, queue_ids[which], CHECK_MISSING, "%s",
		trial->error_queue == -ETIMEDOUT ? "an ICMP error to ourselves never came: a firewall on "
						   "this host drops it, or the loopback is down"
						 : strerror(-trial->error_queue));
	if (trial->error_queue == -ETIMEDOUT || trial->error_queue == -ENETUNREACH ||
		trial->error_queue == -EADDRNOTAVAIL)
		check_remedy(check, "sudo ip link set lo up");
}

/* Towards an address for documentation (RFC 5737, RFC 3849): the routing table is asked, nothing is sent. */
static bool check_route(struct checkup *checkup, unsigned which)
{
	struct addr anywhere = which == 0 ? addr_v4(0xc0000201) : addr_v6(0x20010db800000000, 1), source;
	char text[ADDR_TEXT_SIZE];
	struct error error = {0};
	bool there = route_source(anywhere, ADDR_NONE, NULL, &source, &error) == 0;
	if (there)
		check_add(checkup, route_ids[which], CHECK_OK, "packets to the world leave from %s",
			addr_format(source, text));
	else {
		struct check *check = check_add(checkup, route_ids[which], CHECK_MISSING,
			"no route to the world: only what is near can be measured");
		check_remedy(check, "sudo ip -%u route add default via GATEWAY", which == 0 ? 4 : 6);
	}
	return there;
}

static void check_stamps(struct checkup *checkup, const struct trial *trials)
{
	bool sent = trials[0].transmit_stamp == 0 || trials[1].transmit_stamp == 0;
	bool received = trials[0].receive_stamp == 0 || trials[1].receive_stamp == 0;
	const char *what = sent && received
		? "the kernel notes when packets leave and come: no scheduling noise in times"
		: received ? "no transmit timestamps: times include how long this program waited to send"
		: sent	   ? "no receive timestamps: times include how long this program waited to run"
			   : "no kernel timestamps: times include how long this program waited to run";
	check_add(checkup, "timestamps", sent && received ? CHECK_OK : CHECK_LIMITED, "%s", what);
}

static void check_namespaces(struct checkup *checkup)
{
	int code = trial_namespaces();
	long allowed;
	if (code == 0 && access("/dev/net/tun", R_OK | W_OK) == 0) {
		check_add(checkup, "lab", CHECK_OK, "network namespaces and TUN devices: `retour lab` works");
		return;
	}
	if (code == 0) {
		struct check *check =
			check_add(checkup, "lab", CHECK_LIMITED, "no /dev/net/tun: no `retour lab`");
		check_remedy(check, "sudo modprobe tun");
		return;
	}
	struct check *check = check_add(checkup, "lab", CHECK_LIMITED,
		"no network namespaces (%s): no `retour lab`", strerror(-code));
	if (check_sysctl("kernel/unprivileged_userns_clone", &allowed) && allowed == 0)
		check_remedy(check, "sudo sysctl -w kernel.unprivileged_userns_clone=1");
	else if (check_sysctl("kernel/apparmor_restrict_unprivileged_userns", &allowed) && allowed == 1)
		check_remedy(check, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	else if (check_sysctl("user/max_user_namespaces", &allowed) && allowed == 0)
		check_remedy(check, "sudo sysctl -w user.max_user_namespaces=10000");
}

void doctor_sockets(struct checkup *checkup)
{
	struct trial trials[2];
	check_privilege(checkup);
	for (unsigned i = 0; i < 2; i++) {
		trial_run(i == 0 ? 4 : 6, &trials[i]);
		check_sockets(checkup, i, &trials[i]);
		bool route = check_route(checkup, i);
		checkup->whole |= route && trials[i].raw == 0;
		checkup->part |= route && (trials[i].raw == 0 || trials[i].error_queue == 0);
	}
	check_stamps(checkup, trials);
	check_namespaces(checkup);
}
