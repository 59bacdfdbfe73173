/* `retour traceroute`: the flags, layout and exit statuses of Linux traceroute 2.1. */
#ifndef RETOUR_CLI_TRACEROUTE_H
#define RETOUR_CLI_TRACEROUTE_H

int cli_traceroute(int argc, char **argv);
/* The same for IPv6, as the name traceroute6 asks for. */
int cli_traceroute6(int argc, char **argv);

#endif
