/* A world file as written: the YAML document in C, before names are resolved (docs/lab.md is the reference).
 * Pointers that are NULL, and counts that are 0, were not in the file. */
#ifndef RETOUR_SIM_WORLD_FILE_H
#define RETOUR_SIM_WORLD_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "sim/behaviour_file.h"

struct file_as {
	unsigned asn;
	char *name, *country, *prefix, *prefix6;
	char **prefixes, **infrastructure;
	unsigned prefixes_count, infrastructure_count;
	unsigned *link_length; /* of its IPv4 links: 30 or 31 */
	bool private_links;
	struct file_behaviour *behaviour;
};

struct file_node {
	char *name, *dns, *address, *address6;
	char *router; /* hosts */
	double *delay_ms;
	char *loopback, *loopback6, *place; /* routers */
	unsigned as;
	struct file_behaviour *behaviour;
};

struct file_link {
	char *from, *to;
	char *from_address, *to_address, *from_address6, *to_address6;
	double *delay_ms, *delay_back_ms, loss, *loss_back;
	unsigned cost, cost_back; /* 0 = not in the file */
	unsigned mtu;		  /* 0 = not in the file */
	struct file_queue *queue, *queue_back;
};

/* Either provider and customer, or peers. */
struct file_relation {
	unsigned provider, customer, *peers;
	unsigned peers_count, family;
	char *ixp;
};

struct file_policy {
	unsigned as, neighbour, family;
	unsigned *local_preference, *prepend;
	int *exported;
	char *prefix;
};

struct file_ixp {
	char *name, *country, *prefix, *prefix6;
	char **members;
	unsigned members_count;
	double *delay_ms;
};

struct file_route {
	char *at, *to;
	char **via;
	unsigned via_count;
	bool drop;
	int *refuse; /* enum refusal */
};

/* Where the label comes off: before the last router, at it, or there only after it was quoted. */
enum pop { POP_PENULTIMATE, POP_ULTIMATE, POP_OPAQUE };

struct file_tunnel {
	char **routers;
	unsigned routers_count;
	unsigned *labels;
	unsigned labels_count;
	bool hidden;	 /* no TTL propagation: the routers inside do not show */
	bool unlabelled; /* time-exceeded messages do not carry the label stack */
	int pop;	 /* enum pop */
};

/* Packets to `prefix` (and from `from`) leave `at` in a tunnel to `to`, whatever plain routing says. */
struct file_detour {
	char *at, *to, *prefix, *from;
};

struct file_fault {
	char **link;
	unsigned link_count;
	double after_s, *until_s, loss, delay_ms;
	bool down, reroute, one_way;
};

struct file_service {
	char *host, *run, *ready;
};

struct world_file {
	char *summary;
	struct file_as *ases;
	unsigned ases_count;
	struct file_node *hosts;
	unsigned hosts_count;
	struct file_node *routers;
	unsigned routers_count;
	struct file_link *links;
	unsigned links_count;
	struct file_relation *relations;
	unsigned relations_count;
	struct file_policy *policies;
	unsigned policies_count;
	struct file_ixp *ixps;
	unsigned ixps_count;
	struct file_route *routes;
	unsigned routes_count;
	struct file_tunnel *tunnels;
	unsigned tunnels_count;
	struct file_detour *detours;
	unsigned detours_count;
	struct file_fault *faults;
	unsigned faults_count;
	struct file_service *services;
	unsigned services_count;
};

/* `text` ends with a NUL that `length` does not count; `name` is for messages only. On failure -EINVAL and
 * "NAME:LINE: what is wrong, what was expected". */
int world_file_read(const char *name, const char *text, size_t length, struct world_file **file,
	struct error *error) MUST_USE;
/* Tells every mistake of form, one line each, in a text that world_file_read has refused; returns how many.
 */
unsigned world_file_mistakes(const char *name, const char *text, size_t length,
	void (*complain)(void *context, const char *line), void *context);
void world_file_free(struct world_file *file);

#endif
