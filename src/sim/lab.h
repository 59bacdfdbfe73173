/* The virtual Internet in real time: every host of a world is a network namespace, and a program runs in one.
 */
#ifndef RETOUR_SIM_LAB_H
#define RETOUR_SIM_LAB_H

#include "base/compiler.h"
#include "base/error.h"
#include "sim/world.h"

struct lab_options {
	const struct world *world;
	uint32_t host;	      /* where the command runs */
	char *const *command; /* ends with NULL */
	uint64_t seed;
	void (*warn)(const char *text); /* one line for a person: a service failed */
};

/* Run the command and wait for it. 0 and its exit status in *status (128 + signal when one ended it), or a
 * negative errno. Nothing is left behind, even when this process is killed: all that the lab makes lives in
 * namespaces without a name that end with it. */
int lab_run(const struct lab_options *options, int *status, struct error *error) MUST_USE;

#endif
