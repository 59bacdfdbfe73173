/* The parts of a running lab. Not for other rooms. */
#ifndef RETOUR_SIM_LAB_INSIDE_H
#define RETOUR_SIM_LAB_INSIDE_H

#include <sys/types.h>

#include "sim/lab.h"
#include "sim/sim.h"

struct lab_host {
	int namespace_fd, device_fd;
};

struct lab_service {
	pid_t pid;	/* 0: not running */
	int output;	/* what it prints comes out here; -1: closed */
	bool ready;	/* said something, or ended */
	char last[200]; /* the last it said */
};

struct lab {
	const struct lab_options *options;
	struct error *error;
	struct sim *sim;
	struct lab_host *hosts;
	struct lab_service *services;
	int64_t started_ns;  /* monotonic; the sim's time 0 */
	int64_t deadline_ns; /* of the state the lab is in, in the sim's time; TIME_NEVER */
	int epoll, timer, signals;
	pid_t command;
	int status; /* of the command, once it has ended */
	enum { LAB_STARTING, LAB_RUNNING, LAB_STOPPING, LAB_ENDED } state;
};

/* lab_view.c: what programs inside see of the file system: names resolve in the world, RETOUR_DATA and PATH
 * are set. Call in a mount namespace of our own. */
int lab_view(const struct world *world, struct error *error) MUST_USE;

/* lab_process.c: start a program on a host; its output goes to `output` unless that is -1. */
int lab_spawn(struct lab *lab, uint32_t host, char *const *command, int output, pid_t *pid,
	struct error *error) MUST_USE;
int lab_start_services(struct lab *lab) MUST_USE;

/* lab_loop.c: packets and processes until the command and the services have ended. */
int lab_loop(struct lab *lab) MUST_USE;

#endif
