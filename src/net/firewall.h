/* The rules of this host's firewall, to be read. */
#ifndef RETOUR_NET_FIREWALL_H
#define RETOUR_NET_FIREWALL_H

#include "base/error.h"

/* All of nftables' tables as its JSON; heap text in *json. -EPERM without cap_net_admin. */
int firewall_read(char **json, struct error *error) MUST_USE;

#endif
