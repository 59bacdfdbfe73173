/* The networks near the far host, and the looking glasses that are known for them. Asks nobody. */
#ifndef RETOUR_REVERSE_CATALOGUE_NEAR_H
#define RETOUR_REVERSE_CATALOGUE_NEAR_H

#include <stddef.h>

#include "base/compiler.h"
#include "path/model.h"
#include "reverse/catalogue.h"
#include "reverse/settings.h"
#include "reverse/vantage.h"

enum near_source {
	NEAR_SETTINGS,	/* the user allows it to be asked */
	NEAR_OWN,	/* the user's list */
	NEAR_SHIPPED,	/* the program's list */
	NEAR_PEERINGDB, /* the network's own word, there */
};

struct near_glass {
	enum near_source source;
	const char *name; /* of the settings, else NULL */
	char url[256];	  /* untrusted; PeeringDB's are free text, and may be no URL */
	const char *note; /* or NULL */
	bool traces;	  /* known to run traceroutes */
};

struct near_network {
	uint32_t asn;
	char name[128]; /* "" = not known; untrusted */
	bool upstream;	/* on the way to the far host; else it is the far host's own */
	struct near_glass *glasses;
	size_t count;
};

struct near {
	struct near_network networks[ORIGINS_MAX + VANTAGE_UPSTREAMS_MAX]; /* nearest first */
	size_t count;
};

struct near_sources {
	const struct data *data;
	const struct settings *settings;
	const struct catalogue *own, *shipped;
};

/* Strings are borrowed from the sources. `forward` may be NULL. 0 or -ENOMEM; `near` is to be deinitialised
 * in any case. */
int near_find(struct near *near, const struct vantage_scene *scene, const struct path *forward,
	const struct near_sources *sources) MUST_USE;
void near_deinit(struct near *near);
const char *near_source_word(enum near_source source);

#endif
