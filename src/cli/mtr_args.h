/* The command line of mtr 0.95. */
#ifndef RETOUR_CLI_MTR_ARGS_H
#define RETOUR_CLI_MTR_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path/model.h"
#include "report/layout_mtr.h"

#define MTR_FAILED    1 /* its exit status for what it does not understand */
#define MTR_HOSTS_MAX 256

enum mtr_mode { MTR_SCREEN, MTR_REPORT, MTR_CSV, MTR_JSON, MTR_XML, MTR_RAW };

struct mtr_args {
	enum mtr_mode mode;
	uint8_t family;
	enum probe_protocol protocol;
	bool wide, numeric, show_addresses, origins, mpls;
	bool cycles_given;
	unsigned cycles, first_ttl, max_ttl, max_unknown, tos, size, mark;
	uint16_t port, local_port; /* 0 = the default */
	double interval_s, grace_s;
	unsigned timeout_s; /* of a probe */
	struct addr source;
	const char *interface;
	char fields[MTR_FIELDS_MAX + 1];
	char *hosts[MTR_HOSTS_MAX]; /* owned */
	size_t host_count;
};

/* -1 to go on, or the exit status with which to leave. mtr_args_deinit either way. */
int mtr_args_parse(struct mtr_args *args, int argc, char **argv);
void mtr_args_deinit(struct mtr_args *args);

#endif
