/* `retour data`: the local data that annotation looks things up in. */
#ifndef RETOUR_CLI_DATA_H
#define RETOUR_CLI_DATA_H

int cli_data(int argc, char **argv);

#endif
