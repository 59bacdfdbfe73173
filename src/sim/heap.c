#include "sim/heap.h"

#include <stdlib.h>

void heap_push(struct heap *heap, uint32_t distance, uint32_t node)
{
	if (heap->count == heap->capacity) {
		size_t capacity = heap->capacity ? 2 * heap->capacity : 256;
		uint64_t *items = realloc(heap->items, capacity * sizeof(*items));
		if (!items) {
			heap->failed = true;
			return;
		}
		heap->items = items;
		heap->capacity = capacity;
	}
	uint64_t item = (uint64_t)distance << 32 | node;
	size_t at = heap->count++;
	for (; at > 0 && item < heap->items[(at - 1) / 2]; at = (at - 1) / 2)
		heap->items[at] = heap->items[(at - 1) / 2];
	heap->items[at] = item;
}

bool heap_pop(struct heap *heap, uint32_t *distance, uint32_t *node)
{
	if (heap->count == 0)
		return false;
	uint64_t first = heap->items[0], last = heap->items[--heap->count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < heap->count && heap->items[child + 1] < heap->items[child])
			child++;
		if (child >= heap->count || heap->items[child] >= last)
			break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	heap->items[at] = last;
	*distance = (uint32_t)(first >> 32);
	*node = (uint32_t)first;
	return true;
}

void heap_free(struct heap *heap)
{
	free(heap->items);
	*heap = (struct heap){0};
}
