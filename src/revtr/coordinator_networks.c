/* Networks that are asked: how many packets with options each has had today, which addresses may not be asked
 * at all, and which of a /24 answer. A network is an AS where local data knows it, and a /16 otherwise. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define DAY_MS		(24LL * 3600 * 1000)
#define KEPT_DAYS	8
#define PER_DAY		100000 /* a little more than one a second */
#define NEAR_PERCENT	80
#define ROOM_AT_FIRST	1024
#define UNKNOWN_NETWORK (UINT64_C(1) << 32) /* of a /16 by its number; others are AS numbers */
#define WHAT_SIZE	40
#define RESPONDERS_MAX	(1u << 18) /* /24s that are remembered */

struct network {
	uint64_t key;	       /* 0: free */
	int64_t spent, unkept; /* today; of that, what the store does not know yet */
};

/* Addresses of one /24 that have answered, the latest first. */
struct neighbours {
	uint32_t net; /* of 24 bits, and one more: 0 = free */
	uint32_t addresses[3];
};

struct networks {
	int64_t day; /* since 1970 */
	struct network *table;
	size_t count, room; /* a power of two */
	uint64_t *unkept;   /* those of which the store does not know all */
	size_t unkept_count, unkept_room;
	struct neighbours *neighbours;
	uint32_t neighbour_count, neighbour_room; /* a power of two */
};

/* ---- the table */

static size_t place_of(const struct network *table, size_t room, uint64_t key)
{
	size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (room - 1);
	while (table[i].key != 0 && table[i].key != key)
		i = (i + 1) & (room - 1);
	return i;
}

/* NULL: out of memory. */
static struct network *network_of(struct networks *networks, uint64_t key)
{
	if (4 * (networks->count + 1) > 3 * networks->room) {
		size_t room = networks->room ? 2 * networks->room : ROOM_AT_FIRST;
		struct network *table = calloc(room, sizeof(*table));
		if (!table)
			return NULL;
		for (size_t i = 0; i < networks->room; i++)
			if (networks->table[i].key)
				table[place_of(table, room, networks->table[i].key)] = networks->table[i];
		free(networks->table);
		networks->table = table;
		networks->room = room;
	}
	struct network *network = &networks->table[place_of(networks->table, networks->room, key)];
	networks->count += network->key == 0;
	network->key = key;
	return network;
}

static uint64_t key_of(uint32_t asn, uint32_t address)
{
	return asn ? asn : UNKNOWN_NETWORK | address >> 16;
}

static void name_of(uint64_t key, char what[static WHAT_SIZE])
{
	uint32_t net = (uint32_t)key & 0xffff;
	if (key & UNKNOWN_NETWORK)
		snprintf(what, WHAT_SIZE, "net:%u.%u.0.0/16", net >> 8, net & 0xff);
	else
		snprintf(what, WHAT_SIZE, "net:AS%" PRIu64, key);
}

static void load_spent(void *context, const char *what, int64_t amount)
{
	struct networks *networks = context;
	unsigned high, low;
	uint64_t key = strncmp(what, "net:AS", 6) == 0 ? strtoull(what + 6, NULL, 10) : 0;
	if (sscanf(what, "net:%u.%u.0.0/16", &high, &low) == 2)
		key = UNKNOWN_NETWORK | (high & 0xff) << 8 | (low & 0xff);
	struct network *network = key ? network_of(networks, key) : NULL;
	if (network)
		network->spent = amount;
}

/* Another day, be it that the clock was set: what was spent on that one is in the store. */
static struct networks *today(struct coordinator *c)
{
	struct networks *networks = c->networks;
	int64_t day = coordinator_now_ms() / DAY_MS;
	struct error error;
	if (networks->day == day)
		return networks;
	if (networks->unkept_count > 0 && coordinator_flush(c, &error) < 0)
		return networks; /* a full disk: the old day goes on until it can be kept */
	if (networks->room)
		memset(networks->table, 0, networks->room * sizeof(*networks->table));
	networks->count = 0;
	networks->day = day;
	if (store_each_spent(c->store, "net:", day, load_spent, networks, &error) < 0 ||
		store_forget_spent(c->store, day - KEPT_DAYS, &error) < 0)
		c->health.store_failed = true;
	return networks;
}

/* ---- what is asked before, and noted after a packet */

static uint32_t asn_of(const struct coordinator *c, uint32_t address)
{
	return c->options.asn ? c->options.asn(c->options.asn_context, address) : 0;
}

uint32_t coordinator_asn(void *context, uint32_t address)
{
	return asn_of(context, address);
}

bool coordinator_opted_out(const struct coordinator *c, struct addr address)
{
	for (size_t i = 0; i < c->options.opt_out_count; i++)
		if (prefix_contains(c->options.opt_out[i], address))
			return true;
	return false;
}

static bool is_spent(struct coordinator *c, uint32_t asn, uint32_t address)
{
	struct networks *networks = today(c);
	if (c->options.per_network == COORDINATOR_NO_LIMIT || networks->room == 0)
		return false;
	const struct network *network =
		&networks->table[place_of(networks->table, networks->room, key_of(asn, address))];
	return network->key && network->spent >= (int64_t)c->options.per_network;
}

bool coordinator_may_ask(void *context, uint32_t asn, uint32_t address)
{
	struct coordinator *c = context;
	return !coordinator_opted_out(c, addr_v4(address)) && !is_spent(c, asn, address);
}

static void note_unkept(struct networks *networks, struct network *network)
{
	if (network->unkept == 0 && networks->unkept_count == networks->unkept_room) {
		size_t room = networks->unkept_room ? 2 * networks->unkept_room : 64;
		uint64_t *longer = realloc(networks->unkept, room * sizeof(*longer));
		if (!longer)
			return; /* it counts as long as this process runs */
		networks->unkept = longer;
		networks->unkept_room = room;
	}
	if (network->unkept++ == 0)
		networks->unkept[networks->unkept_count++] = network->key;
}

