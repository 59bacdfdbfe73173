#include "revtr/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

static void note_kind(struct ledger *ledger, enum revtr_probe probe, bool spoofed, struct addr source)
{
	unsigned i = 0;
	while (i < ledger->kind_count &&
		(ledger->kinds[i].probe != probe || ledger->kinds[i].spoofed != spoofed ||
			!addr_equal(ledger->kinds[i].source, source)))
		i++;
	if (i == LEDGER_KINDS) {
		ledger->other_kinds++;
		return;
	}
	if (i == ledger->kind_count)
		ledger->kinds[ledger->kind_count++] = (struct ledger_kind){probe, spoofed, source, 0};
	ledger->kinds[i].packets++;
}

/* The row of a network that is not there yet: a free one, or that with the fewest packets, which go
 * elsewhere. */
static struct ledger_network *make_room(struct ledger *ledger)
{
	struct ledger_network *least = &ledger->networks[0];
	if (ledger->network_count < LEDGER_NETWORKS)
		return &ledger->networks[ledger->network_count++];
	for (unsigned i = 1; i < LEDGER_NETWORKS; i++)
		if (ledger->networks[i].packets < least->packets)
			least = &ledger->networks[i];
	ledger->elsewhere += least->packets;
	return least;
}

static void note_network(struct ledger *ledger, struct addr target)
{
	uint32_t network = (uint32_t)prefix_of(target, LEDGER_BITS).addr.low;
	unsigned i = 0;
	while (i < ledger->network_count && ledger->networks[i].network != network)
		i++;
	if (i < ledger->network_count)
		ledger->networks[i].packets++;
	else
		*make_room(ledger) = (struct ledger_network){network, 1};
}

void ledger_note(
	struct ledger *ledger, enum revtr_probe probe, bool spoofed, struct addr source, struct addr target)
{
	note_kind(ledger, probe, spoofed, source);
	note_network(ledger, target);
}

static int by_packets(const void *a, const void *b)
{
	const struct ledger_network *one = a, *two = b;
	if (one->packets != two->packets)
		return one->packets > two->packets ? -1 : 1;
	return one->network < two->network ? -1 : one->network > two->network;
}

unsigned ledger_busiest(const struct ledger *ledger, struct ledger_network *networks, unsigned most)
{
	struct ledger_network all[LEDGER_NETWORKS];
	memcpy(all, ledger->networks, ledger->network_count * sizeof(*all));
	qsort(all, ledger->network_count, sizeof(*all), by_packets);
	memcpy(networks, all, MIN(most, ledger->network_count) * sizeof(*all));
	return ledger->network_count;
}
