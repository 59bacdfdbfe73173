#include "serve/vantage_ledger.h"

#include <inttypes.h>

#include "revtr/ledger.h"
#include "revtr/message.h"

#define NETWORKS_SHOWN 20

static void print_kinds(const struct ledger *ledger, const char *name, FILE *out)
{
	char text[ADDR_TEXT_SIZE];
	for (unsigned i = 0; i < ledger->kind_count; i++) {
		const struct ledger_kind *kind = &ledger->kinds[i];
		fprintf(out, "retour serve: agent %s: %" PRIu64 " packets, %s for %s%s\n", name,
			kind->packets, message_probe_word(kind->probe), addr_format(kind->source, text),
			kind->spoofed ? ", in its name" : "");
	}
	if (ledger->other_kinds > 0)
		fprintf(out, "retour serve: agent %s: %" PRIu64 " packets of other kinds\n", name,
			ledger->other_kinds);
}

static void print_networks(const struct ledger *ledger, const char *name, FILE *out)
{
	struct ledger_network networks[NETWORKS_SHOWN];
	char text[PREFIX_TEXT_SIZE];
	unsigned count = ledger_busiest(ledger, networks, NETWORKS_SHOWN),
		 shown = MIN(count, (unsigned)NETWORKS_SHOWN);
	if (count == 0)
		return;
	fprintf(out, "retour serve: agent %s: to", name);
	for (unsigned i = 0; i < shown; i++)
		fprintf(out, "%s %s %" PRIu64, i ? "," : "",
			prefix_format(prefix_of(addr_v4(networks[i].network), LEDGER_BITS), text),
			networks[i].packets);
	if (count > shown)
		fprintf(out, ", and %u networks more", count - shown);
	if (ledger->elsewhere > 0)
		fprintf(out, ", %" PRIu64 " elsewhere", ledger->elsewhere);
	fputc('\n', out);
}

void vantage_ledger_print(
	const struct agent *agent, const char *name, const struct agent_rules *rules, FILE *out)
{
	const struct ledger *ledger = agent_ledger(agent);
	print_kinds(ledger, name, out);
	print_networks(ledger, name, out);
	if (rules->per_day > 0)
		fprintf(out, "retour serve: agent %s: %u of the day's %u packets are spent\n", name,
			agent_counters(agent).spent, rules->per_day);
}
