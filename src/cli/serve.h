#ifndef RETOUR_CLI_SERVE_H
#define RETOUR_CLI_SERVE_H

/* `retour serve`: the responder, until SIGINT or SIGTERM. */
int cli_serve(int argc, char **argv);

#endif
