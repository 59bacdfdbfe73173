/* The parts of a running lab. Not for other rooms. */
#ifndef RETOUR_SIM_LAB_INSIDE_H
#define RETOUR_SIM_LAB_INSIDE_H

#include <sys/types.h>

#include "sim/lab.h"
#include "sim/sim.h"

/* Up to so many hosts all have a kernel of their own; in larger worlds only those that programs run on, and
 * the simulator answers for the others. */
#define LAB_KERNELS_MAX 64

struct lab_host {
	int namespace_fd, device_fd; /* -1: no kernel */
};

/* What a file descriptor that epoll reports is for. */
enum lab_source { LAB_TIMER, LAB_SIGNALS, LAB_DEVICE, LAB_SERVICE, LAB_CONTROL, LAB_REQUEST };

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
	unsigned service_count; /* of the world's, or 0 */
	int64_t started_ns;	/* monotonic; the sim's time 0 */
	int64_t deadline_ns;	/* of the state the lab is in, in the sim's time; TIME_NEVER */
	int epoll, timer, signals, control;
	bool may_spin;
	int64_t awake_ns; /* so long may the lab spin */
	pid_t command;
	int status; /* of the command, once it has ended */
	enum { LAB_STARTING, LAB_RUNNING, LAB_STOPPING, LAB_ENDED } state;
};

/* lab.c: report input on `fd` as (source, index). */
int lab_watch(struct lab *lab, int fd, enum lab_source source, uint32_t index) MUST_USE;

/* lab_view.c: what programs inside see of the file system: names resolve in the world, RETOUR_DATA and PATH
 * are set. Call in a mount namespace of our own. */
int lab_view(const struct world *world, struct error *error) MUST_USE;

/* lab_process.c: start a program on a host; its output goes to `output` unless that is -1. */
int lab_spawn(struct lab *lab, uint32_t host, char *const *command, int output, pid_t *pid,
	struct error *error) MUST_USE;
int lab_start_services(struct lab *lab) MUST_USE;

/* lab_control.c: a socket in the lab's own directory, on which programs inside may change the world. */
int lab_control_open(struct lab *lab) MUST_USE;
void lab_control_accept(struct lab *lab);
void lab_control_answer(struct lab *lab, int fd);

/* lab_loop.c: packets and processes until the command and the services have ended. */
int lab_loop(struct lab *lab) MUST_USE;

#endif
