#include "revtr/budget.h"

#include <stdlib.h>

#include "base/clock.h"

#define ROOM_AT_FIRST 256

void budget_deinit(struct budget *budget)
{
	free(budget->table);
}

static uint64_t key_of(enum budget_kind kind, uint32_t number)
{
	return (uint64_t)(kind + 1) << 32 | number;
}

static struct budget_entry *slot_of(const struct budget *budget, uint64_t key)
{
	uint32_t i = (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (budget->room - 1);
	while (budget->table[i].key != 0 && budget->table[i].key != key)
		i = (i + 1) & (budget->room - 1);
	return &budget->table[i];
}

/* Nothing is lost by forgetting a full bucket. */
static bool worth_keeping(const struct budget_entry *entry, int64_t now_ns)
{
	return entry->key != 0 && (entry->full_ns > now_ns || entry->dead_ns > now_ns);
}

static bool make_room(struct budget *budget, int64_t now_ns)
{
	if (budget->room && 4 * (budget->count + 1) <= 3 * budget->room)
		return true;
	struct budget fresh = *budget;
	fresh.count = 0;
	for (uint32_t i = 0; i < budget->room; i++)
		fresh.count += worth_keeping(&budget->table[i], now_ns);
	fresh.room = budget->room ? budget->room : ROOM_AT_FIRST;
	while (2 * fresh.count > fresh.room)
		fresh.room *= 2;
	fresh.table = calloc(fresh.room, sizeof(*fresh.table));
	if (!fresh.table)
		return false;
	for (uint32_t i = 0; i < budget->room; i++)
		if (worth_keeping(&budget->table[i], now_ns))
			*slot_of(&fresh, budget->table[i].key) = budget->table[i];
	free(budget->table);
	*budget = fresh;
	return true;
}

/* NULL: out of memory. Good until the next one is asked for. */
static struct budget_entry *entry_of(struct budget *budget, uint64_t key, int64_t now_ns)
{
	if (!make_room(budget, now_ns))
		return NULL;
	struct budget_entry *entry = slot_of(budget, key);
	if (entry->key == 0) {
		*entry = (struct budget_entry){.key = key, .full_ns = now_ns};
		budget->count++;
	}
	return entry;
}

static const struct budget_entry *find(const struct budget *budget, uint32_t target)
{
	return budget->room ? slot_of(budget, key_of(BUDGET_TARGET, target)) : NULL;
}

static int64_t interval(const struct budget_rate *rate)
{
	return (int64_t)((double)NS_PER_S / rate->per_second);
}

int64_t budget_take(struct budget *budget, const struct budget_packet *packet, int64_t now_ns)
{
	uint64_t keys[BUDGET_KINDS] = {
		[BUDGET_TARGET] = key_of(BUDGET_TARGET, packet->target),
		[BUDGET_NET] = key_of(BUDGET_NET, packet->target >> 8),
		[BUDGET_SOURCE] = key_of(BUDGET_SOURCE, packet->source),
		[BUDGET_AGENT] = key_of(BUDGET_AGENT, packet->agent),
	};
	int64_t at_ns = now_ns;
	for (int kind = 0; kind < BUDGET_KINDS; kind++) {
		const struct budget_rate *rate = &budget->rates[kind];
		const struct budget_entry *entry =
			rate->per_second > 0 ? entry_of(budget, keys[kind], now_ns) : NULL;
		if (entry)
			at_ns = MAX(at_ns, entry->full_ns - (int64_t)(rate->burst - 1) * interval(rate));
	}
	for (int kind = 0; kind < BUDGET_KINDS; kind++) {
		const struct budget_rate *rate = &budget->rates[kind];
		struct budget_entry *entry =
			rate->per_second > 0 ? entry_of(budget, keys[kind], now_ns) : NULL;
		if (entry)
			entry->full_ns = MAX(entry->full_ns, at_ns) + interval(rate);
	}
	return at_ns;
}

int64_t budget_backlog(const struct budget *budget, enum budget_kind kind, uint32_t number, int64_t now_ns)
{
	const struct budget_rate *rate = &budget->rates[kind];
	if (rate->per_second <= 0 || budget->room == 0)
		return 0;
	const struct budget_entry *entry = slot_of(budget, key_of(kind, number));
	return entry->key ? MAX(entry->full_ns - (int64_t)(rate->burst - 1) * interval(rate) - now_ns, 0) : 0;
}

void budget_silent(struct budget *budget, uint32_t target, unsigned packets, int64_t now_ns)
{
	struct budget_entry *entry =
		budget->silent_max ? entry_of(budget, key_of(BUDGET_TARGET, target), now_ns) : NULL;
	if (!entry)
		return;
	entry->silent += packets;
	/* Kept as long as it counts. */
	entry->dead_ns = MAX(entry->dead_ns, now_ns + budget->dead_for_ns);
}

void budget_alive(struct budget *budget, uint32_t target)
{
	const struct budget_entry *found = find(budget, target);
	if (!found || found->key == 0)
		return;
	struct budget_entry *entry = slot_of(budget, found->key);
	entry->silent = 0;
	entry->dead_ns = 0;
}

bool budget_dead(const struct budget *budget, uint32_t target, int64_t now_ns)
{
	const struct budget_entry *entry = find(budget, target);
	return entry && entry->key != 0 && budget->silent_max && entry->silent >= budget->silent_max &&
		entry->dead_ns > now_ns;
}
