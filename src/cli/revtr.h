/* `retour revtr`: reverse traceroute without the far host's help. */
#ifndef RETOUR_CLI_REVTR_H
#define RETOUR_CLI_REVTR_H

int cli_revtr(int argc, char **argv);

#endif