bool coordinator_may_spend(struct coordinator *c, struct addr target)
{
	return coordinator_may_ask(c, asn_of(c, (uint32_t)target.low), (uint32_t)target.low);
}

void coordinator_spend(struct coordinator *c, struct addr target)
{
	uint32_t address = (uint32_t)target.low;
	struct network *network = network_of(today(c), key_of(asn_of(c, address), address));
	if (!network)
		return;
	network->spent++;
	note_unkept(c->networks, network);
	coordinator_spent_something(c);
}

/* ---- in the store */

static struct network *unkept_network(const struct networks *networks, size_t index)
{
	return &networks->table[place_of(networks->table, networks->room, networks->unkept[index])];
}

bool coordinator_has_spent(const struct coordinator *c)
{
	return c->networks && c->networks->unkept_count > 0;
}

int coordinator_write_spent(struct coordinator *c, struct error *error)
{
	const struct networks *networks = c->networks;
	int result = 0;
	for (size_t i = 0; i < networks->unkept_count && result == 0; i++) {
		const struct network *network = unkept_network(networks, i);
		char what[WHAT_SIZE];
		int64_t sum;
		name_of(network->key, what);
		result = store_spend(c->store, what, networks->day, network->unkept, &sum, error);
	}
	return result;
}

void coordinator_all_spent_kept(struct coordinator *c)
{
	struct networks *networks = c->networks;
	for (size_t i = 0; i < networks->unkept_count; i++)
		unkept_network(networks, i)->unkept = 0;
	networks->unkept_count = 0;
}

void coordinator_each_network(struct coordinator *c,
	void (*each)(void *context, const struct coordinator_network *network), void *context)
{
	const struct networks *networks = today(c);
	int64_t limit = c->options.per_network;
	for (size_t i = 0; i < networks->room && limit != COORDINATOR_NO_LIMIT; i++) {
		const struct network *network = &networks->table[i];
		if (network->key == 0 || 100 * network->spent < NEAR_PERCENT * limit)
			continue;
		char what[WHAT_SIZE];
		name_of(network->key, what);
		struct coordinator_network told = {.spent = network->spent, .per_day = limit};
		snprintf(told.name, sizeof(told.name), "%s", what + strlen("net:"));
		each(context, &told);
	}
}

/* ---- neighbours */

static struct neighbours *neighbours_of(const struct networks *networks, uint32_t address)
{
	uint32_t net = (address >> 8) + 1, i = (net * 0x9e3779b1u) & (networks->neighbour_room - 1);
	while (networks->neighbours[i].net != 0 && networks->neighbours[i].net != net)
		i = (i + 1) & (networks->neighbour_room - 1);
	return &networks->neighbours[i];
}

static bool more_neighbours(struct networks *networks)
{
	if (4 * (networks->neighbour_count + 1) <= 3 * networks->neighbour_room)
		return true;
	struct networks fresh = *networks;
	fresh.neighbour_room = networks->neighbour_room ? 2 * networks->neighbour_room : ROOM_AT_FIRST;
	fresh.neighbours = fresh.neighbour_room <= RESPONDERS_MAX
		? calloc(fresh.neighbour_room, sizeof(*fresh.neighbours))
		: NULL;
	if (!fresh.neighbours)
		return false;
	for (uint32_t i = 0; i < networks->neighbour_room; i++)
		if (networks->neighbours[i].net)
			*neighbours_of(&fresh, (networks->neighbours[i].net - 1) << 8) =
				networks->neighbours[i];
	free(networks->neighbours);
	*networks = fresh;
	return true;
}

/* false: it is known, or there is no room. */
static bool add_responder(struct networks *networks, uint32_t address)
{
	if (!more_neighbours(networks))
		return false;
	struct neighbours *neighbours = neighbours_of(networks, address);
	uint32_t *list = neighbours->addresses;
	for (size_t i = 0; i < ARRAY_LEN(neighbours->addresses); i++)
		if (list[i] == address)
			return false;
	networks->neighbour_count += neighbours->net == 0;
	neighbours->net = (address >> 8) + 1;
	memmove(list + 1, list, sizeof(neighbours->addresses) - sizeof(*list));
	list[0] = address;
	return true;
}

void coordinator_note_responder(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	struct revtr_list list;
	revtr_read_list(answer, expected->target, c->sources[expected->source].stored.address, true,
		&c->aliases, &list);
	if (list.placed && add_responder(c->networks, (uint32_t)expected->target.low))
		coordinator_keep_responder(c, (uint32_t)expected->target.low);
}

uint32_t coordinator_sibling(void *context, uint32_t address, unsigned number)
{
	const struct coordinator *c = context;
	if (c->networks->neighbour_room == 0 || number >= ARRAY_LEN(c->networks->neighbours->addresses))
		return 0;
	return neighbours_of(c->networks, address)->addresses[number];
}

/* ---- life */

static void load_responder(void *context, uint32_t address)
{
	(void)add_responder(context, address);
}

int coordinator_load_networks(struct coordinator *c, struct error *error)
{
	c->networks = calloc(1, sizeof(*c->networks));
	if (!c->networks)
		return error_set(error, -ENOMEM, "out of memory");
	if (c->options.per_network == 0)
		c->options.per_network = PER_DAY;
	return store_each_responder(c->store, load_responder, c->networks, error);
}

void coordinator_free_networks(struct coordinator *c)
{
	if (!c->networks)
		return;
	free(c->networks->table);
	free(c->networks->unkept);
	free(c->networks->neighbours);
	free(c->networks);
}
