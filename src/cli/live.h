/* Looking on while a trace runs: somebody is told after each packet that came in. */
#ifndef RETOUR_CLI_LIVE_H
#define RETOUR_CLI_LIVE_H

#include "probe/machine.h"

struct live {
	struct machine inner;
	void (*heard)(void *context);
	void *context;
};

/* Stands in for live->inner. */
struct machine live_machine(struct live *live);

#endif
