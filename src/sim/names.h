/* The world's names: a name server at an address of its own. */
#ifndef RETOUR_SIM_NAMES_H
#define RETOUR_SIM_NAMES_H

#include <stdbool.h>

#include "base/cursor.h"
#include "packet/packet.h"
#include "sim/world.h"

/* In every world; no world may use them otherwise. */
#define NAMES_ADDRESS4 "198.19.255.53"
#define NAMES_ADDRESS6 "2001:db8:ffff::53"

bool names_is_server(struct addr addr);
/* The name server's answer to a packet, as a packet. False: it does not answer. */
bool names_answer(const struct world *world, const struct packet *packet, struct writer *writer);
/* Answer a DNS message alone. */
bool names_resolve(const struct world *world, struct cursor *query, struct writer *answer);

#endif
