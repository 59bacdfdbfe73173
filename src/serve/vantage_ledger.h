/* An agent's ledger as lines for its owner. */
#ifndef RETOUR_SERVE_VANTAGE_LEDGER_H
#define RETOUR_SERVE_VANTAGE_LEDGER_H

#include <stdio.h>

#include "revtr/agent.h"

void vantage_ledger_print(
	const struct agent *agent, const char *name, const struct agent_rules *rules, FILE *out);

#endif
