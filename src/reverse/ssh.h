/* The way back as a program on the far host sees it, run over there with the user's own ssh: their keys,
 * agent, configuration and jump hosts. Nobody is asked for a password, and nothing is installed over there.
 * `--via ssh`, `--via ssh:[user@]host`, or the hosts of `ssh:` in the settings. */
#ifndef RETOUR_REVERSE_SSH_H
#define RETOUR_REVERSE_SSH_H

#include "reverse/ladder.h"

extern const struct reverse_method ssh_method;

#endif
