/* The virtual Internet in real time: every host of a world is a network namespace, and a program runs in one.
 */
#ifndef RETOUR_SIM_LAB_H
#define RETOUR_SIM_LAB_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "sim/pcap.h"
#include "sim/world.h"

/* What passes a place is written to a file as it passes, so that the file is whole even when the lab is
 * killed. */
struct lab_recording {
	struct pcap pcap; /* of pcap_place(); the lab does the rest */
	int fd;
};

struct lab_options {
	const struct world *world;
	uint32_t host;	      /* where the command runs */
	char *const *command; /* ends with NULL */
	uint64_t seed;
	bool no_services; /* of the world are started */
	struct lab_recording *recordings;
	unsigned recording_count;
	void (*warn)(const char *text); /* one line for a person: a service failed */
};

/* Run the command and wait for it. 0 and its exit status in *status (128 + signal when one ended it), or a
 * negative errno. Nothing is left behind, even when this process is killed: all that the lab makes lives in
 * namespaces without a name that end with it. */
int lab_run(const struct lab_options *options, int *status, struct error *error) MUST_USE;

/* From a program inside a lab: do something to the world ("link A B up|down|reroute"). 0, -ENOENT when this
 * is no lab, or -EINVAL and what the lab had to say. */
int lab_control(const char *request, struct error *error) MUST_USE;

#endif
