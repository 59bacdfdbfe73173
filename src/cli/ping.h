/* `retour ping`: round trips to a host, and each direction for itself where the host reflects test packets.
 */
#ifndef RETOUR_CLI_PING_H
#define RETOUR_CLI_PING_H

int cli_ping(int argc, char **argv);

#endif
