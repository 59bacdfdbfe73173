/* A binary heap of distances: what Dijkstra's algorithm (1959) takes the nearest from. */
#ifndef RETOUR_SIM_HEAP_H
#define RETOUR_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct heap {
	uint64_t *items; /* the distance above the number of the node, so that ties are settled */
	size_t count, capacity;
	bool failed; /* out of memory: what was pushed is missing */
};

void heap_push(struct heap *heap, uint32_t distance, uint32_t node);
/* False when it is empty. */
bool heap_pop(struct heap *heap, uint32_t *distance, uint32_t *node);
void heap_free(struct heap *heap);

#endif
