/* Where a coordinator works: a store in a folder of its own, and a loop. Include cmocka.h before. */
#ifndef RETOUR_TESTS_REVTR_OFFICE_H
#define RETOUR_TESTS_REVTR_OFFICE_H

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "bus/bus.h"
#include "revtr/coordinator.h"

static inline void make_folder(char folder[40], char file[60])
{
	snprintf(folder, 40, "/tmp/retour-coordinator-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, 60, "%s/store", folder);
}

static inline void remove_folder(const char *folder)
{
	char command[80];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
}

static inline struct coordinator *open_coordinator(uv_loop_t *loop, struct bus *bus, const char *file,
	const struct coordinator_options *options, struct store **store)
{
	struct error error = {0};
	if (store_open(store, file, &error) < 0)
		fail_msg("%s", error.text);
	struct coordinator *coordinator = coordinator_new(loop, *store, bus, options, &error);
	if (!coordinator)
		fail_msg("%s", error.text);
	return coordinator;
}

static inline void note_closed(void *context)
{
	*(bool *)context = true;
}

static inline void close_coordinator(struct coordinator *coordinator, uv_loop_t *loop, struct store *store)
{
	bool closed = false;
	coordinator_free(coordinator, note_closed, &closed);
	while (!closed)
		uv_run(loop, UV_RUN_ONCE);
	store_close(store);
}

/* Nothing is left over. */
static inline void close_loop(uv_loop_t *loop, struct bus *bus)
{
	bus_free(bus, NULL, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

#endif
